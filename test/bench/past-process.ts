// Makes a data directory with a past: whole days of chunks, packed rollups and summaries, written by the writer of finished rows in large
// transactions, as an import does; then some readings of today through the pipeline, as a gateway would, and ends as by kill -9.
// Takes its load as JSON on the command line; prints what it stored as a line of JSON.

import { chunkOf } from "../../src/batch/jobs/compaction.ts";
import { bucketsOf } from "../../src/batch/jobs/reckon.ts";
import { loadConfig } from "../../src/config.ts";
import { type DayBounds, dayOf, utc } from "../../src/engine/calendar.ts";
import type { OrderedReadings } from "../../src/engine/history.ts";
import type { Input } from "../../src/engine/input.ts";
import { summarizeDay } from "../../src/engine/summary.ts";
import type { EpochMs, SeriesId } from "../../src/engine/units.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { createFinishedWriter, type FinishedRow } from "../../src/storage/finished.ts";
import { encodePacked, type PackedBucket } from "../../src/storage/packed-rollups.ts";
import { HOUR_MS, MINUTE_MS, type Tier, unitOf } from "../../src/storage/rollups.ts";
import { pipelineOver } from "./bench-pipeline.ts";
import { createWalk, type Walk } from "./walks.ts";
import { labelsOf, SOURCE } from "./workload.ts";

export type PastLoad = {
  /** The config whose rules are in force; the data go where it says. */
  readonly config: string;
  /** Series, how often they are read, and of how many of the last days; their ids go on from one kind to the next. */
  readonly kinds: readonly { readonly series: number; readonly everyMs: number; readonly days: number }[];
  /** End of the last of the days, UTC. */
  readonly until: EpochMs;
  /** What stands of those days beside the readings: `all` is rollups and summaries. */
  readonly derived: "nothing" | "rollups" | "all";
  /** Readings from `until` on, through the pipeline; a snapshot stands at their end. */
  readonly today: number;
  /** After the snapshot. */
  readonly unsaved: number;
  /** Readings of a commit; it takes whole arrivals, and so at least as many. */
  readonly turn: number;
};
export type Past = { readonly series: number; readonly readings: number; readonly seconds: number };

const DAY_MS = 24 * HOUR_MS;
type Series = { readonly id: SeriesId; readonly everyMs: number; readonly days: number; readonly walk: Walk; hours: PackedBucket[] };

function make({ config, kinds, until, derived, today, unsaved, turn }: PastLoad): Past {
  const begun = performance.now();
  const loaded = loadConfig(config);
  if (loaded.kind === "invalid") throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const db = openDatabase(loaded.config.gateway.dataDir, { readonly: false });
  db.pragma("synchronous = OFF"); // what is measured begins when it is there
  const all = kinds
    .flatMap(({ series, ...kind }) => Array.from({ length: series }, () => kind))
    .map((kind, id): Series => ({ id, ...kind, walk: createWalk(id, kind.everyMs), hours: [] }));
  let readings = 0;
  for (let before = Math.max(...kinds.map(({ days }) => days)); before > 0; before -= 1) readings += writeDay(db, all, { before, until, derived });
  const pipeline = pipelineOver(db);
  pipeline.turn({ inputs: [{ kind: "rules", at: until, up: 0, plan: loaded.config.plan }, definitionOf(all, until)], finished: [] });
  const nextTurn = createToday(all, until);
  const feed = (count: number): void => {
    for (let fed = 0; fed < count; ) {
      const inputs = nextTurn(Math.min(turn, count - fed));
      pipeline.turn({ inputs, finished: [] });
      fed += inputs.reduce((sum, { batch }) => sum + batch.series.length, 0);
    }
  };
  feed(today);
  pipeline.close();
  if (derived === "all") db.prepare("INSERT INTO summary_progress VALUES (?, ?)").run(utc.name, pipeline.seq());
  feed(unsaved);
  return { series: all.length, readings: readings + pipeline.engine.books().accepted, seconds: (performance.now() - begun) / 1000 };
}

type DayWork = { /** Days to `until`, this one included. */ readonly before: number } & Pick<PastLoad, "until" | "derived">;

/** One transaction. @returns how many readings it wrote */
function writeDay(db: Database, all: readonly Series[], work: DayWork): number {
  const write = createFinishedWriter(db);
  const start = work.until - work.before * DAY_MS;
  let readings = 0;
  db.transaction(() => {
    for (const series of all) {
      if (series.days < work.before) continue;
      const columns = series.walk.take(start, start + DAY_MS);
      readings += columns.ts.length;
      for (const row of rowsOf(series, columns, { start, end: start + DAY_MS }, work)) write(row);
    }
    write({ kind: "day-settled", day: start, readings });
  })();
  return readings;
}

function* rowsOf(series: Series, columns: OrderedReadings, bounds: DayBounds, { before, derived }: DayWork): Generator<FinishedRow> {
  const { id } = series;
  const day = dayOf(utc, bounds.start);
  // As compaction would have made it: the rollups of an import's chunks wait for the next night.
  yield chunkOf(columns, { series: id, zone: utc.name, name: day, bounds, fromSeq: 0, part: 0, throughSeq: 0, level: 4 }, []);
  if (derived === "nothing") return;
  if (derived === "all") {
    const summary = summarizeDay(columns.ts, columns.value, bounds, { late: 0, alerts: 0 });
    yield { kind: "summary", zone: utc.name, day, series: id, approximate: false, body: JSON.stringify(summary), at: bounds.end };
  }
  yield packed(MINUTE_MS, id, [...bucketsOf(columns, MINUTE_MS)], bounds.end);
  series.hours.push(...bucketsOf(columns, HOUR_MS));
  if (before > 1 && unitOf(HOUR_MS, bounds.start) === unitOf(HOUR_MS, bounds.end)) return;
  yield packed(HOUR_MS, id, series.hours, bounds.end);
  series.hours = [];
}

function packed(tier: Tier, series: SeriesId, buckets: readonly PackedBucket[], at: EpochMs): FinishedRow {
  const [firstStart, lastStart] = [(buckets[0] as PackedBucket).start, (buckets.at(-1) as PackedBucket).start];
  const unit = unitOf(tier, firstStart);
  return { kind: "packed-rollups", tier, series, unit, firstStart, lastStart, at, body: encodePacked(buckets, unit, tier), starts: [], throughSeq: 0 };
}

type Readings = Extract<Input, { kind: "readings" }>;

function definitionOf(all: readonly Series[], at: EpochMs): Readings {
  const defined = all.map(({ id }) => ({ id, labels: labelsOf(id), source: SOURCE }));
  return { kind: "readings", at, up: 0, batch: { series: new Uint32Array(0), ts: new Float64Array(0), value: new Float64Array(0), defined, rejected: {} } };
}

type Arrival = { readonly id: SeriesId; readonly ts: EpochMs; readonly value: number; readonly at: EpochMs };

/** @returns takes the inputs of the next so many readings of all series, or of some more, in order of arrival: an input for each time at which some arrive */
function createToday(all: readonly Series[], from: EpochMs): (count: number) => Readings[] {
  const roundMs = Math.min(...all.map(({ everyMs }) => everyMs));
  let waiting: Arrival[] = [];
  let [next, time] = [0, from];
  function nextRound(): void {
    const due = all.filter(({ everyMs }) => (time - from) % everyMs === 0);
    const round = due.map(({ id, everyMs, walk }): Arrival => {
      const { ts, value, at } = walk.take(time, time + everyMs);
      return { id, ts: ts[0] as number, value: value[0] as number, at: at[0] as number };
    });
    time += roundMs;
    waiting = [...waiting.slice(next), ...round].sort((a, b) => a.at - b.at);
    next = 0;
  }
  /** Those that arrive together. Of rounds to come none arrives before their begin. */
  function nextInput(): Readings {
    while (next === waiting.length || (waiting[next] as Arrival).at > time) nextRound();
    const { at } = waiting[next] as Arrival;
    const begin = next;
    while (next < waiting.length && (waiting[next] as Arrival).at === at) next += 1;
    const taken = waiting.slice(begin, next);
    const columns = { ts: Float64Array.from(taken, ({ ts }) => ts), value: Float64Array.from(taken, ({ value }) => value) };
    return { kind: "readings", at, up: at - from, batch: { series: Uint32Array.from(taken, ({ id }) => id), ...columns, defined: [], rejected: {} } };
  }
  return (count) => {
    const inputs: Readings[] = [];
    for (let taken = 0; taken < count; ) {
      const input = nextInput();
      inputs.push(input);
      taken += input.batch.series.length;
    }
    return inputs;
  };
}

process.stdout.write(`${JSON.stringify(make(JSON.parse(process.argv[2] as string) as PastLoad))}\n`, () => process.kill(process.pid, "SIGKILL"));
