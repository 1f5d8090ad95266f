// GET /api/v1/reports/:device: what a device did in a month or some days, as JSON, as a table for spreadsheets, or as a page to print.

import { createHash } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "../../error.ts";
import type { ReportTime } from "../../reports/device-report.ts";
import { reportStyle } from "../../reports/report-style.ts";
import { type ReportFormat, reportFileName, reportFormats, reportText } from "../../reports/report-text.ts";
import { daySchema } from "../parameter.ts";
import { reportOfView, reportSchema } from "../report-view.ts";
import { defineRoute, JSON_TYPE, type RouteDeps } from "../route.ts";

const monthSchema = z
  .string()
  .refine((text) => /^\d{4}-(0[1-9]|1[0-2])$/.test(text), { error: "must be a month", params: { hint: "write YYYY-MM" } })
  .meta({ description: "A local month, YYYY-MM; default: the month that it is", examples: ["2026-01"] });

const formatSchema = z
  .string()
  .default("json")
  .refine((text): text is ReportFormat => reportFormats.some((format) => format === text), {
    error: `must be one of ${reportFormats.join(", ")}`,
    params: { hint: "csv is for spreadsheets, html to read and print" },
  })
  .meta({ description: `${reportFormats.join(", ")}; default json` });

export type ReportQuestion = { readonly device: string; readonly time: ReportTime; readonly format: ReportFormat };

/** Also what `highwater report` writes. @throws GatewayError `unknown_device`, or what the store says of the question */
export async function reportOf({ query }: Pick<RouteDeps, "query">, { device, time, format }: ReportQuestion): Promise<string> {
  const report = await query({ kind: "report", device, time });
  if (report !== null) return reportText(report, format, reportOfView);
  throw new GatewayError("unknown_device", `neither the readings nor the config know a device ${JSON.stringify(device)}`, {
    hint: "names are as in the label `device` of /api/v1/series",
  });
}

/** Nothing but the page's own style, by its hash. */
const policy = `default-src 'none';style-src 'sha256-${createHash("sha256").update(reportStyle).digest("base64")}';base-uri 'none';form-action 'none';frame-ancestors 'none'`;

function headersOf(device: string, { format, month, from, to }: { format: ReportFormat } & ReportTime): Record<string, string> {
  switch (format) {
    case "json":
      return {};
    case "html":
      return { "content-type": "text/html; charset=utf-8", "content-security-policy": policy };
    case "csv": {
      const name = reportFileName(device, month ?? [from, to].filter((day) => day !== undefined).join("-"), format);
      return { "content-type": "text/csv; charset=utf-8", "content-disposition": `attachment; filename="${name}"` };
    }
    default: {
      const never: never = format;
      return never;
    }
  }
}

export const report = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/reports/:device",
  summary: "The report of a device: a month, or some days",
  description:
    "Per series the figures of its days merged, and the days; alerts that stood in the time; gaps. By the daily summaries alone. 404: `unknown_device`. At most 366 days, 200 series, and 20,000 days of series.",
  query: z.strictObject({ month: monthSchema.exactOptional(), from: daySchema.exactOptional(), to: daySchema.exactOptional(), format: formatSchema }),
  params: z.strictObject({ device: z.string().meta({ description: "The label `device` of its series" }) }),
  takesLabels: false,
  answer: reportSchema,
  contentType: JSON_TYPE,
  otherTypes: ["text/csv", "text/html"],
  headers: ({ query, params }) => headersOf(params.device, query),
  handle: async (deps, { query: { format, ...time }, params: { device } }) => ({ text: await reportOf(deps, { device, time, format }) }),
});
