// A window of one local day, 23 to 25 hours; where clocks change is in the zone's table. Works as a tumbling window does: late
// readings count while the clock has not passed the day's end, and a closed day stays closed.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { dayBounds, dayOf, type ZoneTable } from "../calendar.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { Window, WindowResult } from "../window.ts";

type OpenDay = { start: EpochMs; end: EpochMs; readonly aggregate: PaneAggregate };

export type DaySettings = {
  readonly spec: Extract<Window["spec"], { kind: "day" }>;
  readonly sharing: string;
  readonly empty: () => PaneAggregate;
  readonly zone: ZoneTable;
};

export class DayWindow implements Window {
  readonly spec: DaySettings["spec"];
  readonly sharing: string;
  readonly born: number;
  readonly #empty: () => PaneAggregate;
  readonly #zone: ZoneTable;
  /** In order, none empty. More than one while late readings fill days before the newest. */
  #days: OpenDay[] = [];
  #spare: PaneAggregate | undefined;
  /** Days that end at or before this are closed. */
  #closedThrough: EpochMs = Number.NEGATIVE_INFINITY;
  result: WindowResult | undefined;

  constructor({ spec, sharing, empty, zone }: DaySettings, born: number) {
    this.spec = spec;
    this.sharing = sharing;
    this.born = born;
    this.#empty = empty;
    this.#zone = zone;
  }

  get lag(): 0 {
    return 0;
  }

  get nextEnd(): EpochMs {
    return this.#days[0]?.end ?? Number.POSITIVE_INFINITY;
  }

  add(ts: EpochMs, value: number): void {
    this.#add(ts, value, Number.NEGATIVE_INFINITY);
  }

  addLate(ts: EpochMs, value: number, clock: EpochMs): void {
    this.#add(ts, value, clock + 1);
  }

  close(): void {
    const day = this.#days.shift() as OpenDay;
    this.#closedThrough = day.end;
    this.#spare = day.aggregate;
    // Days close in order, so each holds readings newer than those of the one before.
    this.result = day;
  }

  save(to: StateWriter): void {
    for (const value of [this.born, this.#closedThrough, this.#days.length]) to.number(value);
    for (const { start, end, aggregate } of this.#days) {
      to.number(start);
      to.number(end);
      aggregate.save(to);
    }
  }

  static restore(settings: DaySettings, from: StateReader): DayWindow {
    const window = new DayWindow(settings, from.number());
    window.#closedThrough = from.number();
    window.#days = Array.from({ length: from.number() }, () => {
      const day = { start: from.number(), end: from.number(), aggregate: settings.empty() };
      day.aggregate.load(from);
      return day;
    });
    return window;
  }

  /** Takes a reading into its day, unless that is closed or ends at or before `passed`. */
  #add(ts: EpochMs, value: number, passed: EpochMs): void {
    let index = this.#days.length - 1;
    while (index >= 0 && (this.#days[index] as OpenDay).start > ts) index--;
    let day = this.#days[index];
    if (day === undefined || ts >= day.end) {
      const { start, end } = dayBounds(this.#zone, dayOf(this.#zone, ts));
      if (end <= this.#closedThrough || end <= passed) return;
      const aggregate = this.#spare ?? this.#empty();
      this.#spare = undefined;
      aggregate.reset();
      day = { start, end, aggregate };
      this.#days.splice(index + 1, 0, day);
    } else if (day.end <= passed) return;
    day.aggregate.add(ts, value);
  }
}
