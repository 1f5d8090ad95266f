// The API's words for what the store and the engine hold: snake_case, instants as RFC 3339 in UTC. The schemas stand
// beside the functions that make what they describe.

import { z } from "zod";
import { type LifeEvent, lifeEvents, refusalOf } from "../engine/dispatch/life.ts";
import { type AlertEvent, alertEventKinds, notificationKinds, type Shelf } from "../engine/dispatch/record.ts";
import type { AlertRecord } from "../engine/effect.ts";
import { severities } from "../engine/severity.ts";
import type { EpochMs } from "../engine/units.ts";
import { type AlertHistory, type AlertView, dispositions, type NotificationView } from "../storage/query.ts";

export const timeSchema = z.iso.datetime();
export const labelsSchema = z.record(z.string(), z.string());

/** The last instant that a JavaScript date can name; device clocks may be beyond. */
const INSTANT_MAX = 8_640_000_000_000_000;

/** RFC 3339 in UTC with milliseconds; what no calendar can name becomes the nearest that it can. */
export const rfc3339 = (ts: EpochMs): string => new Date(Math.min(Math.max(ts, -INSTANT_MAX), INSTANT_MAX)).toISOString();
const rfc3339OrNull = (ts: EpochMs | null): string | null => (ts === null ? null : rfc3339(ts));

export const alertStates = ["pending", "firing", "recovering", "resolved"] as const;

export const shelfSchema = z.strictObject({
  kind: z.enum(["timed", "until_clear", "out_of_service"]),
  by: z.string(),
  at: timeSchema,
  until: timeSchema.nullable().meta({ description: "null: until somebody returns it to service" }),
  why: z.string(),
});

export const shelfOfView = ({ kind, by, at, until, why }: Shelf): z.output<typeof shelfSchema> => ({
  kind,
  by,
  at: rfc3339(at),
  until: rfc3339OrNull(until),
  why,
});

/** Of paths under /api/v1/alerts/:id. */
export const alertParams = z.strictObject({ id: z.string().meta({ description: "As /api/v1/alerts gives it" }) });

export const alertSchema = z
  .strictObject({
    id: z.string().nullable().meta({ description: "null while pending: what never fires has no occurrence" }),
    rule: z.string(),
    severity: z.enum(severities),
    series: z.int().meta({ description: "As in /api/v1/series" }),
    labels: labelsSchema.meta({ description: "alertname, severity, the rule's, the device's and the series' labels" }),
    annotations: labelsSchema.meta({ description: "Templates, as they were when it fired" }),
    state: z.enum(alertStates),
    since: timeSchema.meta({ description: "Event time of the newest transition; while pending, since when the condition is met" }),
    fired_at: timeSchema.nullable(),
    resolved_at: timeSchema.nullable(),
    value: z.number().nullable().meta({ description: "At the newest transition; the good value once resolved" }),
    peak: z
      .number()
      .nullable()
      .meta({ description: "Furthest into the breach, as of the newest transition: while it fires, readings since then may have gone further" }),
    limit: z.number().nullable(),
    unit: z.string().nullable(),
    latched_at: timeSchema.nullable().meta({ description: "Its condition has cleared since then, and it waits for a reset" }),
    acked_at: timeSchema.nullable(),
    acked_by: z.string().nullable(),
    ack_note: z.string().nullable(),
    hidden: z
      .array(z.strictObject({ disposition: z.string(), cause: z.string() }))
      .meta({ description: "What kept the newest notification of it from each channel that was not told; empty: nothing did" }),
    shelved: shelfSchema.nullable().meta({ description: "It is shelved or out of service now, as all occurrences of its rule on its subject" }),
    allowed: z.array(z.enum(lifeEvents)).meta({ description: "What may be done to it in its state; nothing while pending" }),
  })
  .meta({ description: "One occurrence of a rule on a series" });
export type Alert = z.output<typeof alertSchema>;

export function alertOfView(view: AlertView): Alert {
  return {
    id: view.id,
    rule: view.rule,
    severity: view.severity,
    series: view.series,
    labels: view.labels,
    annotations: view.annotations,
    state: view.state,
    since: rfc3339(view.since),
    fired_at: rfc3339OrNull(view.firedAt),
    resolved_at: rfc3339OrNull(view.resolvedAt),
    value: finiteOrNull(view.value),
    peak: finiteOrNull(view.peak),
    limit: finiteOrNull(view.limit),
    unit: view.unit,
    latched_at: rfc3339OrNull(view.latchedAt),
    acked_at: rfc3339OrNull(view.ackedAt ?? null),
    acked_by: view.ackedBy ?? null,
    ack_note: view.ackNote ?? null,
    hidden: (view.hidden ?? []).map(({ disposition, cause }) => ({ disposition, cause })),
    shelved: view.shelf == null ? null : shelfOfView(view.shelf),
    allowed: allowedFor(view),
  };
}

function allowedFor({ state, latchedAt, ackedAt, shelf }: AlertView): LifeEvent[] {
  if (state === "pending") return [];
  const condition = state === "resolved" ? "over" : latchedAt !== null ? "latched" : state;
  const life = { condition, isAcknowledged: ackedAt != null, shelving: shelf?.kind ?? "none" } as const;
  return lifeEvents.filter((event) => refusalOf(life, event) === undefined);
}

/** JSON has no infinities. */
const finiteOrNull = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** The engine tells what became of its condition, not what people did with it: of that nothing is said. */
export const alertOfRecord = (record: AlertRecord): Alert => ({ ...alertOfView(record), allowed: [] });

export const transitionSchema = z.strictObject({
  ordinal: z.int(),
  to: z.enum(["firing", "recovering", "resolved"]),
  reason: z.string().meta({ description: "condition, latched, reset, level, rule_changed, rule_removed, dead_letter, clock_step, disk_limit or disk_held" }),
  ts: timeSchema.meta({ description: "Event time" }),
  at: timeSchema.meta({ description: "When it was committed" }),
  value: z.number().nullable(),
  peak: z.number().nullable().meta({ description: "Furthest into the breach until then" }),
  evidence: z
    .looseObject({
      predicate: z.string(),
      test: z
        .record(z.string(), z.unknown())
        .meta({ description: "The predicate to be judged again: above, below, outside, inside (and clear_…), at_least, at_most, silent_for, all, any" }),
      for_ms: z.number().exactOptional(),
      keep_firing_for_ms: z.number().exactOptional(),
      measure: z.number(),
      ts: timeSchema,
      since: timeSchema,
      trigger: z.string(),
      watermark: timeSchema.nullable(),
      from: z.string(),
      silence: z.strictObject({ last: timeSchema.nullable(), quiet_ms: z.number() }).exactOptional(),
      window: z.strictObject({ start: timeSchema, end: timeSchema, aggregate: z.string(), count: z.int(), min_count: z.int().exactOptional() }).exactOptional(),
    })
    .meta({ description: "What decided: judging `measure` by `predicate` again gives the same transition" }),
});
export type AlertTransition = z.output<typeof transitionSchema>;

export function transitionOfView({ ordinal, to, reason, ts, at, figures, evidence }: AlertHistory["transitions"][number]): AlertTransition {
  const { window, silence, instant, levels, ...judged } = evidence;
  return {
    ordinal,
    to,
    reason,
    ts: rfc3339(ts),
    at: rfc3339(at),
    value: finiteOrNull(figures.value),
    peak: finiteOrNull(figures.peak),
    evidence: {
      ...judged,
      ts: rfc3339(evidence.ts),
      since: rfc3339(evidence.since),
      watermark: rfc3339OrNull(evidence.watermark),
      ...(window === undefined ? {} : { window: { ...window, start: rfc3339(window.start), end: rfc3339(window.end) } }),
      ...(silence === undefined ? {} : { silence: silenceOf(silence) }),
      ...(judged.change?.kind === "anew" && judged.change.silence !== undefined
        ? { change: { ...judged.change, silence: silenceOf(judged.change.silence) } }
        : {}),
      ...(levels === undefined ? {} : { levels: levels.map(({ since, ...level }) => ({ ...level, ...(since !== undefined && { since: rfc3339(since) }) })) }),
      ...(instant === undefined ? {} : { instant: rfc3339(instant) }),
    },
  };
}

const silenceOf = ({ last, quiet_ms }: { readonly last: EpochMs | null; readonly quiet_ms: number }) => ({ last: rfc3339OrNull(last), quiet_ms });

export const notificationSchema = z.strictObject({
  id: z.string(),
  alert: z.string(),
  ordinal: z.int().meta({ description: "Of the transition that it tells of" }),
  receiver: z.string(),
  channel: z.string(),
  seq: z.int().meta({ description: "1, 2, … per alert, receiver and channel" }),
  state: z.enum(["firing", "resolved"]),
  kind: z.enum(notificationKinds).meta({ description: "Why somebody is told" }),
  disposition: z.enum(dispositions),
  cause: z.string().nullable().meta({
    description:
      "Of what was not sent by itself: notification:ID, storm:ID, flapping:ID, wait, silence:ID, alert:ID, interval:NAME, shelf:KEY or out_of_service:KEY",
  }),
  group: z.string().nullable().meta({ description: "With which it shares notifications" }),
  held_until: timeSchema.nullable().meta({ description: "While it waits for its group, or for what may inhibit it" }),
  created_at: timeSchema,
  attempts: z.int(),
  next_at: timeSchema.nullable().meta({ description: "While it waits: when it is tried next" }),
  ended_at: timeSchema.nullable(),
  reason: z.string().nullable().meta({ description: "Of the last failure" }),
});
export type Notification = z.output<typeof notificationSchema>;

export function notificationOfView(view: NotificationView): Notification {
  const { id, alert, ordinal, receiver, channel, seq, state, kind, disposition, cause, line, attempts, reason } = view;
  return {
    id,
    alert,
    ordinal,
    receiver,
    channel,
    seq,
    state,
    kind,
    disposition,
    cause,
    group: line,
    held_until: rfc3339OrNull(view.heldUntil),
    created_at: rfc3339(view.createdAt),
    attempts,
    next_at: disposition === "waiting" && view.heldUntil === null ? rfc3339(view.nextAt) : null,
    ended_at: rfc3339OrNull(view.endedAt),
    reason,
  };
}

export const alertEventSchema = z.strictObject({
  at: timeSchema,
  kind: z.enum(alertEventKinds),
  by: z.string().meta({ description: "Empty where time did it" }),
  text: z.string().meta({ description: "Note, reason or comment" }),
  until: timeSchema.nullable(),
});

export const alertEventOfView = ({ at, kind, by, text, until }: AlertEvent): z.output<typeof alertEventSchema> => ({
  ...{ at: rfc3339(at), kind, by, text, until: rfc3339OrNull(until) },
});
