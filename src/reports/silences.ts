// Silences of a series that go on over midnight. A day's summary knows only its own readings, and looks for gaps up to its edges; what is
// short of a gap on either side of midnight can be one together. Only a report that holds the days side by side sees that.

import { GAP_INTERVALS, type Gap } from "../engine/summary.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import type { ReportDay } from "./device-report.ts";

/** `counted`: what the days' summaries take for covered of it; `unlisted`: gaps of theirs that are part of it and that they only count. */
export type Silence = { readonly gap: Gap; readonly counted: DurationMs; readonly unlisted: number };

type Told = ReportDay & { readonly figures: NonNullable<ReportDay["figures"]> };
/** The days with readings around, and what lies between them; a side that is missing is not known, or not in the report. */
type Between = { readonly before: Told | undefined; readonly silent: Gap | undefined; readonly after: Told | undefined };

/** From the last reading of a day to the first of the next day that has one, where it is longer than a gap of both days; in order of time. */
export const silencesOver = (days: readonly ReportDay[]): Silence[] => [...betweenDays(days)].flatMap(silenceOf);

function* betweenDays(days: readonly ReportDay[]): Generator<Between> {
  let [before, silent] = [undefined as Told | undefined, undefined as Gap | undefined];
  for (const day of days) {
    const after = isTold(day) ? day : undefined;
    if (day.state === "silent") silent = [silent?.[0] ?? day.start, day.end];
    else {
      yield { before, silent, after };
      [before, silent] = [after, undefined];
    }
  }
  yield { before, silent, after: undefined };
}

const isTold = (day: ReportDay): day is Told => day.figures !== null;

function silenceOf({ before, silent, after }: Between): Silence[] {
  const [from, to] = [before?.figures.last_ts ?? silent?.[0], after?.figures.first_ts ?? silent?.[1]];
  // With no reading on either side, or none looked for, the days have said it all.
  if ((before === undefined && after === undefined) || from === undefined || to === undefined) return [];
  if (to - from <= Math.max(gapOf(before), gapOf(after))) return [];
  const edges = [edgeOf(before, before && [from, before.end]), edgeOf(after, after && [after.start, to])];
  return [{ gap: [from, to], counted: edges.reduce((sum, edge) => sum + edge.counted, 0), unlisted: edges.reduce((sum, edge) => sum + edge.unlisted, 0) }];
}

/** What is longer is a gap of the day; a single reading says nothing of how long it holds. */
const gapOf = (day: Told | undefined): DurationMs => GAP_INTERVALS * (day?.figures.median_interval_ms ?? 0);

/** The part of a silence that lies in a day with readings, as that day's summary has it. */
function edgeOf(day: Told | undefined, part: Gap | undefined): Pick<Silence, "counted" | "unlisted"> {
  if (day === undefined || part === undefined) return { counted: 0, unlisted: 0 };
  const [from, to] = part;
  // Of an approximate day late readings can lie in a gap that its list still has.
  if (day.figures.longest_gaps.some((gap) => gap[0] <= from && gap[1] >= to)) return { counted: 0, unlisted: 0 };
  return to - from > gapOf(day) ? { counted: 0, unlisted: 1 } : { counted: to - from, unlisted: 0 };
}

type Piece = { readonly from: EpochMs; readonly to: EpochMs; readonly goesOn: boolean };

/** All gaps: those of the days and those over midnight. What ends at midnight goes on in one that begins there, unless a reading came at midnight itself. */
export function joinGaps(days: readonly ReportDay[], silences: readonly Silence[]): Gap[] {
  const own = days.flatMap(({ start, end, state, figures }): Piece[] => {
    const found: readonly Gap[] = state === "silent" ? [[start, end]] : (figures?.longest_gaps ?? []);
    return found.map(([from, to]) => ({ from, to, goesOn: from === start && figures?.first_ts !== start }));
  });
  const over = silences.map(({ gap: [from, to] }): Piece => ({ from, to, goesOn: false }));
  const gaps: [EpochMs, EpochMs][] = [];
  for (const { from, to, goesOn } of [...own, ...over].sort((a, b) => a.from - b.from)) {
    const before = gaps.at(-1);
    if (before !== undefined && (from < before[1] || (from === before[1] && goesOn))) before[1] = Math.max(before[1], to);
    else gaps.push([from, to]);
  }
  return gaps;
}
