// `deviation`: a reading is surprising after all that came before it. The measure is the anomaly score of deviation.ts, 0 to 1.

import { z } from "zod";
import { DEVIATION_THRESHOLD_DEFAULT, DeviationDetector } from "../deviation.ts";
import { bindLimits, limitsMeta, limitsShape, measuring, refineLimits } from "../limits.ts";
import { predicateShape } from "../predicate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { ConditionType, Detector } from "./condition.ts";

const settingsSchema = z.strictObject({ type: z.literal("deviation"), ...limitsShape });
type Settings = z.output<typeof settingsSchema>;

const isPlain = (settings: Settings): boolean => settings.levels === undefined && Object.keys(predicateShape).every((key) => !(key in settings));

const schema = settingsSchema
  .superRefine((settings, context) => {
    if (!isPlain(settings)) refineLimits(settings, context);
  })
  // The default goes into the rule itself, so that a stored rule means what it meant.
  .transform((settings): Settings => (isPlain(settings) ? { ...settings, above: DEVIATION_THRESHOLD_DEFAULT } : settings))
  .meta({ ...limitsMeta, oneOf: [...limitsMeta.oneOf, { maxProperties: 1 }] });
export type DeviationSettings = z.output<typeof schema>;

export const deviation: ConditionType<"deviation", DeviationSettings> = {
  type: "deviation",
  schema,
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    if (bound === undefined) return undefined;
    return {
      on: "detector",
      create,
      ...measuring(
        bound,
        (text) => `score ${text}`,
        () => null,
      ),
    };
  },
};

function create(): Detector {
  const detector = new DeviationDetector();
  return {
    take: (ts: EpochMs, value: number) => detector.score(ts, value),
    save: (to: StateWriter) => detector.save(to),
    restore: (from: StateReader) => detector.restore(from),
  };
}
