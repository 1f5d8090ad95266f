// Aggregates whose state is always the same number of numbers may lie packed in arrays, many in a row. To be worked on they are unpacked
// into an object that all of a kind share: it is used within a call only.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { Packable } from "../state.ts";

const scratches = new WeakMap<() => PaneAggregate, PaneAggregate>();

/** @returns undefined when aggregates of this kind grow with the readings */
export function scratchOf<Sum extends PaneAggregate>(empty: () => Sum): (Sum & Packable) | undefined {
  const scratch = (scratches.get(empty) as Sum | undefined) ?? empty();
  scratches.set(empty, scratch);
  return isPackable(scratch) ? scratch : undefined;
}

const isPackable = <Sum extends PaneAggregate>(sum: Sum): sum is Sum & Packable => "width" in sum;
