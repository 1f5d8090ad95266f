// /api/v1/performance over a real database that the engine and the committer filled: the figures of a morning that was reckoned by
// hand, filters by rule and label, targets of the config, and what is refused.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultTargets } from "../../src/engine/alarm-targets.ts";
import { utc } from "../../src/engine/calendar.ts";
import { renderRoute } from "../../src/http/answer.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Answer, QueryContext, QueryRequest } from "../../src/storage/query.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";
import { createFakeGateway } from "./fake-gateway.ts";
import { type Served, serve } from "./serve.ts";

const MINUTE = 60_000;
const start = Date.UTC(2026, 0, 31, 6);
const now = start + 6 * 60 * MINUTE;
let store: Recorder;
let served: Served;
let targets = defaultTargets;

beforeAll(async () => {
  store = createRecorder(
    plan(
      [
        rule({ name: "warm", condition: { type: "threshold", above: 5 }, severity: "critical" }),
        rule({ name: "hot", condition: { type: "threshold", above: 50 }, severity: "info" }),
      ],
      { maxFutureMs: 1e15, maxPastMs: null },
    ),
  );
  const send = (device: string, ts: number, value: number): void => store.receive([{ device, ts, value }], 1);
  // fz-1 goes over its limit twelve times, every 40 s from 07:00 on, for 20 s each: it does not chatter, but floods.
  for (let turn = 0; turn < 12; turn += 1) {
    send("fz-1", start + 60 * MINUTE + turn * 40_000, 9);
    send("fz-1", start + 60 * MINUTE + turn * 40_000 + 20_000, 1);
  }
  // fz-2 sends at 08:00 what it saw at 07:20 and 07:40, which breaches both rules: told at 08:00.
  send("fz-3", start + 120 * MINUTE, 1);
  send("fz-2", start + 80 * MINUTE, 60);
  send("fz-2", start + 100 * MINUTE, 1);
  // fz-3 chatters: four times within a minute, from 09:00 on.
  for (let turn = 0; turn < 4; turn += 1) {
    send("fz-3", start + 180 * MINUTE + turn * 10_000, 9);
    send("fz-3", start + 180 * MINUTE + turn * 10_000 + 5_000, 1);
  }
  const acked = store.db.prepare("UPDATE alert SET first_acked_at = ? WHERE rule = 'hot'");
  acked.run(start + 135 * MINUTE);
  const context: QueryContext = { devices: {}, zone: utc, clock: { now: () => now, monotonic: () => performance.now() }, timeMs: 60_000 };
  const query = <Request extends QueryRequest>(request: Request): Answer<Request> => answerQuery(store.db, request, { ...context, alarmTargets: targets });
  const gateway = createFakeGateway({ series: 1, now: () => now });
  served = await serve({}, { ...gateway, query: async (request) => query(request), render: (path, request) => renderRoute(path, request, query) });
});
afterAll(async () => {
  await served.close();
  store.close();
});

type Body = Record<string, never> & { verdicts: { name: string; value: number; target: number; met: boolean | null }[]; top_ten: { actors: object[] } };
async function get(parameters = ""): Promise<Body> {
  const response = await served.get(`/api/v1/performance?from=2026-01-31T06:00:00Z&to=2026-01-31T10:00:00Z${parameters}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Body;
}

describe("/api/v1/performance", () => {
  it("reckons with the wall clock of what was told, and judges", async () => {
    const body = await get();
    expect(body).toMatchObject({
      from: "2026-01-31T06:00:00.000Z",
      to: "2026-01-31T10:00:00.000Z",
      alerts: 18,
      rate: {
        per_hour: 4.5,
        per_10_min: 0.75,
        peak_10_min: { alerts: 12, start: "2026-01-31T07:00:00.000Z" },
        peak_10_min_fixed: { alerts: 12, start: "2026-01-31T07:00:00.000Z" },
        // All but the first of fz-1, and what fz-2 brought at 08:00.
        peak_hour: { alerts: 13, start: "2026-01-31T07:00:40.000Z" },
      },
      // From the eleventh, at 07:06:40, until the eighth is ten minutes old, at 07:14:40.
      flood: { count: 1, ms: 8 * MINUTE, share: 8 / 240, floods: [{ start: "2026-01-31T07:06:40.000Z", end: "2026-01-31T07:14:40.000Z", alerts: 12 }] },
      chattering: { count: 1, actors: [{ rule: "warm", labels: { device: "fz-3" }, alerts: 4, chattering: true }] },
      fleeting: 0,
      stale: { count: 0, alerts: [] },
      acknowledge: { acknowledged: 1, never: 17 },
      mix: { critical: { alerts: 17, share: 17 / 18 }, warning: { alerts: 0, share: 0 }, info: { alerts: 1, share: 1 / 18 } },
    });
    expect(body.top_ten).toMatchObject({
      of: 4,
      share: 1,
      actors: [{ rule: "warm", alerts: 12, share: 12 / 18 }, { alerts: 4 }, { rule: "hot" }, { rule: "warm", alerts: 1 }],
    });
    const met = Object.fromEntries(body.verdicts.map((verdict) => [verdict.name, verdict.met]));
    expect(met).toEqual({
      per_10_min: true,
      per_hour: true,
      flood_per_10_min: false,
      peak_per_hour: true,
      time_in_flood: false,
      top_ten_share: null,
      stale: true,
      acknowledge: false,
      "mix.critical": false,
      "mix.warning": true,
      "mix.info": false,
    });
    expect(Math.round(body.verdicts.find(({ name }) => name === "acknowledge")?.value ?? 0) / MINUTE).toBeCloseTo(15, 1);
  });

  it("counts by rule and by label", async () => {
    expect(await get("&rule=hot")).toMatchObject({ alerts: 1, mix: { info: { share: 1 } } });
    expect(await get("&device=fz-1,fz-2")).toMatchObject({ alerts: 14 });
    expect(await get("&severity=critical&device=fz-2")).toMatchObject({ alerts: 1 });
    expect(await get("&device=nobody")).toMatchObject({ alerts: 0, flood: { share: 0 } });
  });

  it("is of the last 24 hours when nothing is said", async () => {
    expect(await (await served.get("/api/v1/performance")).json()).toMatchObject({
      from: "2026-01-30T12:00:00.000Z",
      to: "2026-01-31T12:00:00.000Z",
      alerts: 18,
    });
  });

  it("judges by the targets of the config", async () => {
    targets = { ...defaultTargets, floodPerTenMinutes: 12, timeInFlood: 0, perHour: 4 };
    const { verdicts, ...body } = await get();
    targets = defaultTargets;
    expect(body).toMatchObject({ flood: { count: 0 } });
    expect(verdicts.filter(({ name }) => ["flood_per_10_min", "time_in_flood", "per_hour"].includes(name)).map(({ met }) => met)).toEqual([false, true, true]);
  });

  it("refuses a span that is none", async () => {
    for (const wrong of ["from=2026-01-31T10:00:00Z&to=2026-01-31T10:00:00Z", "from=yesterday", "from=2027-01-01T00:00:00Z"]) {
      const response = await served.get(`/api/v1/performance?${wrong}`);
      expect([wrong, response.status]).toEqual([wrong, 400]);
    }
  });
});
