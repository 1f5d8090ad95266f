// Percentiles of buckets whose other figures stand. Those of days that the batch summarised are there; else they come from the sketches of
// packed hours, or, as far as time and budget go, from the readings themselves. Whichever it is must hold as many readings as the
// bucket: what holds fewer or more would be the percentile of something else, and the answer is null.

import { History, type OrderedReadings } from "../engine/history.ts";
import { rankOf } from "../engine/select.ts";
import type { Sketch } from "../engine/sketch.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { undamaged } from "./chunk-codec.ts";
import { createWholeness, placeOf } from "./chunks.ts";
import type { Database } from "./database.ts";
import { type Deadline, noDeadline } from "./deadline.ts";
import type { Grid } from "./grid.ts";
import type { Bucket, Percentile } from "./query.ts";
import { gatherRaw, type RawBudget, takeRaw } from "./raw-readings.ts";
import { UTC_DAY_MS } from "./rollup-days.ts";
import { createRollupReader, HOUR_MS, type RollupReader } from "./rollups.ts";

/** Series whose readings are asked at once: the journal's tail is walked for all of them together. */
const SERIES_AT_ONCE = 25;
/** With less time left no more readings are asked: so long may asking once take. */
const ASK_MS = 700;

const percents: Readonly<Record<Percentile, number>> = { p50: 50, p95: 95, p99: 99 };

export type Ranking = { readonly grid: Grid; readonly percentiles: readonly Percentile[]; readonly deadline: Deadline; readonly budget: RawBudget };
type Found = ReadonlyMap<SeriesId, readonly Bucket[]>;
type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
/** One that is to get its percentiles. */
type Open = Mutable<Bucket>;

/** @param buckets in order, of each series @returns them with the percentiles that are asked for */
export function rankBuckets(db: Database, buckets: Found, ranking: Ranking): Map<SeriesId, Bucket[]> {
  const rollups = createRollupReader(db);
  const ranked = new Map<SeriesId, Bucket[]>();
  const open: { readonly id: SeriesId; readonly bucket: Open }[] = [];
  for (const [id, given] of buckets) {
    ranking.deadline.check();
    const own = given.map((bucket): Open => ({ ...unknown(ranking), ...bucket }));
    const left = own.filter((bucket) => ranking.percentiles.some((name) => bucket[name] === null));
    const sketches = sketchesOf(rollups, id, left, ranking);
    for (const bucket of left) {
      const sketch = sketches.get(bucket.t);
      if (sketch?.count === bucket.count) put(bucket, ranking, (rank) => sketch.valueAt(rank));
      else open.push({ id, bucket });
    }
    ranked.set(id, own);
  }
  rankByReadings(db, open, ranking);
  return ranked;
}

/** Of buckets that were made of these readings. */
export function rankOfReadings(readings: OrderedReadings, buckets: readonly Bucket[], ranking: Pick<Ranking, "percentiles">): Bucket[] {
  return buckets.map((given) => {
    const bucket: Open = { ...unknown(ranking), ...given };
    putExact(bucket, readings, ranking);
    return bucket;
  });
}

const unknown = ({ percentiles }: Pick<Ranking, "percentiles">) => Object.fromEntries(percentiles.map((name) => [name, null]));

/** @param valueAt by rank, from 1; what is near it may lie beyond the bucket's least or largest value, which are exact */
function put(bucket: Open, { percentiles }: Pick<Ranking, "percentiles">, valueAt: (rank: number) => number): void {
  for (const name of percentiles) bucket[name] = Math.min(bucket.max, Math.max(bucket.min, valueAt(rankOf(bucket.count, percents[name]))));
}

function putExact(bucket: Open, { ts, value }: OrderedReadings, ranking: Pick<Ranking, "percentiles">): void {
  const values = value.slice(placeOf(ts, bucket.t), placeOf(ts, bucket.end)).sort();
  if (values.length === bucket.count) put(bucket, ranking, (rank) => values[rank - 1] as number);
}

/** By the start of the bucket; of steps that hold whole hours. */
function sketchesOf(rollups: RollupReader, id: SeriesId, buckets: readonly Bucket[], { grid, deadline }: Ranking): Map<EpochMs, Sketch> {
  const sketches = new Map<EpochMs, Sketch>();
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (grid.stepMs < HOUR_MS || first === undefined || last === undefined) return sketches;
  for (const { start, sketch } of rollups.rows(HOUR_MS, id, first.t, last.end, { sketches: true })) {
    deadline.check();
    const bounds = grid.boundsOf(start);
    if (sketch === undefined || bounds.end < start + HOUR_MS) continue;
    const whole = sketches.get(bounds.start);
    if (whole === undefined) sketches.set(bounds.start, sketch);
    else whole.merge(sketch);
  }
  return sketches;
}

/** The newest first. What is damaged stays unknown. */
function rankByReadings(db: Database, open: readonly { readonly id: SeriesId; readonly bucket: Open }[], ranking: Ranking): void {
  const { grid, deadline, budget } = ranking;
  const isWhole = createWholeness(db);
  const stretchMs = Math.max(UTC_DAY_MS, grid.stepMs);
  const stretches = [...Map.groupBy(open, ({ bucket }) => Math.floor(bucket.t / stretchMs))].sort(([a], [b]) => b - a);
  for (const [, ofStretch] of stretches) {
    const bySeries = [...Map.groupBy(ofStretch, ({ id }) => id)];
    for (let from = 0; from < bySeries.length; from += SERIES_AT_ONCE) {
      if (deadline.left() < ASK_MS) return;
      const wants = bySeries.slice(from, from + SERIES_AT_ONCE).map(([id, found]) => {
        const [first, last] = [found[0]?.bucket as Open, found.at(-1)?.bucket as Open];
        return { id, span: { from: first.t, to: last.end }, history: new History(), buckets: found.map(({ bucket }) => bucket) };
      });
      const whole = wants.filter(({ span }) => isWhole(span));
      if (whole.length === 0 || !takeRaw(db, whole, budget) || undamaged(() => gather(db, whole)) === undefined) continue;
      for (const { history, buckets } of whole) for (const bucket of buckets) putExact(bucket, history.ordered(), ranking);
    }
  }
}

function gather(db: Database, wants: Parameters<typeof gatherRaw>[1]): true {
  gatherRaw(db, wants, noDeadline);
  return true;
}
