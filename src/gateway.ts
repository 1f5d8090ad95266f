// The composition root: one straight line from the config to a gateway that takes readings, and a stack that closes it again,
// last in first out. It holds no logic of its own.

import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import { createBroker } from "./broker/broker.ts";
import { answerCalls } from "./call.ts";
import type { Clock } from "./clock.ts";
import { type GatewayConfig, type LoadResult, urlOf } from "./config.ts";
import type { ZoneTable } from "./engine/calendar.ts";
import { GatewayError } from "./error.ts";
import { createYoungGeneration } from "./heap.ts";
import type { ReloadOutcome } from "./http/route.ts";
import { createInbox, type Inbox, type Turn } from "./inbox.ts";
import type { Log } from "./log.ts";
import type { FromProcessor, FromService, MainVerbs, ToProcessor, ToService } from "./messages.ts";
import { createMetrics } from "./metrics.ts";
import { createMqttState } from "./mqtt-state.ts";
import { lockDataDir } from "./storage/database.ts";
import { identityOf } from "./storage/identity.ts";
import { IMPORT_SOURCE, seriesLimit } from "./storage/imports.ts";
import { type Supervised, supervise } from "./worker.ts";
import { zoneTable } from "./zone.ts";

export type GatewayOptions = {
  readonly version: string;
  /** Build date of the release; a wall clock before it is wrong. */
  readonly releasedAt: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly logLevel: string;
  /** Take the wall clock as it is, though the journal is ahead of it. */
  readonly acceptClock: boolean;
  /** Reads the config for a reload. */
  readonly readConfig: () => LoadResult;
  /** Something ended that the gateway cannot go on without. */
  readonly onFatal: (error: Error) => void;
};

export type Gateway = {
  readonly mqtt: readonly { host: string; port: number }[];
  readonly http: { host: string; port: number };
  /** The one-time link that makes the administrator, while there is no account. */
  readonly setupUrl: string | undefined;
  /** Reads the config again: rules, routes, sources and devices take effect, listeners and paths stay. One that is not valid changes nothing. Logs what came of it. */
  reload(): Promise<ReloadOutcome>;
  close(): Promise<void>;
};

type Closer = () => Promise<void> | void;
type Processor = Supervised<ToProcessor, FromProcessor>;
type Service = Supervised<ToService, FromService>;

/**
 * Starts a gateway.
 * @throws GatewayError `data_dir_in_use`, `database_newer` and what else keeps it from starting; nothing is left running then
 */
export async function startGateway(config: GatewayConfig, options: GatewayOptions): Promise<Gateway> {
  const closers: Closer[] = [];
  try {
    return await compose(config, options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

async function compose(config: GatewayConfig, options: GatewayOptions, closers: Closer[]): Promise<Gateway> {
  const { log, clock, version } = options;
  const { dataDir } = config.gateway;
  const metrics = createMetrics();

  const lock = lockDataDir(dataDir);
  closers.push(() => lock.release());

  const { port1: servicePort, port2: processorPort } = new MessageChannel();
  const processor: Processor = supervise("processor", { dataDir, logLevel: options.logLevel, servicePort }, [servicePort]);
  closers.push(() => processor.end({ kind: "close" }));
  const { recovered, series, planHash, active, mqtt: stored } = await processor.first("ready");
  log.info({ ...recovered, differing: recovered.differing.length, series: series.length }, "recovered");

  const clockProblem = clockProblemOf(clock.now(), recovered.at, options);
  if (clockProblem !== undefined) log.error({ problem: clockProblem }, "connections are refused; set the clock, or start with --accept-clock");
  const young = createYoungGeneration(clock.monotonic);
  const send = (turn: Turn, readings: number): void => {
    young.turned(readings);
    processor.tell({ kind: "turn", turn }, buffersOf(turn));
  };
  const inbox = createInbox(
    { clock, send, clockStepped: (ms) => log.warn({ ms }, "the wall clock was set") },
    { ...inboxLimits(config), at: options.acceptClock ? 0 : recovered.at, up: recovered.up, series },
  );
  closers.push(() => inbox.close());

  const start = { config, logLevel: options.logLevel, processorPort, version, startedAt: clock.now(), dashboardDir };
  const service: Service = supervise("service", start, [processorPort]);
  closers.push(() => service.end({ kind: "close" }));

  const broker = createBroker(
    { inbox, clock, log: log.child({ room: "broker" }), metrics },
    { ...brokerOptions(config), stored, takesConnections: () => clockProblem ?? inbox.fullness() ?? true },
  );
  const state = createMqttState({ publish: broker.publish }, { name: config.gateway.name, version });
  const reload = createReload(options, inbox, config, (next) => {
    broker.reload(next.sources, zonesOf(next), next.mqtt);
    inbox.post({ kind: "rules", plan: next.plan });
    service.tell({ kind: "config", config: next });
  });
  answerCalls<MainVerbs>(service.worker, {
    status: () => ({ broker: broker.status(), queue: inbox.status() }),
    metrics: () => metrics.text(),
    deadLetter: ({ id, reason }) => inbox.post({ kind: "dead-letter", notification: id, reason }),
    command: ({ by, command }) => inbox.command(by, command),
    async define({ series }) {
      const ids = inbox.registry.idsOf(series, IMPORT_SOURCE);
      const limit = config.mqtt.limits.series;
      if (ids === undefined) throw seriesLimit(inbox.status().series, series.length, limit);
      await committed(inbox);
      return ids;
    },
    disk(room) {
      inbox.post({ kind: "disk", ...room });
      return committed(inbox);
    },
    reload: () => reload.run(),
  });
  const readiness = createReadiness(service, clockProblem);
  connect(processor, inbox, { readiness, changed: state.alert });

  const { http, setup } = await listening(service);
  inbox.post({ kind: "started", version });
  if (planHash !== config.plan.hash) inbox.post({ kind: "rules", plan: config.plan });
  await inbox.idle();
  const mqtt = await broker.start();
  // The last of what sessions acknowledged goes to the disk with this.
  closers.push(async () => {
    await broker.close();
    await inbox.idle();
  });
  for (const alert of active) state.alert(alert);
  state.status("online");
  readiness.started();
  reload.allow();
  for (const thread of [processor, service]) thread.onEnd(options.onFatal);

  return {
    mqtt,
    http,
    setupUrl: setup === undefined ? undefined : setupUrlOf(config, http, setup),
    reload: () => reload.run(),
    async close() {
      readiness.stopping();
      state.status("offline");
      broker.stopAccepting();
      processor.tell({ kind: "drain" });
      await inbox.idle();
      await closeAll(closers);
    },
  };
}

const dashboardDir = fileURLToPath(new URL("../dist/dashboard", import.meta.url));

const inboxLimits = ({ mqtt: { limits } }: GatewayConfig) => ({ seriesMax: limits.series, bytesMax: limits.inbox_bytes });

const brokerOptions = (config: GatewayConfig) => ({
  listeners: config.mqtt.listeners,
  sources: config.sources,
  limits: config.mqtt.limits,
  access: config.mqtt,
  bridges: { identity: identityOf(config.gateway.dataDir), list: config.mqtt.bridges },
  zones: zonesOf(config),
  timezone: config.gateway.timezone,
  sessionExpiry: config.mqtt.session_expiry,
});

/** Turns go to the processor by the inbox; what became of them comes back here. */
function connect(processor: Processor, inbox: Inbox, told: { readiness: Readiness; changed: ReturnType<typeof createMqttState>["alert"] }): void {
  processor.listen((message) => {
    if (message.kind === "holding") {
      inbox.holding();
      told.readiness.disk(`the disk refuses: ${message.reason}; nothing is acknowledged until it takes the commit`);
    }
    if (message.kind === "released") inbox.released();
    if (message.kind === "released" || message.kind === "settled") told.readiness.disk(undefined);
    if (message.kind !== "settled") return;
    inbox.settled(message.wakeAt, message.answers);
    for (const { alert } of message.changes) told.changed(alert);
  });
}

/** Resolves when all that the inbox took is on disk. */
const committed = (inbox: Inbox): Promise<void> =>
  new Promise((resolve, reject) => inbox.committed((error) => (error === undefined ? resolve() : reject(error))));

/** First all that may fail, then the swap; so nothing is ever half in force. @param use puts a config that is valid in force */
function createReload({ readConfig, log }: GatewayOptions, inbox: Inbox, start: GatewayConfig, use: (config: GatewayConfig) => void) {
  let inForce: GatewayConfig | undefined;
  return {
    /** From now on; before, the start itself puts rules in force. */
    allow(): void {
      inForce = start;
    },
    async run(): Promise<ReloadOutcome> {
      if (inForce === undefined) throw new GatewayError("starting", "the gateway is starting", { retryable: true, hint: "try again in a moment" });
      const read = readConfig();
      if (read.kind === "invalid") {
        log.error({ problems: read.problems }, "the config is not valid; the old one stays in force");
        return { kind: "invalid", problems: read.problems };
      }
      const { config, notes } = read;
      const changed = config.plan.hash !== inForce.plan.hash;
      inForce = config;
      use(config);
      await committed(inbox);
      const counts = { rules: config.plan.rules.length, sources: config.sources.length, devices: Object.keys(config.plan.devices).length };
      log.info({ ...counts, changed }, "reloaded");
      return { kind: "ok", plan: config.plan.hash, changed, ...counts, receivers: config.notify.receivers.length, notes };
    },
  };
}

type Readiness = ReturnType<typeof createReadiness>;

/** Why the gateway is not ready, as /readyz says it. */
function createReadiness(service: Service, clockProblem: string | undefined) {
  let disk: string | undefined;
  const tell = (): void => {
    const reasons = [clockProblem, disk].filter((reason) => reason !== undefined);
    service.tell({ kind: "readiness", ready: reasons.length === 0, reasons });
  };
  return {
    started: tell,
    stopping: (): void => service.tell({ kind: "readiness", ready: false, reasons: ["the gateway is stopping"] }),
    disk(problem: string | undefined): void {
      if (problem === disk) return;
      disk = problem;
      tell();
    },
  };
}

async function listening(service: Service): Promise<Extract<FromService, { kind: "ready" }>> {
  const failed = service.first("failed").then(({ message, hint }) => {
    throw new GatewayError("service_failed", message, hint === undefined ? {} : { hint });
  });
  const ready = await Promise.race([service.first("ready"), failed]);
  failed.catch(() => undefined);
  return ready;
}

/** Behind `#` the secret reaches no log of a proxy. */
function setupUrlOf({ gateway, http }: GatewayConfig, listening: { host: string; port: number }, secret: string): string {
  return `${http.port === 0 ? urlOf(listening) : gateway.externalUrl}/setup#${secret}`;
}

/** The column buffers of a turn, to be handed over instead of copied. */
const buffersOf = (turn: Turn): ArrayBuffer[] =>
  turn.inputs.flatMap((input) =>
    input.kind === "readings" ? [input.batch.series.buffer, input.batch.ts.buffer, input.batch.value.buffer] : [],
  ) as ArrayBuffer[];

/** The zones that sources name for local times. */
function zonesOf(config: GatewayConfig): Record<string, ZoneTable> {
  const names = config.sources.map(({ settings }) => (settings as { timezone?: string }).timezone).filter((name) => name !== undefined);
  return Object.fromEntries(names.map((name) => [name, zoneTable(name) as ZoneTable]));
}

function clockProblemOf(now: number, journalAt: number, { acceptClock, releasedAt }: GatewayOptions): string | undefined {
  if (acceptClock) return undefined;
  if (now < journalAt - 1000) return `the wall clock says ${new Date(now).toISOString()}, the journal already holds ${new Date(journalAt).toISOString()}`;
  if (now < releasedAt) return `the wall clock says ${new Date(now).toISOString()}, before this release was made`;
  return undefined;
}
