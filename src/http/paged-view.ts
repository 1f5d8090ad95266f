// The API's words for who would be paged: by which routes, at which step after which wait, and why not before. Steps and rounds are counted from 1.

import { z } from "zod";
import type { Paged, PagedEvent, PagedReceiver, PagedRoute, Via } from "../engine/dispatch/paged.ts";
import { notificationKinds } from "../engine/dispatch/record.ts";
import type { Labels } from "../engine/reading.ts";
import type { RulePlan } from "../engine/rule.ts";
import type { EpochMs } from "../engine/units.ts";
import { byOf, bySchema } from "./oncall-view.ts";
import { rfc3339, timeSchema } from "./view.ts";

const viaSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("receiver") }),
    z.strictObject({ kind: z.literal("before") }),
    z.strictObject({ kind: z.literal("schedule"), schedule: z.string(), by: bySchema }),
  ])
  .meta({ description: "`receiver`: named itself; `schedule`: as the one on call by it; `before`: told earlier, and told again" });

const place = { at: timeSchema, after_ms: z.number().meta({ description: "Since it fired: all waits before" }) };
const step = { step: z.int().min(1), round: z.int().min(1).meta({ description: "How many times the steps are gone through, with this one" }) };

const eventSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("told"),
    ...place,
    ...step,
    why: z.enum(notificationKinds),
    receivers: z
      .array(z.strictObject({ receiver: z.string(), channels: z.array(z.string()), via: viaSchema }))
      .meta({ description: "None: each of its channels is told by another route" }),
  }),
  z.strictObject({ kind: z.literal("skipped"), ...place, ...step, targets: z.array(z.string()).meta({ description: "Nobody is on call for any of them" }) }),
  z.strictObject({
    kind: z.literal("hidden"),
    ...place,
    cause: z.string().meta({ description: "`interval:NAME`, `silence:ID`; `nobody:NAME` where nobody at all is on call" }),
    until: timeSchema.nullable().meta({ description: "null: for as long as was looked" }),
  }),
]);

export const pagedRouteSchema = z.strictObject({
  target: z.string(),
  kind: z.enum(["receiver", "schedule", "escalation"]),
  group: z.string().nullable().meta({ description: "The group in which it is told; null: on its own" }),
  group_wait_ms: z.number(),
  group_interval_ms: z.number(),
  repeat_ms: z.number().nullable(),
  muted: z
    .strictObject({ interval: z.string(), until: timeSchema.nullable() })
    .nullable()
    .meta({ description: "The time interval that mutes it when it fires" }),
  events: z.array(eventSchema).meta({ description: "What happens while nobody acknowledges, in order, up to the last step" }),
  complete: z.boolean().meta({ description: "The last step is in it" }),
});
export type PagedRouteView = z.output<typeof pagedRouteSchema>;

export const pagedRouteOf = ({ settings, group, targetKind, muted, events, isComplete }: PagedRoute, at: EpochMs): PagedRouteView => ({
  target: settings.target,
  kind: targetKind,
  group,
  group_wait_ms: settings.waitMs,
  group_interval_ms: settings.intervalMs,
  repeat_ms: settings.repeatMs,
  muted: muted === null ? null : { interval: muted.interval, until: orNull(muted.until) },
  events: events.map((event) => eventOf(event, at)),
  complete: isComplete,
});

function eventOf(event: PagedEvent, firedAt: EpochMs): z.output<typeof eventSchema> {
  const when = { at: rfc3339(event.at), after_ms: event.at - firedAt };
  if (event.kind === "hidden") return { kind: "hidden", ...when, cause: event.cause, until: orNull(event.until) };
  const counted = { step: event.step + 1, round: event.round + 1 };
  if (event.kind === "skipped") return { kind: "skipped", ...when, ...counted, targets: [...event.targets] };
  return { kind: "told", ...when, ...counted, why: event.why, receivers: event.told.map(receiverOf) };
}

const receiverOf = ({ receiver, channels, via }: PagedReceiver) => ({ receiver, channels: [...channels], via: viaOf(via) });
const viaOf = (via: Via): z.output<typeof viaSchema> =>
  via.kind === "schedule" ? { kind: "schedule", schedule: via.schedule, by: byOf(via.by) } : { kind: via.kind };
const orNull = (ts: EpochMs | null): string | null => (ts === null ? null : rfc3339(ts));

/** The routes that take it, and what becomes of it by each. */
export const pagedRoutesOf = ({ routes }: Paged, at: EpochMs): PagedRouteView[] => routes.map((route) => pagedRouteOf(route, at));

/** Labels as an alert has them, where some are given: with those of its device, and of its rule (`alertname`), which win in the engine too. */
export function completed({ rules, devices }: RulePlan, given: Labels): Labels {
  const rule = rules.find(({ name }) => name === given["alertname"]);
  const { labels = {} } = devices[given["device"] ?? ""] ?? {};
  const all = { ...labels, ...given, ...rule?.labels };
  return rule === undefined ? all : { ...all, severity: given["severity"] ?? rule.severity };
}
