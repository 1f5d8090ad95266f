// A reading is (series, ts, value). Between threads and in the journal readings travel as columns, a batch at a time.
// Every value that arrives gets exactly one verdict, so that the books balance.

import type { EpochMs, SeriesId } from "./units.ts";

/** A set of labels; a series always has `device` and `metric`. */
export type Labels = Readonly<Record<string, string>>;

/** What a codec reads from a payload for one value. Labels that the topic names are added by the broker. */
export type Reading = {
  /** Overrides or completes the topic's `{metric}`. */
  readonly metric?: string;
  /** Overrides or completes the topic's `{device}`. */
  readonly device?: string;
  /** Event time; absent when the device sends none. */
  readonly ts?: EpochMs;
  /** Always finite. What is not a finite number is rejected by the codec. */
  readonly value: number;
};

/** Why a value or a whole message was rejected; the label of a counter, so the list is closed. */
export const rejectReasons = ["undecodable", "bad_quality", "bad_time", "no_series", "series_limit", "too_many_values", "too_large", "retained"] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** Numbers are stored in the journal: never renumber. */
export const verdicts = ["accepted", "late", "duplicate", "conflict", "quarantined"] as const;
export type Verdict = (typeof verdicts)[number];
export const ACCEPTED = 0;
export const LATE = 1;
export const DUPLICATE = 2;
export const CONFLICT = 3;
export const QUARANTINED = 4;
/** Set in a verdict byte when the device sent no time and the engine gave `ts`. */
export const TIME_ASSIGNED = 0x80;
/** Takes the verdict out of a verdict byte. */
export const VERDICT_MASK = 0x07;

/** The books: `received = accepted + late + duplicate + conflict + quarantined + rejected`, in values of one series each. */
export type Books = Record<"received" | Verdict | "rejected", number>;

/** A series that occurs for the first time, or by another source than before; written into the journal with the batch that brought it. */
export type SeriesDefinition = {
  readonly id: SeriesId;
  readonly labels: Labels;
  /** Topic template of the source that brought it: selects its timing (`RulePlan.sources`). */
  readonly source: string;
};

/** Readings of one arrival, as columns of equal length. */
export type ReadingBatch = {
  readonly series: Uint32Array;
  /** EpochMs; NaN where the device sent no time. */
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly defined: readonly SeriesDefinition[];
  /** How many values were rejected before they became readings, by reason. */
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>;
  /** Indexes, ascending, of readings that another broker had retained: old news, so late whatever the watermark says. */
  readonly retained?: readonly number[];
  /** Answers to `Engine.unknown`: readings already stored at timestamps older than the engine's memory. */
  readonly known?: readonly KnownReading[];
};

/** A timestamp that the engine no longer remembers and asks the store for. */
export type Lookup = { readonly series: SeriesId; readonly ts: EpochMs };
export type KnownReading = Lookup & { readonly value: number };

/** Known values by `series ts`. */
export const indexKnown = (known: readonly KnownReading[]): ReadonlyMap<string, number> =>
  new Map(known.map(({ series, ts, value }) => [`${series} ${ts}`, value]));

/** The canonical text of a series: labels in order of their names, `{device="fz-7",metric="temperature"}`. */
export function seriesKey(labels: Labels): string {
  const parts = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{${parts.join(",")}}`;
}
