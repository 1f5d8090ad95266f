// Series that one rule evaluates together. A member is silent after `idle_after` without an accepted reading; the group's clock is the
// minimum over members that are not silent, of all silent ones the maximum, and never goes back. A reading behind the clock is not heard
// by the group. A member's last value counts until it is older, in listening time, than the rule's `stale_after`.

import type { Actor } from "./agenda.ts";
import type { Alert, AlertSubject } from "./alert.ts";
import type { BoundRule } from "./bound-rules.ts";
import type { Member } from "./conditions/condition.ts";
import type { Dispatcher } from "./dispatch.ts";
import { type Due, Evaluation, type Membership } from "./evaluation.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { Device, Rule } from "./rule.ts";
import type { Heard, RulingContext } from "./ruling.ts";
import type { Series } from "./series.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** Members beyond these are not heard by the group: each reading is weighed against all. */
export const MEMBERS_MAX = 1000;
/** Readings that wait for slower members; beyond it the clock goes on without them. */
const HELD_MAX = 4096;
const STALE_AFTER: DurationMs = 300_000;
const LONG_AGO = Number.NEGATIVE_INFINITY;
const NEVER = Number.POSITIVE_INFINITY;

/** What the group knows of a member: its clock as of its last accepted reading, and its last value as the group evaluated it. */
type MemberState = { readonly series: Series; watermark: EpochMs; origin: EpochMs; heardUp: UptimeMs; idleAfter: DurationMs; value: number; valueUp: UptimeMs };

export class Group implements Actor, AlertSubject, Membership {
  readonly id: SeriesId;
  readonly order: number;
  readonly key: string;
  readonly labels: Labels;
  readonly ruleName: string;
  device: Device | undefined;
  queuedUp: UptimeMs = NEVER;
  touchedAt = 0;
  readonly #evaluation: Evaluation;
  /** Undefined: the rule does not make this group any more; it only remembers when it fired. */
  #rule: Rule | undefined;
  #members: MemberState[] = [];
  readonly #indexes = new Map<SeriesId, number>();
  /** Members before the rules changed. */
  #left: ReadonlyMap<SeriesId, MemberState> = new Map();
  #clock: EpochMs = LONG_AGO;
  #maxTs: EpochMs = LONG_AGO;

  /** @param number of the group, from 0, never given again */
  constructor(number: number, ruleName: string, labels: Labels) {
    this.id = -2 - number;
    this.order = 2 ** 32 + number;
    this.labels = labels;
    this.key = seriesKey(labels);
    this.ruleName = ruleName;
    this.#evaluation = new Evaluation(this, undefined, this);
  }

  get isInForce(): boolean {
    return this.#rule !== undefined;
  }

  get number(): number {
    return -2 - this.id;
  }

  get watermark(): EpochMs {
    return this.#clock;
  }

  get memberIds(): readonly SeriesId[] {
    return this.#members.map(({ series }) => series.id);
  }

  /** When it was heard is of no use: no rule asks for the absence of a group. */
  get #heard(): Heard {
    return { maxTs: this.#maxTs, up: LONG_AGO, count: 0 };
  }

  get rules(): readonly BoundRule[] {
    return this.#evaluation.rules;
  }

  get alerts(): readonly Alert[] {
    return this.#evaluation.alerts;
  }

  /** The earliest time at which anything can fall due after a reading at `up`: the next member's silence lets the clock go on. */
  dueFrom(up: UptimeMs): UptimeMs {
    let from = NEVER;
    if (this.#evaluation.dueFrom === NEVER) return from;
    for (const member of this.#members) if (silentFrom(member) > up) from = Math.min(from, silentFrom(member));
    return from;
  }

  /**
   * @param series one that is no member yet
   * @returns whether there is room for it
   */
  join(series: Series): boolean {
    if (this.#members.length >= MEMBERS_MAX) return false;
    this.#indexes.set(series.id, this.#members.length);
    this.#members.push(this.#left.get(series.id) ?? asHeard(series));
    return true;
  }

  /** A reading that its series has accepted; `series.watermark` is as it is with it. */
  accept(series: Series, ts: EpochMs, value: number, at: EpochMs, up: UptimeMs, into: Dispatcher): void {
    const member = this.#members[this.#indexes.get(series.id) as number] as MemberState;
    const before = this.#advanceClock(up);
    member.watermark = series.watermark;
    member.origin = series.origin;
    member.heardUp = up;
    member.idleAfter = series.timing.idleAfterMs;
    const clock = this.#advanceClock(up);
    if (ts <= before) return this.#evaluation.drain(clock, into);
    this.#maxTs = Math.max(this.#maxTs, ts);
    this.#evaluation.take({ ts, value, at, up, ordinal: 0, isSampled: true, member: series.id }, clock, into);
    if (this.#evaluation.heldCount > HELD_MAX) {
      this.#clock = Math.max(this.#clock, this.#evaluation.nextDue().event - 1);
      this.#evaluation.drain(this.#clock, into);
    }
  }

  /** A late reading of a member counts in windows that are still open. */
  takeLate(ts: EpochMs, value: number, up: UptimeMs): void {
    const clock = this.#advanceClock(up);
    // Where no member was heard nothing is open.
    this.#evaluation.takeLate(ts, value, clock === LONG_AGO ? Number.POSITIVE_INFINITY : clock);
  }

  /** Members come and go with the rules; those that come again are as they were. */
  leaveAll(up: UptimeMs): void {
    this.#advanceClock(up);
    for (const { series } of this.#members) this.#indexes.delete(series.id);
    this.#left = new Map(this.#members.map((member) => [member.series.id, member]));
    this.#members = [];
  }

  /** Puts its rule in force, as it is now. */
  applyRule(rule: Rule, context: RulingContext, into: Dispatcher): void {
    this.#rule = rule;
    this.#left = new Map();
    this.#evaluation.applyRules([rule], this.#heard, { ...context, members: this.fresh(context.up) }, into);
  }

  /** Its rule does not make it any more. @returns whether it must be remembered, since it has fired */
  end(reason: "rule_changed" | "rule_removed", context: RulingContext, into: Dispatcher): boolean {
    for (const alert of this.#evaluation.alerts) alert.end(this.#maxTs, reason, { kind: reason === "rule_changed" ? "regrouped" : "removed" }, into);
    const hasFired = this.#evaluation.alerts.some(({ fired }) => fired.at !== LONG_AGO);
    this.#evaluation.applyRules([], this.#heard, context, into);
    this.#evaluation.forget();
    this.#clock = LONG_AGO;
    this.#maxTs = LONG_AGO;
    this.#rule = undefined;
    this.queuedUp = NEVER;
    return hasFired;
  }

  nextDue(): Due {
    const { clock, event } = this.#evaluation.nextDue();
    if (clock === NEVER || this.#members.length === 0) return { up: NEVER, event: NEVER };
    if (clock <= this.#clock) return { up: LONG_AGO, event };
    const heard = this.#members.filter(({ heardUp }) => heardUp !== LONG_AGO).sort((a, b) => silentFrom(a) - silentFrom(b));
    for (let index = 0; index < heard.length - 1; index++) {
      const left = heard.slice(index + 1);
      const from = silentFrom(heard[index] as MemberState);
      const isStep = from < silentFrom(left[0] as MemberState);
      if (isStep && Math.min(...left.map(({ watermark }) => watermark)) >= clock) return { up: from, event };
    }
    const last = heard.at(-1);
    if (last === undefined) return { up: NEVER, event: NEVER };
    const borrowed = Math.min(...heard.map(({ origin, heardUp, idleAfter }) => heardUp + idleAfter + clock - origin));
    return { up: Math.max(silentFrom(last), borrowed), event };
  }

  elapse(due: Due, into: Dispatcher): void {
    this.#evaluation.drain(this.#advanceClock(due.up), into);
  }

  save(to: StateWriter): void {
    to.text(this.ruleName);
    to.text(JSON.stringify(this.labels));
    for (const value of [this.number, this.#clock, this.#maxTs, this.#members.length]) to.number(value);
    for (const { series, watermark, origin, heardUp, idleAfter, value, valueUp } of this.#members) {
      for (const figure of [series.id, watermark, origin, heardUp, idleAfter, value, valueUp]) to.number(figure);
    }
    this.#evaluation.save(to);
  }

  /** Reads what `save` wrote after its two texts and its number. @param rule undefined when it has no members */
  restore(from: StateReader, rule: Rule | undefined, seriesOf: (id: SeriesId) => Series, zone: RulingContext["zone"]): void {
    this.#clock = from.number();
    this.#maxTs = from.number();
    const count = from.number();
    for (let index = 0; index < count; index++) {
      const series = seriesOf(from.number());
      this.#indexes.set(series.id, index);
      const [watermark, origin, heardUp, idleAfter] = [from.number(), from.number(), from.number(), from.number()];
      this.#members.push({ series, watermark, origin, heardUp, idleAfter, value: from.number(), valueUp: from.number() });
    }
    this.#rule = this.#members.length === 0 ? undefined : rule;
    this.#evaluation.restore(from, this.#rule === undefined ? [] : [this.#rule], zone);
  }

  /** A member's reading is evaluated. */
  hear(member: SeriesId, value: number, up: UptimeMs): void {
    const index = this.#indexes.get(member);
    // One that has left since its reading came has no last value here.
    if (index !== undefined) Object.assign(this.#members[index] as MemberState, { value, valueUp: up });
  }

  /** The members whose last value counts at `up`. */
  fresh(up: UptimeMs): readonly Member[] {
    return this.#members
      .filter(({ series, value, valueUp }) => !Number.isNaN(value) && up - valueUp <= this.#staleAfter(series))
      .map(({ series, value }) => ({ labels: series.labels, value }));
  }

  #staleAfter({ device }: Series): DurationMs {
    return this.#rule?.staleAfterMs ?? Math.max(STALE_AFTER, 3 * (device?.expectedEveryMs ?? 0));
  }

  /** Where the clock stands at `up`. */
  #advanceClock(up: UptimeMs): EpochMs {
    let [slowest, borrowed] = [NEVER, LONG_AGO];
    for (const { watermark, origin, heardUp, idleAfter } of this.#members) {
      if (heardUp === LONG_AGO) continue;
      if (up - heardUp <= idleAfter) slowest = Math.min(slowest, watermark);
      else borrowed = Math.max(borrowed, watermark, origin + up - heardUp - idleAfter);
    }
    this.#clock = Math.max(this.#clock, slowest === NEVER ? borrowed : slowest);
    return this.#clock;
  }
}

/** A member that was heard before it joined brings its clock and its last value. */
function asHeard(series: Series): MemberState {
  const { watermark, heardUp, timing, lastValue: value, lastUp: valueUp } = series;
  return { series, watermark, origin: series.isHeard ? series.origin : LONG_AGO, heardUp, idleAfter: timing.idleAfterMs, value, valueUp };
}

/** From when on a member is silent. */
const silentFrom = ({ heardUp, idleAfter }: MemberState): UptimeMs => heardUp + idleAfter + 1;
