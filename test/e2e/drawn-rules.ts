// Rules drawn at random for a recording: every predicate, with and without a deadband, thresholds, windows and absence, on-delay and off-delay.
// Limits are drawn from the recording's own values, so that they are crossed.

import type { Draw } from "./gateway-process.ts";
import type { Limits, Recorded, TestedCondition, TestedRule } from "./independent-evaluator.ts";

export type NamedRule = TestedRule & { readonly name: string; readonly device: "machine" | "ambient" };

const MINUTE_MS = 60_000;

/** @param everyMs the time from one reading to the next; delays and windows are drawn around it */
export function drawRules(draw: Draw, device: NamedRule["device"], readings: readonly Recorded[], everyMs: number): NamedRule[] {
  const sorted = readings.map(({ value }) => value).toSorted((a, b) => a - b);
  const everyMinutes = everyMs / MINUTE_MS;
  // Whole minutes: in the seconds of silence after the recording nothing may fall due.
  const delay = (): number => draw.oneOf([0, 1, Math.ceil(everyMinutes / 2), everyMinutes, 2 * everyMinutes, draw.whole(1, 6 * everyMinutes)]) * MINUTE_MS;
  const rule = (index: number, kind: string, condition: TestedCondition): NamedRule => ({
    name: `${device}-${kind}-${index}`,
    device,
    condition,
    forMs: condition.type === "absence" ? 0 : delay(),
    keepFiringForMs: condition.type === "absence" ? 0 : delay(),
  });
  const thresholds = Array.from({ length: 8 }, (_, index) => rule(index, "threshold", { type: "threshold", ...drawLimits(draw, sorted) }));
  const windows = Array.from({ length: 6 }, (_, index) => rule(index, "window", drawWindow(draw, readings, everyMs)));
  const absences = [1.1, 3, 30].map((share, index) => rule(index, "absence", { type: "absence", afterMs: Math.ceil(share * everyMinutes) * MINUTE_MS }));
  return [...thresholds, ...windows, ...absences];
}

function drawLimits(draw: Draw, sorted: readonly number[]): Limits {
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;
  // Often exactly a value of the recording: predicates are strict.
  const limit = (share: number): number => at(share) + draw.oneOf([0, 0, draw.between(-0.5, 0.5)]);
  const band = draw.oneOf([undefined, draw.between(0.1, 3)]);
  const low = limit(draw.between(0.01, 0.3));
  const high = Math.max(limit(draw.between(0.7, 0.99)), low + 0.5);
  const inner = Math.min(band ?? 0, (high - low) / 4);
  switch (draw.oneOf(["above", "below", "outside", "inside"] as const)) {
    case "above":
      return { above: high, ...(band && { clear_below: high - band }) };
    case "below":
      return { below: low, ...(band && { clear_above: low + band }) };
    case "outside":
      return { outside: [low, high], ...(band && { clear_inside: [low + inner, high - inner] as const }) };
    default:
      return { inside: [low, high], ...(band && { clear_outside: [low - inner, high + inner] as const }) };
  }
}

function drawWindow(draw: Draw, readings: readonly Recorded[], everyMs: number): TestedCondition {
  const slideMs = draw.whole(1, 8) * everyMs;
  const sizeMs = slideMs * draw.oneOf([1, 1, 2, 3, 7]);
  const aggregate = draw.oneOf(["avg", "min", "max", "sum", "count"] as const);
  const perWindow = sizeMs / everyMs;
  const values = readings.map(({ value }) => value);
  const scale = aggregate === "sum" ? perWindow : 1;
  const sorted = aggregate === "count" ? [perWindow - 1, perWindow - 1, perWindow] : values.toSorted((a, b) => a - b).map((value) => value * scale);
  return { type: "window", sizeMs, slideMs, aggregate, ...drawLimits(draw, sorted) };
}

/** As it stands in the config. */
export function ruleOf({ name, device, condition, forMs, keepFiringForMs }: NamedRule): object {
  const ms = (duration: number): string => `${duration}ms`;
  const delays = condition.type === "absence" ? {} : { for: ms(forMs), keep_firing_for: ms(keepFiringForMs) };
  return { name, match: { device }, condition: conditionOf(condition), ...delays };

  function conditionOf(tested: TestedCondition): object {
    if (tested.type === "absence") return { type: "absence", after: ms(tested.afterMs) };
    if (tested.type === "threshold") return tested;
    const { type, sizeMs, slideMs, aggregate, ...limits } = tested;
    return { type, aggregate, window: sizeMs === slideMs ? { tumbling: ms(sizeMs) } : { hopping: ms(sizeMs), slide: ms(slideMs) }, ...limits };
  }
}
