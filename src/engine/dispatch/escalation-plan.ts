// Who is told after whom when nobody acknowledges: the plan only. What runs it is the dispatcher.

import type { DurationMs } from "../units.ts";

export type EscalationStep = {
  /** Names of receivers and schedules. */
  readonly targets: readonly string[];
  /** Until the next step; of the last step until the first is gone through again, if there is a repetition left. */
  readonly waitMs: DurationMs;
};

/** `repeat`: how many times all steps are gone through again. */
export type EscalationPlan = { readonly name: string; readonly steps: readonly EscalationStep[]; readonly repeat: number };
