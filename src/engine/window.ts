// A hopping window over one series, cut into panes: each reading touches one pane, each close merges the panes of one window.
// A tumbling window is the case of one pane. What closes is decided by the series' clock; a window once closed stays closed.

import { Aggregate, type AggregateValues } from "./aggregate.ts";
import { greatestCommonDivisor, type WindowSpec } from "./conditions/condition.ts";
import type { StateReader, StateWriter } from "./state.ts";
import { type EpochMs, floorMod } from "./units.ts";

/** What a window held when it closed. */
export type WindowResult = { readonly start: EpochMs; readonly end: EpochMs; readonly aggregate: Aggregate };

type Pane = { readonly start: EpochMs; readonly aggregate: Aggregate };

export class Window {
  readonly spec: WindowSpec;
  /** Distinguishes windows that began empty at different changes of the rules. */
  readonly born: number;
  readonly #paneSize: number;
  /** In order of their starts, none empty. */
  #panes: Pane[] = [];
  /** Windows that end at or before this are closed, whether they gave a result or not. */
  #closedThrough: EpochMs = Number.NEGATIVE_INFINITY;
  /** Latest reading of the newest result; a result with nothing later changes no condition. */
  #newestTold: EpochMs = Number.NEGATIVE_INFINITY;
  /** End of the next window that holds a reading; Infinity when there is none. */
  nextEnd: EpochMs = Number.POSITIVE_INFINITY;
  /** The newest result that may change a condition; `end` tells whether it is of this instant. */
  result: WindowResult | undefined;

  constructor(spec: WindowSpec, born = 0) {
    this.spec = spec;
    this.born = born;
    this.#paneSize = greatestCommonDivisor(spec.size, spec.slide);
  }

  /** Whether a window that is still open holds `ts`. */
  isOpen(ts: EpochMs): boolean {
    return ts >= this.#closedThrough || this.#lastEnd(ts - floorMod(ts, this.#paneSize)) > this.#closedThrough;
  }

  /** Takes a reading into the windows that are still open. @returns false when there are none */
  add(ts: EpochMs, value: number): boolean {
    const newest = this.#panes.at(-1);
    const isNewest = newest !== undefined && ts >= newest.start && ts < newest.start + this.#paneSize;
    const pane = isNewest ? newest : this.#paneAt(ts);
    pane?.aggregate.add(ts, value);
    return pane !== undefined;
  }

  /** Takes the aggregate of a smaller window that lies within one pane. @returns false when no window is open */
  merge(values: AggregateValues): boolean {
    const pane = this.#paneAt(values.firstTs);
    pane?.aggregate.merge(values);
    return pane !== undefined;
  }

  /** A late reading may not reopen a window that the clock has passed while it was empty. */
  closeThrough(clock: EpochMs): void {
    if (clock + 1 > this.#closedThrough) {
      this.#closedThrough = clock + 1;
      this.#findNext();
    }
  }

  /** Closes the window that ends at `nextEnd` and sets `result` when it holds a reading newer than the last result did. */
  close(): void {
    const end = this.nextEnd;
    const start = end - this.spec.size;
    const inside = this.#panes.filter((pane) => pane.start >= start && pane.start < end);
    const newest = inside.reduce((latest, pane) => Math.max(latest, pane.aggregate.lastTs), Number.NEGATIVE_INFINITY);
    if (newest > this.#newestTold) {
      this.#newestTold = newest;
      this.result = { start, end, aggregate: mergePanes(inside) };
    }
    this.#closedThrough = end;
    this.#findNext();
  }

  save(to: StateWriter): void {
    for (const value of [this.spec.size, this.spec.slide, this.born, this.#closedThrough, this.#newestTold, this.#panes.length]) to.number(value);
    for (const pane of this.#panes) {
      to.number(pane.start);
      for (const value of pane.aggregate.save()) to.number(value);
    }
  }

  static restore(from: StateReader): Window {
    const spec = { size: from.number(), slide: from.number() };
    const window = new Window(spec, from.number());
    window.#closedThrough = from.number();
    window.#newestTold = from.number();
    const count = from.number();
    window.#panes = Array.from({ length: count }, () => ({
      start: from.number(),
      aggregate: Aggregate.restore(Array.from({ length: 12 }, () => from.number())),
    }));
    window.#findNext();
    return window;
  }

  /** The pane of `ts`, made if need be; undefined when the last window that holds it is closed. */
  #paneAt(ts: EpochMs): Pane | undefined {
    const start = ts - floorMod(ts, this.#paneSize);
    if (this.#lastEnd(start) <= this.#closedThrough) return undefined;
    let index = this.#panes.length;
    while (index > 0 && (this.#panes[index - 1] as Pane).start > start) index--;
    const before = this.#panes[index - 1];
    if (before?.start === start) return before;
    const pane = { start, aggregate: new Aggregate() };
    this.#panes.splice(index, 0, pane);
    this.#findNext();
    return pane;
  }

  /** End of the last window that holds the pane. */
  #lastEnd(paneStart: EpochMs): EpochMs {
    return paneStart - floorMod(paneStart, this.spec.slide) + this.spec.size;
  }

  /** Drops panes that only closed windows hold, and finds the next window to close. */
  #findNext(): void {
    const { size, slide } = this.spec;
    let dead = 0;
    while (dead < this.#panes.length && this.#lastEnd((this.#panes[dead] as Pane).start) <= this.#closedThrough) dead++;
    if (dead > 0) this.#panes.splice(0, dead);
    const first = this.#panes[0];
    if (first === undefined) {
      this.nextEnd = Number.POSITIVE_INFINITY;
      return;
    }
    const firstStart = first.start - size + slide - floorMod(first.start - size, slide);
    const openEnd = this.#closedThrough + slide - floorMod(this.#closedThrough - size, slide);
    this.nextEnd = this.#closedThrough === Number.NEGATIVE_INFINITY ? firstStart + size : Math.max(firstStart + size, openEnd);
  }
}

function mergePanes(panes: readonly Pane[]): Aggregate {
  const [first] = panes;
  if (panes.length === 1 && first !== undefined) return first.aggregate;
  const merged = new Aggregate();
  for (const pane of panes) merged.merge(pane.aggregate);
  return merged;
}
