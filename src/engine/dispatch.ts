// Collects a step's effects, and carries transitions to those who are told of them. Dispatch lives on the wall clock: what was held, hidden
// or acknowledged falls due by it, in order of (instant, name), whatever the listening clock does. What it consists of is in dispatch/.

import type { Command, CommandAnswer } from "./dispatch/command.ts";
import { Hiding } from "./dispatch/hiding.ts";
import { keyOf, type Occurrence, placeOf } from "./dispatch/occurrence.ts";
import { Operator } from "./dispatch/operator.ts";
import { noDispatch } from "./dispatch/plan.ts";
import type { Told } from "./dispatch/record.ts";
import { Standing } from "./dispatch/standing.ts";
import { type DispatchParts, DispatchState } from "./dispatch/state.ts";
import { Storms } from "./dispatch/storm.ts";
import { Targets } from "./dispatch/targets.ts";
import { channelMark, Teller } from "./dispatch/teller.ts";
import { parseTimer, type TimerKind, Timers } from "./dispatch/timers.ts";
import type { AlertRecord, Effects, PendingRecord, Transition } from "./effect.ts";
import type { RulePlan } from "./rule.ts";
import { severities } from "./severity.ts";
import type { DurationMs, EpochMs } from "./units.ts";

type Lists = { [Key in keyof Effects]: Effects[Key] extends readonly (infer Item)[] ? Item[] : never };

export class Dispatcher {
  #effects: Lists = emptyEffects();
  #channels: readonly Told[] = [];
  #now: EpochMs = 0;
  readonly #standing = new Standing();
  readonly #hiding = new Hiding();
  readonly #targets = new Targets();
  readonly #storms = new Storms();
  readonly #timers = new Timers();
  readonly #parts: DispatchParts = {
    standing: this.#standing,
    hiding: this.#hiding,
    targets: this.#targets,
    storms: this.#storms,
    timers: this.#timers,
  };
  readonly #teller = new Teller({
    ...this.#parts,
    emit: (record) => this.#effects.notifications.push(record),
  });
  readonly #operator = new Operator({
    ...this.#parts,
    teller: this.#teller,
    write: {
      event: (event) => this.#effects.alertEvents.push(event),
      ack: (record) => this.#effects.acks.push(record),
      shelf: (record) => this.#effects.shelves.push(record),
      silence: (silence) => this.#effects.silences.push(silence),
      override: (record) => this.#effects.overrides.push(record),
    },
  });
  readonly state = new DispatchState(this.#parts);

  get rollups(): Lists["rollups"] {
    return this.#effects.rollups;
  }

  get dirty(): Lists["dirty"] {
    return this.#effects.dirty;
  }

  usePlan(plan: RulePlan): void {
    const { receivers, route, dispatch = noDispatch } = plan;
    this.#channels = receivers.flatMap(({ name, channels }) => channels.map((channel) => ({ receiver: name, channel })));
    this.#teller.usePlan(route);
    this.#targets.usePlan(receivers, dispatch);
    this.#operator.usePlan(dispatch);
    this.#storms.plan = dispatch.storm;
    this.#hiding.usePlan(dispatch);
    const standing = [...this.#standing.occurrences].map(({ record }) => record);
    this.#hiding.inhibition.usePlan(dispatch.inhibit, standing);
    this.#teller.judgeHidden(this.#now);
  }

  /** To which channel a notification was going, by its id; a channel that the config no longer has is `unknown`. */
  toldBy(notification: string): Told {
    return this.#channels.find((told) => notification.endsWith(`-${channelMark(told)}`)) ?? { receiver: "unknown", channel: "unknown" };
  }

  pending(record: PendingRecord): void {
    this.#effects.pending.push(record);
  }

  verdicts(verdicts: Uint8Array, ts: Float64Array): void {
    this.#effects.verdicts.push(verdicts);
    this.#effects.ts.push(ts);
  }

  dead(notification: string, reason: string): void {
    this.#effects.dead.push({ notification, reason });
  }

  /** Where the wall clock stands for what comes next; never back but by `step`. */
  set now(now: EpochMs) {
    if (now > this.#now) this.#now = now;
  }

  /**
   * The gateway was down until then: what it would have told in groups, repeated or escalated meanwhile is told once, by then, and goes on from
   * there. −Infinity: it was not.
   */
  asleepUntil: EpochMs = Number.NEGATIVE_INFINITY;

  /** When something falls due by the wall clock; undefined: nothing does. */
  get nextAt(): EpochMs | undefined {
    return this.#timers.first;
  }

  /** Does what falls due first. */
  elapse(): void {
    this.now = this.#timers.first as EpochMs;
    const timer = this.#timers.take();
    const { kind, asleep, of } = parseTimer(timer);
    if (asleep === "put_off" && this.#now < this.asleepUntil) return this.#timers.set(timer, this.asleepUntil);
    elapsed[kind]({ ...this.#parts, teller: this.#teller, operator: this.#operator }, of, this.#now);
  }

  /** The wall clock was set. @param by so much that what runs from an event keeps what was left of it; 0: little */
  clockStepped(now: EpochMs, by: DurationMs): void {
    this.#now = now;
    if (by !== 0) this.state.shift(by);
    if (by < 0) this.#operator.boundShelves(now);
    this.#teller.judgeHidden(now);
  }

  /** @param except a channel that must not be told: the one that the alert is about */
  transition(transition: Transition, record: AlertRecord, except?: Told): void {
    this.#effects.transitions.push(transition);
    this.#effects.alerts.push(record);
    const known = this.#standing.occurrence(record.id);
    const isTold = transition.to !== "recovering" && (known === undefined || transition.reason === "level" || transition.to === "resolved");
    if (known === undefined) return this.#fired(transition, record, except);
    this.#standing.put({ ...known, record, ordinal: isTold ? transition.ordinal : known.ordinal });
    if (transition.to === "resolved") this.#resolved(known);
    else if (transition.reason === "level") this.#changedLevel(known, record);
    else if (record.latchedAt !== known.record.latchedAt) this.#changedLatch(known, record);
  }

  /** Carries out what somebody asked. @param reset tries to reset a latched alert, in the series or group that it is of */
  command(command: Command, by: string, reset: (record: AlertRecord) => void): void {
    const answer = command.kind === "reset" ? this.#reset(command, by, reset) : this.#operator.carryOut(command, by, this.#now);
    this.#effects.answers.push(answer);
  }

  /** Hands over what the step gave and begins anew. */
  take(): Effects {
    const effects = this.#effects;
    this.#effects = emptyEffects();
    return effects;
  }

  #fired({ ordinal, to }: Transition, record: AlertRecord, except: Told | undefined): void {
    // What was over before this release began to keep it is not told anew.
    if (to !== "firing") return;
    const { inhibition, flapping } = this.#hiding;
    inhibition.add(record);
    const key = keyOf(record.id);
    const flaps = flapping.fired(key, record.id, this.#now);
    if (flaps !== "calm" && flapping.plan !== null) this.#timers.set(`flap:${key}`, this.#now + flapping.plan.calmMs);
    this.#teller.open(record, ordinal, flaps === "begins" ? "flapping" : "transition", except ?? null, this.#now);
  }

  #resolved({ record, key, lines }: Occurrence): void {
    if (lines.every(({ told }) => told.length === 0)) this.#hiding.flapping.missed(key, record.id);
    this.#endSource(record);
    this.#timers.clear(`attend:${record.id}`);
    this.#teller.resolve(record.id, this.#now);
    this.#operator.cleared(key, this.#now);
  }

  #changedLevel({ record: before, ack, lines }: Occurrence, record: AlertRecord): void {
    // At another level it may be a source no more.
    this.#endSource(before);
    this.#hiding.inhibition.add(record);
    const isGraver = severities.indexOf(record.severity) < severities.indexOf(before.severity);
    if (ack !== null && isGraver) this.#operator.withdraw(record.id, "unacknowledged", "", `it became ${record.severity}`, this.#now);
    lines.forEach((_, line) => this.#teller.tell({ alert: record.id, line }, "transition", this.#now));
    this.#teller.route(record.id, "transition", this.#now);
  }

  /** What is latched waits for somebody, and is no source any more: its condition has cleared. */
  #changedLatch({ record: before }: Occurrence, record: AlertRecord): void {
    this.#endSource(before);
    this.#hiding.inhibition.add(record);
  }

  /** What it hid is looked at when its targets have waited for their own end. */
  #endSource(record: AlertRecord): void {
    const graceMs = this.#hiding.inhibition.end(record);
    const timer = `uninhibit:${record.id}`;
    if (graceMs > 0 || (this.#standing.hides(`alert:${record.id}`) && this.#timers.get(timer) === undefined)) this.#timers.set(timer, this.#now + graceMs);
  }

  #reset({ alert, note }: Extract<Command, { kind: "reset" }>, by: string, reset: (record: AlertRecord) => void): CommandAnswer {
    const found = this.#operator.mayReset(alert);
    if ("kind" in found) return found;
    this.#operator.event(alert, "reset", by, note, this.#now);
    reset(found.record);
    return { kind: "done", id: null };
  }
}

type Elapsing = DispatchParts & { readonly teller: Teller; readonly operator: Operator };

/** What falls due, by the kind of its timer. */
const elapsed = {
  flush: ({ teller }: Elapsing, group: string, now: EpochMs): void => teller.flush(group, now),
  repeat: ({ teller }: Elapsing, group: string, now: EpochMs): void => teller.repeat(group, now),
  step: ({ teller }: Elapsing, place: string, now: EpochMs): void => teller.escalate(placeOf(place), now),
  attend: ({ operator }: Elapsing, alert: string, now: EpochMs): void => operator.unattended(alert, now),
  shelf: ({ operator }: Elapsing, key: string, now: EpochMs): void => operator.unshelve(key, "shelf_expired", "", "", now),
  uninhibit: ({ teller, hiding, standing }: Elapsing, alert: string, now: EpochMs): void => {
    const { record } = standing.occurrence(alert) ?? {};
    hiding.inhibition.forget(alert, record?.state === "resolved" ? undefined : record);
    teller.uncover(`alert:${alert}`, now);
  },
  interval: ({ teller }: Elapsing, name: string, now: EpochMs): void => teller.uncover(`interval:${name}`, now),
  nobody: ({ teller }: Elapsing, target: string, now: EpochMs): void => teller.lookForSomebody(target, now),
  silence: ({ teller, hiding }: Elapsing, id: string, now: EpochMs): void => {
    hiding.dropSilence(id);
    teller.uncover(`silence:${id}`, now);
  },
  flap: ({ teller, hiding }: Elapsing, key: string, now: EpochMs): void => {
    const alert = hiding.flapping.of(key)?.alert;
    hiding.flapping.calm(key);
    teller.uncover(`flapping:${alert}`, now);
  },
  override: ({ targets }: Elapsing, id: string): void => {
    targets.overrides.delete(id);
    targets.overridesChanged();
  },
  storm: ({ storms, timers }: Elapsing, target: string, now: EpochMs): void => {
    const again = storms.lookAgainAt(target, now);
    if (again !== undefined) timers.set(`storm:${target}`, again);
  },
} as const satisfies Record<TimerKind, (parts: Elapsing, of: string, now: EpochMs) => void>;

const emptyEffects = (): Lists => ({
  verdicts: [],
  ts: [],
  transitions: [],
  alerts: [],
  pending: [],
  notifications: [],
  rollups: [],
  dirty: [],
  dead: [],
  acks: [],
  alertEvents: [],
  shelves: [],
  silences: [],
  overrides: [],
  answers: [],
});
