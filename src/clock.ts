// The two clocks of the machine. Only the inbox reads them for the engine; everything else gets a Clock handed in.

import type { EpochMs } from "./engine/units.ts";

export type Clock = {
  /** Wall clock, whole milliseconds; may step. */
  now(): EpochMs;
  /** Milliseconds since an arbitrary origin; never steps. */
  monotonic(): number;
};

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
