// What the rules of this test must give on a recording, worked out from the whole of it at once and not reading by reading: a second
// opinion that shares nothing with the engine. A condition is a list of samples, each holding until the next; an occurrence is found by
// searching that list for the next breach, the next relief, the next deadline. Times are ms of the epoch.

export type Recorded = { readonly ts: number; readonly value: number };
type Sample = { readonly ts: number; readonly measure: number };

/** A predicate as people write it, numbers only. */
export type Limits = {
  readonly above?: number;
  readonly clear_below?: number;
  readonly below?: number;
  readonly clear_above?: number;
  readonly outside?: readonly [number, number];
  readonly clear_inside?: readonly [number, number];
  readonly inside?: readonly [number, number];
  readonly clear_outside?: readonly [number, number];
};
export type TestedCondition =
  | ({ readonly type: "threshold" } & Limits)
  | ({ readonly type: "window"; readonly sizeMs: number; readonly slideMs: number; readonly aggregate: "avg" | "min" | "max" | "sum" | "count" } & Limits)
  | { readonly type: "absence"; readonly afterMs: number };
export type TestedRule = { readonly condition: TestedCondition; readonly forMs: number; readonly keepFiringForMs: number };

export type Occurrence = {
  /** `firing@…`, `recovering@…`, `resolved@…`, in order. */
  readonly transitions: readonly string[];
  readonly firedAt: number;
  /** The last measure judged before the end, and the furthest breach where that is a matter of one direction; null while it fires. */
  readonly goodValue: number | null;
  readonly peak: number | null;
};
export type Verdict = {
  readonly occurrences: readonly Occurrence[] /** Since when a breach has waited for `for` at the end. */;
  readonly pendingSince: number | null;
};

/** The first reading of each instant, in order of time. */
export function firstOfEachInstant(readings: readonly Recorded[]): Recorded[] {
  const byTime = new Map<number, number>();
  for (const { ts, value } of [...readings].reverse()) byTime.set(ts, value);
  return [...byTime].map(([ts, value]) => ({ ts, value })).sort((a, b) => a.ts - b.ts);
}

/** @param readings in order of time, each instant once; the recording ends with the last, and nothing is known of what follows */
export function expectedOf({ condition, forMs, keepFiringForMs }: TestedRule, readings: readonly Recorded[]): Verdict {
  if (condition.type === "absence") return { occurrences: absences(readings, condition.afterMs), pendingSince: null };
  const samples = condition.type === "threshold" ? readings.map(({ ts, value }) => ({ ts, measure: value })) : windowResults(condition, readings);
  const heardUntil = readings.at(-1)?.ts ?? Number.NEGATIVE_INFINITY;
  return search(samples, condition, { forMs, keepFiringForMs, heardUntil });
}

const isBreach = (limits: Limits, v: number): boolean =>
  (limits.above !== undefined && v > limits.above) ||
  (limits.below !== undefined && v < limits.below) ||
  (limits.outside !== undefined && !(limits.outside[0] <= v && v <= limits.outside[1])) ||
  (limits.inside !== undefined && limits.inside[0] < v && v < limits.inside[1]);

function isClear(limits: Limits, v: number): boolean {
  if (limits.clear_below !== undefined) return v < limits.clear_below;
  if (limits.clear_above !== undefined) return v > limits.clear_above;
  if (limits.clear_inside !== undefined) return limits.clear_inside[0] < v && v < limits.clear_inside[1];
  if (limits.clear_outside !== undefined) return v < limits.clear_outside[0] || v > limits.clear_outside[1];
  return !isBreach(limits, v);
}

type Delays = { readonly forMs: number; readonly keepFiringForMs: number /** Time has passed up to here. */; readonly heardUntil: number };

function search(samples: readonly Sample[], limits: Limits, { forMs, keepFiringForMs, heardUntil }: Delays): Verdict {
  const next = (from: number, wanted: (measure: number) => boolean): number => {
    for (let index = from; index < samples.length; index++) if (wanted((samples[index] as Sample).measure)) return index;
    return samples.length;
  };
  const at = (index: number): number => samples[index]?.ts ?? Number.POSITIVE_INFINITY;
  /** Whether time reached an instant: it was passed, or a sample at it or after it was judged. */
  const reached = (instant: number): boolean => instant < heardUntil || instant <= (samples.at(-1)?.ts ?? Number.NEGATIVE_INFINITY);
  const occurrences: Occurrence[] = [];
  let index = 0;
  for (;;) {
    const begin = next(index, (measure) => isBreach(limits, measure));
    if (begin === samples.length) return { occurrences, pendingSince: null };
    const relief = next(begin, (measure) => !isBreach(limits, measure));
    const firedAt = at(begin) + forMs;
    if (firedAt >= at(relief)) {
      index = relief;
      continue;
    }
    if (!reached(firedAt)) return { occurrences, pendingSince: at(begin) };
    const transitions = [`firing@${firedAt}`];
    let resolvedAt = Number.POSITIVE_INFINITY;
    let cleared = next(begin, (measure) => isClear(limits, measure));
    while (cleared < samples.length) {
      const deadline = at(cleared) + keepFiringForMs;
      if (keepFiringForMs > 0) transitions.push(`recovering@${at(cleared)}`);
      const relapse = next(cleared, (measure) => isBreach(limits, measure));
      if (at(relapse) > deadline) {
        if (reached(deadline)) resolvedAt = deadline;
        break;
      }
      transitions.push(`firing@${at(relapse)}`);
      cleared = next(relapse, (measure) => isClear(limits, measure));
    }
    if (resolvedAt === Number.POSITIVE_INFINITY) {
      occurrences.push({ transitions, firedAt, goodValue: null, peak: null });
      return { occurrences, pendingSince: null };
    }
    transitions.push(`resolved@${resolvedAt}`);
    let after = cleared;
    while (at(after) <= resolvedAt) after++;
    const during = samples.slice(begin, after);
    occurrences.push({ transitions, firedAt, goodValue: (during.at(-1) as Sample).measure, peak: peakOf(limits, during) });
    index = after;
  }
}

function peakOf(limits: Limits, samples: readonly Sample[]): number | null {
  const measures = samples.map(({ measure }) => measure);
  if (limits.above !== undefined) return Math.max(...measures);
  return limits.below === undefined ? null : Math.min(...measures);
}

/** One sample for each window, at its end, once time has come that far; a window with nothing newer than the one before it tells nothing. */
function windowResults({ sizeMs, slideMs, aggregate }: { sizeMs: number; slideMs: number; aggregate: string }, readings: readonly Recorded[]): Sample[] {
  const results: Sample[] = [];
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) return results;
  let newestTold = Number.NEGATIVE_INFINITY;
  let [from, to] = [0, 0];
  for (let start = Math.floor((first.ts - sizeMs) / slideMs) * slideMs; start + sizeMs <= last.ts; start += slideMs) {
    while ((readings[from]?.ts ?? Number.POSITIVE_INFINITY) < start) from++;
    while ((readings[to]?.ts ?? Number.POSITIVE_INFINITY) < start + sizeMs) to++;
    const inside = readings.slice(from, to);
    const newest = inside.at(-1)?.ts ?? Number.NEGATIVE_INFINITY;
    if (newest <= newestTold) continue;
    newestTold = newest;
    results.push({
      ts: start + sizeMs,
      measure: figure(
        aggregate,
        inside.map(({ value }) => value),
      ),
    });
  }
  return results;
}

function figure(aggregate: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (aggregate) {
    case "avg":
      return sum / values.length;
    case "sum":
      return sum;
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    default:
      return values.length;
  }
}

function absences(readings: readonly Recorded[], afterMs: number): Occurrence[] {
  return readings.slice(1).flatMap(({ ts, value }, index) => {
    const firedAt = (readings[index] as Recorded).ts + afterMs;
    return ts > firedAt ? [{ transitions: [`firing@${firedAt}`, `resolved@${ts}`], firedAt, goodValue: value, peak: null }] : [];
  });
}
