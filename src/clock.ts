// The two clocks of the machine, and its timers. Only the inbox reads the clocks for the engine; everything else gets them
// handed in, so that a simulation can hand in its own.

import type { EpochMs } from "./engine/units.ts";

export type Clock = {
  /** Wall clock, whole milliseconds; may step. */
  now(): EpochMs;
  /** Milliseconds since an arbitrary origin; never steps. */
  monotonic(): number;
};

export type Timers = {
  /** Calls `work` once, after `ms`; a fraction of a millisecond early may happen. @returns what cancels it */
  after(ms: number, work: () => void): () => void;
  /** Calls `work` once what is waiting already has had its turn. */
  soon(work: () => void): void;
};

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const systemTimers: Timers = {
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
  soon: (work) => void setImmediate(work),
};
