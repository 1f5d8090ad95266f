// One device sends garbage, one lives in 2099, one says NaN. The others notice nothing, and it can be seen from outside.

import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/database.ts";
import { type AlertAnswer, booksBalance, connectClient, createFolder, type ReadingsAnswer, startHighwater } from "./gateway-process.ts";

const GARBAGE: readonly (string | Buffer)[] = [
  Buffer.from([0xff, 0x00, 0xfe, 0x01]),
  "{",
  '{"ts": "yesterday", "value": 1}',
  "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
  '{"value": {}}',
  Buffer.alloc(300_000, "9"),
];
const NO_VALUES: readonly string[] = ['{"value": NaN}', '{"value": null}', '{"value": "unavailable"}', "NaN", '{"value": 1e999}'];
const IN_2099 = Date.UTC(2099, 0, 1);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

it("garbage, a clock of 2099 and NaN change nothing for the others, and are visible", async () => {
  const folder = createFolder("bad-devices");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, {
    rules: [{ name: "too-hot", match: { metric: "temperature" }, condition: { type: "threshold", above: 50 }, for: "2m" }],
  });
  cleanUp.push(() => gateway.stop());
  const [good, bad] = [await connectClient(gateway.mqttUrl), await connectClient(gateway.mqttUrl)];
  cleanUp.push(() => Promise.all([good.endAsync(true), bad.endAsync(true)]));

  const t0 = Date.now() - 3_600_000;
  const values = [20, 21, 60, 61, 62, 63, 22];
  const send = (client: typeof good, device: string, payload: string | Buffer) => client.publishAsync(`sensors/lab/${device}/temperature`, payload, { qos: 1 });
  for (const [minute, value] of values.entries()) {
    await send(good, "good", JSON.stringify({ ts: t0 + minute * 60_000, value }));
    for (const payload of minute === 0 ? GARBAGE : []) await send(bad, "garbage", payload);
    for (const payload of minute === 1 ? NO_VALUES : []) await send(bad, "nan", payload);
    // Its clock is wrong for two readings, then it is set: what it says from then on must not be late.
    const ts = minute === 2 || minute === 3 ? IN_2099 + minute : t0 + minute * 60_000;
    await send(bad, "clock", JSON.stringify({ ts, value: 99 - minute }));
  }
  expect([good.connected, bad.connected]).toEqual([true, true]);

  const status = await gateway.status();
  expect(status.readings).toEqual({
    received: 2 * values.length + GARBAGE.length + NO_VALUES.length,
    accepted: 2 * values.length - 2,
    late: 0,
    duplicate: 0,
    conflict: 0,
    quarantined: 2,
    rejected: GARBAGE.length + NO_VALUES.length,
  });
  expect(booksBalance(status.readings)).toBe(true);

  // Who sent what could not be taken, and why, stands in the status; how much of it by reason in the metrics.
  const told = (device: string) => status.rejected.filter(({ topic }) => topic === `sensors/lab/${device}/temperature`);
  const sum = (rows: readonly { readonly count: number }[]) => rows.reduce((total, { count }) => total + count, 0);
  expect([sum(told("garbage")), sum(told("nan")), sum(status.rejected)]).toEqual([GARBAGE.length, NO_VALUES.length, status.readings.rejected]);
  expect(told("garbage")[0]).toEqual({
    topic: "sensors/lab/garbage/temperature",
    reason: "too_large",
    count: 1,
    last_at: expect.stringMatching(/^20\d\d-.*Z$/),
    detail: "300000 bytes; the limit is 262144",
    sample: "9".repeat(200),
  });
  expect(status.rejected.map(({ last_at }) => last_at)).toEqual(
    status.rejected
      .map(({ last_at }) => last_at)
      .toSorted()
      .toReversed(),
  );

  const metrics = await gateway.text("/metrics");
  expect(metrics).toContain('highwater_readings{verdict="quarantined"} 2\n');
  expect(metrics).toContain(`highwater_readings{verdict="rejected"} ${GARBAGE.length + NO_VALUES.length}\n`);
  expect(metrics).toContain('highwater_rejected_values{reason="too_large"} 1\n');
  expect(metrics).toContain(`highwater_rejected_values{reason="bad_quality"} ${sum(status.rejected.filter(({ reason }) => reason === "bad_quality"))}\n`);
  expect(metrics).toContain(`highwater_readings{verdict="accepted"} ${2 * values.length - 2}\n`);

  const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts");
  const iso = (minute: number): string => new Date(t0 + minute * 60_000).toISOString();
  expect(alerts.map(({ labels, state, fired_at, resolved_at }) => [labels["device"], state, fired_at, resolved_at]).toSorted()).toEqual([
    ["clock", "firing", iso(2), null],
    ["good", "resolved", iso(4), iso(6)],
  ]);
  const { series } = await gateway.get<ReadingsAnswer>("/api/v1/readings?step=raw");
  expect(series.map(({ labels, buckets }) => [labels["device"], buckets.map(({ min }) => min)])).toEqual([
    ["good", values],
    ["clock", [99, 98, 95, 94, 93]],
  ]);
  expect(await gateway.stop()).toBe(0);

  // What could not be read is kept, the first 1 KiB of it, with a reason and a count.
  const db = openDatabase(join(folder.path, "data"), { readonly: true });
  cleanUp.push(() => db.close());
  const kept = db
    .prepare<[], { topic: string; reason: string; count: number; length: number }>("SELECT topic, reason, count, length(sample) AS length FROM rejected")
    .all();
  const counts = (device: string): number =>
    kept.filter(({ topic }) => topic === `sensors/lab/${device}/temperature`).reduce((sum, { count }) => sum + count, 0);
  expect([counts("garbage"), counts("nan"), counts("good")]).toEqual([GARBAGE.length, NO_VALUES.length, 0]);
  expect(kept).toContainEqual({ topic: "sensors/lab/garbage/temperature", reason: "too_large", count: 1, length: 1024 });
  expect(kept.filter(({ topic }) => topic.includes("nan")).map(({ reason }) => reason)).toContain("bad_quality");
});
