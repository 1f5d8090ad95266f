// The report over a real server, in front of a store that the real writer and the real batch filled: its three formats, the policy of the page,
// names that a path must carry, and refusals.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderRoute } from "../../src/http/answer.ts";
import { problemSchema } from "../../src/http/problem.ts";
import { reportSchema } from "../../src/http/report-view.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { QueryRequest } from "../../src/storage/query.ts";
import type { Recorder } from "../storage/recorder.ts";
import { devices, FREEZER, oct, oslo, recordOctober } from "../storage/report-store.ts";
import { createFakeGateway } from "./fake-gateway.ts";
import { type Served, serve } from "./serve.ts";

let store: Recorder;
let served: Served;
const now = (): number => oct(33);

beforeAll(async () => {
  store = await recordOctober();
  const context = { devices, zone: oslo, clock: { now, monotonic: () => 0 }, gateway: { name: "cold-chain", version: "1.2.3" } };
  const query = <Request extends QueryRequest>(request: Request) => answerQuery(store.db, request, context);
  const fake = createFakeGateway({ series: 1, now });
  // As the query thread runs it.
  served = await serve({}, { ...fake, render: (path, request) => renderRoute(path, request, query) });
});
afterAll(async () => {
  await served.close();
  store.close();
});

const pathOf = (device: string): string => `/api/v1/reports/${encodeURIComponent(device)}`;
const get = (query: string, device = FREEZER): Promise<Response> => served.get(`${pathOf(device)}?${query}`);
const refused = async (response: Response, status: number, code: string): Promise<string> => {
  expect(response.status).toBe(status);
  const { error } = problemSchema.parse(await response.json());
  expect(error.code).toBe(code);
  return error.message;
};

describe("GET /api/v1/reports/:device", () => {
  test("answers JSON as its schema says, of a device whose name has every character that means something", async () => {
    const response = await get("month=2026-10");
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const report = reportSchema.parse(await response.json());
    expect(report).toMatchObject({ device: FREEZER, from: "2026-10-01", to: "2026-10-31", zone: "Europe/Oslo", gateway: "cold-chain", version: "1.2.3" });
    expect(report.excursions.map(({ rule, resolved_at, duration_ms }) => [rule, resolved_at, duration_ms]).at(-1)).toEqual(["too-warm", null, null]);
    expect(report.excursions[2]).toMatchObject({ acked_by: "user:ada", fired_at: "2026-10-12T12:00:00.000Z", resolved_at: "2026-10-12T14:00:00.000Z" });
    expect(report.series.find(({ name }) => name === "temperature")?.gaps[0]).toEqual(["2026-10-09T20:20:00.000Z", "2026-10-10T02:00:00.000Z"]);
  });

  test("gives a file for spreadsheets, whose checksum the page and the JSON carry", async () => {
    const csv = await get("month=2026-10&format=csv");
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csv.headers.get("content-disposition")).toBe('attachment; filename="report--fz-7--2026-10.csv"');
    const bytes = Buffer.from(await csv.arrayBuffer());
    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const checksum = createHash("sha256").update(bytes).digest("hex");
    const page = await (await get("month=2026-10&format=html")).text();
    expect(page).toContain(checksum);
    expect(((await (await get("from=2026-10-01&to=2026-10-31")).json()) as { csv_sha256: string }).csv_sha256).toBe(checksum);
  });

  test("gives a page that may show its own style and nothing else", async () => {
    const response = await get("from=2026-10-10&to=2026-10-16&format=html");
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const page = await response.text();
    const style = /<style>(.*?)<\/style>/s.exec(page)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(response.headers.get("content-security-policy")).toBe(
      `default-src 'none';style-src 'sha256-${hash}';base-uri 'none';form-action 'none';frame-ancestors 'none'`,
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page).toContain("=fz-7 &lt;&amp;&quot;&#39;/&gt; Å🧊");
  });

  test("is of the month that it is when nothing is said, up to today", async () => {
    expect(reportSchema.parse(await (await get("")).json())).toMatchObject({ from: "2026-11-01", to: "2026-11-02" });
  });

  test("refuses by name, with the server's own policy", async () => {
    const unknown = await get("month=2026-10&format=html", "fz-<99>");
    expect(unknown.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(unknown.headers.get("content-type")).toContain("application/json");
    expect(await refused(unknown, 404, "unknown_device")).toContain('"fz-<99>"');
    await refused(await get("month=2026-13"), 400, "bad_parameter");
    await refused(await get("month=2026-10&format=pdf"), 400, "bad_parameter");
    await refused(await get("from=2026-02-30"), 400, "query_invalid");
    await refused(await get("month=2026-10&from=2026-10-01"), 400, "query_invalid");
    await refused(await get("month=2026-12"), 400, "query_invalid");
    await refused(await get("from=2020-01-01"), 400, "query_too_large");
  });
});
