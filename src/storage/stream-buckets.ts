// Buckets from the rollups of the stream: hours where a whole hour lies in one bucket, else minutes. What the stream has not
// closed yet, and minutes that late readings touched, are read from the raw readings as far as the budget goes; beyond it a
// touched minute is taken as it stands (late readings were merged into it), and an open end is left out. So it is with days for which an
// import brought readings that are in no rollup yet.

import { History } from "../engine/history.ts";
import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import { BucketSet } from "./buckets.ts";
import { createWholeness } from "./chunks.ts";
import type { Database } from "./database.ts";
import type { Deadline } from "./deadline.ts";
import type { Grid } from "./grid.ts";
import type { Bucket } from "./query.ts";
import { gatherRaw, type RawBudget, type Span, takeRaw } from "./raw-readings.ts";
import { createRollupDayReader, UTC_DAY_MS } from "./rollup-days.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, type Rollup, type RollupReader } from "./rollups.ts";

/** Separate stretches of touched minutes that are read from raw. */
const TOUCHED_SPANS_MAX = 200;

/** Buckets of this grid that end later are not closed by the stream yet. */
export function closedEndOf(rollups: RollupReader, grid: Grid, series: SeriesId): EpochMs {
  if (grid.step === "raw") return Number.POSITIVE_INFINITY;
  return rollups.closedEnd(grid.stepMs % HOUR_MS === 0 && grid.step !== "day" ? HOUR_MS : MINUTE_MS, series);
}

type Work = { readonly id: SeriesId; readonly set: BucketSet; readonly touched: Rollup[]; readonly tail: Span };

/**
 * @param span where it ends is on the grid: it begins and ends with a bucket
 * @param budget for what is read from raw
 */
export function streamBuckets(
  db: Database,
  ids: readonly SeriesId[],
  grid: Grid,
  span: Span,
  { deadline, budget }: { deadline: Deadline; budget: RawBudget },
): Map<SeriesId, Bucket[]> {
  const [rollups, isWhole, openDays] = [createRollupReader(db), createWholeness(db), createRollupDayReader(db)];
  const addStored = (work: Work, within: Span): void => {
    for (const rest of addHours(rollups, isWhole, work, grid, within)) addMinutes(rollups, isWhole, work, rest);
  };
  const works = ids.map((id): Work => {
    deadline.check();
    const stored = known(rollups, id, grid, span);
    const tail = { from: Math.max(span.from, stored.end), to: span.to };
    const work = { id, set: new BucketSet(grid), touched: [], tail };
    const within = { from: span.from, to: Math.min(span.to, tail.from) };
    const days = openDays(id, within);
    const begin = Math.max(span.from, Math.min(stored.from, days[0] ?? stored.from));
    for (const part of partsOf({ from: begin, to: within.to }, days)) {
      if (!part.isOpen || !isWhole(part) || !addRaw(db, work, part, budget, deadline)) addStored(work, part);
    }
    return work;
  });
  addTouched(db, works, budget, deadline);
  addTails(db, works, budget, deadline);
  return new Map(works.map(({ id, set }) => [id, set.buckets(closedEndOf(rollups, grid, id))]));
}

type Part = Span & { readonly isOpen: boolean };

/** The days of a span that wait for their rollups, and what lies between. */
function partsOf({ from, to }: Span, days: readonly EpochMs[]): Part[] {
  const parts: Part[] = [];
  let at = from;
  for (const day of days) {
    const [start, end] = [Math.max(at, day), Math.min(to, day + UTC_DAY_MS)];
    if (start > at) parts.push({ from: at, to: start, isOpen: false });
    if (end > start) parts.push({ from: start, to: end, isOpen: true });
    at = Math.max(at, end);
  }
  if (at < to) parts.push({ from: at, to, isOpen: false });
  return parts;
}

/** @returns false, and adds nothing, when it is more than the budget */
function addRaw(db: Database, { id, set }: Work, span: Span, budget: RawBudget, deadline: Deadline): boolean {
  const history = new History();
  const wants = [{ id, span, history }];
  if (!takeRaw(db, wants, budget)) return false;
  gatherRaw(db, wants, deadline);
  set.addReadings(history.ordered(), span.from, span.to);
  return true;
}

/**
 * The part of a span in which rollups answer, which ends at `end` at the latest: asked once, for the stream closes more meanwhile. Hours go
 * further than minutes where the last minutes of an hour hold nothing, and where those of a series that fell silent are no longer kept.
 */
function known(rollups: RollupReader, id: SeriesId, grid: Grid, { from, to }: Span): Span & { readonly end: EpochMs } {
  const minutesEnd = rollups.closedEnd(MINUTE_MS, id);
  const end = grid.stepMs < HOUR_MS ? minutesEnd : Math.max(minutesEnd, rollups.closedEnd(HOUR_MS, id));
  const oldest = Math.min(rollups.oldest(MINUTE_MS, id), rollups.oldest(HOUR_MS, id));
  return { from: Math.max(from, oldest), to: Math.min(to, end), end };
}

/** Adds the hours that are whole and untouched, or that nothing finer could answer better. @returns the spans that hours do not answer */
function addHours(rollups: RollupReader, isWhole: (span: Span) => boolean, { id, set }: Work, grid: Grid, span: Span): Span[] {
  if (grid.stepMs < HOUR_MS || span.from >= span.to) return [span];
  const from = span.from + floorMod(-span.from, HOUR_MS);
  const to = Math.min(span.to - floorMod(span.to, HOUR_MS), rollups.closedEnd(HOUR_MS, id));
  if (from >= to) return [span];
  const rest: Span[] = [
    { from: span.from, to: from },
    { from: to, to: span.to },
  ];
  for (const row of rollups.rows(HOUR_MS, id, from, to)) {
    const hour = { from: row.start, to: row.start + HOUR_MS };
    const fits = grid.boundsOf(row.start).end >= hour.to;
    if (fits && !(row.isDirty && isWhole(hour))) set.addRollup(row.start, row.values);
    else rest.push(hour);
  }
  return rest;
}

function addMinutes(rollups: RollupReader, isWhole: (span: Span) => boolean, { id, set, touched }: Work, { from, to }: Span): void {
  if (from >= to) return;
  for (const row of rollups.rows(MINUTE_MS, id, from, to)) {
    if (row.isDirty && isWhole({ from: row.start, to: row.start + MINUTE_MS })) touched.push(row);
    else set.addRollup(row.start, row.values);
  }
}

function addTouched(db: Database, works: readonly Work[], budget: RawBudget, deadline: Deadline): void {
  const ids = new Set(works.flatMap(({ id, touched }) => (touched.length > 0 ? [id] : [])));
  const read: Span[] = [];
  const histories = new Map(Array.from(ids, (id) => [id, new History()]));
  for (const span of joined(works.flatMap(({ touched }) => touched))) {
    const wants = Array.from(histories, ([id, history]) => ({ id, span, history }));
    if (read.length >= TOUCHED_SPANS_MAX || deadline.left() < 0 || !takeRaw(db, wants, budget)) break;
    gatherRaw(db, wants, deadline);
    read.push(span);
  }
  for (const { id, set, touched } of works) {
    const readings = histories.get(id)?.ordered();
    for (const row of touched) {
      if (readings !== undefined && read.some(({ from, to }) => row.start >= from && row.start < to))
        set.addReadings(readings, row.start, row.start + MINUTE_MS);
      else set.addRollup(row.start, row.values);
    }
  }
}

/** Minutes as spans, those next to each other joined. */
function joined(rows: readonly Rollup[]): Span[] {
  const spans: { from: EpochMs; to: EpochMs }[] = [];
  for (const start of [...new Set(rows.map((row) => row.start))].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && last.to === start) last.to += MINUTE_MS;
    else spans.push({ from: start, to: start + MINUTE_MS });
  }
  return spans;
}

/** What comes after the last closed minute of a series. */
function addTails(db: Database, works: readonly Work[], budget: RawBudget, deadline: Deadline): void {
  const open = works.filter(({ tail }) => tail.from < tail.to);
  const wants = open.map(({ id, tail }) => ({ id, span: tail, history: new History() }));
  if (wants.length === 0 || !takeRaw(db, wants, budget)) return;
  gatherRaw(db, wants, deadline);
  wants.forEach(({ history }, index) => open[index]?.set.addReadings(history.ordered()));
}
