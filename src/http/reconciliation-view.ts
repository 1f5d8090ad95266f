// The reconciliation of a series' day, as the API says it.

import { z } from "zod";
import type { Reconciliation } from "../storage/reconciliation.ts";
import { rfc3339, timeSchema } from "./view.ts";

const figures = z.strictObject({ count: z.int(), min: z.number().nullable(), max: z.number().nullable(), avg: z.number().nullable() });
const time = timeSchema.nullable();

export const reconciliationSchema = z.strictObject({
  stream: figures.meta({ description: "What the rules heard in time" }),
  batch: figures.meta({ description: "All of the day" }),
  late: z.int().meta({ description: "Readings that the rules heard too late" }),
  duplicate: z.int().meta({ description: "Of the readings that arrived in the day; neither counts them" }),
  conflict: z.int(),
  quarantined: z.int(),
  unexplained: z.int().meta({ description: "Readings by which the stream's rollups differ though nothing explains it: a fault. 0 otherwise" }),
  alerts: z
    .array(
      z.strictObject({
        kind: z.enum(["missed", "mistaken", "moved"]).meta({ description: "With all readings in time: would have fired, would not have, or at another time" }),
        rule: z.string(),
        alert: z.string().nullable().meta({ description: "The alert that fired" }),
        fired_at: time,
        resolved_at: time,
        due: z.strictObject({ fired_at: timeSchema, resolved_at: time }).nullable().meta({ description: "What it would have been" }),
        because: z
          .enum(["late", "other"])
          .meta({ description: "Late readings lie where it counts; or downtime, a change of rules or what people did made the difference" }),
      }),
    )
    .nullable()
    .meta({ description: "Judged again by event time; null: there were too many readings, or the series has imported ones" }),
});

const orNull = (ts: number | null): string | null => (ts === null ? null : rfc3339(ts));

export function reconciliationOf({ alerts, ...found }: Reconciliation): z.output<typeof reconciliationSchema> {
  const told = alerts?.map(({ fired_at, resolved_at, due, ...rest }) => ({
    ...rest,
    fired_at: orNull(fired_at),
    resolved_at: orNull(resolved_at),
    due: due === null ? null : { fired_at: rfc3339(due.fired_at), resolved_at: orNull(due.resolved_at) },
  }));
  return { ...found, alerts: told ?? null };
}
