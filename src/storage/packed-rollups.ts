// Closed rollup buckets of one series and tier as columns, for as long as history is kept; the last four bytes are their CRC-32.
// Counts, times, first, last, min and max come out bit for bit. Where readings are decimals, sum, M2 and area are multiples of a
// known step: they are put on it, which takes away what rounding had added, and travel as whole numbers. The mean is sum / count, but where
// the sum is beyond the largest number: there the mean travels in its place. Of hours a sketch of their readings may be there too.

import type { AggregateValues } from "../engine/aggregate.ts";
import type { Sketch } from "../engine/sketch.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { sealed, unsealed } from "./chunk-codec.ts";
import {
  decimalPlacesOf,
  readLoose,
  readMarks,
  readSteady,
  readValues,
  skipColumn,
  writeLoose,
  writeMarks,
  writeSteady,
  writeValues,
} from "./series-columns.ts";
import { readSketches, type SketchColumn, writeSketches } from "./sketch-column.ts";

const VERSION = 1;
/** With a column of sketches behind the others. */
const VERSION_SKETCHES = 2;
const NO_PLACES = 0xff;
const WHOLE_MAX = 2 ** 51;
/** Rounding of a few hundred thousand additions stays far below; a figure that is off its step by more was not made of such decimals. */
const TOLERANCE = 1e-12;

const APPROXIMATE = 1;
const PLAIN_M2 = 2;
const PLAIN_AREA = 4;
const MEAN_FOR_SUM = 8;

/** `isApproximate`: late readings were merged in when the raw readings were no longer whole. `sketch`: of all readings of the bucket, or none. */
export type PackedBucket = {
  readonly start: EpochMs;
  readonly isApproximate: boolean;
  readonly values: AggregateValues;
  readonly sketch?: Sketch | undefined;
};

const out = new ByteWriter();
const figures = ["first", "last", "min", "max"] as const;

/** @param buckets in order of time, all of one unit @param unit start of the unit that they lie in */
export function encodePacked(buckets: readonly PackedBucket[], unit: EpochMs, tier: DurationMs): Uint8Array {
  const column = (of: (bucket: PackedBucket) => number): Float64Array => columnOf(buckets, of);
  const columns = figures.map((name) => column(({ values }) => values[name]));
  const places = decimalPlacesOf(columns);
  const steps = buckets.map(({ values }) => onSteps(values, places));
  const marks = Uint8Array.from(buckets, ({ isApproximate }, index) => (steps[index] as OnSteps).marks | (isApproximate ? APPROXIMATE : 0));
  out.clear();
  const hasSketches = buckets.some(({ sketch }) => sketch !== undefined);
  out.byte(hasSketches ? VERSION_SKETCHES : VERSION);
  out.byte(places ?? NO_PLACES);
  out.varint(buckets.length);
  writeSteady(
    out,
    column(({ start }) => (start - unit) / tier),
  );
  writeMarks(out, marks);
  writeLoose(
    out,
    column(({ values }) => values.count),
  );
  writeLoose(
    out,
    column(({ start, values }) => values.firstTs - start),
  );
  writeLoose(
    out,
    column(({ values }) => values.lastTs - values.firstTs),
  );
  for (const each of columns) writeValues(out, each);
  for (const name of ["sum", "m2", "area"] as const)
    writeValues(
      out,
      columnOf(steps, (step) => step[name]),
    );
  if (hasSketches)
    writeSketches(
      out,
      buckets.map(({ sketch }) => sketch),
    );
  return sealed(out.view());
}

/** A loop: Float64Array.from walks by an iterator, and takes three times as long. */
function columnOf<Item>(items: readonly Item[], of: (item: Item) => number): Float64Array {
  const column = new Float64Array(items.length);
  for (let index = 0; index < items.length; index += 1) column[index] = of(items[index] as Item);
  return column;
}

type Opened = { readonly reader: ByteReader; readonly hasSketches: boolean; readonly places: number; readonly count: number };

function open(body: Uint8Array): Opened {
  const reader = new ByteReader(unsealed(body));
  const version = reader.byte();
  if (version > VERSION_SKETCHES) throw new Error(`packed rollups of version ${version}; this release reads ${VERSION_SKETCHES}`);
  return { reader, hasSketches: version === VERSION_SKETCHES, places: reader.byte(), count: reader.varint() };
}

/**
 * Only the starts, and how many readings each bucket holds.
 * @throws GatewayError `chunk_damaged`
 */
export function decodePackedCounts(body: Uint8Array, unit: EpochMs, tier: DurationMs): { readonly starts: Float64Array; readonly counts: Float64Array } {
  const { reader, count } = open(body);
  const [starts, counts] = [new Float64Array(count), new Float64Array(count)];
  readSteady(reader, starts);
  skipColumn(reader);
  readLoose(reader, counts);
  for (let index = 0; index < count; index += 1) starts[index] = unit + (starts[index] as number) * tier;
  return { starts, counts };
}

/**
 * @param wanted who only reads figures leaves the sketches out; who writes the buckets again must not
 * @throws GatewayError `chunk_damaged`
 */
export function decodePacked(body: Uint8Array, unit: EpochMs, tier: DurationMs, wanted: { readonly sketches: boolean } = { sketches: true }): PackedBucket[] {
  const { reader, hasSketches, places, count } = open(body);
  const column = (read: (from: ByteReader, into: Float64Array) => void): Float64Array => {
    const into = new Float64Array(count);
    read(reader, into);
    return into;
  };
  const starts = column(readSteady);
  const marks = new Uint8Array(count);
  readMarks(reader, marks);
  const [counts, firstTs, lengths] = [column(readLoose), column(readLoose), column(readLoose)];
  const [first, last, min, max] = [column(readValues), column(readValues), column(readValues), column(readValues)];
  const [sums, m2s, areas] = [column(readValues), column(readValues), column(readValues)];
  const sketches: SketchColumn = hasSketches && wanted.sketches ? readSketches(reader, count) : [];
  const at = (values: Float64Array, index: number): number => values[index] as number;
  return Array.from(marks, (mark, index): PackedBucket => {
    const start = unit + at(starts, index) * tier;
    const known = { count: at(counts, index), first: at(first, index), last: at(last, index), min: at(min, index), max: at(max, index) };
    const times = { firstTs: start + at(firstTs, index), lastTs: start + at(firstTs, index) + at(lengths, index) };
    const stepped = { marks: mark, sum: at(sums, index), m2: at(m2s, index), area: at(areas, index) };
    const values = offSteps({ ...known, ...times }, stepped, places === NO_PLACES ? undefined : places);
    const sketch = sketches[index];
    return { start, isApproximate: (mark & APPROXIMATE) !== 0, values, ...(sketch && { sketch }) };
  });
}

type OnSteps = { readonly marks: number; readonly sum: number; readonly m2: number; readonly area: number };

/** With `places`: M2 in units of 1 / (count × scale²), the area as what it differs from that of readings at equal distances. */
function onSteps(values: AggregateValues, places: number | undefined): OnSteps {
  const { count, sum, mean, m2, area } = values;
  if (Math.abs(sum) === Number.POSITIVE_INFINITY && Number.isFinite(mean)) return { marks: PLAIN_M2 | PLAIN_AREA | MEAN_FOR_SUM, sum: mean, m2, area };
  if (places === undefined) return { marks: PLAIN_M2 | PLAIN_AREA, sum, m2, area };
  const scale = 10 ** places;
  const snapped = wholeOf(sum, scale);
  const squares = wholeOf(m2, count * scale * scale);
  const whole = wholeOf(area, scale);
  const even = snapped === undefined ? undefined : evenArea(values, snapped, scale);
  const isOdd = whole === undefined || even === undefined;
  return {
    marks: (squares === undefined ? PLAIN_M2 : 0) | (isOdd ? PLAIN_AREA : 0),
    sum: snapped === undefined ? sum : snapped / scale,
    m2: squares ?? m2,
    area: isOdd ? area : whole - even,
  };
}

type Known = Omit<AggregateValues, "sum" | "mean" | "m2" | "area">;

function offSteps(known: Known, { marks, sum, m2, area }: OnSteps, places: number | undefined): AggregateValues {
  if ((marks & MEAN_FOR_SUM) !== 0) return { ...known, sum: sum < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, mean: sum, m2, area };
  const mean = sum / known.count;
  const scale = 10 ** (places ?? 0);
  const isPlainM2 = (marks & PLAIN_M2) !== 0;
  const even = (marks & PLAIN_AREA) === 0 ? (evenArea(known, Math.round(sum * scale), scale) ?? 0) : undefined;
  return { ...known, sum, mean, m2: isPlainM2 ? m2 : m2 / (known.count * scale * scale), area: even === undefined ? area : (area + even) / scale };
}

/** The figure as a whole number of steps of 1 / scale; undefined when it is none. */
function wholeOf(figure: number, scale: number): number | undefined {
  const whole = Math.round(figure * scale);
  return Math.abs(whole) < WHOLE_MAX && Math.abs(whole / scale - figure) <= TOLERANCE * Math.abs(figure) ? whole : undefined;
}

/** Scaled area of readings with this sum (scaled) at equal distances; undefined beyond what is exact. */
function evenArea({ count, last, firstTs, lastTs }: Known, sum: number, scale: number): number | undefined {
  if (count < 2) return 0;
  const area = Math.round(((sum - Math.round(last * scale)) * (lastTs - firstTs)) / (count - 1));
  return Math.abs(area) < WHOLE_MAX ? area : undefined;
}
