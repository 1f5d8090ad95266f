// Makes a window of panes: stretches of time that all its windows hold whole or not at all.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";
import type { PaneList } from "./pane-list.ts";

/** Does not read all panes each time. What it remembers is a cache: a new one gives the same figures. */
export type Combiner<Sum extends PaneAggregate, Result extends WindowAggregate> = {
  /** @param count how many panes, from the first, lie in the window that ends at `end`, the next after the one before */
  combine(panes: PaneList<Sum>, count: number, end: EpochMs): Result;
  /** A pane got a reading when a window that may hold it had been combined. */
  touch(panes: PaneList<Sum>, index: number, value: number): void;
  /** The first pane, which no window holds any more. */
  drop(panes: PaneList<Sum>): void;
  /** How coarse it has become, where that is not to be found in the panes: 0 unless values span many orders of magnitude. */
  level: number;
};

/** All panes that the window holds, as one. Those of one start hold readings among each other. */
export function mergeAll<Sum extends PaneAggregate>(panes: PaneList<Sum>, count: number, end: EpochMs, empty: () => Sum): Sum {
  const merged = empty();
  let together: Sum | undefined;
  for (let index = 0; index < count; index++) {
    if (panes.openFrom(index) < end) (together ??= empty()).mingle(panes.sum(index));
    if (index + 1 < count && panes.start(index + 1) === panes.start(index)) continue;
    if (together !== undefined) merged.append(together);
    together = undefined;
  }
  return merged;
}
