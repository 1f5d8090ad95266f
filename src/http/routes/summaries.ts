// /api/v1/summaries: what the nightly job wrote, a row per series and local day, newest day first.

import { z } from "zod";
import { cursorSchema, daySchema, limitSchema, seriesIdsSchema } from "../parameter.ts";
import { reconciliationOf, reconciliationSchema } from "../reconciliation-view.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { labelsSchema, rfc3339, timeSchema } from "../view.ts";

export const summarySchema = z.strictObject({
  day: z.string().meta({ description: "Local day, YYYY-MM-DD" }),
  zone: z.string().meta({ description: "IANA zone of the day" }),
  series: z.int().meta({ description: "As in /api/v1/series" }),
  labels: labelsSchema,
  unit: z.string().nullable(),
  count: z.int(),
  min: z.number(),
  max: z.number(),
  min_ts: timeSchema.nullable().meta({ description: "When it was read first; null in summaries written before this was kept" }),
  max_ts: timeSchema.nullable(),
  avg: z.number(),
  stddev: z.number().nullable().meta({ description: "Of the sample; null for a single reading" }),
  sum: z.number().nullable().meta({ description: "null when it is beyond what a double holds" }),
  p50: z.number().meta({ description: "Percentiles by nearest rank" }),
  p95: z.number(),
  p99: z.number(),
  first: z.number(),
  first_ts: timeSchema,
  last: z.number(),
  last_ts: timeSchema,
  coverage: z.number().meta({ description: "Share of the day that is not in gaps" }),
  largest_gap_ms: z.number(),
  gaps: z.int().meta({ description: "Times without readings longer than 3 × the median interval" }),
  longest_gaps: z
    .array(z.tuple([timeSchema, timeSchema]))
    .meta({ description: "Start and end of the longest gaps, at most 20, in order of time; fewer than `gaps` where there are more, or in old summaries" }),
  median_interval_ms: z.number().nullable(),
  day_ms: z.number().meta({ description: "Length of the day" }),
  late: z.int().meta({ description: "Readings that came late" }),
  alerts: z.int().meta({ description: "Alerts that fired in the day" }),
  version: z.int().meta({ description: "Counts how often the figures changed" }),
  approximate: z.boolean().meta({ description: "The readings were no longer whole" }),
  computed_at: timeSchema,
  reconciliation: reconciliationSchema.nullable().meta({ description: "The stream held against the batch; null where they agree" }),
});

export const summaries = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/summaries",
  summary: "Daily summaries, newest day first",
  query: z.strictObject({
    day: daySchema.exactOptional(),
    from: daySchema.exactOptional(),
    to: daySchema.exactOptional(),
    series: seriesIdsSchema.exactOptional(),
    limit: limitSchema,
    cursor: cursorSchema.exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: z.strictObject({ summaries: z.array(summarySchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query, labels }) {
    const answer = await deps.query({ kind: "summaries", labels, ...query });
    const rows = answer.summaries.map((row) => ({
      ...row,
      first_ts: rfc3339(row.first_ts),
      last_ts: rfc3339(row.last_ts),
      min_ts: row.min_ts === null ? null : rfc3339(row.min_ts),
      max_ts: row.max_ts === null ? null : rfc3339(row.max_ts),
      longest_gaps: row.longest_gaps.map(([start, end]): [string, string] => [rfc3339(start), rfc3339(end)]),
      computed_at: rfc3339(row.computed_at),
      reconciliation: row.reconciliation === null ? null : reconciliationOf(row.reconciliation),
    }));
    return { body: { summaries: rows, cursor: answer.cursor } };
  },
});
