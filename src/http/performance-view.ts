// Alarm performance in the API's words: snake_case, instants as RFC 3339 in UTC, shares from 0 to 1. `highwater performance --json`
// prints the same.

import { z } from "zod";
import type { Actor } from "../engine/alarm-figures.ts";
import type { AlarmPerformance } from "../engine/alarm-performance.ts";
import type { Flood, Peak } from "../engine/alarm-rate.ts";
import { targetNames } from "../engine/alarm-targets.ts";
import { severities } from "../engine/severity.ts";
import { labelsSchema, rfc3339, timeSchema } from "./view.ts";

const peakSchema = z.strictObject({ alerts: z.int(), start: timeSchema.nullable().meta({ description: "null when there were none" }) });
const share = z.number().nullable().meta({ description: "0 to 1; null when there were no alerts" });
const actorSchema = z.strictObject({
  rule: z.string(),
  labels: labelsSchema.meta({ description: "Of its newest alert" }),
  alerts: z.int(),
  share: z.number().meta({ description: "Of all alerts" }),
  chattering: z.boolean().meta({ description: "It fired three times or more within a minute, by event time" }),
  fleeting: z.int().meta({ description: "How many of its alerts stood for less than a minute, alone and unacknowledged" }),
});
const mixSchema = z.strictObject({ alerts: z.int(), share });

export const performanceSchema = z.strictObject({
  from: timeSchema,
  to: timeSchema.meta({ description: "Not after now" }),
  alerts: z.int().meta({ description: "That were told in this time, by the wall clock of the commit" }),
  hidden: z.int().meta({ description: "Of them, those of which nobody was notified, because of a silence, an inhibition, a mute or a shelf" }),
  rate: z.strictObject({
    per_10_min: z.number(),
    per_hour: z.number(),
    peak_10_min: peakSchema.meta({ description: "Of any ten minutes, wherever they begin" }),
    peak_10_min_fixed: peakSchema.meta({ description: "Of ten minutes from :00, :10, … UTC" }),
    peak_hour: peakSchema.meta({ description: "Of any hour" }),
  }),
  flood: z.strictObject({
    share: z.number().meta({ description: "Of the time" }),
    ms: z.number(),
    count: z.int(),
    floods: z
      .array(z.strictObject({ start: timeSchema, end: timeSchema.nullable(), alerts: z.int() }))
      .meta({ description: "The largest 100, in order of time; `end` is null while it goes on" }),
  }),
  top_ten: z.strictObject({
    alerts: z.int(),
    share,
    of: z.int().meta({ description: "How many pairs of rule and series or group had alerts" }),
    actors: z.array(actorSchema).meta({ description: "The most frequent first" }),
  }),
  chattering: z.strictObject({ count: z.int(), actors: z.array(actorSchema).meta({ description: "At most 100" }) }),
  fleeting: z.int(),
  stale: z.strictObject({
    count: z.int(),
    alerts: z
      .array(
        z.strictObject({
          id: z.string(),
          rule: z.string(),
          labels: labelsSchema,
          severity: z.enum(severities),
          told_at: timeSchema,
          cleared_at: timeSchema.nullable(),
        }),
      )
      .meta({ description: "The oldest 100: those that stood for more than a day at some time" }),
  }),
  acknowledge: z.strictObject({
    acknowledged: z.int(),
    never: z.int().meta({ description: "Not until now" }),
    median_ms: z.number().nullable(),
    p95_ms: z.number().nullable(),
  }),
  mix: z.strictObject({ critical: mixSchema, warning: mixSchema, info: mixSchema }),
  verdicts: z
    .array(
      z.strictObject({
        name: z.enum(targetNames).meta({ description: "Key of the target under `alarm_performance.targets`" }),
        bound: z.enum(["at_most", "at_least"]),
        value: z.number().nullable(),
        target: z.number(),
        met: z.boolean().nullable().meta({ description: "null when there is nothing to judge by" }),
      }),
    )
    .meta({ description: "One per target; `acknowledge` in ms" }),
});

export function performanceOfView(view: AlarmPerformance): z.output<typeof performanceSchema> {
  const { span, rate, flood, topTen, chattering, stale, acknowledge, mix } = view;
  return {
    from: rfc3339(span.from),
    to: rfc3339(span.to),
    alerts: view.alerts,
    hidden: view.hidden,
    rate: {
      per_10_min: rate.perTenMinutes,
      per_hour: rate.perHour,
      peak_10_min: peakOf(rate.peakTenMinutes),
      peak_10_min_fixed: peakOf(rate.fixedTenMinutes),
      peak_hour: peakOf(rate.peakHour),
    },
    flood: { share: flood.share, ms: flood.ms, count: flood.count, floods: flood.floods.map(floodOf) },
    top_ten: { alerts: topTen.count, share: topTen.share, of: topTen.of, actors: topTen.actors.map(actorOf) },
    chattering: { count: chattering.count, actors: chattering.actors.map(actorOf) },
    fleeting: view.fleeting,
    stale: {
      count: stale.count,
      alerts: stale.alerts.map(({ id, rule, labels, severity, toldAt, clearedAt }) => ({
        id,
        rule,
        labels,
        severity,
        told_at: rfc3339(toldAt),
        cleared_at: clearedAt === null ? null : rfc3339(clearedAt),
      })),
    },
    acknowledge: { acknowledged: acknowledge.acknowledged, never: acknowledge.never, median_ms: acknowledge.medianMs, p95_ms: acknowledge.p95Ms },
    mix: { critical: mixOf(mix.critical), warning: mixOf(mix.warning), info: mixOf(mix.info) },
    verdicts: [...view.verdicts],
  };
}

const peakOf = ({ count, start }: Peak) => ({ alerts: count, start: start === null ? null : rfc3339(start) });
const floodOf = ({ start, end, count }: Flood) => ({ start: rfc3339(start), end: end === null ? null : rfc3339(end), alerts: count });
const actorOf = ({ rule, labels, count, share: own, chattering, fleeting }: Actor) => ({ rule, labels, alerts: count, share: own, chattering, fleeting });
const mixOf = ({ count, share: own }: { count: number; share: number | null }) => ({ alerts: count, share: own });
