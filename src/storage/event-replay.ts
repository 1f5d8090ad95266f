// Replay by event time: stored readings, accepted and late, in the order of (ts, series), each heard at its own time
// (`at = up = ts`). It needs no journal of the arrivals, and so knows no lateness, no downtime and no commands. The nightly batch judges
// days again by it, and `replay` older history.

import type { Effects } from "../engine/effect.ts";
import { createEngine } from "../engine/engine.ts";
import type { Input } from "../engine/input.ts";
import type { SeriesDefinition } from "../engine/reading.ts";
import type { RulePlan } from "../engine/rule.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { compactedThrough, createChunkReader, rawDays } from "./chunks.ts";
import type { Database } from "./database.ts";
import { isHistory, readJournal } from "./journal.ts";
import { seriesIds } from "./series-query.ts";
import { createTailCounter } from "./tail.ts";

/** Readings that one slice of time may hold, as far as it can be foreseen, if it is longer than a second. */
const SLICE_READINGS_MAX = 2_000_000;
const SLICE_MS = 3_600_000;
const SLICE_MS_MIN = 1_000;
const SLICE_MS_MAX = 16 * 86_400_000;
/** Readings after which the engine hands over what came of them. */
const STEP_READINGS = 4_096;

/** Columns of equal length in the order of (ts, series), each instant of a series once. */
export type OrderedColumns = { readonly series: Uint32Array; readonly ts: Float64Array; readonly value: Float64Array };

/** From inclusive, to exclusive, in slices of bounded size. */
export function* historyInOrder(db: Database, from: EpochMs, to: EpochMs, wanted?: ReadonlySet<SeriesId>): Generator<OrderedColumns> {
  const cost = historyCounter(db);
  let start = Math.max(from, historyBegin(db));
  for (let width = SLICE_MS; start < to; ) {
    const end = Math.min(to, start + width);
    const readings = cost(start, end);
    if (readings > SLICE_READINGS_MAX && width > SLICE_MS_MIN) {
      width = Math.max(SLICE_MS_MIN, Math.floor(width / 2));
      continue;
    }
    if (readings > 0) yield sliceOf(db, start, end, wanted);
    start = end;
    if (readings < SLICE_READINGS_MAX / 4) width = Math.min(SLICE_MS_MAX, width * 2);
  }
}

/** Not later than the oldest reading; Infinity when there is none. */
function historyBegin(db: Database): EpochMs {
  const tail = db.prepare<[number], number | null>("SELECT min(min_s) FROM journal_span WHERE seq > ?").pluck().get(compactedThrough(db));
  return Math.min(rawDays(db)[0]?.day ?? Number.POSITIVE_INFINITY, (tail ?? Number.POSITIVE_INFINITY) * 1000);
}

/** @returns about how many readings lie in a time: of chunks as if a day's came evenly, of journal rows all that reach into it; 0 only if there are none */
export function historyCounter(db: Database): (from: EpochMs, to: EpochMs) => number {
  const [days, tail] = [rawDays(db), createTailCounter(db)];
  return (from, to) => {
    if (from >= to) return 0;
    const compacted = days.reduce((sum, { day, until, readings }) => {
      const share = (Math.min(to, until) - Math.max(from, day)) / (until - day);
      return share > 0 ? sum + Math.ceil(readings * share) : sum;
    }, 0);
    return compacted + tail({ from, to });
  };
}

function sliceOf(db: Database, from: EpochMs, to: EpochMs, wanted: ReadonlySet<SeriesId> | undefined): OrderedColumns {
  const [afterSeq, chunks] = [compactedThrough(db), createChunkReader(db)];
  const gathered = createGathered();
  for (const series of wanted ?? seriesIds(db)) {
    for (const { ts, value } of chunks.read(series, { from, to })) {
      for (let index = 0; index < ts.length; index++) gathered.add(series, ts[index] as number, value[index] as number);
    }
  }
  for (const { count, series, ts, value, verdict } of readJournal(db, { fromTs: from, toTs: to, afterSeq, ...(wanted && { series: wanted }) })) {
    for (let index = 0; index < count; index++) {
      const at = ts[index] as number;
      if (at < from || at >= to || !isHistory(verdict[index] as number)) continue;
      if (wanted?.has(series[index] as number) ?? true) gathered.add(series[index] as number, at, value[index] as number);
    }
  }
  return ordered(gathered.columns(), gathered.count(), from);
}

function createGathered() {
  let columns: OrderedColumns = { series: new Uint32Array(1024), ts: new Float64Array(1024), value: new Float64Array(1024) };
  let count = 0;
  return {
    add(series: SeriesId, ts: EpochMs, value: number): void {
      if (count === columns.ts.length) columns = grown(columns);
      columns.series[count] = series;
      columns.ts[count] = ts;
      columns.value[count] = value;
      count += 1;
    },
    columns: () => columns,
    count: () => count,
  };
}

function grown({ series, ts, value }: OrderedColumns): OrderedColumns {
  const size = ts.length * 2;
  const more = { series: new Uint32Array(size), ts: new Float64Array(size), value: new Float64Array(size) };
  more.series.set(series);
  more.ts.set(ts);
  more.value.set(value);
  return more;
}

/** Sorts by numbers that hold time and place alike, which needs no comparing function. Of equal (ts, series) the first in the journal stands. */
function ordered({ series, ts, value }: OrderedColumns, count: number, from: EpochMs): OrderedColumns {
  const unit = 2 ** Math.ceil(Math.log2(Math.max(2, count)));
  const keys = new Float64Array(count);
  for (let index = 0; index < count; index++) keys[index] = ((ts[index] as number) - from) * unit + index;
  keys.sort();
  const order = Uint32Array.from(keys, (key) => key % unit);
  sortWithinInstants(order, ts, series);
  const kept = order.filter((index, place) => {
    const before = order[place - 1];
    return before === undefined || ts[index] !== ts[before] || series[index] !== series[before];
  });
  return {
    series: Uint32Array.from(kept, (index) => series[index] as number),
    ts: Float64Array.from(kept, (index) => ts[index] as number),
    value: Float64Array.from(kept, (index) => value[index] as number),
  };
}

function sortWithinInstants(order: Uint32Array, ts: Float64Array, series: Uint32Array): void {
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && ts[order[to] as number] === ts[order[from] as number]) to += 1;
    if (to - from > 1) order.subarray(from, to).sort((a, b) => (series[a] as number) - (series[b] as number) || a - b);
    from = to;
  }
}

export type EventReplay = {
  readonly plan: RulePlan;
  /** Where it starts, before the range, so that windows and delays are filled. */
  readonly start: EpochMs;
  /** Inclusive; no step goes over it. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
  /** Only these are heard; all are known. */
  readonly series?: ReadonlySet<SeriesId>;
};

/** @param visit what came of some readings: their number, and the time of the last */
export function replayByEventTime(
  db: Database,
  { plan, start, from: begin, to, series }: EventReplay,
  visit: (effects: Effects, readings: number, ts: EpochMs) => void,
): void {
  const engine = createEngine();
  const upOf = (ts: number): number => ts - start;
  const step = (inputs: readonly Input[], readings: number, ts: number): void => visit(engine.step(inputs, { now: ts, up: upOf(ts) }), readings, ts);
  step([{ kind: "rules", at: start, up: 0, plan }, definitions(db, start)], 0, start);
  let [inputs, waiting, last] = [[] as Input[], 0, start as number];
  for (const slice of historyInOrder(db, start, to, series)) {
    for (let from = 0; from < slice.ts.length; ) {
      const at: number = slice.ts[from] as number;
      let end = from + 1;
      while (end < slice.ts.length && slice.ts[end] === at) end += 1;
      if (waiting > 0 && (waiting >= STEP_READINGS || (at >= begin && last < begin))) {
        step(inputs, waiting, last);
        [inputs, waiting] = [[], 0];
      }
      inputs.push({ kind: "readings", at, up: upOf(at), batch: batchOf(slice, from, end) });
      waiting += end - from;
      last = at;
      from = end;
    }
  }
  if (waiting > 0) step(inputs, waiting, last);
  step([], 0, to - 1);
}

const batchOf = ({ series, ts, value }: OrderedColumns, from: number, to: number) => ({
  series: series.subarray(from, to),
  ts: ts.subarray(from, to),
  value: value.subarray(from, to),
  defined: [],
  rejected: {},
});

/** All series at once: their ids are dense. */
function definitions(db: Database, at: number): Input {
  const rows = db.prepare<[], { id: number; labels: string; source: string }>("SELECT id, labels, source FROM series ORDER BY id").all();
  const defined = rows.map(({ id, labels, source }): SeriesDefinition => ({ id, labels: JSON.parse(labels) as SeriesDefinition["labels"], source }));
  const none = { series: new Uint32Array(0), ts: new Float64Array(0), value: new Float64Array(0) };
  return { kind: "readings", at, up: 0, batch: { ...none, defined, rejected: {} } };
}

/** The plan that was in force at an instant, by arrival; undefined when none is known. */
export function planInForce(db: Database, at: EpochMs): RulePlan | undefined {
  const stored = db
    .prepare<[number], string>("SELECT plan FROM rule_version WHERE hash = (SELECT plan FROM rules_in_force WHERE at <= ? ORDER BY number DESC LIMIT 1)")
    .pluck()
    .get(at);
  return stored === undefined ? undefined : (JSON.parse(stored) as RulePlan);
}
