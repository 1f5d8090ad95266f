// A hopping window over one series, cut into panes: each reading touches one pane, each close merges the panes of one window.
// A tumbling window is the case of one pane. What closes is decided by the series' clock; a window once closed stays closed.

import { BUFFERED_MAX, type PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import { type DurationMs, type EpochMs, floorMod } from "../units.ts";
import type { Window, WindowAggregate, WindowResult } from "../window.ts";
import { type Combiner, LONG_AGO, type Pane } from "./pane.ts";

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
  readonly spec: Hopping;
  readonly sharing: string;
  /** Distinguishes windows that began empty at different changes of the rules. */
  readonly born: number;
  readonly #settings: PaneSettings<Sum, Told>;
  readonly #paneSize: number;
  /** In order of their starts, then of `openFrom`; none empty. */
  #panes: Pane<Sum>[] = [];
  /** How many of them are restricted: not held by all windows over them. */
  #restricted = 0;
  /** A pane that was dropped, to be used again: windows turn over too often to leave them all to the garbage collector. */
  #spare: Pane<Sum> | undefined;
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
    this.spec = settings.spec;
    this.born = born;
    this.sharing = settings.sharing;
    this.#settings = settings;
    this.#paneSize = greatestCommonDivisor(this.spec.size, this.spec.slide);
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

  /** The aggregate of the pane of `ts`, made if need be; undefined when the last window that holds it is closed. For tumbling windows only. */
  paneOf(ts: EpochMs): Sum | undefined {
    return this.#paneAt(ts, LONG_AGO)?.aggregate;
  }

  #addTo(pane: Pane<Sum> | undefined, ts: EpochMs, value: number): boolean {
    if (pane === undefined) return false;
    pane.aggregate.add(ts, value);
    if (pane.start < this.#closedThrough) this.#combiner?.touch(pane, value);
    return true;
  }

  /** @param openFrom an end of one of the windows */
  #paneAt(ts: EpochMs, openFrom: EpochMs): Pane<Sum> | undefined {
    const newest = this.#panes.at(-1);
    if (newest !== undefined && ts >= newest.start && ts < newest.start + this.#paneSize && newest.openFrom === openFrom) return newest;
    const start = ts - floorMod(ts, this.#paneSize);
    if (this.#lastEnd(start) <= this.#closedThrough) return undefined;
    let index = this.#panes.length;
    while (index > 0 && isAfter(this.#panes[index - 1] as Pane<Sum>, start, openFrom)) index--;
    const before = this.#panes[index - 1];
    if (before?.start === start && before.openFrom === openFrom) return before;
    if (newest?.aggregate.condense !== undefined) this.#condenseOld(newest.aggregate.count);
    const pane = this.#newPane(start, openFrom);
    if (index === this.#panes.length) this.#panes.push(pane);
    else this.#panes.splice(index, 0, pane);
    if (index === 0 || this.#panes[0]?.openFrom !== LONG_AGO) this.#findNext();
    return pane;
  }

  #newPane(start: EpochMs, openFrom: EpochMs): Pane<Sum> {
    if (openFrom !== LONG_AGO) this.#restricted += 1;
    const pane = this.#spare;
    if (pane === undefined) return { start, openFrom, aggregate: this.#settings.empty() };
    this.#spare = undefined;
    pane.start = start;
    pane.openFrom = openFrom;
    pane.aggregate.reset();
    return pane;
  }

  /**
   * Condenses the panes that all open windows hold together with more than BUFFERED_MAX newer readings: none of those windows is small
   * enough to be exact. Looks only after so many readings, so that its work is shared by them.
   */
  #condenseOld(more: number): void {
    this.#uncondensed += more;
    if (this.#uncondensed <= BUFFERED_MAX) return;
    this.#uncondensed = 0;
    let newer = 0;
    for (let index = this.#panes.length - 1; index >= 0; index--) {
      const { start, openFrom, aggregate } = this.#panes[index] as Pane<Sum>;
      // Readings of two panes of one start lie among each other, so they must be kept one by one.
      const isAlone = this.#panes[index - 1]?.start !== start && this.#panes[index + 1]?.start !== start;
      if (newer > BUFFERED_MAX && isAlone) aggregate.condense?.();
      if (openFrom === LONG_AGO) newer += aggregate.count;
    }
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
    while (count > 0 && (this.#panes[count - 1] as Pane<Sum>).start >= end) count--;
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
    to.number(this.#panes.length);
    for (const pane of this.#panes) {
      to.number(pane.start);
      to.number(pane.openFrom);
      pane.aggregate.save(to);
    }
  }

  /** Reads what `save` wrote of a window of these settings. */
  static restore<Sum extends PaneAggregate, Told extends WindowAggregate = Sum>(settings: PaneSettings<Sum, Told>, from: StateReader): PaneWindow<Sum, Told> {
    const window = new PaneWindow(settings, from.number());
    window.#closedThrough = from.number();
    window.#newestTold = from.number();
    window.#uncondensed = from.number();
    const level = from.number();
    if (level > 0) window.#combinerMade().level = level;
    window.#panes = Array.from({ length: from.number() }, () => {
      const pane = { start: from.number(), openFrom: from.number(), aggregate: settings.empty() };
      pane.aggregate.load(from);
      if (pane.openFrom !== LONG_AGO) window.#restricted += 1;
      return pane;
    });
    window.#findNext();
    return window;
  }

  /** Time of the newest reading in the window of the first `count` panes. */
  #newestOf(count: number, end: EpochMs): EpochMs {
    let newest: EpochMs = LONG_AGO;
    for (let index = count - 1; index >= 0 && newest === LONG_AGO; index--) {
      const { start } = this.#panes[index] as Pane<Sum>;
      for (; index >= 0 && this.#panes[index]?.start === start; index--) {
        const { openFrom, aggregate } = this.#panes[index] as Pane<Sum>;
        if (openFrom < end) newest = Math.max(newest, aggregate.lastTs);
      }
      index++;
    }
    return newest;
  }

  /** The first panes as one. */
  #aggregateOf(count: number, end: EpochMs): Sum | Told {
    const [first] = this.#panes;
    if (count === 1 && first !== undefined) return first.aggregate;
    return this.#combinerMade().combine(this.#panes, count, end, this.#restricted > 0);
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
      const first = this.#panes[0];
      if (first === undefined || this.#lastEnd(first.start) > this.#closedThrough) break;
      this.#combiner?.drop(first);
      if (first.openFrom !== LONG_AGO) this.#restricted -= 1;
      this.#spare = first;
      this.#panes.shift();
    }
    this.nextEnd = Number.POSITIVE_INFINITY;
    for (const { start, openFrom } of this.#panes) {
      const passed = Math.max(this.#closedThrough, openFrom);
      const openEnd = passed === LONG_AGO ? LONG_AGO : passed + slide - floorMod(passed - size, slide);
      this.nextEnd = Math.min(this.nextEnd, Math.max(this.#firstEnd(start), openEnd));
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

const isAfter = (pane: Pane<PaneAggregate>, start: EpochMs, openFrom: EpochMs): boolean =>
  pane.start > start || (pane.start === start && pane.openFrom > openFrom);
