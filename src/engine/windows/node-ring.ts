// Nodes of one level of a tree by their number, the newest of them: each has its place by its number modulo the room, and takes that of
// one that is too old to be asked for again. A node is a cache: one that is not there is made again.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { type Packable, roomFor } from "../state.ts";
import { floorMod } from "../units.ts";
import { scratchOf } from "./packing.ts";

export type NodeRing<Sum> = {
  /** It stands until another is asked for. */
  find(number: number): Sum | undefined;
  keep(number: number, sum: Sum): void;
  drop(number: number): void;
};

/** @param room for nodes: no two that are wanted at a time are so far apart */
export function createNodeRing<Sum extends PaneAggregate>(room: number, empty: () => Sum): NodeRing<Sum> {
  const scratch = scratchOf(empty);
  return scratch === undefined ? new LooseRing(room) : new PackedRing(room, scratch);
}

class PackedRing<Sum extends Packable> implements NodeRing<Sum> {
  readonly #room: number;
  readonly #scratch: Sum;
  readonly #stride: number;
  /** Of each node its number, then what it holds. */
  readonly #numbers: number[];

  constructor(room: number, scratch: Sum) {
    this.#room = room;
    this.#scratch = scratch;
    this.#stride = 1 + scratch.width;
    this.#numbers = roomFor(room * this.#stride);
  }

  find(number: number): Sum | undefined {
    const at = this.#at(number);
    if (this.#numbers[at] !== number) return undefined;
    this.#scratch.unpack(this.#numbers, at + 1);
    return this.#scratch;
  }

  keep(number: number, sum: Sum): void {
    const at = this.#at(number);
    this.#numbers[at] = number;
    sum.pack(this.#numbers, at + 1);
  }

  drop(number: number): void {
    const at = this.#at(number);
    if (this.#numbers[at] === number) this.#numbers[at] = Number.NaN;
  }

  #at(number: number): number {
    return floorMod(number, this.#room) * this.#stride;
  }
}

/** Of aggregates that grow with the readings. */
class LooseRing<Sum> implements NodeRing<Sum> {
  readonly #nodes: ({ readonly number: number; readonly sum: Sum } | undefined)[];

  constructor(room: number) {
    this.#nodes = Array.from({ length: room }, () => undefined);
  }

  find(number: number): Sum | undefined {
    const node = this.#nodes[floorMod(number, this.#nodes.length)];
    return node?.number === number ? node.sum : undefined;
  }

  keep(number: number, sum: Sum): void {
    this.#nodes[floorMod(number, this.#nodes.length)] = { number, sum };
  }

  drop(number: number): void {
    if (this.find(number) !== undefined) this.#nodes[floorMod(number, this.#nodes.length)] = undefined;
  }
}
