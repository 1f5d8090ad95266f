// A second opinion about windows: every reading is kept in a list, windows are found by trying, figures are worked out anew.
// Also the driver: what an evaluation does with a window, as the clock of a subject goes on and is set back.

import type { AggregateName } from "../../../src/engine/aggregate.ts";
import { dayBounds, dayOf, type ZoneTable } from "../../../src/engine/calendar.ts";
import type { Window, WindowSpec } from "../../../src/engine/window.ts";

export type Kept = { readonly ts: number; readonly value: number };
/** `read`: on time; `late`; `silence`: the clock goes on to `ts`; `back`: an accepted reading that still waits sets the clock to `ts`. */
export type Event =
  | { readonly kind: "read" | "late"; readonly ts: number; readonly value: number }
  | { readonly kind: "silence" | "back"; readonly ts: number };
export type Told = { readonly start: number; readonly end: number; readonly figures: Readonly<Record<string, number>> };

const LONG_AGO = Number.NEGATIVE_INFINITY;

/** A log that an engine could hand to a window: it begins with a reading, readings on time never go back, and the clock never falls below its start. */
export function logOf(steps: readonly { readonly kind: Event["kind"]; readonly by: number; readonly value: number }[], origin: number): Event[] {
  let evaluated = origin;
  let clock = origin - 1;
  const events = steps.map(({ kind, by, value }): Event => {
    if (kind === "read") {
      evaluated += by;
      // What silence lent is given back.
      clock = evaluated - 1;
      return { kind, ts: evaluated, value };
    }
    if (kind === "late") return { kind, ts: evaluated - by, value };
    if (kind === "silence") {
      clock = Math.max(clock, evaluated + by);
      return { kind, ts: clock };
    }
    clock = Math.min(clock, evaluated - by);
    return { kind, ts: clock };
  });
  return [{ kind: "read", ts: origin, value: 0 }, ...events];
}

/** Drives a window as an evaluation does. @param between called before each event, may replace the window */
export function drive(window: Window, events: readonly Event[], names: readonly AggregateName[], between: (window: Window) => Window = (same) => same): Told[] {
  const told: Told[] = [];
  let clock = LONG_AGO;
  let driven = window;
  const tell = (): void => {
    const { result } = driven;
    driven.result = undefined;
    if (result === undefined) return;
    const figures = Object.fromEntries([["n", result.aggregate.count], ...names.map((name) => [name, result.aggregate.figure(name)])]);
    told.push({ start: result.start, end: result.end, figures });
  };
  const closeThrough = (to: number): void => {
    while (driven.nextEnd + driven.lag - 1 <= to) {
      driven.close();
      tell();
    }
  };
  for (const event of events) {
    driven = between(driven);
    if (event.kind === "late") driven.addLate(event.ts, event.value, clock);
    else if (event.kind === "read") {
      closeThrough(event.ts - 1);
      driven.add(event.ts, event.value);
      tell();
      clock = event.ts - 1;
    } else {
      clock = event.ts;
      if (event.kind === "silence") closeThrough(clock);
    }
  }
  return told;
}

type Entered = Kept & { readonly order: number /** Windows that end at or before are not for it. */; readonly after: number };

/** What the windows of a log tell, by the text of the design. */
export function expected(
  spec: WindowSpec,
  zone: ZoneTable,
  events: readonly Event[],
  figure: (name: AggregateName, readings: readonly Kept[]) => number,
  names: readonly AggregateName[],
): Told[] {
  const told: Told[] = [];
  let entered: Entered[] = [];
  let clock = LONG_AGO;
  let closed = LONG_AGO;
  let newestTold = LONG_AGO;
  let sinceStart = 0;
  const tell = (start: number, end: number, readings: readonly Entered[]): void => {
    const sorted = [...readings].sort((a, b) => a.ts - b.ts || a.order - b.order);
    const newest = sorted.at(-1)?.ts ?? LONG_AGO;
    if (newest <= newestTold && spec.kind !== "count") return;
    newestTold = newest;
    told.push({ start, end, figures: Object.fromEntries([["n", sorted.length], ...names.map((name) => [name, figure(name, sorted)])]) });
  };
  const boundsOf = (ts: number): { start: number; end: number }[] => {
    if (spec.kind === "day") return [dayBounds(zone, dayOf(zone, ts))];
    if (spec.kind !== "hopping") return [];
    const starts: number[] = [];
    for (let start = Math.floor(ts / spec.slide) * spec.slide; start > ts - spec.size; start -= spec.slide) starts.push(start);
    return starts.map((start) => ({ start, end: start + spec.size }));
  };
  const closeFrames = (to: number): void => {
    for (;;) {
      const due = entered.flatMap(({ ts, after }) => boundsOf(ts).filter(({ end }) => end > closed && end > after && end <= to + 1));
      const [first] = due.sort((a, b) => a.end - b.end);
      if (first === undefined) return;
      closed = first.end;
      tell(
        first.start,
        first.end,
        entered.filter(({ ts, after }) => ts >= first.start && ts < first.end && after < first.end),
      );
    }
  };
  const clusters = (gap: number): Entered[][] => {
    const lists: Entered[][] = [];
    for (const each of [...entered].sort((a, b) => a.ts - b.ts)) {
      const newest = lists.at(-1);
      if (newest !== undefined && each.ts - (newest.at(-1)?.ts ?? 0) <= gap) newest.push(each);
      else lists.push([each]);
    }
    return lists;
  };
  const closeSessions = (gap: number, to: number): void => {
    for (const list of clusters(gap)) {
      const end = (list.at(-1)?.ts ?? 0) + gap;
      if (end > to) continue;
      entered = entered.filter((each) => !list.includes(each));
      tell(list[0]?.ts ?? 0, end, list);
    }
  };
  const passTo = (to: number): void => {
    if (spec.kind === "session") closeSessions(spec.gap, to);
    else closeFrames(to);
  };
  events.forEach((event, order) => {
    if (!("value" in event)) {
      clock = event.ts;
      if (event.kind === "silence") passTo(clock);
      return;
    }
    const { kind, ts, value } = event;
    if (kind === "read") {
      passTo(ts - 1);
      clock = ts - 1;
    }
    const after = kind === "late" ? clock + 1 : LONG_AGO;
    if (spec.kind === "session") {
      const joins = entered.some((each) => Math.abs(each.ts - ts) <= spec.gap);
      if (kind === "read" || joins || ts + spec.gap > clock) entered.push({ ts, value, order, after });
    } else if (spec.kind !== "count") entered.push({ ts, value, order, after });
    else if (kind === "read") {
      entered.push({ ts, value, order, after });
      sinceStart += 1;
      if (sinceStart >= spec.count && (sinceStart - spec.count) % spec.slide === 0) {
        const last = entered.slice(-spec.count);
        tell(last[0]?.ts ?? 0, ts, last);
      }
    }
  });
  return told;
}

/** Figures by their definitions, over readings in order. */
export function naiveFigure(name: AggregateName, readings: readonly Kept[]): number {
  const values = readings.map(({ value }) => value);
  const sorted = [...values].sort((a, b) => a - b);
  const count = values.length;
  const sum = (terms: readonly number[]): number => [...terms].sort((a, b) => Math.abs(a) - Math.abs(b)).reduce((a, b) => a + b, 0);
  const mean = sum(values) / count;
  const rank = (percent: number): number => sorted[Math.ceil((percent * count) / 100) - 1] as number;
  const [first, last] = [readings[0] as Kept, readings[count - 1] as Kept];
  const steps = readings.slice(1).map((to, index) => ({ from: readings[index] as Kept, to }));
  switch (name) {
    case "avg":
      return mean;
    case "min":
      return sorted[0] as number;
    case "max":
      return sorted[count - 1] as number;
    case "sum":
      return sum(values);
    case "count":
      return count;
    case "range":
      return (sorted[count - 1] as number) - (sorted[0] as number);
    case "stddev":
      return count < 2 ? Number.NaN : Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (count - 1));
    case "first":
      return first.value;
    case "last":
      return last.value;
    case "median":
      return rank(50);
    case "p90":
      return rank(90);
    case "p95":
      return rank(95);
    case "p99":
      return rank(99);
    case "twa":
      return last.ts === first.ts ? last.value : sum(steps.map(({ from, to }) => from.value * (to.ts - from.ts))) / (last.ts - first.ts);
    case "rate":
      return last.ts === first.ts
        ? Number.NaN
        : (sum(steps.map(({ from, to }) => (to.value >= from.value ? to.value - from.value : to.value))) * 1000) / (last.ts - first.ts);
    case "slope": {
      const times = readings.map(({ ts }) => ts - first.ts);
      const centre = sum(times) / count;
      const spread = sum(times.map((time) => (time - centre) ** 2));
      return spread === 0 ? Number.NaN : (sum(readings.map(({ value }, index) => (value - mean) * ((times[index] as number) - centre))) * 1000) / spread;
    }
    default: {
      const never: never = name;
      return never;
    }
  }
}
