// Readings as a table, and with percentiles, over a real server.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Served, serve } from "./serve.ts";

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.close());

test("readings as CSV: a row for each bucket, labels as columns, more series than a table holds refused", async () => {
  const response = await served.get("/api/v1/readings.csv?series=1,2&step=15m&from=1769828400000&to=1769832000000&agg=max");
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/csv; charset=utf-8"]);
  const [head, ...rows] = (await response.text()).split("\r\n");
  expect(head).toMatch(/^device,(\w+,)*metric,(\w+,)*unit,start,end,max,source,provisional$/);
  expect(rows.length).toBeGreaterThan(4);
  for (const row of rows.slice(0, -1)) expect(row).toMatch(/,2026-01-31T[\d:.]+Z,2026-01-31T[\d:.]+Z,-?[\d.]+,(raw|stream|batch),(true|false)$/);
  expect(rows.at(-1)).toBe("");
  const ranked = await (await served.get("/api/v1/readings.csv?series=1&step=15m&from=1769828400000&to=1769832000000&agg=count,p99")).text();
  expect(ranked).toMatch(/,count,p99,source,provisional\r\n[^\r]*,6,-?[\d.]+,stream,false\r\n/);
  expect(await (await served.get("/api/v1/readings.csv?step=15m&from=20&to=10")).json()).toMatchObject({ error: { code: "bad_parameter" } });
});

test("percentiles are given where they are named, null where they are not known", async () => {
  const answer = await (await served.get("/api/v1/readings?series=1&step=15m&from=1769828400000&to=1769832300000&agg=p95,count")).json();
  const { buckets } = (answer as { series: { buckets: { count: number; p95: number | null }[] }[] }).series[0] as { buckets: object[] };
  expect(buckets.map((bucket) => Object.keys(bucket).sort())).toEqual(buckets.map(() => ["count", "end", "p95", "provisional", "source", "t"]));
  expect(buckets[0]).toEqual(expect.objectContaining({ count: 6, p95: expect.any(Number) }));
  expect(buckets.at(-1)).toMatchObject({ provisional: true, p95: null });
});
