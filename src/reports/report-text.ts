// A report as the text that leaves the house in one of its formats, with the checksum by which a printed page is held against the CSV.

import { createHash } from "node:crypto";
import type { DeviceReport } from "./device-report.ts";
import { reportCsv } from "./report-csv.ts";
import { reportHtml } from "./report-html.ts";

export const reportFormats = ["json", "csv", "html"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** SHA-256 over all bytes of the CSV, its mark included: what `sha256sum` says of the file. */
export const checksumOf = (csv: string): string => createHash("sha256").update(csv).digest("hex");

/** @param view the report as JSON tells it, without the checksum */
export function reportText(report: DeviceReport, format: ReportFormat, view: (report: DeviceReport) => object): string {
  const csv = reportCsv(report);
  switch (format) {
    case "csv":
      return csv;
    case "html":
      return reportHtml(report, checksumOf(csv));
    case "json":
      return JSON.stringify({ ...view(report), csv_sha256: checksumOf(csv) });
    default: {
      const never: never = format;
      return never;
    }
  }
}

/** Of a file: what a device's name may hold, a file's name may not. */
export const reportFileName = (device: string, time: string, format: ReportFormat): string =>
  `${["report", device, ...(time === "" ? [] : [time])]
    .join("-")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .slice(0, 100)}.${format}`;
