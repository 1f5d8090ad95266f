// /api/v1/readings.csv: the same buckets as a table for spreadsheets and notebooks, a row for each, labels as columns.

import { z } from "zod";
import { csvCell } from "../../reports/csv.ts";
import type { SeriesBuckets } from "../../storage/query.ts";
import { Refusal } from "../problem.ts";
import { defineRoute } from "../route.ts";
import { rfc3339 } from "../view.ts";
import { figuresOf, readingsQuery } from "./readings.ts";

export const readingsCsv = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/readings.csv",
  summary: "Readings as buckets of time, as CSV",
  description: "As /api/v1/readings, with `start` and `end` as RFC 3339 and each label a column. All series at once: more than `limit` are refused.",
  query: readingsQuery.omit({ cursor: true }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: z.string(),
  contentType: "text/csv; charset=utf-8",
  headers: () => ({ "content-type": "text/csv; charset=utf-8", "content-disposition": 'attachment; filename="readings.csv"' }),
  async handle(deps, { query: { agg, ...query }, labels }) {
    const { kept, percentiles } = figuresOf({ ...query, ...(agg && { agg }) });
    const { series, cursor } = await deps.query({ kind: "readings", labels, ...query, percentiles });
    if (cursor !== null)
      throw new Refusal(400, "too_many_series", "there are more series than fit one table", "raise `limit`, name labels, or take a larger step");
    return { text: tableOf(series, kept) };
  },
});

/** With CRLF after each line. */
function tableOf(series: readonly SeriesBuckets[], figures: ReturnType<typeof figuresOf>["kept"]): string {
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  const head = [...names, "unit", "start", "end", ...figures, "source", "provisional"].map(csvCell);
  const rows = series.flatMap(({ labels, unit, buckets }) => {
    const own = [...names.map((name) => csvCell(labels[name] ?? null)), csvCell(unit)];
    return buckets.map((bucket) => [
      ...own,
      ...[rfc3339(bucket.t), rfc3339(bucket.end)],
      ...figures.map((name) => csvCell(bucket[name] ?? null)),
      ...[bucket.source, String(bucket.provisional)],
    ]);
  });
  return [head, ...rows].map((cells) => `${cells.join(",")}\r\n`).join("");
}
