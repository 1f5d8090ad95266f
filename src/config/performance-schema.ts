// The block `alarm_performance`: what the figures of alarm performance are measured against. Defaults and where they come from:
// engine/alarm-targets.ts. All targets are bounds; none is a limit of the gateway, and nothing is refused or hidden by them.

import { z } from "zod";
import { type AlarmTargets, defaultTargets } from "../engine/alarm-targets.ts";
import { durationSchema } from "../engine/duration-schema.ts";
import { formatDuration } from "../engine/units.ts";

const rate = (fallback: number, description: string) => z.number().min(0).max(1_000_000).default(fallback).meta({ description });
const count = (fallback: number, description: string) => z.int().min(1).max(1_000_000).default(fallback).meta({ description });
const share = (fallback: number, description: string) =>
  z
    .number()
    .min(0, "write a share from 0 to 1, such as 0.05")
    .max(1, "write a share from 0 to 1, such as 0.05")
    .default(fallback)
    .meta({ description: `${description}, 0 to 1` });
const { mix: shares, chattering: chatter, ...bounds } = defaultTargets;

const chattering = z
  .strictObject({
    firings: z.int().min(2).max(1_000).default(chatter.firings).meta({ description: "An alert that fires so often" }),
    within: durationSchema.prefault(formatDuration(chatter.withinMs)).meta({ description: "within less than this, in event time, chatters" }),
  })
  .prefault({})
  .meta({ description: "What counts as chattering; no target, but what the figures count" });

const mix = z
  .strictObject({
    critical: share(shares.critical, "At most"),
    warning: share(shares.warning, "At most"),
    info: share(shares.info, "At least"),
  })
  .prefault({})
  .meta({ description: "Shares of all alerts by severity" });

const targets = z
  .strictObject({
    per_10_min: rate(bounds.perTenMinutes, "Alerts in 10 minutes, on average"),
    flood_per_10_min: count(bounds.floodPerTenMinutes, "More alerts than this within any 10 minutes are a flood"),
    flood_end_per_10_min: z
      .int()
      .min(1)
      .max(1_000_000)
      .exactOptional()
      .meta({ description: `A flood ends when 10 minutes hold fewer than this; default ${bounds.floodEndPerTenMinutes}, or flood_per_10_min if that is less` }),
    per_hour: rate(bounds.perHour, "Alerts in an hour, on average"),
    peak_per_hour: count(bounds.peakPerHour, "Alerts in any hour"),
    time_in_flood: share(bounds.timeInFlood, "Of the time, in floods"),
    top_ten_share: share(bounds.topTenShare, "Of all alerts, those of the ten most frequent (a rule on a series or group)"),
    stale: z.int().min(0).max(1_000_000).default(bounds.stale).meta({ description: "Alerts that stand for more than a day" }),
    mix,
    acknowledge: durationSchema.prefault(formatDuration(bounds.acknowledgeMs)).meta({ description: "Median time until an alert is acknowledged" }),
    chattering,
  })
  .superRefine(({ flood_per_10_min, flood_end_per_10_min }, context) => {
    if (flood_end_per_10_min !== undefined && flood_end_per_10_min > flood_per_10_min)
      context.addIssue({
        code: "custom",
        path: ["flood_end_per_10_min"],
        message: "flood_end_per_10_min is more than flood_per_10_min: a flood would end as it begins",
        params: { hint: "make it smaller, such as half of it" },
      });
  })
  .prefault({})
  .meta({ description: "Bounds that a span of time meets or misses" });

export const alarmPerformance = z.strictObject({ targets }).prefault({}).meta({ description: "What alarm performance is measured against" });

/** As the engine reckons with them. */
export const toTargets = ({ targets: given }: z.output<typeof alarmPerformance>): AlarmTargets => ({
  perTenMinutes: given.per_10_min,
  floodPerTenMinutes: given.flood_per_10_min,
  floodEndPerTenMinutes: given.flood_end_per_10_min ?? Math.min(defaultTargets.floodEndPerTenMinutes, given.flood_per_10_min),
  perHour: given.per_hour,
  peakPerHour: given.peak_per_hour,
  timeInFlood: given.time_in_flood,
  topTenShare: given.top_ten_share,
  stale: given.stale,
  mix: given.mix,
  acknowledgeMs: given.acknowledge,
  chattering: { firings: given.chattering.firings, withinMs: given.chattering.within },
});
