// Windows, found anew each time from the list of readings: which one closes next, and which readings lie in it.

import type { ZoneTable } from "../../../src/engine/calendar.ts";
import type { WindowSpec } from "../../../src/engine/window.ts";
import { byTs, type Kept } from "./kept.ts";
import { greatest, LONG_AGO, NEVER } from "./opinion.ts";

/** `lag`: a session closes when the clock has reached its end, after the readings there; others just before. */
export type Closing = { readonly end: number; readonly inside: readonly Kept[] };

const DAY = 86_400_000;
const STEP = 60_000;

export class Frame {
  readonly #spec: WindowSpec;
  readonly #zone: ZoneTable;
  /** It began empty after this turn. */
  readonly #born: number;
  #closed = LONG_AGO;
  #told = LONG_AGO;
  /** Readings of sessions that are closed, or too late for any. */
  readonly #spent = new Set<Kept>();

  constructor(spec: WindowSpec, zone: ZoneTable, born: number) {
    this.#spec = spec;
    this.#zone = zone;
    this.#born = born;
  }

  get isSession(): boolean {
    return this.#spec.kind === "session";
  }

  /** Windows that end at or before this are closed. */
  get closed(): number {
    return this.#closed;
  }

  /** Takes all windows up to here for closed. */
  pass(end: number): void {
    this.#closed = Math.max(this.#closed, end);
  }

  /** Hears of a late reading before it is among those kept: whether a session of it is over already is decided now. */
  hearLate(reading: Kept, kept: readonly Kept[]): void {
    if (this.#spec.kind !== "session") return;
    const session = this.#sessions([...kept, reading]).find((each) => each.includes(reading)) as Kept[];
    if ((session.at(-1) as Kept).ts + this.#spec.gap <= reading.clockThen) this.#spent.add(reading);
  }

  /** The window that closes first, of those that the clock has passed and that hold a reading. */
  next(kept: readonly Kept[], clock: number): Closing | undefined {
    const { kind } = this.#spec;
    if (kind === "count") return undefined;
    if (kind === "session") {
      const [first] = this.#sessions(kept);
      const end = first === undefined ? NEVER : (first.at(-1) as Kept).ts + this.#spec.gap;
      return first !== undefined && end <= clock ? { end, inside: first } : undefined;
    }
    let earliest: readonly [number, number] | undefined;
    for (const reading of this.#entered(kept)) {
      for (const window of this.#windowsOf(reading.ts)) {
        const [, end] = window;
        if (end > this.#closed && end - 1 <= clock && (earliest === undefined || end < earliest[1]) && isInTime(reading, end)) earliest = window;
      }
    }
    if (earliest === undefined) return undefined;
    const [start, end] = earliest;
    return { end, inside: this.#entered(kept).filter((reading) => reading.ts >= start && reading.ts < end && isInTime(reading, end)) };
  }

  /** Closes what is next. @returns its readings; none when there is nothing newer among them than the result before had */
  close({ end, inside }: Closing): readonly Kept[] {
    this.#closed = Math.max(this.#closed, end);
    if (this.#spec.kind === "session") for (const reading of inside) this.#spent.add(reading);
    const newest = greatest(inside.map(({ ts }) => ts));
    if (newest <= this.#told) return [];
    this.#told = newest;
    return inside;
  }

  /** Of a count window: what ends with the reading that was evaluated last. */
  ended(kept: readonly Kept[]): readonly Kept[] {
    if (this.#spec.kind !== "count") return [];
    const { count, slide } = this.#spec;
    const readings = this.#entered(kept)
      .filter(({ isLate }) => !isLate)
      .sort(byTs);
    return readings.length >= count && (readings.length - count) % slide === 0 ? readings.slice(-count) : [];
  }

  #entered(kept: readonly Kept[]): Kept[] {
    return kept.filter(({ turn }) => turn > this.#born && turn !== NEVER);
  }

  #sessions(kept: readonly Kept[]): Kept[][] {
    if (this.#spec.kind !== "session") return [];
    const { gap } = this.#spec;
    const sessions: Kept[][] = [];
    for (const reading of this.#entered(kept).sort(byTs)) {
      if (this.#spent.has(reading)) continue;
      const newest = sessions.at(-1);
      if (newest !== undefined && reading.ts - (newest.at(-1) as Kept).ts <= gap) newest.push(reading);
      else sessions.push([reading]);
    }
    return sessions;
  }

  #windowsOf(ts: number): (readonly [number, number])[] {
    if (this.#spec.kind === "day") return [dayOf(this.#zone, ts)];
    if (this.#spec.kind !== "hopping") return [];
    const { size, slide } = this.#spec;
    const windows: [number, number][] = [];
    for (let start = Math.floor(ts / slide) * slide; start + size > ts; start -= slide) windows.push([start, start + size]);
    return windows;
  }
}

/** By zone: the days that were asked for. */
const days = new WeakMap<ZoneTable, (readonly [number, number])[]>();

/** A day begins at the first minute whose local date it is, or a later one, and ends where the next begins. */
function dayOf(zone: ZoneTable, ts: number): readonly [number, number] {
  const known = days.get(zone) ?? [];
  days.set(zone, known);
  const found = known.find(([start, end]) => start <= ts && ts < end);
  if (found !== undefined) return found;
  let [date, start, end] = [LONG_AGO, Number.NaN, Number.NaN];
  for (let time = Math.floor(ts / STEP) * STEP - 2 * DAY; Number.isNaN(end); time += STEP) {
    if (dateAt(zone, time) <= date) continue;
    if (time > ts) end = time;
    else start = time;
    date = dateAt(zone, time);
  }
  known.push([start, end]);
  return [start, end];
}

function dateAt({ from, offsets }: ZoneTable, ts: number): number {
  const index = from.findLastIndex((begin) => begin <= ts);
  return Math.floor((ts + (offsets[index] as number)) / DAY);
}

/** A late reading counts where the clock had not passed the window's end when it came. */
const isInTime = ({ isLate, clockThen }: Kept, end: number): boolean => !isLate || end - 1 > clockThen;
