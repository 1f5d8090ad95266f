// Every reading of a series that went to history, in plain lists; its watermark and clock are worked out each time.

import type { SourceTiming } from "../../../src/engine/rule.ts";
import { LONG_AGO, NEVER } from "./opinion.ts";

export type Kept = {
  readonly ts: number;
  readonly value: number;
  readonly at: number;
  readonly up: number;
  /** The how manieth accepted one; 0: late. */
  readonly ordinal: number;
  readonly isLate: boolean;
  /** Of a late one: where the clock stood when it came. */
  readonly clockThen: number;
  /** The how manieth to be evaluated, or to come late; NEVER: it is waiting. */
  turn: number;
  /** Its minute was closed when it came. */
  readonly isDirty: boolean;
  /** Of which series. */
  readonly member: number;
};

export class History {
  readonly timing: SourceTiming;
  /** In order of arrival. */
  readonly kept: Kept[] = [];
  readonly accepted: Kept[] = [];
  /** In the order in which they were. */
  readonly evaluated: Kept[] = [];
  /** Latest event time accepted, and when the last reading was. */
  newest = LONG_AGO;
  heard = LONG_AGO;
  turns = 0;

  constructor(timing: SourceTiming) {
    this.timing = timing;
  }

  keep(reading: Kept): void {
    this.kept.push(reading);
    if (reading.isLate) return;
    this.accepted.push(reading);
    this.newest = Math.max(this.newest, reading.ts);
    this.heard = reading.up;
  }

  evaluate(reading: Kept): void {
    reading.turn = ++this.turns;
    this.evaluated.push(reading);
  }

  get watermark(): number {
    return this.newest - this.timing.outOfOrdernessMs - 1;
  }

  quiet(up: number): number {
    return up - this.heard;
  }

  clock(up: number): number {
    const borrowed = this.quiet(up) - this.timing.idleAfterMs;
    return borrowed > 0 ? this.watermark + borrowed : this.watermark;
  }

  /** The next to be evaluated. */
  get waiting(): Kept | undefined {
    return this.accepted.filter(({ turn }) => turn === NEVER).sort(bySeries)[0];
  }

  isLate(ts: number): boolean {
    return ts <= this.watermark || ts < (this.evaluated.at(-1)?.ts ?? LONG_AGO);
  }

  /** For how long before this reading the gateway did not listen. */
  blind(reading: Kept | undefined): number {
    const last = this.evaluated.at(-1);
    return reading === undefined || last === undefined ? 0 : Math.max(0, reading.at - last.at - (reading.up - last.up));
  }
}

/** Of the same instant, in a group, the one whose turn came later is the later one. */
export const byTs = (a: Kept, b: Kept): number => a.ts - b.ts || a.turn - b.turn;
/** At the same instant series have their turns in their order. */
const bySeries = (a: Kept, b: Kept): number => a.ts - b.ts || a.member - b.member;
