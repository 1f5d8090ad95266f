// Alerts of the gateway about itself: a notification was given up (`highwater-dead-letter`), told by the other channels; the wall clock was
// set (`highwater-clock-step`). They stand, latched, until somebody resets them or the gateway starts anew. What tells of a dead letter
// raises no further one.

import type { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Evidence, TransitionReason } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Labels } from "./reading.ts";
import { type DurationMs, type EpochMs, formatDuration } from "./units.ts";

export const DEAD_LETTER_RULE = "highwater-dead-letter";
export const CLOCK_STEP_RULE = "highwater-clock-step";
/** Stands for "of no series" in an AlertRecord. */
export const NO_SERIES = -1;

/** `logic` in their evidence. */
export const GATEWAY_LOGIC = "gateway";

type Kind = {
  readonly rule: string;
  readonly reason: TransitionReason;
  readonly predicate: string;
  /** Breached by any measure but 0, which is said of what has ended. */
  readonly test: Evidence["test"];
  readonly severity: "critical" | "warning";
};
const notNone: Evidence["test"] = { outside: [0, 0] };
const deadLetter: Kind = { rule: DEAD_LETTER_RULE, reason: "dead_letter", predicate: "a notification was given up", test: notNone, severity: "critical" };
const clockStep: Kind = { rule: CLOCK_STEP_RULE, reason: "clock_step", predicate: "the wall clock was set", test: notNone, severity: "warning" };
const kindOf = ({ rule }: AlertRecord): Kind => (rule === CLOCK_STEP_RULE ? clockStep : deadLetter);

export class GatewayAlerts {
  #standing: AlertRecord[] = [];
  /** When the last one of each key fired: another at the same instant, or by a clock that was set back, is dated 1 ms later. */
  #fired: Record<string, EpochMs> = {};

  deadLetter(input: { at: EpochMs; notification: string; reason: string; receiver?: string; channel?: string }, into: Dispatcher): void {
    const told = into.toldBy(input.notification);
    const isOwn = this.#standing.some(({ id, rule }) => rule === DEAD_LETTER_RULE && input.notification.startsWith(id));
    if (isOwn || this.#standing.some(({ labels }) => labels["channel"] === told.channel && labels["receiver"] === told.receiver)) return;
    const summary = `A notification by ${told.channel} of ${told.receiver} was given up: ${input.reason.replace(/[{}%]/g, " ")}`;
    this.#open(deadLetter, { at: input.at, labels: told, summary, value: 1 }, into, told);
  }

  /** @param by milliseconds, to the future or the past */
  clockStepped(by: DurationMs, at: EpochMs, into: Dispatcher): void {
    if (this.#standing.some(({ rule }) => rule === CLOCK_STEP_RULE)) return;
    const words = `${formatDuration(Math.abs(by))} ${by > 0 ? "forward" : "back"}`;
    const summary = `The wall clock was set ${words}. Silences, mutes and schedules go by the new time; what people wait for keeps what was left of it.`;
    this.#open(clockStep, { at, labels: {}, summary, value: by }, into);
  }

  started(at: EpochMs, into: Dispatcher): void {
    for (const standing of [...this.#standing]) this.#resolve(standing, at, kindOf(standing).reason, into);
  }

  /** @returns whether it is one of these */
  reset(record: AlertRecord, at: EpochMs, into: Dispatcher): boolean {
    const standing = this.#standing.find(({ id }) => id === record.id);
    if (standing !== undefined) this.#resolve(standing, at, "reset", into);
    return standing !== undefined;
  }

  save(): string {
    return JSON.stringify([this.#standing, this.#fired]);
  }

  restore(text: string): void {
    [this.#standing, this.#fired] = JSON.parse(text) as [AlertRecord[], Record<string, EpochMs>];
  }

  #open(
    kind: Kind,
    { at: asked, labels, summary, value }: { at: EpochMs; labels: Labels; summary: string; value: number },
    into: Dispatcher,
    except?: Told,
  ): void {
    const { rule, severity } = kind;
    const key = fingerprint(rule + (labels["receiver"] ?? "") + (labels["channel"] ?? ""));
    const at = Math.max(asked, (this.#fired[key] ?? Number.NEGATIVE_INFINITY) + 1);
    this.#fired[key] = at;
    const record: AlertRecord = {
      ...{ id: `${key}-${at.toString(36)}`, rule, series: NO_SERIES, subject: "gateway", severity, labels: { alertname: rule, severity, ...labels } },
      ...{ annotations: { summary }, state: "firing", since: at, firedAt: at, resolvedAt: null, latchedAt: at, value, peak: value, limit: null, unit: null },
    };
    this.#standing.push(record);
    const figures = { value, peak: value };
    const evidence = evidenceOf(kind, 1, "inactive", at);
    into.transition({ alert: record.id, ordinal: 1, to: "firing", reason: kind.reason, ts: at, figures, evidence }, record, except);
  }

  #resolve(standing: AlertRecord, at: EpochMs, reason: TransitionReason, into: Dispatcher): void {
    this.#standing = this.#standing.filter(({ id }) => id !== standing.id);
    const ts = Math.max(at, standing.firedAt);
    const record: AlertRecord = { ...standing, state: "resolved", since: ts, resolvedAt: ts, latchedAt: null, value: 0 };
    const figures = { value: 0, peak: standing.peak };
    const evidence: Evidence = { ...evidenceOf(kindOf(standing), 0, "firing", ts), ...(reason === "reset" && { change: { kind: "reset" } }) };
    into.transition({ alert: record.id, ordinal: 2, to: "resolved", reason, ts, figures, evidence }, record);
  }
}

type Told = { readonly receiver: string; readonly channel: string };

const evidenceOf = ({ rule, predicate, test }: Kind, measure: number, from: "inactive" | "firing", ts: EpochMs): Evidence => ({
  ...{ rule, logic: GATEWAY_LOGIC, predicate, test, measure, ts, since: ts, trigger: "input", watermark: null, from },
});
