// The service thread: HTTP and the live stream, delivery of notifications, the nightly batch's trigger and mail, the control
// socket. Nothing here is synchronous over 5 ms; the database is asked by the query thread and written by the processor.

import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { DailySummaryOptions } from "../batch/jobs/daily-summary.ts";
import type { RebuildRollupsOptions } from "../batch/jobs/rebuild-rollups.ts";
import { createScheduler } from "../batch/scheduler.ts";
import { createCaller } from "../call.ts";
import { systemClock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { type Control, createControl } from "../control.ts";
import type { Command, CommandAnswer } from "../engine/dispatch/command.ts";
import { GatewayError } from "../error.ts";
import { giveBackRoom } from "../heap.ts";
import { createAccounts } from "../http/accounts/accounts.ts";
import type { AccountsCommand } from "../http/accounts/administer.ts";
import { type CommandOfCli, operate } from "../http/operate.ts";
import type { ReloadOutcome, RulesInForce } from "../http/route.ts";
import { createServer } from "../http/server.ts";
import type { Status } from "../http/status.ts";
import { createLog } from "../log.ts";
import type {
  AlertChange,
  FromService,
  MainVerbs,
  ProcessorToService,
  ProcessorVerbs,
  QueryStart,
  ServiceStart,
  ServiceToProcessor,
  ToService,
} from "../messages.ts";
import { createMetrics } from "../metrics.ts";
import { createOutbox } from "../notify/outbox.ts";
import { createOutboxReader } from "../outbox-reader.ts";
import { createQueryClient } from "../query-client.ts";
import { createStoredFigures } from "../stored-figures.ts";
import { createImporter, type ImportOrder } from "../upkeep/importer.ts";
import { createJobs } from "../upkeep/jobs.ts";
import { createRoomKeeper } from "../upkeep/room-keeper.ts";
import { type AlertsOrder, createUpkeep } from "../upkeep/upkeep.ts";
import { createWriterClient } from "../writer-client.ts";

/** How long the processor may take to say how it is, and how many such questions may be open. */
const ANSWER_MS_MAX = 1_000;
const QUESTIONS_MAX = 8;
/** How long a caller waits until what was asked is committed. */
const COMMIT_MS_MAX = 10_000;

const { config: startConfig, logLevel, processorPort, version, startedAt, dashboardDir } = workerData as ServiceStart;
const main = parentPort as NonNullable<typeof parentPort>;
const log = createLog({ level: logLevel, name: "service" });
const metrics = createMetrics();
const stop = new AbortController();
let config: GatewayConfig = startConfig;
let readiness: { ready: boolean; reasons: string[] } = { ready: false, reasons: ["the gateway is starting"] };
let control: Control | undefined;
const listeners = new Set<(alert: AlertChange["alert"], transition: AlertChange["transition"]) => void>();

const tellMain = (message: FromService): void => main.postMessage(message);
const askMain = createCaller<MainVerbs>(main);
const askProcessor = createCaller<ProcessorVerbs>(processorPort);
/** While the disk refuses a commit the processor answers nothing: what it said last is as true as when it stopped. */
const processorStatus = lastAnswer(() => askProcessor("status", undefined));
const processorMetrics = lastAnswer(() => askProcessor("metrics", undefined));
const { dataDir } = config.gateway;
const queries = createQueryClient(queryStart(), log);
const figures = createStoredFigures({ query: queries.query, clock: systemClock, metrics });
const storedMetrics = lastAnswer(() => figures.refreshMetrics());

/** What answers depend on, of the config in force. */
function queryStart(): QueryStart {
  const { plan, alarmTargets } = config;
  return { dataDir, devices: plan.devices, zone: plan.zone, alarmTargets, gateway: { name: config.gateway.name, version } };
}

/** Asks, but waits only so long for one who has answered before. */
function lastAnswer<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let last: { readonly answer: Answer } | undefined;
  let open = 0;
  async function asked(): Promise<Answer> {
    open += 1;
    try {
      last = { answer: await ask() };
      return last.answer;
    } finally {
      open -= 1;
    }
  }
  return async () => {
    if (last === undefined) return asked();
    return open >= QUESTIONS_MAX ? last.answer : Promise.race([asked(), sleep(ANSWER_MS_MAX, last.answer, { ref: false })]);
  };
}

const writer = createWriterClient((message) => processorPort.postMessage(message));
const { write } = writer;
const jobs = createJobs({ dataDir, emit: writer.work, define: (series) => askMain("define", { series }), signal: stop.signal });

const outboxReader = createOutboxReader(dataDir, queries);
const outbox = createOutbox(
  {
    waiting: outboxReader.waiting,
    whole: outboxReader.whole,
    report: (row) => void write([row]).then(() => outbox.wake()),
    deadLetter: (id, reason) =>
      void askMain("deadLetter", { id, reason }).catch((error: unknown) => log.warn({ id, err: error }, "a dead letter waits for the next start")),
    clock: systemClock,
    log: log.child({ room: "notify" }),
    metrics,
  },
  {
    receivers: config.notify.receivers,
    gatewayName: config.gateway.name,
    externalUrl: config.gateway.externalUrl,
    timezone: config.gateway.timezone,
    flapping: config.plan.dispatch?.flapping ?? null,
  },
);

processorPort.on("message", (message: ProcessorToService | { kind: "reply" }) => {
  if (message.kind === "written") writer.written(message);
  if (message.kind === "room") roomKeeper.told(message);
  if (message.kind !== "changes") return;
  for (const { alert, transition } of message.changes) for (const listener of listeners) listener(alert, transition);
  outbox.wake();
});

/** Figures of the store are as old as its last answer while it is too busy for another. */
async function serviceMetrics(): Promise<string> {
  await storedMetrics().catch((error: unknown) => log.warn({ err: error }, "the store's figures in the metrics are not new"));
  return metrics.text();
}

async function status(): Promise<Status> {
  const [{ books, seq }, { broker, queue }] = await Promise.all([processorStatus(), askMain("status", undefined)]);
  const { unmatched, ...connections } = broker;
  const { rejected, waiting, oldestWaitingMs, dead } = await figures.status();
  const now = systemClock.now();
  return {
    version,
    started_at: new Date(startedAt).toISOString(),
    uptime_ms: now - startedAt,
    readings: books,
    unmatched: unmatched.map(({ topic, count, sample, suggestion }) => ({ topic, count, sample, suggestion })),
    rejected,
    queue,
    broker: connections,
    journal: { seq },
    outbox: { waiting, in_flight: outbox.inFlight(), oldest_waiting_ms: oldestWaitingMs, dead },
  };
}

async function rules(): Promise<RulesInForce> {
  const { plan, counts } = await askProcessor("rules", undefined);
  const byName = new Map(counts.map((each) => [each.rule, each]));
  const none = { series: 0, pending: 0, firing: 0, recovering: 0 };
  return { plan, rules: config.plan.rules.map((rule) => ({ ...none, ...byName.get(rule.name), rule })) };
}

/** While the disk refuses commits, what was asked waits like all the rest. @param late says so */
function committed<Value>(asked: Promise<Value>, code: string, late: string): Promise<Value> {
  const error = new GatewayError(code, `${late} with the next commit, which the disk does not take yet`, { retryable: true, hint: "look at /readyz" });
  return Promise.race([asked, sleep(COMMIT_MS_MAX, undefined, { ref: false }).then(() => Promise.reject(error))]);
}

const reload = (): Promise<ReloadOutcome> => committed(askMain("reload", undefined), "reload_waits", "the config is valid and takes effect");
const commands = metrics.counter("highwater_commands_total", "What people asked of the engine, by what came of it", ["kind", "outcome"]);

async function command(by: string, asked: Command): Promise<CommandAnswer> {
  const answer = await committed(askMain("command", { by, command: asked }), "command_waits", "it is carried out");
  commands.inc({ kind: asked.kind, outcome: answer.kind === "done" ? "done" : answer.code });
  return answer;
}

const accounts = createAccounts({ write, clock: systemClock, metrics });
const exposed = config.http.anonymous === undefined ? {} : { anonymous: config.http.anonymous };
const server = createServer(
  {
    query: (request) => queries.query(request),
    render: (path, request) => queries.render(path, request),
    status,
    ready: () => readiness,
    metricsText: async () => (await Promise.all([askMain("metrics", undefined), processorMetrics(), serviceMetrics()])).join("\n"),
    latest: (since) => askProcessor("latest", since),
    rules,
    plan: () => config.plan,
    reload,
    command,
    onTransition(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    accounts,
    log: log.child({ room: "http" }),
    metrics,
  },
  { host: config.http.host, port: config.http.port, gatewayName: config.gateway.name, externalUrl: config.gateway.externalUrl, dashboardDir, ...exposed },
);

async function reloadForCli(): Promise<ReloadOutcome> {
  const outcome = await reload();
  void accounts.audit({ who: "local", origin: "cli", action: "reload", target: "", why: "", outcome: outcome.kind === "ok" ? "ok" : "failed" });
  return outcome;
}

function commandForCli({ user, why, command: asked }: CommandOfCli): Promise<CommandAnswer> {
  const by = `local:${user}`;
  return operate({ command, accounts }, { by, who: by, origin: "cli", why }, asked);
}

const tellProcessor = (message: ServiceToProcessor): void => processorPort.postMessage(message);
const upkeep = createUpkeep({
  jobs,
  config: () => config,
  uncompacted: () => queries.query({ kind: "uncompacted" }),
  signal: stop.signal,
  clock: systemClock,
  log: log.child({ room: "batch" }),
});
const importer = createImporter({ jobs, config: () => config, clock: systemClock, log: log.child({ room: "history" }) });
const roomKeeper = createRoomKeeper({
  makeRoom: upkeep.retain,
  summarize: upkeep.nightly,
  tell: (state, { used, limit }) => Promise.race([askMain("disk", { state, used, limit }), sleep(COMMIT_MS_MAX, undefined, { ref: false })]),
  hold: (reason) => tellProcessor({ kind: "hold", reason: reason ?? null }),
  clock: systemClock,
  log: log.child({ room: "storage" }),
});

const scheduler = createScheduler(
  { run: upkeep.nightly, keepUp: upkeep.keepUp, clock: systemClock, log: log.child({ room: "batch" }) },
  { at: config.batch.dailySummary.at, zone: config.plan.zone },
);

async function close(): Promise<void> {
  stop.abort();
  await control?.close();
  await scheduler.close();
  await roomKeeper.close();
  await server.close();
  await outbox.close();
  outboxReader.close();
  await queries.close();
  tellMain({ kind: "closed" });
  processorPort.close();
  main.close();
}

main.on("message", (message: ToService | { kind: "question" | "reply" }) => {
  switch (message.kind) {
    case "readiness":
      readiness = { ready: message.ready, reasons: message.reasons };
      return;
    case "config":
      config = message.config;
      outbox.reload(config.notify.receivers, config.plan.dispatch?.flapping);
      tellProcessor({ kind: "disk-limit", bytes: config.storage.diskLimit });
      return void queries.reload(queryStart());
    case "close":
      return void close();
    default:
      return;
  }
});

try {
  accounts.load(await queries.query({ kind: "accounts" }));
  control = await createControl(dataDir, {
    accounts: (argument) => accounts.administer(argument as AccountsCommand),
    reload: reloadForCli,
    command: (argument) => commandForCli(argument as CommandOfCli),
    running: () => Promise.resolve(true),
    "rebuild-alerts": (argument, progress, gone) => upkeep.rebuildAlerts(argument as AlertsOrder, progress, gone),
    "rebuild-rollups": (argument, progress) => upkeep.rebuildRollups((argument as Pick<RebuildRollupsOptions, "days">).days, progress),
    import: (argument, progress, gone) => importer.run(argument as ImportOrder, progress, gone),
    summarize(argument, progress) {
      const { days } = argument as Pick<DailySummaryOptions, "days">;
      return upkeep.summarize(days === undefined ? {} : { days }, progress);
    },
  });
  await Promise.all([processorStatus(), processorMetrics()]);
  const http = await server.start();
  tellMain({ kind: "ready", http, setup: accounts.count() === 0 ? accounts.offerSetup() : undefined });
  giveBackRoom();
  outbox.wake();
  scheduler.start();
  tellProcessor({ kind: "disk-limit", bytes: config.storage.diskLimit });
} catch (error) {
  const { message, hint } = error as GatewayError;
  tellMain({ kind: "failed", message, hint });
}
