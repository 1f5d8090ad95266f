// One series: what was heard of it, its clock and its downsampling. Readings are taken in order of arrival; its rules evaluate them in
// event-time order (evaluation.ts). DESIGN §3 is the contract.

import type { Actor } from "./agenda.ts";
import type { Alert } from "./alert.ts";
import type { BoundRule } from "./bound-rules.ts";
import type { ZoneTable } from "./calendar.ts";
import type { Dispatcher } from "./dispatch.ts";
import { Downsampler } from "./downsample.ts";
import { type Due, Evaluation } from "./evaluation.ts";
import { Memory } from "./memory.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { Device, Rule, SourceTiming } from "./rule.ts";
import type { Heard, RulingContext } from "./ruling.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./units.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Series implements Actor {
  readonly id: SeriesId;
  readonly order: number;
  readonly key: string;
  readonly ownLabels: Labels;
  source: string; // topic template; another one when the config says so
  labels: Labels;
  device: Device | undefined;
  #timing: SourceTiming;
  /** No reading at or below it is on time any more; never goes back. */
  watermark: EpochMs = LONG_AGO;
  /** Latest event time accepted. */
  maxTs: EpochMs = LONG_AGO;
  memory = new Memory();
  readonly #sampler = new Downsampler();
  readonly #evaluation: Evaluation;
  /** `up` when a reading was accepted last. */
  heardUp: UptimeMs = LONG_AGO;
  #accepted = 0;
  queuedUp: UptimeMs = Number.POSITIVE_INFINITY;
  touchedAt = 0;

  constructor(id: SeriesId, labels: Labels, source: string, timing: SourceTiming) {
    this.id = id;
    this.order = id;
    this.key = seriesKey(labels);
    this.ownLabels = labels;
    this.labels = labels;
    this.source = source;
    this.#timing = timing;
    this.#evaluation = new Evaluation(this, this.#sampler);
  }

  /** The reading evaluated last; its ts is -Infinity before the first. */
  get lastTs(): EpochMs {
    return this.#evaluation.lastTs;
  }

  get lastValue(): number {
    return this.#evaluation.lastValue;
  }

  /** When the reading evaluated last was heard. */
  get lastUp(): UptimeMs {
    return this.#evaluation.lastUp;
  }

  get timing(): SourceTiming {
    return this.#timing;
  }

  /** A shorter out_of_orderness lets the watermark go on; a longer one does not take it back. */
  set timing(timing: SourceTiming) {
    this.#timing = timing;
    if (this.isHeard) this.watermark = Math.max(this.watermark, this.origin);
  }

  get isHeard(): boolean {
    return this.#accepted > 0;
  }

  /** Whether a reading at `ts` comes too late to be evaluated. */
  isLate(ts: EpochMs): boolean {
    return ts <= this.watermark || ts < this.#evaluation.lastTs;
  }

  /** Takes a reading that is on time. */
  accept(ts: EpochMs, value: number, at: EpochMs, up: UptimeMs, into: Dispatcher): void {
    this.memory.add(ts, value);
    if (ts > this.maxTs) this.maxTs = ts;
    const watermark = this.maxTs - this.#timing.outOfOrdernessMs - 1;
    if (watermark > this.watermark) this.watermark = watermark;
    this.heardUp = up;
    this.#accepted += 1;
    const isSampled = this.#sampler.foresee(this.id, ts, value, into);
    const reading = { ts, value, at, up, ordinal: this.#accepted, isSampled, member: this.id };
    if (this.#evaluation.isNext(ts, this.watermark)) this.#evaluation.evaluate(reading, into);
    else this.#evaluation.take(reading, this.watermark, into);
  }

  /** Takes a late reading into windows and buckets that are still open; it never pages by itself. */
  takeLate(ts: EpochMs, value: number, up: UptimeMs, into: Dispatcher): void {
    this.memory.add(ts, value);
    const clock = this.clock(up);
    this.#evaluation.catchUp();
    this.#sampler.addLate(this.id, ts, value, clock, into);
    this.#evaluation.takeLate(ts, value, clock);
  }

  /** The earliest time at which anything can fall due in silence after the last reading; of what a change of the rules made due, at once. */
  get dueFrom(): UptimeMs {
    if (this.#evaluation.dueFrom <= this.watermark) return LONG_AGO;
    const borrowed = this.#timing.idleAfterMs + (this.#evaluation.dueFrom - this.origin);
    return this.heardUp + Math.min(borrowed, this.#evaluation.quietMin);
  }

  /** What falls due next if no reading comes; `up` is Infinity when nothing does. */
  nextDue(): Due {
    const silence = this.#evaluation.nextSilence(this.#heard);
    const { clock, event } = this.#evaluation.nextDue();
    if (clock <= this.watermark) return { up: LONG_AGO, event };
    const up = this.heardUp + this.#timing.idleAfterMs + (clock - this.origin);
    return up < silence.up || (up === silence.up && event < silence.event) ? { up, event } : silence;
  }

  /** Does what falls due in silence at exactly this `up`. */
  elapse(due: Due, into: Dispatcher): void {
    this.#evaluation.vanish(due, this.#heard, into);
    this.#evaluation.drain(this.clock(due.up), into);
  }

  get rules(): readonly BoundRule[] {
    return this.#evaluation.rules;
  }

  get alerts(): readonly Alert[] {
    return this.#evaluation.alerts;
  }

  standing(): ReturnType<Evaluation["standing"]> {
    return this.#evaluation.standing();
  }

  trim(): void {
    this.memory.trim(this.watermark);
  }

  /** Where its clock stands: the watermark, and in silence one that is borrowed from listening time. */
  clock(up: UptimeMs): EpochMs {
    // Of old news alone nothing is open: no accepted reading has begun anything.
    if (!this.isHeard) return Number.POSITIVE_INFINITY;
    const quiet = up - this.heardUp;
    return quiet > this.#timing.idleAfterMs ? Math.max(this.watermark, this.origin + quiet - this.#timing.idleAfterMs) : this.watermark;
  }

  /** Puts rules in force. @param rules those that match, in their order */
  applyRules(rules: readonly Rule[], context: RulingContext, into: Dispatcher): void {
    this.#evaluation.applyRules(rules, this.#heard, context, into);
  }

  save(to: StateWriter): void {
    this.#evaluation.catchUp();
    to.text(this.source);
    to.text(JSON.stringify(this.ownLabels));
    to.number(this.watermark);
    to.number(this.maxTs);
    to.number(this.heardUp);
    to.number(this.#accepted);
    this.memory.save(to);
    this.#sampler.save(to);
    this.#evaluation.save(to);
  }

  /** Reads what `save` wrote, after its two texts. @param rules those that matched when it was saved */
  restore(from: StateReader, rules: readonly Rule[], zone: ZoneTable): void {
    this.watermark = from.number();
    this.maxTs = from.number();
    this.heardUp = from.number();
    this.#accepted = from.number();
    this.memory = Memory.restore(from);
    this.#sampler.restore(from);
    this.#evaluation.restore(from, rules, zone);
  }

  get #heard(): Heard {
    return { maxTs: this.maxTs, up: this.heardUp, count: this.#accepted };
  }

  /** Where the borrowed clock starts: `wm` by the formula, though a change of the config may have kept `watermark` higher. */
  get origin(): EpochMs {
    return this.maxTs - this.#timing.outOfOrdernessMs - 1;
  }
}
