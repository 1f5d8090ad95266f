// The composition root: one straight line from the config to a gateway that takes readings, and a stack that closes it again,
// last in first out. It holds no logic of its own.

import { fileURLToPath } from "node:url";
import { MessageChannel, type Worker } from "node:worker_threads";
import { createBroker } from "./broker/broker.ts";
import { answerCalls } from "./call.ts";
import type { Clock } from "./clock.ts";
import type { GatewayConfig } from "./config.ts";
import type { ZoneTable } from "./engine/calendar.ts";
import type { AlertRecord } from "./engine/effect.ts";
import { GatewayError } from "./error.ts";
import { createInbox, type Turn } from "./inbox.ts";
import type { Log } from "./log.ts";
import type { FromProcessor, FromService, MainVerbs, ToProcessor, ToService } from "./messages.ts";
import { createMetrics } from "./metrics.ts";
import { lockDataDir } from "./storage/database.ts";
import { startWorker } from "./worker.ts";
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
  /** Something ended that the gateway cannot go on without. */
  readonly onFatal: (error: Error) => void;
};

export type Gateway = {
  readonly mqtt: readonly { host: string; port: number }[];
  readonly http: { host: string; port: number };
  /** Rules, routes, sources and devices of another config take effect; listeners and paths stay. */
  reload(config: GatewayConfig): void;
  close(): Promise<void>;
};

/**
 * Starts a gateway.
 * @throws GatewayError `data_dir_in_use`, `database_newer`, `port_in_use` and what else keeps it from starting; nothing is left running then
 */
export async function startGateway(config: GatewayConfig, options: GatewayOptions): Promise<Gateway> {
  const closers: (() => Promise<void> | void)[] = [];
  try {
    return await compose(config, options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: (() => Promise<void> | void)[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

async function compose(config: GatewayConfig, options: GatewayOptions, closers: (() => Promise<void> | void)[]): Promise<Gateway> {
  const { log, clock } = options;
  const startedAt = clock.now();
  const metrics = createMetrics();

  const lock = lockDataDir(config.gateway.dataDir);
  closers.push(() => lock.release());

  const { port1: servicePort, port2: processorPort } = new MessageChannel();
  const processor = startWorker("processor", { dataDir: config.gateway.dataDir, logLevel: options.logLevel, servicePort }, [servicePort]);
  const processorEnded = watch(processor, "processor", options.onFatal);
  closers.push(() => processorEnded.expect(() => tell<ToProcessor>(processor, { kind: "close" })));
  const recovered = await message<FromProcessor, "ready">(processor, "ready");
  log.info({ ...recovered.recovered, differing: recovered.recovered.differing.length, series: recovered.series.length }, "recovered");

  const clockProblem = clockProblemOf(clock.now(), recovered.recovered.at, options);
  if (clockProblem !== undefined) log.error({ problem: clockProblem }, "connections are refused; set the clock, or start with --accept-clock");
  const inbox = createInbox(
    {
      clock,
      send: (turn) => processor.postMessage({ kind: "turn", turn } satisfies ToProcessor, buffersOf(turn)),
      clockStepped: (ms) => log.warn({ ms }, "the wall clock was set"),
    },
    {
      seriesMax: config.mqtt.limits.series,
      bytesMax: config.mqtt.limits.inbox_bytes,
      at: options.acceptClock ? 0 : recovered.recovered.at,
      up: recovered.recovered.up,
      series: recovered.series,
    },
  );
  closers.push(() => inbox.close());

  const service = startWorker(
    "service",
    {
      config,
      logLevel: options.logLevel,
      processorPort,
      version: options.version,
      startedAt,
      dashboardDir: fileURLToPath(new URL("../dist/dashboard", import.meta.url)),
    },
    [processorPort],
  );
  const serviceEnded = watch(service, "service", options.onFatal);
  closers.push(() => serviceEnded.expect(() => tell<ToService>(service, { kind: "close" })));

  const broker = createBroker(
    { inbox, clock, log: log.child({ room: "broker" }), metrics },
    {
      listeners: config.mqtt.listeners,
      sources: config.sources,
      limits: config.mqtt.limits,
      zones: zonesOf(config),
      timezone: config.gateway.timezone,
      takesConnections: () => clockProblem ?? inbox.fullness() ?? true,
    },
  );
  answerCalls<MainVerbs>(service, {
    status: () => ({ broker: broker.status(), queue: inbox.status() }),
    metrics: () => metrics.text(),
    deadLetter: ({ id, reason }) => inbox.post({ kind: "dead-letter", notification: id, reason }),
  });
  let disk: string | undefined;
  const tellReadiness = (): void => {
    const reasons = [clockProblem, disk].filter((reason) => reason !== undefined);
    tell<ToService>(service, { kind: "readiness", ready: reasons.length === 0, reasons });
  };
  const publish = (alert: AlertRecord): void =>
    broker.publish(`highwater/alerts/${alert.rule}/${encodeURIComponent(inbox.registry.keyOf(alert.series))}`, JSON.stringify(alertState(alert)), {
      retain: true,
    });
  processor.on("message", (told: FromProcessor) => {
    if (told.kind === "holding") {
      inbox.holding();
      disk ??= `the disk refuses: ${told.reason}; nothing is acknowledged until it takes the commit`;
      tellReadiness();
    }
    if (told.kind !== "settled") return;
    if (disk !== undefined) {
      disk = undefined;
      tellReadiness();
    }
    inbox.settled(told.wakeAt);
    for (const { alert } of told.changes) publish(alert);
  });

  const http = await serviceReady(service);
  inbox.post({ kind: "started", version: options.version });
  if (recovered.planHash !== config.plan.hash) inbox.post({ kind: "rules", plan: config.plan });
  await inbox.idle();
  const mqtt = await broker.start();
  closers.push(() => broker.close());
  for (const alert of recovered.active) publish(alert);
  const publishStatus = (state: string): void =>
    broker.publish("highwater/status", JSON.stringify({ state, name: config.gateway.name, version: options.version }), { retain: true });
  publishStatus("online");
  tellReadiness();

  return {
    mqtt,
    http,
    reload(next) {
      broker.reload(next.sources, zonesOf(next));
      inbox.post({ kind: "rules", plan: next.plan });
      tell<ToService>(service, { kind: "config", config: next });
    },
    async close() {
      tell<ToService>(service, { kind: "readiness", ready: false, reasons: ["the gateway is stopping"] });
      publishStatus("offline");
      broker.stopAccepting();
      await inbox.idle();
      await closeAll(closers);
    },
  };
}

const tell = <Message>(worker: Worker, told: Message): void => worker.postMessage(told);

/** The column buffers of a turn, to be handed over instead of copied. */
const buffersOf = (turn: Turn): ArrayBuffer[] =>
  turn.inputs.flatMap((input) =>
    input.kind === "readings" ? [input.batch.series.buffer, input.batch.ts.buffer, input.batch.value.buffer] : [],
  ) as ArrayBuffer[];

/** Resolves with the worker's first message of a kind, rejects when the worker fails before. */
function message<Messages extends { kind: string }, Kind extends Messages["kind"]>(worker: Worker, kind: Kind): Promise<Extract<Messages, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.on("message", function listen(told: Messages) {
      if (told.kind !== kind) return;
      worker.off("message", listen);
      worker.off("error", reject);
      resolve(told as Extract<Messages, { kind: Kind }>);
    });
  });
}

async function serviceReady(service: Worker): Promise<{ host: string; port: number }> {
  const failed = message<FromService, "failed">(service, "failed").then(({ message: text, hint }) => {
    throw new GatewayError("service_failed", text, hint === undefined ? {} : { hint });
  });
  const { http } = await Promise.race([message<FromService, "ready">(service, "ready"), failed]);
  return http;
}

/** A thread that ends by itself is fatal; one that was asked to end is awaited. */
function watch(worker: Worker, name: string, onFatal: (error: Error) => void): { expect(ask: () => void): Promise<void> } {
  let isExpected = false;
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  worker.on("error", (error) => onFatal(error));
  worker.on("exit", () => {
    if (!isExpected) onFatal(new GatewayError("thread_ended", `the ${name} thread has ended`));
  });
  return {
    async expect(ask) {
      isExpected = true;
      ask();
      await ended;
    },
  };
}

function clockProblemOf(now: number, journalAt: number, { acceptClock, releasedAt }: GatewayOptions): string | undefined {
  if (acceptClock) return undefined;
  if (now < journalAt - 1000) return `the wall clock says ${new Date(now).toISOString()}, the journal already holds ${new Date(journalAt).toISOString()}`;
  if (now < releasedAt) return `the wall clock says ${new Date(now).toISOString()}, before this release was made`;
  return undefined;
}

/** The zones that sources name for local times. */
function zonesOf(config: GatewayConfig): Record<string, ZoneTable> {
  const names = config.sources.map(({ settings }) => (settings as { timezone?: string }).timezone).filter((name) => name !== undefined);
  return Object.fromEntries(names.map((name) => [name, zoneTable(name) as ZoneTable]));
}

const alertState = ({ id, rule, severity, labels, state, value, firedAt, resolvedAt, since }: AlertRecord): object => ({
  id,
  rule,
  severity,
  labels,
  state,
  value,
  fired_at: new Date(firedAt).toISOString(),
  resolved_at: resolvedAt === null ? null : new Date(resolvedAt).toISOString(),
  since: new Date(since).toISOString(),
});
