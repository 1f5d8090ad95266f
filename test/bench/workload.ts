// What the rows of the engine, of replay, memory and recovery have in common: rules that match every series, and readings that wander
// slowly, one of each series every ten seconds, as sensors send them. No rule is ever breached. The load is the same each time.

import type { Input } from "../../src/engine/input.ts";
import type { ReadingBatch, SeriesDefinition } from "../../src/engine/reading.ts";

export const MINUTE = 60_000;
/** From one reading of a series to its next, event time. */
export const EVERY_MS = 10_000;
export const SOURCE = "sensors/{site}/{device}/{metric}";

/** Rules of one round: what DESIGN §9 calls 20 matching rules. */
const THRESHOLDS = 14;
const HOPPINGS = ["avg", "max", "min", "stddev"] as const;

export type WindowShape = { readonly sizeMs: number; readonly slideMs: number };
/** A rule as it stands in a config file. */
export type RuleBlock = { readonly name: string; readonly match: Record<string, string>; readonly condition: Record<string, unknown>; readonly for?: string };

const TEN_MINUTES: WindowShape = { sizeMs: 10 * MINUTE, slideMs: MINUTE };

/** Predicates of every kind, with and without deadband and delay; values between 15 and 25 breach none. */
function thresholdOf(by: number): Pick<RuleBlock, "condition" | "for"> {
  const shapes: readonly Pick<RuleBlock, "condition" | "for">[] = [
    { condition: { above: 90 + by } },
    { condition: { above: 100 + by, clear_below: 97 + by } },
    { condition: { above: 110 + by }, for: "30s" },
    { condition: { below: -by } },
    { condition: { below: -10 - by, clear_above: -5 - by }, for: "1m" },
    { condition: { outside: [-30 - by, 130 + by] } },
    { condition: { inside: [200 + by, 300 + by] } },
  ];
  const { condition, ...rest } = shapes[by % shapes.length] as Pick<RuleBlock, "condition" | "for">;
  return { ...rest, condition: { type: "threshold", ...condition } };
}

/**
 * Rules in rounds of twenty: 14 threshold, 4 hopping, 1 absence, 1 p95 of tumbling hours. A round's windows are a slide longer than those
 * of the round before, so that no two rounds share one.
 * @param options.metric which series they match
 */
export function mixedRules(count: number, options: { readonly window?: WindowShape; readonly metric?: string } = {}): RuleBlock[] {
  const { window = TEN_MINUTES, metric = "temperature" } = options;
  return Array.from({ length: count }, (_, index) => {
    const [round, place] = [Math.floor(index / 20), index % 20];
    return { name: `${metric}-${index + 1}`, match: { metric }, ...placed(round, place, window) };
  });
}

function placed(round: number, place: number, { sizeMs, slideMs }: WindowShape): Pick<RuleBlock, "condition" | "for"> {
  if (place < THRESHOLDS) return thresholdOf(round * THRESHOLDS + place);
  const aggregate = HOPPINGS[place - THRESHOLDS];
  if (aggregate !== undefined) {
    const window = { hopping: `${sizeMs + round * slideMs}ms`, slide: `${slideMs}ms` };
    return { condition: { type: "window", window, aggregate, above: 1000 } };
  }
  if (place === THRESHOLDS + HOPPINGS.length) return { condition: { type: "absence", after: `${5 + round}m` } };
  return { condition: { type: "window", window: { tumbling: `${60 + round}m` }, aggregate: "p95", above: 1000 } };
}

export const labelsOf = (series: number): SeriesDefinition["labels"] => ({
  site: "bench",
  device: `load-${String(series).padStart(6, "0")}`,
  metric: "temperature",
});

/** Readings in order of their times, the series taking turns; with the first of each comes its definition. `at` and `up` are those of a batch's last. */
export function createReadings({ series, start }: { readonly series: number; readonly start: number }) {
  const tenths = new Int16Array(series).fill(200);
  // Of two operations: what is measured draws each reading too.
  let random = 1;
  let next = 0;
  /** A walk of one decimal, between 15 and 25. */
  const walk = (id: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
    const moved = (tenths[id] as number) + (((random >>> 16) % 5) - 2);
    return (tenths[id] = Math.min(250, Math.max(150, moved))) / 10;
  };
  /** When the reading with this number was measured: the turns of a round are spread over its ten seconds. */
  const timeOf = (number: number): number => start + Math.floor(number / series) * EVERY_MS + Math.floor(((number % series) * EVERY_MS) / series);
  return {
    /** How many were taken so far. */
    taken: (): number => next,
    take(count: number): Extract<Input, { kind: "readings" }> {
      const batch = { series: new Uint32Array(count), ts: new Float64Array(count), value: new Float64Array(count) };
      const defined: SeriesDefinition[] = [];
      for (let index = 0; index < count; index++, next++) {
        const id = next % series;
        if (next < series) defined.push({ id, labels: labelsOf(id), source: SOURCE });
        batch.series[index] = id;
        batch.ts[index] = timeOf(next);
        batch.value[index] = walk(id);
      }
      const at = timeOf(next - 1);
      return { kind: "readings", at, up: at - start, batch: { ...batch, defined, rejected: {} } satisfies ReadingBatch };
    },
  };
}
