// Alerts of the gateway about itself: a notification was given up (`highwater-dead-letter`), told by the other channels; the wall clock was
// set (`highwater-clock-step`). They stand, latched, until somebody resets them or the gateway starts anew. What tells of a dead letter
// raises no further one. The store is larger than its limit (`highwater-disk-limit`), or so with nothing left that may go
// (`highwater-disk-held`): these end by themselves.

import type { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Evidence, TransitionReason } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { DiskState } from "./input.ts";
import type { Labels } from "./reading.ts";
import { type DurationMs, type EpochMs, formatDuration } from "./units.ts";

export const DEAD_LETTER_RULE = "highwater-dead-letter";
export const CLOCK_STEP_RULE = "highwater-clock-step";
export const DISK_LIMIT_RULE = "highwater-disk-limit";
export const DISK_HELD_RULE = "highwater-disk-held";
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
const diskLimit: Kind = { rule: DISK_LIMIT_RULE, reason: "disk_limit", predicate: "the store is larger than its limit", test: notNone, severity: "warning" };
const diskHeld: Kind = {
  rule: DISK_HELD_RULE,
  reason: "disk_held",
  predicate: "the store is larger than its limit, and nothing in it may go",
  test: notNone,
  severity: "critical",
};
const kinds: Readonly<Record<string, Kind>> = {
  [DEAD_LETTER_RULE]: deadLetter,
  [CLOCK_STEP_RULE]: clockStep,
  [DISK_LIMIT_RULE]: diskLimit,
  [DISK_HELD_RULE]: diskHeld,
};
const kindOf = ({ rule }: AlertRecord): Kind => kinds[rule] as Kind;
/** Why the gateway's own alert of this name fires. */
export const gatewayReasonOf = (rule: string): TransitionReason | undefined => kinds[rule]?.reason;

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

  /** @param state what holds now; said again, it changes nothing */
  disk({ state, used, limit, at }: { state: DiskState; used: number; limit: number; at: EpochMs }, into: Dispatcher): void {
    const size = `${megabytes(used)} of ${megabytes(limit)} MB`;
    const over = `The store has ${size} (storage.disk_limit): the oldest days of single readings are dropped before their time. Rollups and summaries stay.`;
    const held = `The store has ${size} (storage.disk_limit), and no day of single readings may go: nothing is acknowledged until there is room.`;
    this.#stand(diskLimit, state !== "ok", { at, summary: over, value: used }, into);
    this.#stand(diskHeld, state === "held", { at, summary: held, value: used }, into);
  }

  /** Opens or resolves an alert of which there is one at most. */
  #stand(kind: Kind, isMet: boolean, { at, summary, value }: { at: EpochMs; summary: string; value: number }, into: Dispatcher): void {
    const standing = this.#standing.find(({ rule }) => rule === kind.rule);
    if (standing === undefined && isMet) this.#open(kind, { at, labels: {}, summary, value, latches: false }, into);
    if (standing !== undefined && !isMet) this.#resolve(standing, at, kind.reason, into);
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
    { at: asked, labels, summary, value, latches = true }: { at: EpochMs; labels: Labels; summary: string; value: number; latches?: boolean },
    into: Dispatcher,
    except?: Told,
  ): void {
    const { rule, severity } = kind;
    const key = fingerprint(rule + (labels["receiver"] ?? "") + (labels["channel"] ?? ""));
    const at = Math.max(asked, (this.#fired[key] ?? Number.NEGATIVE_INFINITY) + 1);
    this.#fired[key] = at;
    const record: AlertRecord = {
      ...{ id: `${key}-${at.toString(36)}`, rule, series: NO_SERIES, subject: "gateway", severity, labels: { alertname: rule, severity, ...labels } },
      ...{
        annotations: { summary },
        state: "firing",
        since: at,
        firedAt: at,
        resolvedAt: null,
        latchedAt: latches ? at : null,
        value,
        peak: value,
        limit: null,
        unit: null,
      },
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

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

type Told = { readonly receiver: string; readonly channel: string };

const evidenceOf = ({ rule, predicate, test }: Kind, measure: number, from: "inactive" | "firing", ts: EpochMs): Evidence => ({
  ...{ rule, logic: GATEWAY_LOGIC, predicate, test, measure, ts, since: ts, trigger: "input", watermark: null, from },
});
