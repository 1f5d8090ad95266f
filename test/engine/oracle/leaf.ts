// A condition that is no combination, judged from the list of readings: nothing is remembered but how it was judged last.

import type { AggregateName } from "../../../src/engine/aggregate.ts";
import type { ZoneTable } from "../../../src/engine/calendar.ts";
import type { WindowSpec } from "../../../src/engine/window.ts";
import { figureOf, riseOf } from "./figures.ts";
import { Frame } from "./frame.ts";
import { judgementOf } from "./judgement.ts";
import type { History, Kept } from "./kept.ts";
import { type Member, type MembersSettings, measureOfMembers } from "./members.ts";
import { greatest, least } from "./opinion.ts";
import type { Judgement } from "./relay.ts";

type WithLimits = { levels?: readonly (object & { severity: string })[] };
export type LeafSettings =
  | ({ type: "threshold" } & WithLimits)
  | ({ type: "threshold"; aggregate: AggregateName } & WithLimits)
  | ({ type: "compare"; left: string; right: string; op: "difference" | "ratio" } & WithLimits)
  | ({ type: "window"; window: WindowSpec; aggregate: AggregateName; min_count: number } & WithLimits)
  | { type: "absence"; after: number }
  | ({ type: "rate"; over: number; per: number; counter: boolean } & WithLimits)
  | { type: "flatline"; over: number; tolerance: number }
  | { type: "consecutive"; n: number; of?: number };

export class Leaf {
  readonly settings: LeafSettings;
  readonly frame: Frame | undefined;
  /** undefined: not judged yet. */
  judgement: Judgement | undefined;
  value = Number.NaN;
  /** Of an absence: accepted readings up to this one do not end it. */
  deafThrough = 0;
  /** Readings evaluated before do not count. */
  readonly #born: number;

  constructor(settings: LeafSettings, zone: ZoneTable, born: number) {
    this.settings = settings;
    this.#born = born;
    this.frame = settings.type === "window" ? new Frame(settings.window, zone, born) : undefined;
  }

  get after(): number {
    return this.settings.type === "absence" ? this.settings.after : Number.POSITIVE_INFINITY;
  }

  get levels(): readonly (object & { severity: string })[] {
    return ("levels" in this.settings ? this.settings.levels : undefined) ?? [];
  }

  /** Whether a measure alone says how it stands. */
  get needsOnlyTheLast(): boolean {
    return ["threshold", "compare", "absence"].includes(this.settings.type);
  }

  /** By last values, where they say all. */
  judgeAnew(lastValue: number, members: readonly Member[]): void {
    const measure = needsMembers(this.settings) ? measureOfMembers(this.settings, members) : lastValue;
    if (this.needsOnlyTheLast && !Number.isNaN(measure)) this.judge(measure);
  }

  judge(value: number): void {
    this.value = value;
    this.judgement = this.#judgement(value);
  }

  vanish(value: number, deafThrough: number): void {
    this.value = value;
    this.judgement = "breach";
    this.deafThrough = deafThrough;
  }

  /** The last of the evaluated readings was just evaluated. @returns whether it judged */
  hear(history: History, members: readonly Member[]): boolean {
    const readings = history.evaluated.filter(({ turn }) => turn > this.#born);
    const reading = readings.at(-1) as Kept;
    const { settings } = this;
    if (settings.type === "window") return false;
    if (settings.type === "absence") {
      if (reading.ordinal <= this.deafThrough) return false;
      this.judgement = "clear";
      this.value = reading.value;
      return true;
    }
    const measure = needsMembers(settings) ? measureOfMembers(settings, members) : measureOf(settings, readings, reading);
    if (Number.isNaN(measure)) return false;
    this.judge(measure);
    return true;
  }

  /** A window closed with these readings. @returns whether it judged */
  hearWindow(readings: readonly Kept[]): boolean {
    const { settings } = this;
    if (settings.type !== "window" || readings.length === 0 || readings.length < settings.min_count) return false;
    const measure = figureOf(settings.aggregate, readings);
    if (Number.isNaN(measure)) return false;
    this.judge(measure);
    return true;
  }

  #judgement(measure: number): Judgement {
    const { settings } = this;
    if (settings.type === "flatline") return measure <= settings.tolerance ? "breach" : "clear";
    if (settings.type === "consecutive") return measure >= settings.n ? "breach" : "clear";
    return judgementOf(this.levels[0] ?? settings, measure);
  }
}

const needsMembers = (settings: LeafSettings): settings is LeafSettings & MembersSettings =>
  settings.type === "compare" || (settings.type === "threshold" && "aggregate" in settings);

type Measured = Exclude<LeafSettings, { type: "window" | "absence" | "compare" }>;

function measureOf(settings: Measured, readings: readonly Kept[], reading: Kept): number {
  switch (settings.type) {
    case "threshold":
      return reading.value;
    case "rate":
      return rateOf(settings, readings, reading);
    case "flatline":
      return spreadOf(settings, readings, reading);
    case "consecutive":
      return breachesOf(settings, readings);
  }
}

const SHARES = 64;
const shareOf = ({ ts }: Kept, over: number): number => Math.floor(ts / (over / SHARES));

/** From the newest reading at or before `ts − over`, else the oldest; of those in one 64th of `over` only the first is asked. */
function rateOf({ over, per, counter }: Extract<Measured, { type: "rate" }>, readings: readonly Kept[], reading: Kept): number {
  const before = readings.slice(0, -1);
  const asked = before.filter((each, index) => index === 0 || shareOf(each, over) !== shareOf(before[index - 1] as Kept, over));
  const base = asked.findLast(({ ts }) => ts <= reading.ts - over) ?? asked[0];
  if (base === undefined || reading.ts - base.ts < over / 2) return Number.NaN;
  const path = readings.slice(readings.indexOf(base));
  const rises = path.slice(1).map(({ value }, index) => riseOf((path[index] as Kept).value, value));
  const change = counter ? rises.reduce((sum, rise) => sum + rise, 0) : reading.value - base.value;
  return (change / (reading.ts - base.ts)) * per;
}

/** How far the readings of the trailing `over` lie apart, with what stood at its start; the last reading of a 64th dates all in it. */
function spreadOf({ over, tolerance }: Extract<Measured, { type: "flatline" }>, readings: readonly Kept[], reading: Kept): number {
  const lastOfShare = readings.filter((each, index) => index === readings.length - 1 || shareOf(each, over) !== shareOf(readings[index + 1] as Kept, over));
  const standing = lastOfShare.findLast(({ ts }) => ts <= reading.ts - over);
  const values = (standing === undefined ? readings : readings.slice(readings.indexOf(standing))).map(({ value }) => value);
  const spread = greatest(values) - least(values);
  return standing !== undefined || spread > tolerance ? spread : Number.NaN;
}

/** How many of the last `of` breach; nothing is said while readings that are not known could decide. */
function breachesOf(settings: Extract<Measured, { type: "consecutive" }>, readings: readonly Kept[]): number {
  const { n, of = n } = settings;
  const last = readings.slice(-of);
  const breaches = last.filter(({ value }) => judgementOf(settings, value) === "breach").length;
  const unknown = of - last.length;
  return breaches >= n || breaches + unknown < n ? breaches : Number.NaN;
}
