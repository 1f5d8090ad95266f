// Makes hopping windows of panes by merging: all of them while they are few, by a tree over them when they are many.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import { AlignedTree } from "./aligned-tree.ts";
import { type Combiner, mergeAll } from "./combiner.ts";
import type { PaneList } from "./pane-list.ts";

/** Windows of fewer panes are merged pane by pane. */
const TREE_MIN = 16;

export class PaneMerge<Sum extends PaneAggregate> implements Combiner<Sum, Sum> {
  readonly level = 0;
  readonly #empty: () => Sum;
  readonly #paneSize: DurationMs;
  readonly #size: DurationMs;
  readonly #tree: AlignedTree<Sum> | undefined;
  /** Those of the window that is being combined. */
  #panes: PaneList<Sum> | undefined;

  constructor(size: DurationMs, paneSize: DurationMs, empty: () => Sum) {
    this.#size = size;
    this.#paneSize = paneSize;
    this.#empty = empty;
    const units = size / paneSize;
    if (units >= TREE_MIN) this.#tree = new AlignedTree(units, empty, (into, low, high) => this.#append(into, low * paneSize, high * paneSize));
  }

  /** Whether it keeps nothing from one window to the next, and may serve all. */
  get isShareable(): boolean {
    return this.#tree === undefined;
  }

  combine(panes: PaneList<Sum>, count: number, end: EpochMs): Sum {
    if (panes.restricted > 0) return mergeAll(panes, count, end, this.#empty);
    this.#panes = panes;
    const merged = this.#empty();
    if (this.#tree === undefined) this.#append(merged, end - this.#size, end);
    else this.#tree.gather(merged, (end - this.#size) / this.#paneSize, end / this.#paneSize);
    return merged;
  }

  touch(panes: PaneList<Sum>, index: number): void {
    this.#tree?.touch(panes.start(index) / this.#paneSize);
  }

  drop(): void {}

  /** Appends the panes that start at `from` or later, but before `to`. */
  #append(into: Sum, from: EpochMs, to: EpochMs): void {
    const panes = this.#panes as PaneList<Sum>;
    for (let index = this.#firstFrom(from); index < panes.length && panes.start(index) < to; index++) into.append(panes.sum(index));
  }

  /** Index of the first pane that starts at `from` or later. */
  #firstFrom(from: EpochMs): number {
    const panes = this.#panes as PaneList<Sum>;
    // Where no pane is missing it is just there.
    const guess = (from - panes.start(0)) / this.#paneSize;
    if (guess >= 0 && guess < panes.length && panes.start(guess) === from && (guess === 0 || panes.start(guess - 1) < from)) return guess;
    let low = 0;
    let high = panes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (panes.start(middle) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
