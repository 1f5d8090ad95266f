// The serving query: buckets of readings, merged from three layers. Days that the batch has summarised are exact and final;
// where the raw readings are few enough to decode, buckets are reckoned from them; else from the rollups of the stream.

import type { History } from "../engine/history.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { BucketSet } from "./buckets.ts";
import { createWholeness } from "./chunks.ts";
import type { Database } from "./database.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { bucketsIn, createGrid, type Grid, STEPS } from "./grid.ts";
import { type Answer, BUCKETS_DEFAULT, BUCKETS_MAX, type Bucket, LIMIT_DEFAULT, QUERY_TIME_MS, type QueryContext, type QueryRequest } from "./query.ts";
import { createHistories, createRawBudget, gatherRaw, type Span, takeRaw } from "./raw-readings.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS } from "./rollups.ts";
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
  const ids = new Set(series.map(({ id }) => id));
  // Where readings are no longer whole, only single ones may be answered from them.
  const mayBeRaw = asked.from < asked.to && (request.step === "raw" || createWholeness(db)(asked));
  const histories = mayBeRaw && takeRaw(db, ids, asked, createRawBudget()) ? createHistories(ids) : undefined;
  if (histories !== undefined) gatherRaw(db, histories, asked, deadline);
  const extent = histories === undefined ? extentOfRollups(db, ids, asked) : extentOfRaw(histories);
  const grid = chooseGrid(request, context, extent, histories !== undefined);
  const perSeries = Math.max(1, Math.min(bucketsIn(grid, extent.from, extent.to), extent.most));
  const page = series.slice(0, Math.max(1, Math.floor(BUCKETS_TOTAL_MAX / perSeries)));
  const bucketsOf = extent.from < extent.to ? mergeLayers(db, page, { grid, extent, histories, context, deadline }) : () => [];
  return {
    series: page.map(({ id, labels, unit }) => ({ id, labels, unit, step_ms: grid.stepMs, buckets: bucketsOf(id) })),
    cursor: hasMore || page.length < series.length ? String(page.at(-1)?.id) : null,
  };
}

function pageOf(db: Database, request: Request, { devices }: QueryContext): { series: SelectedSeries[]; hasMore: boolean } {
  const limit = request.limit ?? LIMIT_DEFAULT;
  const { labels, series, cursor } = request;
  const selection = { limit, ...(labels && { labels }), ...(series && { series }), ...(cursor !== undefined && { after: Number(cursor) }) };
  const found = selectSeries(db, selection, devices);
  return { series: found.slice(0, limit), hasMore: found.length > limit };
}

function extentOfRaw(histories: ReadonlyMap<SeriesId, History>): Extent {
  let [from, to, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const history of histories.values()) {
    const { ts } = history.ordered();
    if (ts.length === 0) continue;
    from = Math.min(from, ts[0] as number);
    to = Math.max(to, (ts.at(-1) as number) + 1);
    most = Math.max(most, ts.length);
  }
  return { from, to, most };
}

/** An hour is added for what is not closed yet. */
function extentOfRollups(db: Database, ids: ReadonlySet<SeriesId>, asked: Span): Extent {
  const rollups = createRollupReader(db);
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const id of ids) {
    for (const tier of [MINUTE_MS, HOUR_MS] as const) {
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
  if (Math.min(count(grid), extent.most) > BUCKETS_MAX)
    throw new GatewayError("query_too_large", `the answer has more than ${BUCKETS_MAX} buckets per series`, {
      hint: "ask for a larger step or a shorter time",
    });
  return grid;
}

type Layers = {
  readonly grid: Grid;
  readonly extent: Span;
  readonly histories: ReadonlyMap<SeriesId, History> | undefined;
  readonly context: QueryContext;
  readonly deadline: Deadline;
};

function mergeLayers(db: Database, page: readonly SelectedSeries[], { grid, extent, histories, context, deadline }: Layers): (id: SeriesId) => Bucket[] {
  const span = { from: grid.boundsOf(extent.from).start, to: grid.boundsOf(extent.to - 1).end };
  const ids = page.map(({ id }) => id);
  const bucketsOf = histories === undefined ? fromStream(db, ids, grid, span, deadline) : fromRaw(db, histories, grid, { span, extent, deadline });
  if (grid.step !== "day") return bucketsOf;
  const batchOf = createBatchReader(db, context.zone);
  return (id) => {
    deadline.check();
    return batchOf.merge(id, bucketsOf(id), span);
  };
}

function fromStream(db: Database, ids: readonly SeriesId[], grid: Grid, span: Span, deadline: Deadline): (id: SeriesId) => Bucket[] {
  const buckets = streamBuckets(db, ids, grid, span, { deadline, budget: createRawBudget() });
  return (id) => buckets.get(id) ?? [];
}

type Edges = { readonly span: Span; readonly extent: { readonly from: EpochMs; readonly to: EpochMs }; readonly deadline: Deadline };

/** Buckets are whole: what the first and the last hold beyond the time asked for is read too. */
function fromRaw(db: Database, histories: ReadonlyMap<SeriesId, History>, grid: Grid, { span, extent, deadline }: Edges): (id: SeriesId) => Bucket[] {
  gatherRaw(db, histories, { from: span.from, to: extent.from }, deadline);
  gatherRaw(db, histories, { from: extent.to, to: span.to }, deadline);
  const rollups = createRollupReader(db);
  return (id) => {
    const set = new BucketSet(grid);
    set.addReadings((histories.get(id) as History).ordered());
    return set.buckets(closedEndOf(rollups, grid, id));
  };
}
