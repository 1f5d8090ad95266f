// What every window over one subject (a series or a group) has in common: it is fed readings, says when it closes, and what it
// held. Readings come in event-time order but for late ones. A window once closed stays closed; an empty one gives no result, and
// a result with no reading newer than the one before changes nothing, so it is not given.

import type { AggregateName } from "./aggregate.ts";
import type { StateWriter } from "./state.ts";
import type { DurationMs, EpochMs } from "./units.ts";

/** A window as rules ask for it. A tumbling window is a hopping one whose slide is its size; both lie on the epoch. */
export type WindowSpec =
  | { readonly kind: "hopping"; readonly size: DurationMs; readonly slide: DurationMs }
  /** Ends `gap` after its last reading; a reading exactly there still belongs to it. */
  | { readonly kind: "session"; readonly gap: DurationMs }
  /** The last `count` readings, after every `slide` of them; late readings do not enter. */
  | { readonly kind: "count"; readonly count: number; readonly slide: number }
  /** A local day of the gateway's zone, 23 to 25 hours. */
  | { readonly kind: "day" };

/** What a window held when it closed, `[start, end)`; of a count window `end` is the time of its last reading. */
export type WindowResult = { readonly start: EpochMs; readonly end: EpochMs; readonly aggregate: WindowAggregate };

export type WindowAggregate = {
  readonly count: number;
  /** @returns NaN where there is none, as the standard deviation of one reading */
  figure(name: AggregateName): number;
};

export type Window = {
  readonly spec: WindowSpec;
  /** Distinguishes windows that began empty at different changes of the rules. */
  readonly born: number;
  /** Rules whose windows have the same sharing text, and were born together, share one. */
  readonly sharing: string;
  /** When it closes next, as far as is known now; Infinity: nothing is in it, or only a reading closes it. */
  readonly nextEnd: EpochMs;
  /** 0: it closes when the clock reaches `nextEnd` − 1, before readings at `nextEnd`. 1: when the clock reaches `nextEnd`, after them. */
  readonly lag: 0 | 1;
  /** What closed since this was last set to undefined, and may change a condition. Its aggregate stands until the next `add` or `close`. */
  result: WindowResult | undefined;
  /** An evaluated reading. A count window may close with it and set `result`. */
  add(ts: EpochMs, value: number): void;
  /** A late reading; `clock` is where the subject's clock stands as it comes. */
  addLate(ts: EpochMs, value: number, clock: EpochMs): void;
  /** Closes what ends at `nextEnd`, which is not Infinity, and may set `result`. */
  close(): void;
  save(to: StateWriter): void;
};
