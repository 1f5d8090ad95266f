// Downsampling of one series: one-minute buckets as their windows close, one-hour buckets merged from those.
// A reading for a bucket that is closed makes it dirty: the stored bucket is amended and the exact figures are raw's business.

import { Aggregate, type AggregateValues } from "./aggregate.ts";
import type { Effects } from "./effect.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId } from "./units.ts";
import { floorMod } from "./units.ts";
import { type PaneSettings, PaneWindow } from "./windows/pane-window.ts";

export const MINUTE = 60_000;
export const HOUR = 3_600_000;

const bucketsOf = (size: DurationMs): PaneSettings<Aggregate, Aggregate> => ({
  spec: { kind: "hopping", size, slide: size },
  sharing: "",
  empty: () => new Aggregate(),
});
const MINUTES = bucketsOf(MINUTE);
const HOURS = bucketsOf(HOUR);

export class Downsampler {
  #minute = new PaneWindow(MINUTES);
  #hour = new PaneWindow(HOURS);

  get nextEnd(): EpochMs {
    return Math.min(this.#minute.nextEnd, this.#hour.nextEnd);
  }

  /** Takes readings of minutes that have begun, as `add` does; `readings` holds ts and value by turns, `length` numbers. */
  addToBegun(readings: readonly number[], length: number): void {
    this.#minute.addToBegun(readings, length);
  }

  /** @returns whether its minute is open, and so has begun */
  add(series: SeriesId, ts: EpochMs, value: number, into: DownsampleEffects): boolean {
    const isOpen = this.#minute.add(ts, value);
    if (!isOpen) this.#addToClosed(series, ts, value, into);
    return isOpen;
  }

  /**
   * Takes a late reading, at what the clock is when it arrives. A bucket that the clock passed while it was empty is begun, marked, by
   * the reading; so it is closed for a backlog too, which amends it.
   */
  addLate(series: SeriesId, ts: EpochMs, value: number, clock: EpochMs, into: DownsampleEffects): void {
    const hourEnd = ts - floorMod(ts, HOUR) + HOUR;
    if (hourEnd <= clock + 1) this.#hour.closeThrough(hourEnd);
    if (this.#minute.addLate(ts, value, clock)) return;
    this.#minute.closeThrough(ts - floorMod(ts, MINUTE) + MINUTE);
    this.#addToClosed(series, ts, value, into);
  }

  /**
   * Hears of an accepted reading that may wait long for its turn. Where its bucket is closed it is taken at once, so that what
   * is stored is marked; where only the hour is, the hour is marked until the minute is merged in.
   * @returns whether it was taken
   */
  foresee(series: SeriesId, ts: EpochMs, value: number, into: DownsampleEffects): boolean {
    if (!this.#minute.isOpen(ts)) {
      this.add(series, ts, value, into);
      return true;
    }
    if (!this.#hour.isOpen(ts)) into.dirty.push({ tier: HOUR, series, start: ts - floorMod(ts, HOUR), values: new Aggregate().values() });
    return false;
  }

  /** Closes what ends at `end`; the minute first, so that it is part of the hour that ends with it. */
  close(series: SeriesId, end: EpochMs, into: DownsampleEffects): void {
    for (const tier of [MINUTE, HOUR]) {
      const window = tier === MINUTE ? this.#minute : this.#hour;
      if (window.nextEnd !== end) continue;
      window.close();
      // A bucket was begun by a reading, and all that are closed lie before it.
      const values = (window.result as NonNullable<typeof window.result>).aggregate.values();
      window.result = undefined;
      into.rollups.push({ tier, series, start: end - tier, values });
      if (tier === MINUTE) this.#addToHour(series, values, into);
    }
  }

  #addToClosed(series: SeriesId, ts: EpochMs, value: number, into: DownsampleEffects): void {
    const alone = new Aggregate();
    alone.add(ts, value);
    into.dirty.push({ tier: MINUTE, series, start: ts - floorMod(ts, MINUTE), values: alone.values() });
    this.#addToHour(series, alone.values(), into);
  }

  #addToHour(series: SeriesId, values: AggregateValues, into: DownsampleEffects): void {
    if (this.#hour.change(values.firstTs, (bucket) => bucket.merge(values))) return;
    into.dirty.push({ tier: HOUR, series, start: values.firstTs - floorMod(values.firstTs, HOUR), values });
  }

  save(to: StateWriter): void {
    this.#minute.save(to);
    this.#hour.save(to);
  }

  restore(from: StateReader): void {
    this.#minute = PaneWindow.restore(MINUTES, from);
    this.#hour = PaneWindow.restore(HOURS, from);
  }
}

/** The part of a step's effects that downsampling fills. */
type Mutable<List> = List extends readonly (infer Item)[] ? Item[] : never;
export type DownsampleEffects = { readonly rollups: Mutable<Effects["rollups"]>; readonly dirty: Mutable<Effects["dirty"]> };
