// /api/v1/readings: readings of some series as buckets, each saying which layer answered. `t` and `end` are in ms.

import { z } from "zod";
import { type Percentile, percentiles } from "../../storage/query.ts";
import { cursorSchema, instantSchema, limitSchema, seriesIdsSchema, stepSchema, wordsSchema } from "../parameter.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { labelsSchema } from "../view.ts";

/** Without `agg` the first five are given. */
const plain = ["count", "min", "max", "avg", "sum"] as const;
const figures = [...plain, ...percentiles] as const;

const figure = z.number().exactOptional();
const percentile = z.number().nullable().exactOptional().meta({ description: "Null where what is kept of the readings does not tell" });
export const bucketSchema = z.strictObject({
  t: z.number().meta({ description: "Start, inclusive, in ms" }),
  end: z.number().meta({ description: "End, exclusive, in ms; local days differ in length" }),
  count: z.int().exactOptional(),
  min: figure,
  max: figure,
  avg: figure,
  sum: figure,
  p50: percentile,
  p95: percentile,
  p99: percentile,
  source: z.enum(["batch", "stream", "raw"]).meta({ description: "Which layer answered" }),
  provisional: z.boolean().meta({ description: "It may still change" }),
});
export const seriesBucketsSchema = z.strictObject({
  id: z.int().meta({ description: "As in /api/v1/series" }),
  labels: labelsSchema,
  unit: z.string().nullable(),
  step_ms: z.number(),
  buckets: z.array(bucketSchema),
});
export type SeriesBucketsRow = z.output<typeof seriesBucketsSchema>;

export const readingsQuery = z.strictObject({
  series: seriesIdsSchema.exactOptional(),
  from: instantSchema.exactOptional(),
  to: instantSchema.exactOptional(),
  step: stepSchema.exactOptional(),
  agg: wordsSchema(figures, "Figures of each bucket; without it count, min, max, avg and sum").exactOptional(),
  limit: limitSchema,
  cursor: cursorSchema.exactOptional(),
});
type Asked = Pick<z.output<typeof readingsQuery>, "from" | "to"> & { readonly agg?: readonly (typeof figures)[number][] };

/** Which figures are asked for, those that cost more by themselves too. @throws Refusal when the time is none */
export function figuresOf({ from, to, agg = plain }: Asked): {
  readonly kept: readonly (typeof figures)[number][];
  readonly percentiles: readonly Percentile[];
} {
  if (from !== undefined && to !== undefined && from >= to) {
    throw new Refusal(400, "bad_parameter", "to: is not after from", "`from` is inclusive, `to` exclusive");
  }
  return { kept: figures.filter((name) => agg.includes(name)), percentiles: percentiles.filter((name) => agg.includes(name)) };
}

export const readings = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/readings",
  summary: "Readings as buckets of time",
  description: "Only buckets that hold readings are given. Without `step` it is the finest that fits.",
  query: readingsQuery,
  params: z.strictObject({}),
  takesLabels: true,
  answer: z.strictObject({ series: z.array(seriesBucketsSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query: { agg, ...query }, labels }) {
    const { kept, percentiles: ranked } = figuresOf({ ...query, ...(agg && { agg }) });
    const answer = await deps.query({ kind: "readings", labels, ...query, percentiles: ranked });
    const left = plain.filter((name) => !kept.includes(name));
    const series = answer.series.map(({ id, labels: own, unit, step_ms, buckets }) => ({
      id,
      labels: own,
      unit,
      step_ms,
      buckets: left.length === 0 ? [...buckets] : buckets.map((bucket) => without(bucket, left)),
    }));
    return { body: { series, cursor: answer.cursor } };
  },
});

function without<Row extends object, Key extends keyof Row>(row: Row, keys: readonly Key[]): Omit<Row, Key> {
  const rest = { ...row };
  for (const key of keys) delete rest[key];
  return rest;
}
