// Who would be paged for an alert of these labels that fires at an instant, alone, and that nobody acknowledges. Not a second account of
// dispatch: the dispatcher itself is run with such an alert, and what it does is written down with the schedule and layer behind each name.
// Knows nothing of other alerts: what already stands in a group, inhibits it or makes a storm is not in the answer.

import { Dispatcher } from "../dispatch.ts";
import type { AlertRecord, Transition } from "../effect.ts";
import { compileMatchers } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { RulePlan } from "../rule.ts";
import { severities } from "../severity.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import { Hiding } from "./hiding.ts";
import type { Line, Occurrence } from "./occurrence.ts";
import { type DispatchPlan, noDispatch } from "./plan.ts";
import type { NotificationKind, NotificationRecord, OverrideRecord, Silence, Told } from "./record.ts";
import { Routes, type Taken } from "./routes.ts";
import { type OnCallBy, onCall } from "./schedule.ts";
import { toldKey, worldOf } from "./targets.ts";

/** How far ahead it is looked, and at how much of what falls due. */
const SPAN_MS: DurationMs = 72 * 3_600_000;
const TURNS_MAX = 5000;

/** What was given at run time, in any order; what is over by then does not count. */
export type Given = { readonly overrides: readonly OverrideRecord[]; readonly silences: readonly Silence[] };

/** By what a receiver is told: named itself, or as the one on call; `before`: it was told earlier, and is told again. */
export type Via = { readonly kind: "receiver" | "before" } | { readonly kind: "schedule"; readonly schedule: string; readonly by: OnCallBy };
export type PagedReceiver = { readonly receiver: string; readonly channels: readonly string[]; readonly via: Via };

/** `step`, `round`: of an escalation, from 0; of anything else 0. `at` minus the firing is the sum of the waits before it. */
export type PagedEvent =
  /** `told` is empty where each of its channels is told by another route. */
  | {
      readonly kind: "told";
      readonly at: EpochMs;
      readonly step: number;
      readonly round: number;
      readonly why: NotificationKind;
      readonly told: readonly PagedReceiver[];
    }
  /** Nobody is on call for any of its targets. */
  | { readonly kind: "skipped"; readonly at: EpochMs; readonly step: number; readonly round: number; readonly targets: readonly string[] }
  /** `cause`: `interval:NAME`, `silence:ID`, or `nobody:TARGET` where nobody at all is on call; `until` null: for as long as was looked. */
  | { readonly kind: "hidden"; readonly at: EpochMs; readonly cause: string; readonly until: EpochMs | null };

export type PagedRoute = Taken & {
  readonly targetKind: "receiver" | "schedule" | "escalation";
  /** The interval that mutes it when it fires; `until` null: it does not change any more. */
  readonly muted: { readonly interval: string; readonly until: EpochMs | null } | null;
  /** In order of time, up to the last step; what is told again later is not listed. */
  readonly events: readonly PagedEvent[];
  /** The last step was told, or skipped after others were told. */
  readonly isComplete: boolean;
};

export type Paged = {
  readonly routes: readonly PagedRoute[];
  /** Ids of the silences that hide it when it fires. */
  readonly silences: readonly string[];
  /** Nothing after this was looked at. */
  readonly until: EpochMs;
};

/** A fraction of a millisecond; some tens where nobody is on call for days, or a muted route repeats each minute. */
export function whoIsPaged(plan: RulePlan, given: Given, labels: Labels, at: EpochMs): Paged {
  const { dispatch = noDispatch } = plan;
  const overrides = given.overrides.filter(({ to, removedBy }) => to > at && removedBy === null).sort(byMaking);
  const silences = given.silences.filter(({ endsAt }) => endsAt > at).sort(byMaking);
  const hiding = new Hiding();
  hiding.usePlan(dispatch);
  const record = recordOf(labels, at);
  const silencing = silences.filter(({ startsAt, matchers }) => startsAt <= at && compileMatchers(matchers)(labels));
  const taking = new Routes(plan.route).taking(labels);
  const watched = taking.map((taken) => new WatchedLine(taken, dispatch));
  const until = run({ plan, overrides, silences, watched, record }, at);
  const world = worldOf(dispatch, overrides);

  const viaOf = (name: string, targets: readonly string[], asked: EpochMs): Via => {
    for (const target of targets) {
      const schedule = dispatch.schedules.find((each) => each.name === target);
      if (schedule === undefined && target === name) return { kind: "receiver" };
      const found = schedule && onCall(schedule, world, asked);
      if (found?.member === name) return { kind: "schedule", schedule: target, by: found.by };
    }
    return { kind: "before" };
  };
  const routes = taking.map((taken, index): PagedRoute => {
    const { settings } = taken;
    const line = watched[index] as WatchedLine;
    const interval = hiding.causeOf(alone(record), settings, at)?.cause.slice("interval:".length);
    const muted = interval === undefined ? null : { interval, until: hiding.changeOf(interval, at) ?? null };
    const has = (list: readonly { readonly name: string }[]): boolean => list.some(({ name }) => name === settings.target);
    const targetKind = has(dispatch.escalations) ? "escalation" : has(dispatch.schedules) ? "schedule" : "receiver";
    return { ...taken, targetKind, muted, events: line.events(viaOf), isComplete: line.isComplete };
  });
  return { routes, silences: silencing.map(({ id }) => id), until };
}

type Made = { readonly id: string; readonly createdAt: EpochMs };
const byMaking = (a: Made, b: Made): number => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);

type Course = {
  readonly plan: RulePlan;
  readonly overrides: readonly OverrideRecord[];
  readonly silences: readonly Silence[];
  readonly watched: readonly WatchedLine[];
  readonly record: AlertRecord;
};

/** @returns until when it was looked */
function run({ plan, overrides, silences, watched, record }: Course, at: EpochMs): EpochMs {
  const dispatcher = new Dispatcher();
  const kept = [
    ...overrides.flatMap((override) => [
      ["override", override],
      ["timer", [`override:${override.id}`, override.to]],
    ]),
    ...silences.flatMap((silence) => [
      ["silence", silence],
      ["timer", [`silence:${silence.id}`, silence.endsAt]],
    ]),
  ];
  dispatcher.state.restore(JSON.stringify(kept));
  dispatcher.state.restored();
  dispatcher.usePlan(plan);
  const look = (now: EpochMs): void => {
    const { notifications } = dispatcher.take();
    const lines = dispatcher.state.all().flatMap(([kind, value]) => (kind === "occurrence" ? (value as Occurrence).lines : []));
    for (const [index, line] of lines.entries()) (watched[index] as WatchedLine).look(line, notifications, now);
  };
  dispatcher.now = at;
  dispatcher.transition(firing(record, at), record);
  look(at);
  const end = at + SPAN_MS;
  let seen = at;
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    const next = dispatcher.nextAt ?? end;
    if (next >= end || watched.every(({ isComplete }) => isComplete)) return end;
    dispatcher.elapse();
    look(next);
    seen = next;
  }
  return seen;
}

/** What becomes of the alert on its way by one route: it is looked at after each thing that dispatch did. */
class WatchedLine {
  readonly #steps: readonly (readonly string[])[];
  /** How many there are with their repetitions. */
  readonly #stepCount: number;
  readonly #events: ((viaOf: ViaOf) => PagedEvent)[] = [];
  /** When it was decided that a notification is told, and by which step. */
  readonly #decided = new Map<string, { readonly at: EpochMs; readonly place: number }>();
  #place = -1;
  #waits = false;
  isComplete = false;
  #hidden: { readonly cause: string; until: EpochMs | null } | undefined;

  constructor({ settings: { target } }: Taken, { escalations }: DispatchPlan) {
    const escalation = escalations.find(({ name }) => name === target);
    this.#steps = escalation?.steps.map(({ targets }) => targets) ?? [[target]];
    this.#stepCount = this.#steps.length * ((escalation?.repeat ?? 0) + 1);
  }

  /** @param notifications of all lines: a channel is told by one line alone */
  look(line: Line, notifications: readonly NotificationRecord[], now: EpochMs): void {
    if (this.isComplete) return;
    const own = new Set([...line.told, ...line.held].map(toldKey));
    const mine = notifications.filter((each) => own.has(toldKey(each)) && each.kind !== "repeat");
    const fresh = mine.filter(({ id }) => !this.#decided.has(id));
    const place = line.step < 0 ? -1 : line.round * this.#steps.length + line.step;
    const isStep = place !== this.#place;
    this.#lookAtSkipped(
      place,
      line.stepWaitMs !== null,
      fresh.some(({ kind }) => kind === "announced"),
      now,
    );
    if (isStep && fresh.length === 0 && line.held.length === 0 && line.hidden === null)
      this.#events.push(() => ({ kind: "told", at: now, ...this.#position(place), why: place === 0 ? "transition" : "escalation", told: [] }));
    this.#lookAtHiding(line.hidden, now);
    for (const { id } of fresh) this.#decided.set(id, { at: now, place });
    this.#lookAtSent(
      mine.filter(({ disposition, heldUntil }) => disposition === "waiting" && heldUntil === null),
      now,
    );
    this.isComplete = line.told.length > 0 && line.held.length === 0 && line.hidden === null && line.stepWaitMs === null;
  }

  events(viaOf: ViaOf): PagedEvent[] {
    return this.#events.map((event) => event(viaOf));
  }

  #lookAtHiding(cause: string | null, now: EpochMs): void {
    if (cause === (this.#hidden?.cause ?? null)) return;
    if (this.#hidden !== undefined) this.#hidden.until = now;
    this.#hidden = cause === null ? undefined : { cause, until: null };
    const hidden = this.#hidden;
    if (hidden !== undefined) this.#events.push(() => ({ kind: "hidden", at: now, ...hidden }));
  }

  /** Steps between the one told before and the one told now, or, where none is left that tells anybody, the end. */
  #lookAtSkipped(place: number, waits: boolean, isAnew: boolean, now: EpochMs): void {
    const first = isAnew ? 0 : this.#place + 1;
    const isEnd = this.#waits && !waits && place === this.#place;
    for (let skipped = first; skipped < (isEnd ? this.#stepCount : place); skipped++)
      this.#events.push(() => ({ kind: "skipped", at: now, ...this.#position(skipped), targets: this.#targetsOf(skipped) }));
    this.#place = place;
    this.#waits = waits;
  }

  #lookAtSent(sent: readonly NotificationRecord[], now: EpochMs): void {
    const [first] = sent;
    if (first === undefined) return;
    const { at, place } = this.#decided.get(first.id) as { at: EpochMs; place: number };
    const channels = Map.groupBy(sent, ({ receiver }: Told) => receiver);
    this.#events.push((viaOf) => ({
      kind: "told",
      at: now,
      ...this.#position(place),
      why: first.kind,
      told: [...channels].map(([receiver, list]) => ({
        receiver,
        channels: list.map(({ channel }) => channel),
        via: viaOf(receiver, this.#targetsOf(place), at),
      })),
    }));
  }

  #position = (place: number): { step: number; round: number } => ({
    step: Math.max(place, 0) % this.#steps.length,
    round: Math.floor(Math.max(place, 0) / this.#steps.length),
  });
  #targetsOf = (place: number): readonly string[] => this.#steps[this.#position(place).step] as readonly string[];
}
type ViaOf = (receiver: string, targets: readonly string[], asked: EpochMs) => Via;

const ALERT = "asked-1";

function recordOf(labels: Labels, at: EpochMs): AlertRecord {
  return {
    ...{ id: ALERT, rule: labels["alertname"] ?? "", series: 0, subject: "", labels, annotations: {} },
    severity: severities.find((severity) => severity === labels["severity"]) ?? "warning",
    ...{ state: "firing", since: at, firedAt: at, resolvedAt: null, latchedAt: null },
    ...{ value: 0, peak: 0, limit: null, unit: null },
  };
}

const alone = (record: AlertRecord): Occurrence => ({ number: 0, record, ordinal: 1, key: "", units: 0, events: 0, ack: null, except: null, lines: [] });

const firing = ({ rule }: AlertRecord, at: EpochMs): Transition => ({
  ...{ alert: ALERT, ordinal: 1, to: "firing", reason: "condition", ts: at, figures: { value: 0, peak: 0 } },
  evidence: { rule, logic: "", predicate: "", test: { all: [] }, measure: 0, ts: at, since: at, trigger: "input", watermark: null, from: "inactive" },
});
