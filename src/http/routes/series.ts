// /api/v1/series: the series that the gateway knows, each with its newest reading.

import { z } from "zod";
import { cursorSchema, limitSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { labelsSchema, rfc3339, timeSchema } from "../view.ts";

export const seriesSchema = z.strictObject({
  id: z.int(),
  key: z.string().meta({ description: "Its own labels as one text" }),
  labels: labelsSchema.meta({ description: "Its own and, under them, its device's" }),
  unit: z.string().nullable(),
  source: z.string().meta({ description: "Topic template that brought it first" }),
  last: z.strictObject({ ts: timeSchema.meta({ description: "Event time" }), value: z.number() }).nullable(),
});
export type SeriesRow = z.output<typeof seriesSchema>;

export const series = defineRoute({
  kind: "answer",
  path: "/api/v1/series",
  summary: "Series with their newest reading",
  query: z.strictObject({ limit: limitSchema, cursor: cursorSchema.exactOptional() }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: z.strictObject({ series: z.array(seriesSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query, labels }) {
    const [answer, latest] = await Promise.all([deps.query({ kind: "series", labels, ...query }), deps.latest(-1)]);
    const newest = new Map<number, number>();
    latest.series.forEach((id, index) => {
      newest.set(id, index);
    });
    const rows = answer.series.map(({ id, key, labels: own, unit, source, last }): SeriesRow => {
      const index = newest.get(id);
      const reading = index === undefined ? last : { ts: latest.ts[index] as number, value: latest.value[index] as number };
      return { id, key, labels: own, unit, source, last: reading && { ts: rfc3339(reading.ts), value: reading.value } };
    });
    return { body: { series: rows, cursor: answer.cursor } };
  },
});
