// The serving query: buckets of readings, merged from three layers. The coarsest that answers exactly is asked: for days what the
// batch has summarised, for whole minutes and hours the rollups of the stream (with the readings themselves where rollups are open or
// wait to be reckoned again), else the readings, as long as they are few enough to decode.

import { History } from "../engine/history.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { BucketSet } from "./buckets.ts";
import { createWholeness } from "./chunks.ts";
import type { Database } from "./database.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { bucketsIn, createGrid, type Grid, STEPS } from "./grid.ts";
import {
  type Answer,
  BUCKETS_DEFAULT,
  BUCKETS_MAX,
  type Bucket,
  LIMIT_DEFAULT,
  type Percentile,
  QUERY_TIME_MS,
  type QueryContext,
  type QueryRequest,
} from "./query.ts";
import { rankBuckets, rankOfReadings } from "./ranked-buckets.ts";
import { createRawBudget, gatherRaw, type RawWant, type Span, takeRaw, wantAll } from "./raw-readings.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, TIERS } from "./rollups.ts";
import { type SelectedSeries, selectSeries } from "./series-query.ts";
import { closedEndOf, streamBuckets } from "./stream-buckets.ts";
import { createBatchReader } from "./summary-query.ts";

type Request = Extract<QueryRequest, { kind: "readings" }>;

/** Buckets of all series of one answer; a page ends early rather than hold more. */
const BUCKETS_TOTAL_MAX = 300_000;

/** What there is of the wanted series in the wanted time; `most`: readings of the series that has the most, where they are known. */
type Extent = Span & { readonly most: number };

export function answerReadings(db: Database, request: Request, context: QueryContext): Answer<Request> {
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const { series, hasMore } = pageOf(db, request, context);
  const asked: Span = { from: request.from ?? Number.NEGATIVE_INFINITY, to: request.to ?? Number.POSITIVE_INFINITY };
  const wants = gatherIfNeeded(
    db,
    request,
    wantAll(
      series.map(({ id }) => id),
      asked,
    ),
    deadline,
  );
  const extent = wants === undefined ? extentOfRollups(db, series, asked) : extentOfRaw(wants);
  const grid = chooseGrid(request, context, extent, wants !== undefined);
  const perSeries = Math.max(1, Math.min(bucketsIn(grid, extent.from, extent.to), extent.most));
  const page = series.slice(0, Math.max(1, Math.floor(BUCKETS_TOTAL_MAX / perSeries)));
  const layers = { grid, asked, extent, wants, percentiles: request.percentiles ?? [], context, deadline };
  const bucketsOf = asked.from < asked.to ? mergeLayers(db, page, layers) : () => [];
  const rankedOf = withPercentiles(db, page, bucketsOf, layers);
  return {
    series: page.map(({ id, labels, unit }) => ({ id, labels, unit, step_ms: grid.stepMs, buckets: rankedOf(id) })),
    cursor: hasMore || page.length < series.length ? String(page.at(-1)?.id) : null,
  };
}

/** Readings are decoded where only they can answer, or may be the finest that fits; where they are no longer whole, only for single ones. */
function gatherIfNeeded(db: Database, { step }: Request, wants: readonly RawWant[], deadline: Deadline): readonly RawWant[] | undefined {
  const isRolled = step === "day" || (typeof step === "number" && step % MINUTE_MS === 0);
  const span = wants[0]?.span;
  if (isRolled || span === undefined || span.from >= span.to) return undefined;
  if (step !== "raw" && !createWholeness(db)(span)) return undefined;
  if (!takeRaw(db, wants, createRawBudget())) return undefined;
  gatherRaw(db, wants, deadline);
  return wants;
}

type BucketsOf = (id: SeriesId) => Bucket[];

/** As they are where no percentiles are asked for. */
function withPercentiles(db: Database, page: readonly SelectedSeries[], bucketsOf: BucketsOf, { grid, wants, percentiles, deadline }: Layers): BucketsOf {
  if (percentiles.length === 0) return (id) => limited(bucketsOf(id));
  if (wants !== undefined) {
    const histories = new Map(wants.map(({ id, history }) => [id, history]));
    return (id) => rankOfReadings((histories.get(id) ?? new History()).ordered(), limited(bucketsOf(id)), { percentiles });
  }
  const found = new Map(page.map(({ id }) => [id, limited(bucketsOf(id))]));
  const ranked = rankBuckets(db, found, { grid, percentiles, deadline, budget: createRawBudget() });
  return (id) => ranked.get(id) ?? [];
}

function limited(buckets: Bucket[]): Bucket[] {
  if (buckets.length > BUCKETS_MAX) throw tooMany();
  return buckets;
}

const tooMany = (): GatewayError =>
  new GatewayError("query_too_large", `the answer has more than ${BUCKETS_MAX} buckets per series`, { hint: "ask for a larger step or a shorter time" });

function pageOf(db: Database, request: Request, { devices }: QueryContext): { series: SelectedSeries[]; hasMore: boolean } {
  const limit = request.limit ?? LIMIT_DEFAULT;
  const { labels, series, cursor } = request;
  const selection = { limit, ...(labels && { labels }), ...(series && { series }), ...(cursor !== undefined && { after: Number(cursor) }) };
  const found = selectSeries(db, selection, devices);
  return { series: found.slice(0, limit), hasMore: found.length > limit };
}

function extentOfRaw(wants: readonly RawWant[]): Extent {
  let [from, to, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const { history } of wants) {
    const { ts } = history.ordered();
    if (ts.length === 0) continue;
    from = Math.min(from, ts[0] as number);
    to = Math.max(to, (ts.at(-1) as number) + 1);
    most = Math.max(most, ts.length);
  }
  return { from, to, most };
}

/** An hour is added for what is not closed yet. */
function extentOfRollups(db: Database, series: readonly SelectedSeries[], asked: Span): Extent {
  const rollups = createRollupReader(db);
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { id } of series) {
    for (const tier of TIERS) {
      from = Math.min(from, rollups.oldest(tier, id));
      to = Math.max(to, rollups.closedEnd(tier, id) + HOUR_MS);
    }
  }
  return { from: Math.max(from, asked.from), to: Math.min(to, asked.to), most: Number.POSITIVE_INFINITY };
}

/** @throws GatewayError `query_too_large` */
function chooseGrid(request: Request, { zone }: QueryContext, extent: Extent, isRaw: boolean): Grid {
  const count = (grid: Grid): number => (grid.step === "raw" ? extent.most : bucketsIn(grid, extent.from, extent.to));
  if (request.step === undefined) {
    const grids = STEPS.filter((step) => step !== "raw" || isRaw).map((step) => createGrid(step, zone));
    return grids.find((grid) => count(grid) <= BUCKETS_DEFAULT) ?? (grids.at(-1) as Grid);
  }
  const grid = createGrid(request.step, zone);
  if (!isRaw && grid.stepMs % MINUTE_MS !== 0)
    throw new GatewayError("query_too_large", "there are too many readings, or they are no longer kept singly, for a step that is no whole number of minutes", {
      hint: "ask for a step of whole minutes, fewer series or a shorter time",
    });
  // Rollups are counted when they are there: one reading of a wrong clock makes a time long, but not full.
  if (isRaw && Math.min(count(grid), extent.most) > BUCKETS_MAX) throw tooMany();
  return grid;
}

type Layers = {
  readonly grid: Grid;
  readonly asked: Span;
  readonly extent: Span;
  /** With their readings; undefined: rollups answer. */
  readonly wants: readonly RawWant[] | undefined;
  readonly percentiles: readonly Percentile[];
  readonly context: QueryContext;
  readonly deadline: Deadline;
};

/** Buckets are whole: what the first and the last hold beyond the time asked for is in them. */
function mergeLayers(db: Database, page: readonly SelectedSeries[], layers: Layers): BucketsOf {
  const { grid, asked, wants, percentiles, context, deadline } = layers;
  if (wants !== undefined) return fromRaw(db, wants, layers);
  const span = { from: startOn(grid, asked.from), to: endOn(grid, asked.to) };
  const buckets = streamBuckets(
    db,
    page.map(({ id }) => id),
    grid,
    span,
    { deadline, budget: createRawBudget() },
  );
  const bucketsOf = (id: SeriesId): Bucket[] => buckets.get(id) ?? [];
  if (grid.step !== "day") return bucketsOf;
  const batchOf = createBatchReader(db, context.zone, span, percentiles);
  return (id) => {
    deadline.check();
    return batchOf.merge(id, bucketsOf(id));
  };
}

const startOn = (grid: Grid, from: EpochMs): EpochMs => (Number.isFinite(from) ? grid.boundsOf(from).start : from);
const endOn = (grid: Grid, to: EpochMs): EpochMs => (Number.isFinite(to) ? grid.boundsOf(to - 1).end : to);

function fromRaw(db: Database, wants: readonly RawWant[], { grid, extent, deadline }: Layers): (id: SeriesId) => Bucket[] {
  const histories = new Map(wants.map(({ id, history }) => [id, history]));
  if (extent.from < extent.to) {
    const [start, end] = [startOn(grid, extent.from), endOn(grid, extent.to)];
    for (const edge of [
      { from: start, to: extent.from },
      { from: extent.to, to: end },
    ]) {
      const beyond = wants.map(({ id, history }) => ({ id, history, span: edge }));
      if (edge.from < edge.to) gatherRaw(db, beyond, deadline);
    }
  }
  const rollups = createRollupReader(db);
  return (id) => {
    const set = new BucketSet(grid);
    const history = histories.get(id);
    if (history !== undefined) set.addReadings(history.ordered());
    return set.buckets(closedEndOf(rollups, grid, id));
  };
}
