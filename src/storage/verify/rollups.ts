// Checks of rollups by themselves: packed ones by their checksum and by what their row says, fresh ones by whether they make sense.
// Whether they are right only the raw readings tell.

import { dayText } from "../../engine/calendar.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import type { Span } from "../chunks.ts";
import type { Database } from "../database.ts";
import { decodePacked, type PackedBucket } from "../packed-rollups.ts";
import { UTC_DAY_MS } from "../rollup-days.ts";
import { HOUR_MS, isReadable, isSensible, type Tier, unitEnd, unitOf } from "../rollups.ts";
import { type Checked, type Found, type Mend, type Place, reasonIn, rowsByKey } from "./problem.ts";

export const tierWord = (tier: Tier): string => (tier === HOUR_MS ? "hour" : "minute");
export const utcDay = (ts: EpochMs): string => dayText(Math.floor(ts / UTC_DAY_MS));

/** Rebuilds the UTC days of a span. */
export const rebuildOf = ({ from, to }: Span): Mend => ({ kind: "rebuild", from: utcDay(from), to: utcDay(to - 1) });

type PackedRow = {
  readonly key: number;
  readonly tier: Tier;
  readonly series: SeriesId;
  readonly unit: EpochMs;
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly body: Uint8Array;
};

export function checkPacked(db: Database, within: Span, found: Found, checked: Checked): void {
  const total = db.prepare<[], number>("SELECT count(*) FROM packed_rollup").pluck().get() ?? 0;
  let done = 0;
  const rows = rowsByKey<PackedRow>(
    db,
    "SELECT id AS key, tier, series, unit, first_start AS first, last_start AS last, body FROM packed_rollup WHERE id > ? ORDER BY id LIMIT ?",
  );
  for (const some of rows) {
    done += some.length;
    for (const row of some) {
      const span = { from: row.unit, to: unitEnd(row.tier, row.unit) };
      const what = span.from < within.to && span.to > within.from ? wrongInPacked(row) : undefined;
      const place: Place = { series: row.series, day: utcDay(row.unit) };
      if (what !== undefined) found({ kind: "packed-rollup", place, what: `packed ${tierWord(row.tier)}s ${what}`, mend: rebuildOf(span) });
    }
    checked(done, total);
  }
}

function wrongInPacked({ tier, unit, first, last, body }: PackedRow): string | undefined {
  try {
    const buckets = decodePacked(body, unit, tier);
    const starts = buckets.map(({ start }) => start);
    if (starts.some((start, index) => unitOf(tier, start) !== unit || (index > 0 && start <= (starts[index - 1] as number)))) return "lie out of order";
    if (starts.length > 0 && (starts[0] !== first || starts.at(-1) !== last)) return "begin or end elsewhere than their row says";
    const isRight = ({ start, values, sketch }: PackedBucket): boolean => isSensible(values, start, tier) && (sketch?.count ?? values.count) === values.count;
    return buckets.every(isRight) ? undefined : "hold figures that cannot be";
  } catch (error) {
    return `cannot be read: ${reasonIn(error)}`;
  }
}

const FRESH_PER_READ = 1000;

/** What waits to be packed. */
export function checkFresh(db: Database, within: Span, found: Found): void {
  const read = db.prepare<number[], { tier: Tier; series: SeriesId; start: EpochMs; body: Uint8Array }>(
    "SELECT tier, series, start, body FROM rollup WHERE (tier, series, start) > (?, ?, ?) ORDER BY tier, series, start LIMIT ?",
  );
  let after: readonly number[] = [0, 0, 0];
  for (;;) {
    const rows = read.all(...after, FRESH_PER_READ);
    for (const { tier, series, start, body } of rows) {
      after = [tier, series, start];
      const span = { from: start, to: start + tier };
      if (start < within.from || start >= within.to || isReadable(body, start, tier)) continue;
      const place: Place = { series, day: utcDay(start) };
      found({ kind: "rollup", place, what: `the ${tierWord(tier)} of ${new Date(start).toISOString()} cannot be read`, mend: rebuildOf(span) });
    }
    if (rows.length < FRESH_PER_READ) return;
  }
}
