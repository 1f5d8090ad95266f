// A series: verdicts on its readings, its clock, its minutes.

import type { Labels } from "../../../src/engine/reading.ts";
import type { SourceTiming } from "../../../src/engine/rule.ts";
import { type Closing, Frame } from "./frame.ts";
import { History, type Kept } from "./kept.ts";
import type { Member } from "./members.ts";
import { greatest, LONG_AGO, least, NEVER, type Opinion } from "./opinion.ts";
import { Subject } from "./subject.ts";

const MINUTE = 60_000;
const minuteOf = (ts: number): number => Math.floor(ts / MINUTE) * MINUTE;

/** `reading`: what went to history, with whether it was late. */
export type Taken = { readonly verdict: string; readonly reading: Kept | undefined };

export class SeriesSubject extends Subject {
  readonly id: number;
  /** Its own. */
  readonly labels: Labels;
  readonly history: History;
  readonly minute = new Frame({ kind: "hopping", size: MINUTE, slide: MINUTE }, { name: "UTC", from: [LONG_AGO], offsets: [0] }, 0);

  constructor(id: number, labels: Labels, timing: SourceTiming, opinion: Opinion) {
    super(String(id), opinion);
    this.id = id;
    this.labels = labels;
    this.history = new History(timing);
  }

  override clock(up: number): number {
    return this.history.clock(up);
  }

  override quiet(up: number): number {
    return this.history.quiet(up);
  }

  override members(): readonly Member[] {
    return [];
  }

  take(sent: number, value: number, at: number, up: number, isOldNews: boolean): Taken {
    const { history } = this;
    const { timing, kept } = history;
    const ts = Number.isNaN(sent) ? Math.max(at, history.newest + 1) : sent;
    if (ts > at + timing.maxFutureMs || (timing.maxPastMs !== null && ts < at - timing.maxPastMs)) return { verdict: "quarantined", reading: undefined };
    const same = kept.find((reading) => reading.ts === ts);
    if (same !== undefined) return { verdict: same.value === value ? "duplicate" : "conflict", reading: undefined };
    const isLate = isOldNews || history.isLate(ts);
    // Old news before any news finds nothing open.
    const clockThen = !isLate ? LONG_AGO : history.accepted.length === 0 ? NEVER : history.clock(up);
    const minuteEnd = minuteOf(ts) + MINUTE;
    const isDirty = minuteEnd <= this.minute.closed || minuteEnd - 1 <= clockThen;
    const ordinal = isLate ? 0 : history.accepted.length + 1;
    const reading: Kept = { ts, value, at, up, ordinal, isLate, clockThen, turn: isLate ? ++history.turns : NEVER, isDirty, member: this.id };
    if (isLate) this.hearLate(reading);
    history.keep(reading);
    if (isDirty) this.#markDirty(reading);
    // A minute that was passed while it was empty is begun by a mark; what comes for it later amends it.
    if (isDirty) this.minute.pass(minuteEnd);
    this.changed(up);
    return { verdict: isLate ? "late" : "accepted", reading };
  }

  override evaluating(reading: Kept): void {
    if (!reading.isDirty && minuteOf(reading.ts) + MINUTE <= this.minute.closed) this.#markDirty(reading);
  }

  override closeMinute(closing: Closing): void {
    const values = this.minute.close(closing).map(({ value }) => value);
    const sum = values.reduce((total, value) => total + value, 0);
    const bucket = { start: closing.end - MINUTE, count: values.length, sum, min: least(values), max: greatest(values) };
    if (values.length > 0) (this.opinion.buckets[this.id] ??= []).push(bucket);
  }

  #markDirty({ ts }: Kept): void {
    (this.opinion.dirty[this.id] ??= []).push(minuteOf(ts));
  }
}
