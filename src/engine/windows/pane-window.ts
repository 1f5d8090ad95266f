// A hopping window over one series, cut into panes: each reading touches one pane, each close merges the panes of one window.
// A tumbling window is the case of one pane. What closes is decided by the series' clock; a window once closed stays closed.

import { BUFFERED_MAX, type PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import { type DurationMs, type EpochMs, floorMod } from "../units.ts";
import type { Window, WindowAggregate, WindowResult } from "../window.ts";
import type { Combiner } from "./combiner.ts";
import { createPaneList, LONG_AGO, type PaneList } from "./pane-list.ts";

type Hopping = Extract<Window["spec"], { kind: "hopping" }>;
type Result<Told> = Omit<WindowResult, "aggregate"> & { readonly aggregate: Told };

/** `empty` makes the aggregate of a pane, `combiner` what makes windows of several; a tumbling window needs none. */
export type PaneSettings<Sum extends PaneAggregate, Told extends WindowAggregate> = {
  readonly spec: Hopping;
  readonly sharing: string;
  readonly empty: () => Sum;
  readonly combiner?: (size: DurationMs, paneSize: DurationMs) => Combiner<Sum, Told>;
};

export class PaneWindow<Sum extends PaneAggregate, Told extends WindowAggregate = Sum> implements Window {
  /** Distinguishes windows that began empty at different changes of the rules. */
  readonly born: number;
  readonly #settings: PaneSettings<Sum, Told>;
  readonly #paneSize: number;
  /** None is empty. */
  readonly #panes: PaneList<Sum>;
  #combiner: Combiner<Sum, Told> | undefined;
  /** Readings since panes were last looked through for those to condense. */
  #uncondensed = 0;
  /** Windows that end at or before this are closed, whether they gave a result or not. */
  #closedThrough: EpochMs = LONG_AGO;
  /** Latest reading of the newest result; a result with nothing later changes no condition. */
  #newestTold: EpochMs = LONG_AGO;
  /** End of the next window that holds a reading; Infinity when there is none. */
  nextEnd: EpochMs = Number.POSITIVE_INFINITY;
  result: Result<Sum | Told> | undefined;

  constructor(settings: PaneSettings<Sum, Told>, born = 0) {
    this.born = born;
    this.#settings = settings;
    this.#paneSize = greatestCommonDivisor(this.spec.size, this.spec.slide);
    this.#panes = createPaneList(settings.empty);
  }

  get spec(): Hopping {
    return this.#settings.spec;
  }

  get sharing(): string {
    return this.#settings.sharing;
  }

  get lag(): 0 {
    return 0;
  }

  /** Whether a window that is still open holds `ts`. */
  isOpen(ts: EpochMs): boolean {
    return ts >= this.#closedThrough || this.#lastEnd(ts - floorMod(ts, this.#paneSize)) > this.#closedThrough;
  }

  /** Takes a reading into the windows that are still open. @returns false when there are none */
  add(ts: EpochMs, value: number): boolean {
    return this.#addTo(this.#paneAt(ts, LONG_AGO), ts, value);
  }

  /**
   * Takes a late reading into the windows that hold it and that the clock has not passed. Those that it passed while they were empty stay
   * open for a backlog, which sets the clock back, but not for this reading.
   * @returns false when there are none
   */
  addLate(ts: EpochMs, value: number, clock: EpochMs): boolean {
    const start = ts - floorMod(ts, this.#paneSize);
    if (this.#lastEnd(start) <= clock + 1) return false;
    const { size, slide } = this.spec;
    // A group of which nobody was heard yet has no clock.
    const passed = clock === LONG_AGO ? LONG_AGO : clock + 1 - floorMod(clock + 1 - size, slide);
    const isHeldByAll = passed < this.#firstEnd(start) || passed <= this.#closedThrough;
    return this.#addTo(this.#paneAt(ts, isHeldByAll ? LONG_AGO : passed), ts, value);
  }

  /** Takes readings whose panes there are, in order; `readings` holds ts and value by turns, `length` numbers. */
  addToBegun(readings: readonly number[], length: number): void {
    for (let at = 0; at < length; ) {
      const index = this.#paneAt(readings[at] as EpochMs, LONG_AGO);
      if (index < 0) throw new Error(`a reading at ${readings[at]} waited for a window that is closed`);
      const from = at;
      const end = this.#panes.start(index) + this.#paneSize;
      const sum = this.#panes.sum(index);
      for (; at < length && (readings[at] as EpochMs) < end; at += 2) sum.add(readings[at] as EpochMs, readings[at + 1] as number);
      this.#panes.put(index, sum);
      if (this.#combiner === undefined || !this.#isCombined(index)) continue;
      for (let taken = from; taken < at; taken += 2) this.#combiner.touch(this.#panes, index, readings[taken + 1] as number);
    }
  }

  /**
   * Changes what is kept of the pane of `ts`, made if need be. For tumbling windows only.
   * @returns false when the last window that holds it is closed
   */
  change(ts: EpochMs, change: (sum: Sum) => void): boolean {
    const index = this.#paneAt(ts, LONG_AGO);
    if (index < 0) return false;
    const sum = this.#panes.sum(index);
    change(sum);
    this.#panes.put(index, sum);
    return true;
  }

  #addTo(index: number, ts: EpochMs, value: number): boolean {
    if (index < 0) return false;
    const sum = this.#panes.sum(index);
    sum.add(ts, value);
    this.#panes.put(index, sum);
    if (this.#isCombined(index)) this.#combiner?.touch(this.#panes, index, value);
    return true;
  }

  /** Whether a window that may hold the pane has been combined. */
  #isCombined(index: number): boolean {
    return this.#panes.start(index) < this.#closedThrough;
  }

  /**
   * @param openFrom an end of one of the windows
   * @returns the index of the pane, made if need be; -1 when the last window that holds it is closed
   */
  #paneAt(ts: EpochMs, openFrom: EpochMs): number {
    const panes = this.#panes;
    const newest = panes.length - 1;
    if (newest >= 0 && ts >= panes.start(newest) && ts < panes.start(newest) + this.#paneSize && panes.openFrom(newest) === openFrom) return newest;
    const start = ts - floorMod(ts, this.#paneSize);
    if (this.#lastEnd(start) <= this.#closedThrough) return -1;
    let index = panes.length;
    while (index > 0 && this.#isAfter(index - 1, start, openFrom)) index--;
    if (index > 0 && panes.start(index - 1) === start && panes.openFrom(index - 1) === openFrom) return index - 1;
    if (newest >= 0) this.#condenseOld(panes.sum(newest));
    panes.insert(index, start, openFrom);
    if (index === 0 || panes.openFrom(0) !== LONG_AGO) this.#findNext();
    return index;
  }

  #isAfter(index: number, start: EpochMs, openFrom: EpochMs): boolean {
    const other = this.#panes.start(index);
    return other > start || (other === start && this.#panes.openFrom(index) > openFrom);
  }

  /**
   * Condenses the panes that all open windows hold together with more than BUFFERED_MAX newer readings: none of those windows is small
   * enough to be exact. Looks only after so many readings, so that its work is shared by them.
   */
  #condenseOld(newest: Sum): void {
    if (newest.condense === undefined) return;
    this.#uncondensed += newest.count;
    if (this.#uncondensed <= BUFFERED_MAX) return;
    this.#uncondensed = 0;
    let newer = 0;
    for (let index = this.#panes.length - 1; index >= 0; index--) {
      const sum = this.#panes.sum(index);
      // Readings of two panes of one start lie among each other, so they must be kept one by one.
      if (newer > BUFFERED_MAX && this.#isAlone(index)) sum.condense?.();
      if (this.#panes.openFrom(index) === LONG_AGO) newer += sum.count;
    }
  }

  /** Whether no other pane has its start. @param index of one that is not the newest */
  #isAlone(index: number): boolean {
    const start = this.#panes.start(index);
    const isShared = (other: number): boolean => other >= 0 && this.#panes.start(other) === start;
    return !isShared(index - 1) && !isShared(index + 1);
  }

  /** Closes all windows that end at or before `end` without a result. */
  closeThrough(end: EpochMs): void {
    if (end <= this.#closedThrough) return;
    this.#closedThrough = end;
    this.#findNext();
  }

  /** Closes the window that ends at `nextEnd` and sets `result` when it holds a reading newer than the last result did. */
  close(): void {
    const end = this.nextEnd;
    // Panes before the window are gone already: they belong to closed windows only.
    let count = this.#panes.length;
    while (count > 0 && this.#panes.start(count - 1) >= end) count--;
    const newest = this.#newestOf(count, end);
    if (newest > this.#newestTold) {
      this.#newestTold = newest;
      this.result = { start: end - this.spec.size, end, aggregate: this.#aggregateOf(count, end) };
    }
    this.#closedThrough = end;
    this.#findNext();
  }

  save(to: StateWriter): void {
    to.number(this.born);
    to.number(this.#closedThrough);
    to.number(this.#newestTold);
    to.number(this.#uncondensed);
    to.number(this.#combiner?.level ?? 0);
    this.#panes.save(to);
  }

  /** Reads what `save` wrote of a window of these settings. */
  static restore<Sum extends PaneAggregate, Told extends WindowAggregate = Sum>(settings: PaneSettings<Sum, Told>, from: StateReader): PaneWindow<Sum, Told> {
    const window = new PaneWindow(settings, from.number());
    window.#closedThrough = from.number();
    window.#newestTold = from.number();
    window.#uncondensed = from.number();
    const level = from.number();
    if (level > 0) window.#combinerMade().level = level;
    window.#panes.load(from);
    window.#findNext();
    return window;
  }

  /** Time of the newest reading in the window of the first `count` panes. */
  #newestOf(count: number, end: EpochMs): EpochMs {
    let newest: EpochMs = LONG_AGO;
    for (let index = count - 1; index >= 0 && newest === LONG_AGO; index--) {
      const start = this.#panes.start(index);
      for (; index >= 0 && this.#panes.start(index) === start; index--) {
        if (this.#panes.openFrom(index) < end) newest = Math.max(newest, this.#panes.sum(index).lastTs);
      }
      index++;
    }
    return newest;
  }

  /** The first panes as one. */
  #aggregateOf(count: number, end: EpochMs): Sum | Told {
    if (count === 1) return this.#panes.detached(0);
    return this.#combinerMade().combine(this.#panes, count, end);
  }

  #combinerMade(): Combiner<Sum, Told> {
    if (this.#combiner !== undefined) return this.#combiner;
    const { spec, combiner } = this.#settings;
    if (combiner === undefined) throw new Error("a window of several panes needs to know how to combine them");
    this.#combiner = combiner(spec.size, this.#paneSize);
    return this.#combiner;
  }

  /** End of the last window that holds the pane. */
  #lastEnd(paneStart: EpochMs): EpochMs {
    return paneStart - floorMod(paneStart, this.spec.slide) + this.spec.size;
  }

  /** End of the first window that holds the pane. */
  #firstEnd(paneStart: EpochMs): EpochMs {
    const { size, slide } = this.spec;
    return paneStart + slide - floorMod(paneStart - size, slide);
  }

  /** Drops panes that only closed windows hold, and finds the next window to close. */
  #findNext(): void {
    const { size, slide } = this.spec;
    for (;;) {
      if (this.#panes.length === 0 || this.#lastEnd(this.#panes.start(0)) > this.#closedThrough) break;
      this.#combiner?.drop(this.#panes);
      this.#panes.shift();
    }
    this.nextEnd = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#panes.length; index++) {
      const openFrom = this.#panes.openFrom(index);
      const passed = Math.max(this.#closedThrough, openFrom);
      const openEnd = passed === LONG_AGO ? LONG_AGO : passed + slide - floorMod(passed - size, slide);
      this.nextEnd = Math.min(this.nextEnd, Math.max(this.#firstEnd(this.#panes.start(index)), openEnd));
      // No pane after one that all its windows hold is due earlier.
      if (openFrom === LONG_AGO) return;
    }
  }
}

/** The width of a pane: the longest time of which both window and slide are multiples. */
export function greatestCommonDivisor(a: DurationMs, b: DurationMs): DurationMs {
  let [high, low] = [a, b];
  while (low > 0) [high, low] = [low, high % low];
  return high;
}
