// Everything that can happen to the engine. The journal holds each Input in order; nothing else changes state.

import type { Command } from "./dispatch/command.ts";
import type { ReadingBatch } from "./reading.ts";
import type { RulePlan } from "./rule.ts";
import type { DurationMs, EpochMs, UptimeMs } from "./units.ts";

/** Both clocks as the inbox read them when the input was sealed. Neither ever goes back, but `now` by a `clock` input. */
export type Instant = { readonly at: EpochMs; readonly up: UptimeMs };

export type DiskState = "ok" | "over" | "held";

export type Input = Instant &
  (
    | { readonly kind: "readings"; readonly batch: ReadingBatch }
    /** Rules, sources, devices and receivers that hold from here on. */
    | { readonly kind: "rules"; readonly plan: RulePlan }
    /** A notification that was given up; `notification` is its id. */
    | { readonly kind: "dead-letter"; readonly notification: string; readonly reason: string }
    | { readonly kind: "started"; readonly version: string }
    /** A wake that had effects, the begin and end of a hold, or a step of the wall clock. */
    | { readonly kind: "clock" /** By how much the wall clock was set, where it was. */; readonly steppedMs?: DurationMs }
    /** The store against its limit (bytes): within it again, beyond it, or beyond it with nothing left that may go, so that nothing is acknowledged. */
    | { readonly kind: "disk"; readonly state: DiskState; readonly used: number; readonly limit: number }
    /** What somebody asked; `by` is their name. */
    | { readonly kind: "command"; readonly by: string; readonly command: Command }
  );
