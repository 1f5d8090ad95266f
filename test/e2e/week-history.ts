// What a week must have left behind, reckoned from the ledger of what was sent and the order in which the journal has it: nothing acknowledged is
// missing, nothing is there that was not sent, of equal instants the first counts, and each verdict follows from the arrivals before it.

import { expect } from "vitest";
import type { Database } from "../../src/storage/database.ts";
import { readJournal } from "../../src/storage/journal.ts";
import type { Books } from "./gateway-process.ts";
import type { Device, Source } from "./week-devices.ts";
import type { Attempt, Ledger } from "./week-fleet.ts";

const MAX_FUTURE_MS = 60_000;
const NAMES = ["accepted", "late", "duplicate", "conflict", "quarantined"] as const;
type VerdictName = (typeof NAMES)[number];
/** Faults that are told at once. */
const TOLD_MAX = 10;

export type Kept = { readonly ts: number; readonly value: number; readonly isLate: boolean; readonly at: number };
/** By series (`device metric`) in order of time, each instant once. */
export type Histories = ReadonlyMap<string, readonly Kept[]>;
export type Arrival = { readonly series: string; readonly ts: number; readonly value: number; readonly at: number; readonly verdict: VerdictName };

export function seriesNames(db: Database): Map<number, string> {
  const rows = db.prepare<[], { id: number; labels: string }>("SELECT id, labels FROM series").all();
  return new Map(rows.map(({ id, labels }) => [id, nameOf(JSON.parse(labels) as Record<string, string>)]));
}

export const nameOf = (labels: Readonly<Record<string, string>>): string => `${labels["device"]} ${labels["metric"]}`;

/** All that the journal holds, in its order. */
export function readArrivals(db: Database): Arrival[] {
  const names = seriesNames(db);
  const arrivals: Arrival[] = [];
  for (const { count, series, ts, value, verdict, at } of readJournal(db, {})) {
    for (let index = 0; index < count; index++) {
      const name = names.get(series[index] as number) as string;
      arrivals.push({ series: name, ts: ts[index] as number, value: value[index] as number, at, verdict: NAMES[verdict[index] as number] as VerdictName });
    }
  }
  return arrivals;
}

/** The first accepted or late reading of each instant. */
export function historiesOf(arrivals: readonly Arrival[]): Histories {
  const bySeries = new Map<string, Map<number, Kept>>();
  for (const { series, ts, value, at, verdict } of arrivals) {
    if (verdict !== "accepted" && verdict !== "late") continue;
    const kept = bySeries.get(series) ?? new Map<number, Kept>();
    bySeries.set(series, kept);
    if (!kept.has(ts)) kept.set(ts, { ts, value, isLate: verdict === "late", at });
  }
  return new Map([...bySeries].map(([series, kept]) => [series, [...kept.values()].sort((a, b) => a.ts - b.ts)]));
}

/** Every acknowledged reading is there; of an instant the value that came first, as far as the acknowledgements tell it; nothing else is there. */
export function expectLedgerKept({ readings }: Ledger, histories: Histories): void {
  const faults: string[] = [];
  for (const [series, instants] of readings) {
    const kept = new Map((histories.get(series) ?? []).map(({ ts, value }) => [ts, value]));
    for (const [ts, attempts] of instants) {
      const { values, isSure } = possible(attempts);
      const value = kept.get(ts);
      kept.delete(ts);
      if (value === undefined ? isSure : !values.has(value)) faults.push(`${series} ${ts}: ${value} is stored, sent was ${JSON.stringify(attempts)}`);
    }
    for (const [ts, value] of kept) faults.push(`${series} ${ts}: ${value} was never sent`);
  }
  for (const series of histories.keys()) if (!readings.has(series)) faults.push(`${series} was never sent`);
  expect(faults.slice(0, TOLD_MAX)).toEqual([]);
}

/** Those that were not acknowledged may or may not have come; the first that was acknowledged ends the doubt. */
function possible(attempts: readonly Attempt[]): { values: ReadonlySet<number>; isSure: boolean } {
  const first = attempts.findIndex(({ isAcknowledged }) => isAcknowledged);
  const open = first < 0 ? attempts : attempts.slice(0, first + 1);
  return { values: new Set(open.map(({ value }) => value)), isSure: first >= 0 };
}

type Course = { readonly source: Source; readonly known: Map<number, number>; max: number };

/**
 * Each verdict is the one that DESIGN's formula gives for the arrivals so far. Where the store declines to look up an instant that is old and costly to
 * find, a repetition counts as late.
 * @returns how many those were
 */
export function expectVerdicts(arrivals: readonly Arrival[], devices: readonly Device[]): number {
  const courses = new Map<string, Course>();
  for (const { name, source, metrics } of devices)
    for (const metric of metrics) courses.set(`${name} ${metric}`, { source, known: new Map(), max: Number.NEGATIVE_INFINITY });
  const faults: string[] = [];
  let unanswered = 0;
  for (const arrival of arrivals) {
    const course = courses.get(arrival.series) as Course;
    const { ts, verdict, series } = arrival;
    const wanted = verdictOf(course, arrival);
    const isBorrowed = wanted === "accepted" && verdict === "late" && course.source.name === "hasty" && ts < course.max;
    const isUnanswered = (wanted === "duplicate" || wanted === "conflict") && verdict === "late";
    if (isUnanswered) unanswered += 1;
    else if (verdict !== wanted && !isBorrowed)
      faults.push(`${series} ${ts}: ${verdict}, not ${wanted}, at the highest ${course.max} of ${course.source.name}`);
    if (verdict === "accepted") course.max = Math.max(course.max, ts);
    if ((verdict === "accepted" || verdict === "late") && !course.known.has(ts)) course.known.set(ts, arrival.value);
  }
  expect(faults.slice(0, TOLD_MAX)).toEqual([]);
  return unanswered;
}

function verdictOf({ source, known, max }: Course, { ts, value, at }: Arrival): VerdictName {
  if (ts > at + MAX_FUTURE_MS) return "quarantined";
  if (known.has(ts)) return known.get(ts) === value ? "duplicate" : "conflict";
  return ts <= max - source.outOfOrdernessMs - 1 ? "late" : "accepted";
}

/** The books are those of the journal, and hold all that was acknowledged and no more than was sent. */
export function expectBooks(books: Books, arrivals: readonly Arrival[], { counts }: Ledger): void {
  const count = (name: VerdictName): number => arrivals.reduce((sum, { verdict }) => sum + (verdict === name ? 1 : 0), 0);
  const { received, rejected, ...judged } = books;
  expect(judged).toEqual(Object.fromEntries(NAMES.map((name) => [name, count(name)])));
  expect(received).toBe(arrivals.length + rejected);
  const read = { reading: arrivals.length - judged.quarantined, future: judged.quarantined, rejected };
  for (const kind of ["reading", "future", "rejected"] as const) {
    expect(read[kind], kind).toBeGreaterThanOrEqual(counts[kind].acknowledged);
    expect(read[kind], kind).toBeLessThanOrEqual(counts[kind].sent);
  }
}
