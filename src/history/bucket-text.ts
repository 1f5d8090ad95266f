// Buckets of a step as text: a line each, with where it begins and ends, its figures, and from which layer they come.

import type { Labels } from "../engine/reading.ts";
import type { Bucket } from "../storage/query.ts";
import { cellText } from "./csv-cells.ts";
import type { HistoryFormat } from "./format.ts";
import { numberText } from "./number-text.ts";
import { timeText } from "./time-text.ts";

export type BucketWriter = { readonly head: string; series(labels: Labels): (bucket: Bucket) => string };

const figures = ["min", "max", "avg", "sum"] as const;

/** @param labels names of all labels that occur */
export function bucketWriter({ name }: HistoryFormat, labels: readonly string[]): BucketWriter {
  return name === "csv" ? csvWriter(labels) : { head: "", series: jsonLines };
}

function csvWriter(labels: readonly string[]): BucketWriter {
  const columns = ["device", "metric", ...labels.filter((name) => name !== "device" && name !== "metric")];
  return {
    head: `start,end,${columns.map(cellText).join(",")},count,${figures.join(",")},source,provisional\n`,
    series(given) {
      const cells = columns.map((name) => (given[name] ? cellText(given[name]) : "")).join(",");
      return (bucket) => {
        const values = figures.map((figure) => numberText(bucket[figure])).join(",");
        return `${timeText(bucket.t)},${timeText(bucket.end)},${cells},${bucket.count},${values},${bucket.source},${bucket.provisional}\n`;
      };
    },
  };
}

const jsonLines =
  ({ device, metric, ...labels }: Labels) =>
  ({ t, end, ...bucket }: Bucket): string =>
    `${JSON.stringify({ start: timeText(t), end: timeText(end), device, metric, ...(Object.keys(labels).length === 0 ? {} : { labels }), ...bucket })}\n`;
