// The outbox delivers what waits in the store. At least once: a row waits until its delivery is committed. In order per
// (alert or group, receiver, channel): the next is not sent before the one before is delivered or dead. Keys go in parallel, with
// a limit per channel and one over all, so that a receiver that hangs holds up only itself.
// It writes nothing: what became of an attempt is handed to `report` and `deadLetter`. It keeps nothing that a restart needs.

import { type Clock, systemTimers, type Timers } from "../clock.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { FinishedRow } from "../storage/finished.ts";
import type { OutboxHead, OutboxRow } from "../storage/outbox-row.ts";
import { attempt, type ChannelSettings } from "./attempt.ts";
import { nextRetry, RETRY_AFTER_MAX_MS } from "./backoff.ts";
import type { Delivery } from "./channels/channel.ts";
import { channelOf } from "./channels/index.ts";
import { readNotification, type Sender } from "./notification.ts";
import { createOutboxMetrics } from "./outbox-metrics.ts";

/** A receiver of the config: its channels by key, settings as their schemas gave them. */
export type Receiver = { readonly name: string; readonly channels: readonly ChannelSettings[] };
export type DeliveryRow = Extract<FinishedRow, { kind: "delivery" }>;

export type OutboxDeps = {
  /** See storage/outbox-row.ts for which rows; may be stale by what was reported since. */
  waiting(limit: number): Promise<readonly OutboxHead[]>;
  /** One of them with its members; null: it is gone. */
  whole(id: string): Promise<OutboxRow | null>;
  /** Takes what became of an attempt to the writer; wake() the outbox once it is committed. */
  report(row: DeliveryRow): void;
  /** A notification is given up: an input of the engine. */
  deadLetter(id: string, reason: string): void;
  readonly clock: Clock;
  readonly timers?: Timers;
  /** Default: the list of channels. */
  readonly channelOf?: typeof channelOf;
  readonly log: Log;
  readonly metrics: Metrics;
};

export type OutboxOptions = Sender & {
  readonly receivers: readonly Receiver[];
  /** Attempts at one time per (receiver, channel); default 8. */
  readonly perChannelMax?: number;
  /** Attempts at one time over all; default 64. */
  readonly overallMax?: number;
  /** After this an attempt is aborted whatever its channel says; default 30 s. */
  readonly attemptMs?: number;
  /** How long close() lets attempts finish before it aborts them; default 1 s. */
  readonly graceMs?: number;
};

/** Rows asked for per (receiver, channel). */
const PAGE = 256;
/** Ids remembered as ended or tried, so that a read older than the report sends nothing twice. */
const REMEMBERED_MAX = 100_000;
/** The store is read at least this often: wakes may be lost, wall clocks may step. */
const READ_EVERY_MS = 15_000;
/** A read that was stale, or failed, is repeated after this, doubled each time. */
const REREAD_MS = 25;

/** A read that takes longer is followed by a rest of READ_REST times as long: much that waits must not occupy the store. */
const READ_MS_FREE = 20;
const READ_REST = 3;
const REST_MS_MAX = 1_000;

/** A failure reported: its count, and when by the steady clock the next attempt is due. */
type Attempted = { readonly attempts: number; readonly dueUp: number };

/** Starts at the first wake(). */
export function createOutbox(deps: OutboxDeps, options: OutboxOptions) {
  const { clock, log, timers = systemTimers } = deps;
  const { perChannelMax = 8, overallMax = 64, attemptMs = 30_000, graceMs = 1_000 } = options;
  const metrics = createOutboxMetrics(deps.metrics);
  const stop = new AbortController();
  const inFlight = new Map<string, { row: OutboxHead; done: Promise<void> }>();
  const inFlightOf = new Map<string, number>();
  /** What was reported of a row that the store may not know yet. */
  const ended = new Map<string, true>();
  const tried = new Map<string, Attempted>();
  /** A receiver that named a time is left alone until then, with all that is for it. */
  const pausedUntilUp = new Map<string, number>();
  let settings = settingsByKey(options.receivers);
  let sender: Sender = options;
  let page: readonly OutboxHead[] = [];
  let isReading = false;
  let isWoken = false;
  let isReadPlanned = false;
  let isClosed = false;
  let rereadMs = REREAD_MS;
  let cancelTimer = (): void => undefined;
  /** Of a store that is slow to read, by the steady clock. */
  let restUntil = 0;
  let timerAt = Number.POSITIVE_INFINITY;

  function wake(): void {
    if (isClosed) return;
    const rest = restUntil - clock.monotonic();
    if (isReading) isWoken = true;
    else if (rest > 0) schedule(rest);
    else if (!isReadPlanned) {
      // One commit wakes it more than once: for what it brought and for what it ended.
      isReadPlanned = true;
      timers.soon(() => {
        isReadPlanned = false;
        if (!isReading && !isClosed) void read();
      });
    }
  }

  async function read(): Promise<void> {
    isReading = true;
    isWoken = false;
    cancelTimer();
    timerAt = Number.POSITIVE_INFINITY;
    const startedAt = clock.monotonic();
    let wait = READ_EVERY_MS;
    try {
      page = inOrder(await deps.waiting(PAGE));
      wait = pump();
      if (page.some(({ id }) => ended.has(id))) wait = Math.min(wait, nextReread());
      else rereadMs = REREAD_MS;
    } catch (error) {
      // The store may be gone before a question to it is answered: at the end nobody asks again.
      if (!isClosed) log.error({ err: error }, "the outbox could not be read; trying again");
      wait = nextReread();
    } finally {
      isReading = false;
      const endedAt = clock.monotonic();
      const took = endedAt - startedAt;
      restUntil = took > READ_MS_FREE ? endedAt + Math.min(READ_REST * took, REST_MS_MAX) : 0;
    }
    if (isWoken) wake();
    else schedule(wait);
  }

  /** Reads again after `wait` ms, or sooner if that is planned already. */
  function schedule(wait: number): void {
    const at = clock.monotonic() + Math.max(1, Math.min(wait, READ_EVERY_MS));
    if (isClosed || at >= timerAt) return;
    cancelTimer();
    timerAt = at;
    cancelTimer = timers.after(at - clock.monotonic(), () => {
      // A timer may fire a little early: what it plans then must not be taken for planned already.
      timerAt = Number.POSITIVE_INFINITY;
      wake();
    });
  }

  function nextReread(): number {
    const wait = rereadMs;
    rereadMs = Math.min(rereadMs * 2, 1_000);
    return wait;
  }

  /** Starts what may start. @returns milliseconds until something else falls due */
  function pump(): number {
    const [now, up] = [clock.now(), clock.monotonic()];
    const blocked = new Set(inFlight.keys());
    let next = Number.POSITIVE_INFINITY;
    for (const row of page) {
      if (isClosed || ended.has(row.id)) continue;
      const key = orderKey(row);
      if (blocked.has(key)) continue;
      blocked.add(key);
      const wait = waitOf(row, now, up);
      if (wait > 0) next = Math.min(next, wait);
      else if (inFlight.size < overallMax && (inFlightOf.get(channelKey(row)) ?? 0) < perChannelMax) start(row, key);
    }
    return next;
  }

  /** Milliseconds until a row is due: by the steady clock where this process set the time, so that a step of the wall clock delays nothing. */
  function waitOf(row: OutboxHead, now: EpochMs, up: number): number {
    const paused = (pausedUntilUp.get(channelKey(row)) ?? 0) - up;
    const local = localOf(row);
    if (local !== undefined) return Math.max(local.dueUp - up, paused);
    return Math.max(row.attempts === 0 ? 0 : Math.min(row.nextAt - now, RETRY_AFTER_MAX_MS), paused);
  }

  /** What was reported of a row and the store does not contradict. */
  function localOf(row: OutboxHead): Attempted | undefined {
    const local = tried.get(row.id);
    if (local === undefined || local.attempts >= row.attempts) return local;
    tried.delete(row.id);
    return undefined;
  }

  function start(row: OutboxHead, key: string): void {
    const channel = channelKey(row);
    inFlightOf.set(channel, (inFlightOf.get(channel) ?? 0) + 1);
    const done = run(row).finally(() => {
      inFlight.delete(key);
      inFlightOf.set(channel, (inFlightOf.get(channel) ?? 1) - 1);
      if (!isReading) schedule(Math.min(pump(), REREAD_MS));
    });
    inFlight.set(key, { row, done });
  }

  async function wholeOf({ members, ...row }: OutboxHead): Promise<OutboxRow> {
    if (members !== "left_out") return { ...row, members };
    const whole = await deps.whole(row.id);
    if (whole === null) throw new Error("the store has it no longer");
    return whole;
  }

  async function run(row: OutboxHead): Promise<void> {
    metrics.attempt(row);
    const limits = { signal: stop.signal, limitMs: attemptMs, log, timers, channelOf: deps.channelOf ?? channelOf };
    const delivery = await attempt(settings.get(channelKey(row)), async () => readNotification(await wholeOf(row), sender), limits);
    if (delivery.kind === "retry" && stop.signal.aborted) return;
    metrics.outcome(row, delivery);
    finish(row, delivery);
  }

  function finish(row: OutboxHead, delivery: Delivery): void {
    const now = clock.now();
    const attempts = (localOf(row) ?? row).attempts + 1;
    const about = { notification: row.id, receiver: row.receiver, channel: row.channel, seq: row.seq, attempts };
    if (delivery.kind === "delivered") {
      remember(ended, row.id, true);
      if (delivery.note !== undefined) log.warn({ ...about, note: delivery.note }, "notification delivered, but not to all");
      deps.report({ kind: "delivery", id: row.id, disposition: "delivered", attempts, nextAt: now, endedAt: now, reason: null });
      return;
    }
    if (delivery.kind === "failed") return bury(row, delivery.reason, about);
    const retry = nextRetry(attempts, now - row.createdAt, row.id, delivery.afterMs);
    if (retry.kind === "dead") return bury(row, `given up after ${attempts} attempts: ${delivery.reason}`, about);
    const nextAt = now + retry.afterMs;
    const dueUp = clock.monotonic() + retry.afterMs;
    if (delivery.afterMs !== undefined) pausedUntilUp.set(channelKey(row), dueUp);
    remember(tried, row.id, { attempts, dueUp });
    log.warn({ ...about, reason: delivery.reason, retryInMs: retry.afterMs }, "notification not delivered; it will be tried again");
    deps.report({ kind: "delivery", id: row.id, disposition: "waiting", attempts, nextAt, endedAt: null, reason: delivery.reason });
  }

  function bury(row: OutboxHead, reason: string, about: object): void {
    remember(ended, row.id, true);
    metrics.deadLetter(row);
    log.error({ ...about, reason }, "notification is a dead letter");
    deps.deadLetter(row.id, reason);
  }

  return {
    /** Reads the store now; call it when something was committed to the outbox, and once at the start. Costs nothing when repeated. */
    wake,
    /** Of a new config; what waits goes by the new settings. */
    reload(receivers: readonly Receiver[], flapping: Sender["flapping"] = null): void {
      settings = settingsByKey(receivers);
      sender = { ...sender, flapping };
      pausedUntilUp.clear();
      wake();
    },
    /** Attempts that go on. How many notifications wait is the store's to say: here is only a page of them. */
    inFlight: (): number => inFlight.size,
    /** Starts nothing more, gives attempts `graceMs`, aborts the rest and ends at most 2 s after. What was aborted waits in the store. */
    async close(): Promise<void> {
      isClosed = true;
      cancelTimer();
      const all = Promise.allSettled([...inFlight.values()].map(({ done }) => done));
      await within(timers, all, graceMs);
      stop.abort(new Error("the gateway is closing"));
      await within(timers, all, 2_000);
    },
  };
}

export type Outbox = ReturnType<typeof createOutbox>;

const channelKey = (row: { receiver: string; channel: string }): string => `${row.receiver}\n${row.channel}`;
const orderKey = (row: OutboxHead): string => `${row.line ?? row.alert.id}\n${row.receiver}\n${row.channel}`;

function settingsByKey(receivers: readonly Receiver[]): ReadonlyMap<string, ChannelSettings> {
  return new Map(receivers.flatMap(({ name, channels }) => channels.map((channel) => [channelKey({ receiver: name, channel: channel.key }), channel])));
}

/** Of one key by seq; keys by when their first falls due. */
function inOrder(rows: readonly OutboxHead[]): OutboxHead[] {
  const byKey = Map.groupBy(
    rows.toSorted((a, b) => a.seq - b.seq),
    orderKey,
  );
  const due = ([first]: readonly OutboxHead[]): number => first?.nextAt ?? 0;
  return [...byKey.values()].toSorted((a, b) => due(a) - due(b)).flat();
}

/** Keeps the newest REMEMBERED_MAX. */
function remember<Value>(map: Map<string, Value>, id: string, value: Value): void {
  map.delete(id);
  map.set(id, value);
  if (map.size <= REMEMBERED_MAX) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

async function within(timers: Timers, work: Promise<unknown>, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const cancel = timers.after(ms, resolve);
  await Promise.race([work, over]);
  cancel();
}
