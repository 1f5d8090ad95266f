// The panes of one hopping window, in order of their starts, then of `openFrom`. What is kept in a pane is most often a fixed number of
// figures: then all panes lie one after the other in one array. As objects they took four times the room, and each close of a window
// fetched them from all over the memory.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { type Packable, roomFor, type StateReader, type StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import { scratchOf } from "./packing.ts";

/** Of `openFrom`: all windows over the pane hold it. */
export const LONG_AGO = Number.NEGATIVE_INFINITY;

export type PaneList<Sum extends PaneAggregate> = {
  readonly length: number;
  /** How many are restricted: not held by all windows over them. */
  readonly restricted: number;
  start(index: number): EpochMs;
  /** Windows that end at or before it do not hold the pane: late readings that came when the clock had passed them. */
  openFrom(index: number): EpochMs;
  /** What is kept in a pane. It stands until another is asked for, and is changed only if it is put back. */
  sum(index: number): Sum;
  put(index: number, sum: Sum): void;
  /** What is kept in a pane, as an object that stands until a pane is inserted. */
  detached(index: number): Sum;
  /** An empty pane before the one at `index`. */
  insert(index: number, start: EpochMs, openFrom: EpochMs): void;
  /** Takes the first away. */
  shift(): void;
  save(to: StateWriter): void;
  /** Reads what `save` wrote, into an empty list. */
  load(from: StateReader): void;
};

export function createPaneList<Sum extends PaneAggregate>(empty: () => Sum): PaneList<Sum> {
  const scratch = scratchOf(empty);
  return scratch === undefined ? new LoosePanes(empty) : new PackedPanes(empty as () => Sum & Packable, scratch);
}

/** Numbers of a pane beside its aggregate's: its start. */
const HEAD = 1;

/** Room for so many panes more than there are is one in SLACK: a window keeps as many panes for ever, and moving them is cheap. */
const SLACK = 16;

class PackedPanes<Sum extends PaneAggregate & Packable> implements PaneList<Sum> {
  readonly #empty: () => Sum;
  readonly #scratch: Sum;
  readonly #stride: number;
  #numbers: number[] = [];
  /** `openFrom` of each, while there is a restricted one. */
  #openFroms: number[] | undefined;
  /** Panes that were taken away and whose room is not used again yet. */
  #gone = 0;
  length = 0;
  restricted = 0;

  constructor(empty: () => Sum, scratch: Sum) {
    this.#empty = empty;
    this.#scratch = scratch;
    this.#stride = HEAD + scratch.width;
  }

  start(index: number): EpochMs {
    return this.#numbers[this.#at(index)] as EpochMs;
  }

  openFrom(index: number): EpochMs {
    return this.#openFroms === undefined ? LONG_AGO : (this.#openFroms[index] as EpochMs);
  }

  sum(index: number): Sum {
    this.#scratch.unpack(this.#numbers, this.#at(index) + HEAD);
    return this.#scratch;
  }

  put(index: number, sum: Sum): void {
    sum.pack(this.#numbers, this.#at(index) + HEAD);
  }

  detached(index: number): Sum {
    const own = this.#empty();
    own.unpack(this.#numbers, this.#at(index) + HEAD);
    return own;
  }

  insert(index: number, start: EpochMs, openFrom: EpochMs): void {
    if (this.#at(this.length) === this.#numbers.length) this.#makeRoom();
    const numbers = this.#numbers;
    const at = this.#at(index);
    for (let to = this.#at(this.length) - 1; to >= at; to--) numbers[to + this.#stride] = numbers[to] as number;
    numbers[at] = start;
    if (openFrom !== LONG_AGO) {
      this.restricted += 1;
      this.#openFroms ??= Array<number>(this.length).fill(LONG_AGO);
    }
    this.#openFroms?.splice(index, 0, openFrom);
    this.length += 1;
    this.#scratch.reset();
    this.put(index, this.#scratch);
  }

  shift(): void {
    this.length -= 1;
    this.#gone = this.length === 0 ? 0 : this.#gone + 1;
    if (this.#openFroms === undefined) return;
    if (this.#openFroms.shift() !== LONG_AGO) this.restricted -= 1;
    if (this.restricted === 0) this.#openFroms = undefined;
  }

  save(to: StateWriter): void {
    to.number(this.length);
    to.some(this.length * this.#stride, this.#numbers, this.#at(0));
    to.number(this.restricted);
    if (this.#openFroms !== undefined) to.some(this.length, this.#openFroms);
  }

  load(from: StateReader): void {
    this.length = from.number();
    this.#numbers = Array.from(from.all(this.length * this.#stride));
    this.restricted = from.number();
    if (this.restricted > 0) this.#openFroms = Array.from(from.all(this.length));
  }

  #at(index: number): number {
    return (this.#gone + index) * this.#stride;
  }

  /** For at least one more. */
  #makeRoom(): void {
    const isRoomEnough = this.#gone * SLACK > this.length;
    const [from, to] = [this.#at(0), this.#at(this.length)];
    const before = this.#numbers;
    if (!isRoomEnough) this.#numbers = roomFor((Math.ceil(this.length * (1 + 1 / SLACK)) + 1) * this.#stride);
    for (let index = from; index < to; index++) this.#numbers[index - from] = before[index] as number;
    this.#gone = 0;
  }
}

type Pane<Sum> = { start: EpochMs; openFrom: EpochMs; readonly sum: Sum };

/** Of aggregates that grow with the readings. */
class LoosePanes<Sum extends PaneAggregate> implements PaneList<Sum> {
  readonly #empty: () => Sum;
  #panes: Pane<Sum>[] = [];
  /** One that was taken away, to be used again. */
  #spare: Pane<Sum> | undefined;
  restricted = 0;

  constructor(empty: () => Sum) {
    this.#empty = empty;
  }

  get length(): number {
    return this.#panes.length;
  }

  start(index: number): EpochMs {
    return this.#pane(index).start;
  }

  openFrom(index: number): EpochMs {
    return this.#pane(index).openFrom;
  }

  sum(index: number): Sum {
    return this.#pane(index).sum;
  }

  put(): void {}

  detached(index: number): Sum {
    return this.sum(index);
  }

  insert(index: number, start: EpochMs, openFrom: EpochMs): void {
    const pane = this.#spare ?? { start, openFrom, sum: this.#empty() };
    this.#spare = undefined;
    pane.start = start;
    pane.openFrom = openFrom;
    pane.sum.reset();
    if (openFrom !== LONG_AGO) this.restricted += 1;
    // Spliced into an empty array it would get room for seventeen.
    if (this.#panes.length === 0) this.#panes = [pane];
    else this.#panes.splice(index, 0, pane);
  }

  shift(): void {
    this.#spare = this.#panes.shift();
    if (this.#spare?.openFrom !== LONG_AGO) this.restricted -= 1;
  }

  save(to: StateWriter): void {
    to.number(this.length);
    for (const { start, openFrom, sum } of this.#panes) {
      to.number(start);
      to.number(openFrom);
      sum.save(to);
    }
  }

  load(from: StateReader): void {
    this.#panes = Array.from({ length: from.number() }, () => {
      const pane = { start: from.number(), openFrom: from.number(), sum: this.#empty() };
      pane.sum.load(from);
      return pane;
    });
    this.restricted = this.#panes.filter(({ openFrom }) => openFrom !== LONG_AGO).length;
  }

  #pane(index: number): Pane<Sum> {
    return this.#panes[index] as Pane<Sum>;
  }
}
