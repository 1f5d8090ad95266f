// Export: what a store holds of some series as text, series by series, in order of time, however much it is. Single readings come in a format
// that `import` reads back bit for bit; buckets of a step come with their figures, as the serving query merges them.

import { systemClock } from "../clock.ts";
import { dayBounds, dayOf, nextDay, type ZoneTable } from "../engine/calendar.ts";
import type { Labels } from "../engine/reading.ts";
import type { Device } from "../engine/rule.ts";
import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { rawDays, type Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import { createHistoryReader } from "../storage/history-query.ts";
import { answerQuery } from "../storage/queries.ts";
import type { LabelFilter, Step } from "../storage/query.ts";
import { createRollupReader, TIERS } from "../storage/rollups.ts";
import { matchesFilter, withDevice } from "../storage/series-query.ts";
import { bucketWriter } from "./bucket-text.ts";
import type { HistoryFormat } from "./format.ts";

export type ExportOptions = {
  readonly labels: LabelFilter;
  /** From inclusive, to exclusive. */
  readonly span: Span;
  readonly step: Step;
  readonly format: HistoryFormat;
  readonly zone: ZoneTable;
  readonly devices: Readonly<Record<string, Device>>;
  readonly progress?: (progress: ExportProgress) => void;
};

/** `done` of `series` are written; `rows` so far. */
export type ExportProgress = { readonly done: number; readonly series: number; readonly rows: number };

type Exported = { readonly id: SeriesId; readonly labels: Labels };

/** Text is handed over in pieces of about so many characters. */
const PIECE_CHARS = 65_536;
/** Buckets that one question asks for. */
const BUCKETS_AT_ONCE = 5_000;
const QUESTION_MS_MAX = 60_000;

/** @throws GatewayError `not_written`, `not_a_label_column` */
export function* exportHistory(db: Database, options: ExportOptions): Generator<string> {
  const selected = selectOwn(db, options);
  yield* pieces(options.step === "raw" ? exportRaw(db, selected, options) : exportBuckets(db, selected, options));
}

/** A series has its own labels; those that the config gives its device only choose it. */
function selectOwn(db: Database, { labels, devices }: ExportOptions): Exported[] {
  const rows = db.prepare<[], { id: SeriesId; labels: string }>("SELECT id, labels FROM series ORDER BY id").all();
  return rows
    .map(({ id, labels: own }): Exported => ({ id, labels: JSON.parse(own) as Labels }))
    .filter((each) => matchesFilter(withDevice(each.labels, devices), labels));
}

const namesOf = (series: readonly Exported[]): string[] => [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();

function* exportRaw(db: Database, selected: readonly Exported[], { span, format, progress }: ExportOptions): Generator<string> {
  const reader = createHistoryReader(db, span);
  const byId = new Map(selected.map((each) => [each.id, each]));
  const present = reader.present(selected.map(({ id }) => id));
  const labels = namesOf(present.map((id) => byId.get(id) as Exported));
  if (format.writer === undefined) throw notWritten(format);
  const writer = format.writer({ labels });
  yield writer.head;
  let [done, rows, last]: [number, number, SeriesId | undefined] = [0, 0, undefined];
  let line: (ts: EpochMs, value: number) => string = () => "";
  for (const { series, readings } of reader.read(present)) {
    if (series !== last) {
      done += last === undefined ? 0 : 1;
      line = writer.series((byId.get(series) as Exported).labels);
      last = series;
    }
    const { ts, value } = readings;
    for (let index = 0; index < ts.length; index += 1) yield line(ts[index] as number, value[index] as number);
    rows += ts.length;
    progress?.({ done, series: present.length, rows });
  }
  progress?.({ done: present.length, series: present.length, rows });
}

const notWritten = ({ name }: HistoryFormat): GatewayError =>
  new GatewayError("not_written", `${name} is read, but not written`, { hint: "give --format csv or --format ndjson" });

function* exportBuckets(db: Database, selected: readonly Exported[], { span, step, format, zone, devices, progress }: ExportOptions): Generator<string> {
  const writer = bucketWriter(format, namesOf(selected));
  const context = { devices, zone, clock: systemClock, timeMs: QUESTION_MS_MAX };
  yield writer.head;
  let rows = 0;
  for (const [done, { id, labels }] of selected.entries()) {
    const line = writer.series(labels);
    for (const { from, to } of windows(extentOf(db, id, span), step as Exclude<Step, "raw">, zone)) {
      const { series } = answerQuery(db, { kind: "readings", series: [id], from, to, step }, context);
      for (const bucket of series[0]?.buckets ?? []) yield line(bucket);
      rows += series[0]?.buckets.length ?? 0;
      progress?.({ done, series: selected.length, rows });
    }
  }
  progress?.({ done: selected.length, series: selected.length, rows });
}

/** Within which the series can have anything. */
function extentOf(db: Database, id: SeriesId, asked: Span): Span {
  const [rollups, days] = [createRollupReader(db), rawDays(db)];
  const tail = db.prepare<[], { min: number | null; max: number | null }>("SELECT min(min_s) AS min, max(max_s) AS max FROM journal_span").get();
  const from = Math.min(
    ...TIERS.map((tier) => rollups.oldest(tier, id)),
    ...[days[0]?.day ?? Number.POSITIVE_INFINITY, (tail?.min ?? Number.POSITIVE_INFINITY) * 1000],
  );
  const to = Math.max(
    ...TIERS.map((tier) => rollups.closedEnd(tier, id)),
    ...[days.at(-1)?.until ?? Number.NEGATIVE_INFINITY, ((tail?.max ?? Number.NEGATIVE_INFINITY) + 1) * 1000],
  );
  return { from: Math.max(from, asked.from), to: Math.min(to, asked.to) };
}

/** The span in pieces of whole buckets. */
function* windows({ from, to }: Span, step: Exclude<Step, "raw">, zone: ZoneTable): Generator<Span> {
  for (let start = from; start < to; ) {
    const end = Math.min(to, step === "day" ? dayAfter(zone, start) : start - floorMod(start, step) + step * BUCKETS_AT_ONCE);
    yield { from: start, to: end };
    start = end;
  }
}

const DAYS_AT_ONCE = 400;

function dayAfter(zone: ZoneTable, start: EpochMs): EpochMs {
  let day = dayOf(zone, start);
  for (let count = 0; count < DAYS_AT_ONCE; count += 1) day = nextDay(day);
  return dayBounds(zone, day).start;
}

function* pieces(lines: Iterable<string>): Generator<string> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < PIECE_CHARS) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}
