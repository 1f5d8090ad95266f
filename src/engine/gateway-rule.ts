// The names under which the gateway raises alerts about itself, and what their evidence says of them.

import type { TransitionReason } from "./effect.ts";

/** `logic` in the evidence of alerts that the gateway raises about itself. */
export const GATEWAY_LOGIC = "gateway";
export const DEAD_LETTER_RULE = "highwater-dead-letter";
export const CLOCK_STEP_RULE = "highwater-clock-step";

export const gatewayReason = (rule: string): TransitionReason => (rule === CLOCK_STEP_RULE ? "clock_step" : "dead_letter");
