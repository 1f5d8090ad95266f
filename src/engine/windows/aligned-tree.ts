// Aggregates of ranges without reading all of them each time: a tree over numbered units whose nodes lie on multiples of their size,
// so which nodes make a range depends on the range alone, and a tree made anew (after a restart) gives the same figures, bit for bit.
// Ranges move on; a range of n units takes O(log n) merges, and each unit is merged into a node about once. Nodes are only a cache.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { floorMod } from "../units.ts";
import { createNodeRing, type NodeRing } from "./node-ring.ts";

/** Units of the smallest nodes, as a power of two; fewer are merged each time, which costs less memory than it saves work. */
const LOWEST = 3;

/** Takes what is in the units from `low` up to, not including, `high`, in order. */
export type Leaves<Sum> = (into: Sum, low: number, high: number) => void;

export class AlignedTree<Sum extends PaneAggregate> {
  readonly #empty: () => Sum;
  readonly #leaves: Leaves<Sum>;
  /** By level less LOWEST. */
  readonly #levels: NodeRing<Sum>[] = [];

  /** @param units the most that a range has */
  constructor(units: number, empty: () => Sum, leaves: Leaves<Sum>) {
    this.#empty = empty;
    this.#leaves = leaves;
    for (let size = 2 ** LOWEST; size * 2 <= units; size *= 2) this.#levels.push(createNodeRing(Math.ceil(units / size) + 1, empty));
  }

  /** Appends all of a range to `into`. Its units are complete: if one changes later, `touch` must say so. */
  gather(into: Sum, low: number, high: number): void {
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
    for (const [level, nodes] of this.#levels.entries()) nodes.drop(Math.floor(unit / 2 ** (LOWEST + level)));
  }

  /** The level of the largest node that begins here and ends in the range; -1: there is none. */
  #largestAt(at: number, high: number): number {
    let level = -1;
    for (let size = 2 ** LOWEST; level + 1 < this.#levels.length && at % size === 0 && at + size <= high; size *= 2) level++;
    return level;
  }

  /** It stands until another is asked for. */
  #node(level: number, number: number): Sum {
    const nodes = this.#levels[level] as NodeRing<Sum>;
    const known = nodes.find(number);
    if (known !== undefined) return known;
    const made = this.#empty();
    if (level === 0) {
      this.#leaves(made, number * 2 ** LOWEST, (number + 1) * 2 ** LOWEST);
      made.condense?.();
    } else {
      made.append(this.#node(level - 1, number * 2));
      made.append(this.#node(level - 1, number * 2 + 1));
    }
    nodes.keep(number, made);
    return made;
  }
}
