// Aggregates of ranges without reading all of them each time: a tree over numbered units whose nodes lie on multiples of their size,
// so which nodes make a range depends on the range alone, and a tree made anew (after a restart) gives the same figures, bit for bit.
// Ranges move on; a range of n units takes O(log n) merges, and each unit is merged into a node about once. Nodes are only a cache.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { floorMod } from "../units.ts";

/** Units of the smallest nodes; fewer are merged each time, which costs less memory than it saves work. */
const LOWEST = 3;

/** Takes what is in the units from `low` up to, not including, `high`, in order. */
export type Leaves<Sum> = (into: Sum, low: number, high: number) => void;

export class AlignedTree<Sum extends PaneAggregate> {
  readonly #empty: () => Sum;
  readonly #leaves: Leaves<Sum>;
  /** By level less LOWEST: nodes by number. */
  readonly #levels: Map<number, Sum>[] = [];
  /** Nodes that begin before are not kept. */
  #low = Number.NEGATIVE_INFINITY;

  /** @param units the most that a range has */
  constructor(units: number, empty: () => Sum, leaves: Leaves<Sum>) {
    this.#empty = empty;
    this.#leaves = leaves;
    for (let size = 2 ** LOWEST; size * 2 <= units; size *= 2) this.#levels.push(new Map());
  }

  /** Appends all of a range to `into`. Units before `low` are not asked for again, and those before `high` are complete, unless `touch` says so. */
  gather(into: Sum, low: number, high: number): void {
    this.#forgetBefore(low);
    let at = low;
    while (at < high) {
      const level = this.#largestAt(at, high);
      if (level < 0) {
        const stop = Math.min(high, at - floorMod(at, 2 ** LOWEST) + 2 ** LOWEST);
        this.#leaves(into, at, stop);
        at = stop;
      } else {
        const size = 2 ** (LOWEST + level);
        into.append(this.#node(level, at / size));
        at += size;
      }
    }
  }

  /** To be called when a unit changes after a range that held it was gathered. */
  touch(unit: number): void {
    this.#levels.forEach((nodes, level) => void nodes.delete(Math.floor(unit / 2 ** (LOWEST + level))));
  }

  #largestAt(at: number, high: number): number {
    let level = this.#levels.length - 1;
    while (level >= 0 && (at % 2 ** (LOWEST + level) !== 0 || at + 2 ** (LOWEST + level) > high)) level--;
    return level;
  }

  #node(level: number, index: number): Sum {
    const nodes = this.#levels[level] as Map<number, Sum>;
    const known = nodes.get(index);
    if (known !== undefined) return known;
    const made = this.#empty();
    if (level === 0) {
      this.#leaves(made, index * 2 ** LOWEST, (index + 1) * 2 ** LOWEST);
      made.condense?.();
    } else {
      made.append(this.#node(level - 1, index * 2));
      made.append(this.#node(level - 1, index * 2 + 1));
    }
    nodes.set(index, made);
    return made;
  }

  #forgetBefore(low: number): void {
    if (low <= this.#low) return;
    this.#levels.forEach((nodes, level) => {
      const size = 2 ** (LOWEST + level);
      const first = Math.ceil(low / size);
      const before = Math.ceil(this.#low / size);
      if (first - before > nodes.size) {
        for (const index of [...nodes.keys()]) if (index < first) nodes.delete(index);
      } else for (let index = before; index < first; index++) nodes.delete(index);
    });
    this.#low = low;
  }
}
