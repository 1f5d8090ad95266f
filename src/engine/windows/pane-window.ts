// A hopping window over one series, cut into panes: each reading touches one pane, each close merges the panes of one window.
// A tumbling window is the case of one pane. What closes is decided by the series' clock; a window once closed stays closed.

import type { Tally } from "../aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import { type DurationMs, type EpochMs, floorMod } from "../units.ts";
import type { Window } from "../window.ts";

type Hopping = Extract<Window["spec"], { kind: "hopping" }>;
type PaneResult<Sum extends Tally> = { readonly start: EpochMs; readonly end: EpochMs; readonly aggregate: Sum };

/** `openFrom`: windows that end at or before it do not hold the pane: late readings that came when the clock had passed them. */
type Pane<Sum extends Tally> = { start: EpochMs; openFrom: EpochMs; readonly aggregate: Sum };

const LONG_AGO = Number.NEGATIVE_INFINITY;

export class PaneWindow<Sum extends Tally = Tally> implements Window {
  readonly spec: Hopping;
  readonly sharing: string;
  readonly lag = 0;
  /** Distinguishes windows that began empty at different changes of the rules. */
  readonly born: number;
  readonly #paneSize: number;
  readonly #empty: () => Sum;
  /** In order of their starts, none empty. */
  #panes: Pane<Sum>[] = [];
  /** A pane that was dropped, to be used again: windows turn over too often to leave them all to the garbage collector. */
  #spare: Pane<Sum> | undefined;
  #merge: Sum | undefined;
  /** Windows that end at or before this are closed, whether they gave a result or not. */
  #closedThrough: EpochMs = Number.NEGATIVE_INFINITY;
  /** Latest reading of the newest result; a result with nothing later changes no condition. */
  #newestTold: EpochMs = Number.NEGATIVE_INFINITY;
  /** End of the next window that holds a reading; Infinity when there is none. */
  nextEnd: EpochMs = Number.POSITIVE_INFINITY;
  result: PaneResult<Sum> | undefined;

  /** @param empty makes the aggregate of a pane */
  constructor(spec: Hopping, empty: () => Sum, born = 0, sharing = "") {
    this.spec = spec;
    this.born = born;
    this.sharing = sharing;
    this.#empty = empty;
    this.#paneSize = greatestCommonDivisor(spec.size, spec.slide);
  }

  /** Whether a window that is still open holds `ts`. */
  isOpen(ts: EpochMs): boolean {
    return ts >= this.#closedThrough || this.#lastEnd(ts - floorMod(ts, this.#paneSize)) > this.#closedThrough;
  }

  /** Takes a reading into the windows that are still open. @returns false when there are none */
  add(ts: EpochMs, value: number): boolean {
    const pane = this.paneOf(ts);
    if (pane === undefined) return false;
    pane.add(ts, value);
    return true;
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
    const passed = clock + 1 - floorMod(clock + 1 - size, slide);
    const pane = this.paneOf(ts, passed < this.#firstEnd(start) ? LONG_AGO : passed);
    pane?.add(ts, value);
    return pane !== undefined;
  }

  /**
   * The aggregate of the pane of `ts`, made if need be; undefined when the last window that holds it is closed.
   * @param openFrom an end of one of the windows
   */
  paneOf(ts: EpochMs, openFrom: EpochMs = LONG_AGO): Sum | undefined {
    const newest = this.#panes.at(-1);
    if (newest !== undefined && ts >= newest.start && ts < newest.start + this.#paneSize && newest.openFrom === openFrom) return newest.aggregate;
    const start = ts - floorMod(ts, this.#paneSize);
    if (this.#lastEnd(start) <= this.#closedThrough) return undefined;
    let index = this.#panes.length;
    while (index > 0 && isAfter(this.#panes[index - 1] as Pane<Sum>, start, openFrom)) index--;
    const before = this.#panes[index - 1];
    if (before?.start === start && before.openFrom === openFrom) return before.aggregate;
    const pane = this.#newPane(start, openFrom);
    if (index === this.#panes.length) this.#panes.push(pane);
    else this.#panes.splice(index, 0, pane);
    if (index === 0 || this.#panes[0]?.openFrom !== LONG_AGO) this.#findNext();
    return pane.aggregate;
  }

  #newPane(start: EpochMs, openFrom: EpochMs): Pane<Sum> {
    const pane = this.#spare;
    if (pane === undefined) return { start, openFrom, aggregate: this.#empty() };
    this.#spare = undefined;
    pane.start = start;
    pane.openFrom = openFrom;
    pane.aggregate.reset();
    return pane;
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
    let count = 0;
    let newest: EpochMs = Number.NEGATIVE_INFINITY;
    // Panes before the window are gone already: they belong to closed windows only.
    for (; count < this.#panes.length && (this.#panes[count] as Pane<Sum>).start < end; count++) {
      const { openFrom, aggregate } = this.#panes[count] as Pane<Sum>;
      if (openFrom < end) newest = Math.max(newest, aggregate.lastTs);
    }
    if (newest > this.#newestTold) {
      this.#newestTold = newest;
      this.result = { start: end - this.spec.size, end, aggregate: this.#merged(count, end) };
    }
    this.#closedThrough = end;
    this.#findNext();
  }

  save(to: StateWriter): void {
    for (const value of [this.spec.size, this.spec.slide, this.born, this.#closedThrough, this.#newestTold, this.#panes.length]) to.number(value);
    for (const pane of this.#panes) {
      to.number(pane.start);
      to.number(pane.openFrom);
      pane.aggregate.save(to);
    }
  }

  static restore<Sum extends Tally>(from: StateReader, empty: () => Sum, sharing = ""): PaneWindow<Sum> {
    const spec = { kind: "hopping", size: from.number(), slide: from.number() } as const;
    const window = new PaneWindow(spec, empty, from.number(), sharing);
    window.#closedThrough = from.number();
    window.#newestTold = from.number();
    window.#panes = Array.from({ length: from.number() }, () => {
      const pane = { start: from.number(), openFrom: from.number(), aggregate: empty() };
      pane.aggregate.load(from);
      return pane;
    });
    window.#findNext();
    return window;
  }

  /** The first panes as one, those that the window ending at `end` holds. */
  #merged(count: number, end: EpochMs): Sum {
    const [first] = this.#panes;
    if (count === 1 && first !== undefined) return first.aggregate;
    const merged = (this.#merge ??= this.#empty());
    merged.reset();
    for (let index = 0; index < count; index++) {
      const { openFrom, aggregate } = this.#panes[index] as Pane<Sum>;
      if (openFrom < end) merged.mergeTally(aggregate);
    }
    return merged;
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
    let dead = 0;
    while (dead < this.#panes.length && this.#lastEnd((this.#panes[dead] as Pane<Sum>).start) <= this.#closedThrough) dead++;
    if (dead > 0) {
      this.#spare = this.#panes[0];
      this.#panes.splice(0, dead);
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

const isAfter = (pane: Pane<Tally>, start: EpochMs, openFrom: EpochMs): boolean => pane.start > start || (pane.start === start && pane.openFrom > openFrom);
