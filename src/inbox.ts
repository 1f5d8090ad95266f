// The single writer's door, on the main thread: everything that the engine will hear passes here and gets both clocks.
// Readings gather in open columns while the processor is busy, and under load a few ms longer
// (docs/adr/0006-turns-wait-for-company-under-load.md); an idle one gets them at once. One turn is under way at a time, so that a
// slow disk makes turns larger, not more. What a turn acknowledges is called back in the order of arrival.

import { type Clock, systemTimers, type Timers } from "./clock.ts";
import type { Wake } from "./engine/contract.ts";
import type { Command, CommandAnswer } from "./engine/dispatch/command.ts";
import type { Input } from "./engine/input.ts";
import { type Labels, type ReadingBatch, type RejectReason, type SeriesDefinition, seriesKey } from "./engine/reading.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./engine/units.ts";
import type { FinishedRow } from "./storage/finished.ts";

/** What the processor takes at once. The clocks at its end are those of the last input. */
export type Turn = { readonly inputs: readonly Input[]; readonly finished: readonly FinishedRow[] };

type Without<Type, Key extends string> = Type extends unknown ? Omit<Type, Key> : never;
/** An input that is not readings, before it has its clocks. */
export type Unstamped = Without<Exclude<Input, { kind: "readings" }>, "at" | "up">;

export type InboxDeps = { readonly clock: Clock; readonly timers?: Timers; send(turn: Turn, readings: number): void; clockStepped(ms: number): void };
export type InboxOptions = {
  /** Series that there may be; one more is refused. */
  readonly seriesMax: number;
  /** Bytes of readings that may wait; beyond it the listening clock stands still, and sockets are held anyway. */
  readonly bytesMax: number;
  /** Where the last run ended. */
  readonly up: UptimeMs;
  readonly at: EpochMs;
  readonly series: readonly Omit<SeriesDefinition, "id">[];
};

type Callback = (error?: Error) => void;
export type Inbox = ReturnType<typeof createInbox>;

/** All readings of a batch share one arrival, that of its first; a batch takes no more when it is older than this. */
const BATCH_AGE_MS = 10;
/** After a turn of at least so many readings the next one waits for company until this long after that one was sent. */
const LINGER_FROM_READINGS = 16;
const LINGER_MS = 12;
const READINGS_MAX = 65_536;
const BYTES_PER_READING = 20;
/** A wall clock that differs by more from the monotonic one has been set; the difference is taken in one journaled step. */
const CLOCK_STEP_MS = 250;
/** A wall clock that is set is noticed with the next input, which comes after this at the latest while something is due by it. */
const ALARM_MS_MAX = 60_000;
const SAMPLE_BYTES = 1024;
const DETAIL_CHARS = 300;
const SAMPLES_MAX = 256;

/**
 * @param deps.send takes a turn, of so many readings, to the processor; `settled` answers it
 * @param deps.clockStepped is told by how many ms the wall clock stepped
 */
export function createInbox({ timers = systemTimers, ...deps }: InboxDeps, options: InboxOptions) {
  const registry = createRegistry(options, (definition) => {
    open();
    batch.define(definition);
  });
  const time = createTime(deps.clock, options, deps.clockStepped);
  const batch = createOpenBatch();
  const alarm = createAlarm(timers, () => inbox.post({ kind: "clock" }));
  let sealed: Input[] = [];
  const samples = createSamples();
  const asked = createAsked();
  let [waiting, underWay]: [Callback[], Callback[] | undefined] = [[], undefined];
  let opened = time.instant();
  let [bytesWaiting, turnReadings, sentAt, openedAt] = [0, 0, 0, 0];
  let [flushScheduled, closed]: [boolean, Error | undefined] = [false, undefined];
  let idleWaiters: (() => void)[] = [];

  function seal(): void {
    if (!batch.isEmpty()) sealed.push({ kind: "readings", ...opened, batch: batch.take() });
  }

  function open(): void {
    const now = deps.clock.monotonic();
    if (!batch.isEmpty() && now - openedAt <= BATCH_AGE_MS && batch.count() < READINGS_MAX) return;
    seal();
    sealed.push(...time.steps());
    opened = time.instant();
    openedAt = now;
  }

  /** Under load turns that are quick are not sent back to back: each costs a sync of the disk, whatever it holds. One that took longer has gathered company. */
  const lingerMs = (): number => (turnReadings < LINGER_FROM_READINGS ? 0 : LINGER_MS - (deps.clock.monotonic() - sentAt));

  function schedule(): void {
    if (flushScheduled || underWay !== undefined || closed !== undefined) return;
    flushScheduled = true;
    const linger = lingerMs();
    if (linger > 0) timers.after(linger, flush);
    else timers.soon(flush);
  }

  function flush(): void {
    flushScheduled = false;
    if (underWay !== undefined || closed !== undefined) return;
    seal();
    if (sealed.length === 0 && waiting.length === 0) return;
    const turn: Turn = { inputs: sealed, finished: samples.take() };
    underWay = waiting;
    turnReadings = sealed.reduce((sum, input) => sum + (input.kind === "readings" ? input.batch.series.length : 0), 0);
    [sealed, waiting, bytesWaiting] = [[], [], 0];
    time.listen(true);
    sentAt = deps.clock.monotonic();
    deps.send(turn, turnReadings);
  }

  function append(input: Unstamped): void {
    seal();
    sealed.push(...time.steps(), { ...input, ...time.instant() } as Input);
    schedule();
  }

  const inbox = {
    registry,
    carry: samples.carry,

    /** @param ts undefined: the device sent no time @param isRetained another broker had kept it: old news, and late */
    add(series: SeriesId, ts: EpochMs | undefined, value: number, isRetained = false): void {
      open();
      batch.push(series, ts ?? Number.NaN, value, isRetained);
      bytesWaiting += BYTES_PER_READING;
      if (bytesWaiting > options.bytesMax) time.listen(false);
    },

    reject(reason: RejectReason, sample: RejectedSample): void {
      open();
      batch.reject(reason);
      samples.add(reason, sample, time.instant().at);
    },

    /** Calls back when everything added so far is on disk, or with an error when the gateway ends without that. */
    committed(callback: (error?: Error) => void): void {
      if (closed !== undefined) return callback(closed);
      waiting.push(callback);
      schedule();
    },

    /** Anything that is not readings, behind what is waiting. */
    post(input: Exclude<Unstamped, { kind: "command" }>): void {
      if (closed !== undefined) return;
      append(input);
    },

    /** What somebody asked, behind what is waiting. Resolves when it is committed; rejects when the gateway ends without that. */
    command(by: string, command: Command): Promise<CommandAnswer> {
      if (closed !== undefined) return Promise.reject(closed);
      append({ kind: "command", by, command });
      return asked.add();
    },

    /** The processor has committed the turn under way. @param wakeAt when something falls due if nothing arrives @param answers to its commands */
    settled(wakeAt: Wake, answers: readonly CommandAnswer[] = []): void {
      const done = underWay ?? [];
      underWay = undefined;
      asked.answer(answers);
      time.listen(true);
      if (sealed.length > 0 || waiting.length > 0 || !batch.isEmpty()) {
        if (lingerMs() > 0) schedule();
        else flush();
      }
      for (const callback of done) callback();
      if (closed === undefined) alarm.set(waitOf(wakeAt, time.instant()));
      if (underWay === undefined && !flushScheduled) for (const resolve of idleWaiters.splice(0)) resolve();
    },

    /** The disk does not take the turn under way: the listening clock stands still until it is settled. */
    holding(): void {
      time.listen(false);
    },

    /** The disk takes commits again, though no turn was settled. */
    released(): void {
      time.listen(true);
    },

    /** Why no new client may come now, if so. */
    fullness: (): string | undefined => (bytesWaiting > options.bytesMax ? `${bytesWaiting} bytes of readings wait for their commit` : undefined),

    /** The clocks as the next input would get them. */
    instant: () => time.instant(),

    status: () => ({ waiting: batch.count() + sealed.length, bytes: bytesWaiting, ...registry.status() }),

    /** Resolves when nothing is waiting or under way. */
    idle(): Promise<void> {
      if (underWay === undefined && !flushScheduled && sealed.length === 0 && waiting.length === 0 && batch.isEmpty()) return Promise.resolve();
      return new Promise((resolve) => idleWaiters.push(resolve));
    },

    /** Takes nothing more; what waits is called back with an error. */
    close(): void {
      closed = new Error("the gateway is closing");
      alarm.clear();
      for (const callback of [...(underWay ?? []), ...waiting]) callback(closed);
      asked.fail(closed);
      [underWay, waiting, idleWaiters] = [undefined, [], []];
    },
  };
  return inbox;
}

/** Series by their labels. @param define takes one that occurs for the first time, or that another source brings */
function createRegistry({ series, seriesMax }: InboxOptions, define: (definition: SeriesDefinition) => void) {
  const sources = series.map(({ source }) => source);
  const ids = new Map(series.map(({ labels }, index) => [seriesKey(labels), index]));
  let refused = 0;
  return {
    /**
     * @param mayBeNew asked once, before a series that occurs for the first time is taken
     * @returns undefined when there may be no more series
     */
    idOf(labels: Labels, source: string, mayBeNew?: () => boolean): SeriesId | undefined {
      const key = seriesKey(labels);
      const known = ids.get(key);
      if (known !== undefined && sources[known] === source) return known;
      if (known === undefined && ids.size >= seriesMax) {
        refused += 1;
        return undefined;
      }
      if (known === undefined && mayBeNew?.() === false) return undefined;
      const id = known ?? ids.size;
      ids.set(key, id);
      sources[id] = source;
      define({ id, labels: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))), source });
      return id;
    },

    /** Ids of all of them, whichever source brings them; the new ones are taken as of `source`. @returns undefined, and takes none, when there may not be so many */
    idsOf(series: readonly Labels[], source: string): readonly SeriesId[] | undefined {
      const missing = series.filter((labels) => !ids.has(seriesKey(labels))).length;
      if (ids.size + missing > seriesMax) return undefined;
      return series.map((labels) => {
        const known = ids.get(seriesKey(labels));
        return known ?? (this.idOf(labels, source) as SeriesId);
      });
    },

    status: () => ({ series: ids.size, series_refused: refused }),
  };
}

/** Commands that are not answered yet, in their order. */
function createAsked() {
  const waiting: { resolve: (answer: CommandAnswer) => void; reject: (error: Error) => void }[] = [];
  return {
    add(): Promise<CommandAnswer> {
      const { promise, resolve, reject } = Promise.withResolvers<CommandAnswer>();
      waiting.push({ resolve, reject });
      return promise;
    },
    answer(answers: readonly CommandAnswer[]): void {
      for (const answer of answers) waiting.shift()?.resolve(answer);
    },
    fail(error: Error): void {
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  };
}

/** Wakes the engine when something falls due though nothing arrives. */
function createAlarm(timers: Timers, wake: () => void) {
  let clear = (): void => undefined;
  return {
    clear: (): void => clear(),
    /** @param wait milliseconds; Infinity: nothing falls due */
    set(wait: number): void {
      clear();
      if (wait !== Number.POSITIVE_INFINITY) clear = timers.after(Math.min(Math.max(0, wait) + 1, ALARM_MS_MAX), wake);
    },
  };
}

/** Both clocks run alike while the gateway listens. */
const waitOf = (wake: Wake, { at, up }: { at: EpochMs; up: UptimeMs }): number =>
  Math.min((wake.up ?? Number.POSITIVE_INFINITY) - up, (wake.now ?? Number.POSITIVE_INFINITY) - at);

type RejectedSample = { readonly topic: string; readonly detail: string; readonly payload: Uint8Array };

/**
 * Rows that go with a turn: of what was rejected the newest sample per topic and reason, of a bounded number of topics, beyond which they are
 * counted under the topic `""`; and what others have to write.
 */
function createSamples() {
  const carried: (() => readonly FinishedRow[])[] = [];
  let rows = new Map<string, Extract<FinishedRow, { kind: "rejected" }>>();
  return {
    add(reason: RejectReason, { topic, detail, payload }: RejectedSample, at: EpochMs): void {
      const isKept = rows.size < SAMPLES_MAX || rows.has(`${reason} ${topic}`);
      const key = `${reason} ${isKept ? topic : ""}`;
      const count = (rows.get(key)?.count ?? 0) + 1;
      const sample = payload.slice(0, SAMPLE_BYTES);
      rows.set(key, { kind: "rejected", topic: isKept ? topic : "", reason, count, at, detail: detail.slice(0, DETAIL_CHARS), sample });
    },
    take(): FinishedRow[] {
      const taken = [...rows.values(), ...carried.flatMap((take) => take())];
      rows = new Map();
      return taken;
    },
    /** @param take is asked for its rows at each turn */
    carry(take: () => readonly FinishedRow[]): void {
      carried.push(take);
    },
  };
}

/** What is gathered: columns that grow, and are copied out when the batch is sealed. */
function createOpenBatch() {
  let capacity = 1024;
  let [series, ts, value] = [new Uint32Array(capacity), new Float64Array(capacity), new Float64Array(capacity)];
  let count = 0;
  /** Indexes; hardly ever any. */
  let retained: number[] = [];
  let defined: SeriesDefinition[] = [];
  let rejected: Partial<Record<RejectReason, number>> = {};
  const grow = (): void => {
    capacity *= 2;
    const [grownSeries, grownTs, grownValue] = [new Uint32Array(capacity), new Float64Array(capacity), new Float64Array(capacity)];
    grownSeries.set(series);
    grownTs.set(ts);
    grownValue.set(value);
    [series, ts, value] = [grownSeries, grownTs, grownValue];
  };
  return {
    count: () => count,
    isEmpty: (): boolean => count === 0 && defined.length === 0 && Object.keys(rejected).length === 0,
    define: (definition: SeriesDefinition): void => void defined.push(definition),
    reject(reason: RejectReason): void {
      rejected[reason] = (rejected[reason] ?? 0) + 1;
    },
    push(id: SeriesId, time: number, reading: number, isRetained: boolean): void {
      if (count === capacity) grow();
      if (isRetained) retained.push(count);
      series[count] = id;
      ts[count] = time;
      value[count] = reading;
      count += 1;
    },
    take(): ReadingBatch {
      const columns = { series: series.slice(0, count), ts: ts.slice(0, count), value: value.slice(0, count) };
      const taken = { ...columns, ...(retained.length === 0 ? {} : { retained }), defined, rejected };
      [count, retained, defined, rejected] = [0, [], [], {}];
      return taken;
    },
  };
}

/** Both clocks: `at` runs with the monotonic clock and is set by a journaled step; `up` runs while the gateway listens. */
function createTime(clock: Clock, from: { up: UptimeMs; at: EpochMs }, stepped: (ms: number) => void) {
  const origin = clock.monotonic();
  let wall = Math.max(clock.now(), from.at);
  let wallSince = origin;
  let up = from.up;
  let upSince = origin;
  let isListening = true;
  const at = (): EpochMs => wall + Math.floor(clock.monotonic() - wallSince);
  const listened = (): UptimeMs => (isListening ? up + Math.floor(clock.monotonic() - upSince) : up);
  let pendingStep = false;
  return {
    instant: () => ({ at: at(), up: listened() }),
    /** A clock input when the wall clock was set, or the listening clock stood still, since the last input. */
    steps(): Input[] {
      const difference = clock.now() - at();
      if (Math.abs(difference) <= CLOCK_STEP_MS && !pendingStep) return [];
      if (Math.abs(difference) > CLOCK_STEP_MS) {
        wall = clock.now();
        wallSince = clock.monotonic();
        stepped(difference);
      }
      pendingStep = false;
      const set = Math.abs(difference) > CLOCK_STEP_MS ? { steppedMs: difference } : {};
      return [{ kind: "clock", at: at(), up: listened(), ...set }];
    },
    listen(listening: boolean): void {
      if (listening === isListening) return;
      up = listened();
      upSince = clock.monotonic();
      isListening = listening;
      pendingStep = true;
    },
  };
}
