// A pane: what a hopping window keeps of a stretch of time that all its windows hold whole or not at all.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";

/** `openFrom`: windows that end at or before it do not hold the pane: late readings that came when the clock had passed them. */
export type Pane<Sum extends PaneAggregate> = { start: EpochMs; openFrom: EpochMs; readonly aggregate: Sum };

/** Of `openFrom`: all windows over the pane hold it. */
export const LONG_AGO = Number.NEGATIVE_INFINITY;

/** Makes a window of panes, without reading them all each time. What it remembers is a cache: a new one gives the same figures. */
export type Combiner<Sum extends PaneAggregate, Result extends WindowAggregate> = {
  /**
   * @param panes in order of their starts
   * @param count how many of them, from the first, lie in the window that ends at `end`, the next after the one before
   * @param hasRestricted whether there is a pane that not all windows over it hold
   */
  combine(panes: readonly Pane<Sum>[], count: number, end: EpochMs, hasRestricted: boolean): Result;
  /** A pane got a reading when a window that may hold it had been combined. */
  touch(pane: Pane<Sum>, value: number): void;
  /** A pane that no window holds any more, as it is. */
  drop(pane: Pane<Sum>): void;
  /** How coarse it has become, where that is not to be found in the panes: 0 unless values span many orders of magnitude. */
  level: number;
};

/** All panes that the window holds, as one. Those of one start hold readings among each other. */
export function mergeAll<Sum extends PaneAggregate>(panes: readonly Pane<Sum>[], count: number, end: EpochMs, empty: () => Sum): Sum {
  const merged = empty();
  let together: Sum | undefined;
  for (let index = 0; index < count; index++) {
    const { start, openFrom, aggregate } = panes[index] as Pane<Sum>;
    if (openFrom < end) (together ??= empty()).mingle(aggregate);
    if (index + 1 < count && panes[index + 1]?.start === start) continue;
    if (together !== undefined) merged.append(together);
    together = undefined;
  }
  return merged;
}
