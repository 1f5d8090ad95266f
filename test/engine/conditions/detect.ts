// Conditions by themselves, without an engine: settings as people write them become a detector, which is fed rows of readings.

import fc from "fast-check";
import type { Condition, Detector } from "../../../src/engine/conditions/condition.ts";
import { bindCondition, conditionSchema } from "../../../src/engine/conditions/index.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";

/** `[ts, value]` */
export type Row = readonly [number, number];
export type DetectorCondition = Extract<Condition, { on: "detector" }>;

export function bind(settings: Record<string, unknown>, limits: Record<string, number> = {}): Condition | undefined {
  return bindCondition(conditionSchema.parse(settings), limits);
}

export function bindDetector(settings: Record<string, unknown>, limits: Record<string, number> = {}): DetectorCondition {
  const bound = bind(settings, limits);
  if (bound?.on !== "detector") throw new Error("this condition has no detector");
  return bound;
}

/** The measure after each row. */
export function measures(settings: Record<string, unknown>, rows: readonly Row[]): number[] {
  const detector = bindDetector(settings).create();
  return rows.map(([ts, value]) => detector.take(ts, value));
}

/** What the condition makes of each row: 1 breach, 0 between, -1 clear, NaN nothing. */
export function judgements(settings: Record<string, unknown>, rows: readonly Row[]): number[] {
  const { criterion } = bindDetector(settings);
  return measures(settings, rows).map((measure) => (Number.isNaN(measure) ? Number.NaN : criterion.judge(measure)));
}

/** What a detector saves, as bits: -0 and 0 are not the same. */
export function bits(detector: Detector): string {
  const to = new StateWriter();
  detector.save(to);
  const { numbers, texts } = to.saved();
  return `${Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("hex")} ${JSON.stringify(texts)}`;
}

/** A new detector in the state of another. */
export function restored({ create }: DetectorCondition, from: Detector): Detector {
  const to = new StateWriter();
  from.save(to);
  const reader = new StateReader(to.saved());
  const detector = create();
  detector.restore(reader);
  if (!reader.done) throw new Error("it saves more than it restores");
  return detector;
}

/** Readings whose times rise unevenly, with gaps, from before 1970 too; values that often stand still. */
export const rowsArb = (stepMax: number, valueMax = 6): fc.Arbitrary<Row[]> =>
  fc
    .tuple(
      fc.integer({ min: -100_000, max: 100_000 }),
      fc.array(
        fc.tuple(
          fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: stepMax }) }, { weight: 1, arbitrary: fc.integer({ min: stepMax, max: 40 * stepMax }) }),
          fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: valueMax }) }),
        ),
        { minLength: 1, maxLength: 150 },
      ),
    )
    .map(([start, steps]) => {
      let [ts, value] = [start, 0];
      return steps.map(([step, next = value]): Row => {
        ts += step;
        value = next;
        return [ts, value];
      });
    });
