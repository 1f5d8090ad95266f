// Durations as zod reads them: text such as `90s` in YAML, milliseconds inside.

import { z } from "zod";
import { type DurationMs, parseDuration } from "./units.ts";

const DURATION_PATTERN = "^([0-9]+(ms|s|m|h|d|w))+$";

const durationText = (accepts: (ms: DurationMs) => boolean, complaint: string) =>
  z
    .string({ error: "write a duration such as 500ms, 90s, 5m, 1h30m, 7d or 2w" })
    .meta({ description: "A duration: 500ms 90s 5m 1h30m 7d 2w", pattern: DURATION_PATTERN })
    .transform((text, context): DurationMs => {
      const ms = parseDuration(text);
      if (ms !== undefined && accepts(ms)) return ms;
      context.addIssue({
        code: "custom",
        message: ms === undefined ? `"${text}" is not a duration; write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w` : complaint,
      });
      return z.NEVER;
    });

/** A duration longer than zero. */
export const durationSchema = durationText((ms) => ms > 0, "must be longer than zero; write one such as 500ms or 5m");
/** A duration that may be `0s`. */
export const durationOrZeroSchema = durationText(() => true, "");
