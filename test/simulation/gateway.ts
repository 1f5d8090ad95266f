// One process of the gateway: the real inbox, ingest, hold, pipeline, storage and outbox, put together as src/gateway.ts and
// src/threads do, but with the loop's threads, messages and timers instead of the machine's. It can be killed at any event.

import { createHold, type Holder } from "../../src/broker/hold.ts";
import { createIngest } from "../../src/broker/ingest.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import type { Clock } from "../../src/clock.ts";
import type { Wake } from "../../src/engine/contract.ts";
import type { Command, CommandAnswer } from "../../src/engine/dispatch/command.ts";
import type { Effects } from "../../src/engine/effect.ts";
import { createInbox, type Inbox, type Turn } from "../../src/inbox.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline.ts";
import type { Database } from "../../src/storage/database.ts";
import type { FinishedRow } from "../../src/storage/finished.ts";
import type { Channels } from "./channels.ts";
import type { Disk } from "./disk.ts";
import { type EventLoop, Killed, type Life } from "./event-loop.ts";
import type { Message } from "./ledger.ts";
import type { SimulatedConfig } from "./plans.ts";
import type { Random } from "./random.ts";
import { createService, quietLog, type Service } from "./service.ts";

/** What a run looks at while a gateway works. */
export type Watch = {
  recovered(pipeline: Pipeline, db: Database): void;
  /** A turn stands on disk. */
  committed(turn: Turn, effects: Effects | undefined): void;
  settled(wakeAt: Wake, instant: { at: number; up: number }, isQuiet: boolean): void;
  taken(message: Message): void;
  released(message: Message): void;
};

export type GatewayDeps = {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly channels: Channels;
  readonly watch: Watch;
  readonly tell: (text: string) => void;
  /** The process ended. */
  readonly ended: (why: string) => void;
};

export type GatewayOptions = {
  readonly acceptClock: boolean;
  readonly snapshotAfter: number;
  readonly bytesMax: number;
};

export type Gateway = ReturnType<typeof startGateway>;

const limits = limitsSchema.parse({});

export function startGateway(deps: GatewayDeps, config: SimulatedConfig, options: GatewayOptions) {
  const { loop, tell } = deps;
  const life: Life = { isAlive: true };
  const toMain = loop.port("main", life);
  const toService = loop.port("service", life);
  const toProcessor = loop.port("processor", life);
  let main: Main | undefined;
  let service: Service | undefined;
  let current = config;

  function end(why: string): void {
    if (!life.isAlive) return;
    life.isAlive = false;
    deps.disk.disarm();
    deps.ended(why);
  }

  const processor = createProcessor(deps, life, {
    snapshotAfter: options.snapshotAfter,
    end,
    ready(pipeline, db) {
      toMain(() => {
        const made = createMain(deps, life, pipeline, options, { config: current, turn: (turn) => toProcessor(() => processor.turn(turn)) });
        main = made;
        service = startService(db);
        made.open();
      });
    },
    holding: () => toMain(() => main?.inbox.holding()),
    released: () => toMain(() => main?.inbox.released()),
    settled: (wakeAt, effects) =>
      toMain(() => {
        main?.inbox.settled(wakeAt, effects?.answers);
        deps.watch.settled(wakeAt, main?.inbox.instant() ?? { at: 0, up: 0 }, effects === undefined);
      }),
    changes: () => toService(() => service?.changed()),
    written: (rows) => toService(() => service?.written(rows)),
  });

  function startService(db: Database): Service {
    const write = (rows: readonly FinishedRow[]): void => toProcessor(() => processor.take(rows));
    const deadLetter = (id: string, reason: string): void => toMain(() => main?.inbox.post({ kind: "dead-letter", notification: id, reason }));
    const started = createService({ ...deps, process: life, write, deadLetter, db }, current.receivers);
    started.changed();
    return started;
  }

  loop.schedule("processor", life, deps.random.spread(1, 500), () => processor.start());

  return {
    life,
    isOpen: (): boolean => life.isAlive && (main?.isOpen() ?? false),
    /** Nothing is waiting, under way or held. */
    isIdle: (): boolean => life.isAlive && (main?.isIdle() ?? false),
    pipeline: () => processor.pipeline(),
    unanswered: () => processor.unanswered(),
    describe: (): string => `alive ${life.isAlive}, ${JSON.stringify(main?.inbox.status())}`,
    /** A chunk of a connection's bytes, some messages. */
    publish: (holder: Holder, messages: readonly Message[], acknowledge: (message: Message, error?: Error) => void): void =>
      main?.publish(holder, messages, acknowledge),
    reload(next: SimulatedConfig): void {
      current = next;
      if (main === undefined) return;
      main.reload(next);
      toService(() => service?.reload(next.receivers));
    },
    /** Somebody asks something of the engine, if it is there to be asked. */
    command(command: Command): void {
      void main?.command(command).catch(() => undefined);
    },
    /** The thread of the outbox ends, and another begins from what the store says. */
    restartService(isGraceful: boolean): void {
      const db = processor.db();
      if (service === undefined || db === undefined) return;
      tell(`the service thread starts again${isGraceful ? ", after it closed" : ""}`);
      const old = service;
      const again = (): void => {
        service = startService(db);
      };
      if (!isGraceful) {
        old.kill();
        again();
      } else void old.close().then(again);
    },
    /** Ends as after SIGTERM. */
    close(): void {
      if (main === undefined || service === undefined) return end("closed before it was ready");
      const { inbox } = main;
      void main.drain().then(async () => {
        await service?.close();
        inbox.close();
        toProcessor(() => processor.close());
      });
    },
    /** As `kill -9` does. */
    kill: end,
  };
}

type Main = ReturnType<typeof createMain>;

function createMain(
  deps: GatewayDeps,
  life: Life,
  { recovered, engine }: Pipeline,
  { acceptClock, bytesMax }: GatewayOptions,
  { config, turn }: { config: SimulatedConfig; turn: (turn: Turn) => void },
) {
  const { loop, clock, tell, watch } = deps;
  const clockProblem = !acceptClock && clock.now() < recovered.at - 1000;
  if (clockProblem) tell("the wall clock is behind the journal: connections are refused");
  const inbox: Inbox = createInbox(
    {
      clock,
      timers: loop.timers("main", life),
      send: (next) => turn(handedOver(next)),
      clockStepped: (ms) => tell(`the gateway sees its wall clock step by ${ms} ms`),
    },
    { seriesMax: 1000, bytesMax, at: acceptClock ? 0 : recovered.at, up: recovered.up, series: engine.series() },
  );
  const hold = createHold({ committed: (callback) => inbox.committed(callback), clock });
  const ingest = createIngest({ inbox, clock }, { sources: config.sources, limits, zones: {} });
  let isOpen = false;
  return {
    inbox,
    isOpen: () => isOpen && inbox.fullness() === undefined,
    isIdle: () => isOpen && hold.size() === 0 && inbox.status().waiting === 0,
    open(): void {
      inbox.post({ kind: "started", version: "simulated" });
      if (engine.planHash() !== config.plan.hash) inbox.post({ kind: "rules", plan: config.plan });
      void inbox.idle().then(() => {
        isOpen = !clockProblem;
        tell("open");
      });
    },
    publish(holder: Holder, messages: readonly Message[], acknowledge: (message: Message, error?: Error) => void): void {
      for (const message of messages) {
        watch.taken(message);
        ingest.take(message.topic, message.payload);
        hold.add(holder, (error) => {
          if (error === undefined) watch.released(message);
          acknowledge(message, error);
        });
      }
    },
    reload(next: SimulatedConfig): void {
      ingest.reload(next.sources, {});
      inbox.post({ kind: "rules", plan: next.plan });
    },
    command: (command: Command): Promise<CommandAnswer> => inbox.command("somebody", command),
    drain(): Promise<void> {
      isOpen = false;
      return inbox.idle();
    },
  };
}

/** As a message between threads: the columns' buffers are gone from the sender. */
function handedOver(turn: Turn): Turn {
  const transfer = turn.inputs.flatMap((input) =>
    input.kind === "readings" ? [input.batch.series.buffer, input.batch.ts.buffer, input.batch.value.buffer] : [],
  ) as ArrayBuffer[];
  return structuredClone(turn, { transfer });
}

type ProcessorEnds = {
  readonly snapshotAfter: number;
  readonly end: (why: string) => void;
  readonly ready: (pipeline: Pipeline, db: Database) => void;
  readonly holding: () => void;
  readonly released: () => void;
  readonly settled: (wakeAt: Wake, effects: Effects | undefined) => void;
  readonly changes: () => void;
  readonly written: (rows: readonly FinishedRow[]) => void;
};

const SNAPSHOT_PAUSE_MS = 10;
const DELIVERED_WAIT_MS = 25;

/** As src/threads/processor.ts. */
function createProcessor(deps: GatewayDeps, life: Life, ends: ProcessorEnds) {
  const { loop, random, watch } = deps;
  const timers = loop.timers("processor", life);
  const metrics = createMetrics();
  let pipeline: Pipeline | undefined;
  let db: Database | undefined;
  const finished: FinishedRow[] = [];
  let idleAt = Number.POSITIVE_INFINITY;
  let cancelTimer = (): void => undefined;
  let isHolding = false;

  /** Work of this thread; where it fails as a process fails, the process ends. */
  function run(work: (pipeline: Pipeline) => void): void {
    try {
      work(pipeline as Pipeline);
    } catch (error) {
      const why = whyItEnded(error as Error);
      if (why === undefined) throw error;
      ends.end(why);
    }
  }

  function planIdle(ms: number): void {
    const at = loop.peek() + ms;
    if (at >= idleAt) return;
    cancelIdle();
    idleAt = at;
    cancelTimer = timers.after(ms, idle);
  }

  function cancelIdle(): void {
    cancelTimer();
    idleAt = Number.POSITIVE_INFINITY;
  }

  function idle(): void {
    idleAt = Number.POSITIVE_INFINITY;
    run(({ idle: write }) => {
      const rows = finished.splice(0);
      const { hasMore } = write(rows);
      if (isHolding) ends.released();
      isHolding = false;
      if (rows.length > 0) ends.written(rows);
      if (hasMore) planIdle(SNAPSHOT_PAUSE_MS);
    });
  }

  return {
    pipeline: () => pipeline,
    db: () => db,
    /** Look-ups that cost too much. */
    async unanswered(): Promise<number> {
      const counter = await metrics.registry.getSingleMetric("highwater_lookups_unanswered_total")?.get();
      return counter?.values[0]?.value ?? 0;
    },
    start(): void {
      const opened = deps.disk.open();
      db = opened;
      pipeline = createPipeline({
        db: opened,
        monotonic: slowClock(loop, random),
        sleep: (ms) => loop.block("processor", life, ms),
        holding: () => {
          isHolding = true;
          ends.holding();
        },
        log: quietLog,
        metrics,
        snapshotAfter: ends.snapshotAfter,
      });
      watch.recovered(pipeline, opened);
      ends.ready(pipeline, opened);
    },
    take(rows: readonly FinishedRow[]): void {
      finished.push(...rows);
      planIdle(rows.every(({ kind }) => kind === "delivery") ? DELIVERED_WAIT_MS : 0);
    },
    turn(turn: Turn): void {
      run((at) => {
        cancelIdle();
        loop.block("processor", life, random.chance(0.03) ? random.spread(20, 3_000) : random.spread(0.1, 15));
        const rows = finished.splice(0);
        const { wakeAt, effects } = at.turn({ inputs: turn.inputs, finished: [...turn.finished, ...rows] });
        isHolding = false;
        watch.committed(turn, effects);
        ends.settled(wakeAt, effects);
        if (effects !== undefined && effects.transitions.length > 0) ends.changes();
        if (rows.length > 0) ends.written(rows);
        planIdle(SNAPSHOT_PAUSE_MS);
      });
    },
    close(): void {
      run((at) => {
        cancelIdle();
        at.idle(finished.splice(0));
        at.close();
        ends.end("closed");
      });
    },
  };
}

/** A steady clock by which writing a part of a snapshot takes a while, so that snapshots are cut. */
function slowClock(loop: EventLoop, random: Random): () => number {
  let more = 0;
  return () => {
    more += random.chance(0.5) ? random.next() * 3 : 0;
    return loop.peek() + more;
  };
}

/** Of an error that ends a real process too: why; undefined when it is a mistake. */
function whyItEnded(error: Error): string | undefined {
  const cause = error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Killed) return cause.message;
  return (cause as { code?: string }).code === "SQLITE_IOERR_WRITE" ? "the disk failed" : undefined;
}
