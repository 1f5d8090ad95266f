// Who is on call and who would be paged, over HTTP: by a plan with gaps, an escalation and a muted route; overrides with accounts; the calendar
// as ical.js reads it.

import ICAL from "ical.js";
import { afterEach, describe, expect, test } from "vitest";
import { routes } from "../../src/http/routes/index.ts";
import { answerAudit } from "../../src/storage/audit.ts";
import { db, loggedIn, post, startWith } from "./accounts/door.ts";
import { alertOn, createFakeGateway } from "./fake-gateway.ts";
import { oncallPlan } from "./fake-oncall.ts";
import { type Served, serve } from "./serve.ts";

const NOW = Date.parse("2026-01-14T11:00:00Z"); // a Wednesday
const dayMs = 86_400_000;
const opened: Served[] = [];
afterEach(async () => {
  for (const served of opened.splice(0)) await served.close();
});

async function open(): Promise<Served> {
  const gateway = createFakeGateway({ series: 3, now: Date.now });
  gateway.setPlan(oncallPlan);
  const served = await serve({}, gateway);
  opened.push(served);
  return served;
}
const schemaOf = (path: string) => routes.find((route) => route.path === path && route.method === undefined)?.answer;
async function ask(served: Served, path: string): Promise<unknown> {
  const response = await served.get(path);
  expect(response.status, path).toBe(200);
  return schemaOf(path.split("?")[0] as string)?.parse(await response.json());
}
const problemOf = async (response: Response): Promise<unknown[]> => {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
};

describe("/api/v1/oncall", () => {
  test("says who is on call, until when, who is next, and where the gaps are", async () => {
    const answer = (await ask(await open(), `/api/v1/oncall?at=${NOW}`)) as { schedules: { gaps: object[] }[] };
    expect(answer).toMatchObject({
      at: "2026-01-14T11:00:00.000Z",
      paged: null,
      schedules: [
        {
          ...{ schedule: "ops", timezone: "Europe/Oslo", member: "bo", by: { kind: "layer", layer: 1, turn: 1 } },
          ...{ until: "2026-01-16T23:00:00.000Z", next: { member: null, by: null } },
        },
        { schedule: "nobody", member: null, by: null, until: null, next: null, gaps: [{ start: "2026-01-14T11:00:00.000Z", end: "2026-02-13T11:00:00.000Z" }] },
      ],
    });
    expect(answer.schedules[0]?.gaps.slice(0, 2)).toEqual([
      { start: "2026-01-16T23:00:00.000Z", end: "2026-01-18T23:00:00.000Z" },
      { start: "2026-01-23T23:00:00.000Z", end: "2026-01-25T23:00:00.000Z" },
    ]);
  });

  test("says who would be paged for labels, completed by those of the rule and the device", async () => {
    const answer = await ask(await open(), `/api/v1/oncall?at=${NOW}&alertname=too-warm&device=fz-7`);
    expect(answer).toMatchObject({
      paged: {
        labels: { alertname: "too-warm", device: "fz-7", site: "oslo", severity: "critical", team: "cold-chain" },
        ...{ silences: [], shelved: null, until: "2026-01-17T11:00:00.000Z" },
        routes: [
          {
            ...{ target: "urgent", kind: "escalation", group_wait_ms: 60_000, repeat_ms: null, muted: null },
            group: expect.stringContaining('{site="oslo"}'),
            events: [
              {
                ...{ kind: "told", at: "2026-01-14T11:01:00.000Z", after_ms: 60_000, step: 1, round: 1, why: "transition" },
                receivers: [{ receiver: "bo", channels: ["webhook:0"], via: { kind: "schedule", schedule: "ops", by: { kind: "layer", layer: 1, turn: 1 } } }],
              },
              { kind: "told", after_ms: 660_000, step: 2, why: "escalation", receivers: [{ receiver: "carla", via: { kind: "receiver" } }] },
            ],
          },
          { target: "bo", kind: "receiver", group: null, repeat_ms: 14_400_000 },
        ],
      },
    });
  });

  test("says why nobody would be told: a muted route, a skipped step, a silence", async () => {
    const served = await open();
    const saturdayNight = Date.parse("2126-01-12T22:00:00Z");
    const made = await post(served, "/api/v1/silences", {
      ...{
        matchers: { site: "oslo" },
        starts_at: new Date(saturdayNight - dayMs).toISOString(),
        ends_at: new Date(saturdayNight + 1000).toISOString(),
        why: "work",
      },
    });
    expect(made.status).toBe(200);
    const answer = await ask(served, `/api/v1/oncall?at=${saturdayNight}&site=oslo&severity=critical`);
    expect(answer).toMatchObject({
      paged: {
        silences: [{ why: "work" }],
        routes: [
          {
            muted: null,
            events: [
              { kind: "skipped", step: 1, targets: ["ops"], after_ms: 0 },
              { kind: "told", step: 2, after_ms: 60_000 },
            ],
          },
          {
            muted: { interval: "nights", until: "2126-01-13T05:00:00.000Z" },
            events: [
              { kind: "hidden", cause: "silence:s1", until: "2126-01-12T22:00:01.000Z" },
              { kind: "hidden", cause: "interval:nights", until: "2126-01-13T05:00:00.000Z" },
              { kind: "told", why: "announced", after_ms: 7 * 3_600_000 },
            ],
          },
        ],
      },
    });
  });

  test("takes an alert by its id, with its labels and what shelves it", async () => {
    const served = await open();
    served.gateway.fire(alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: NOW }));
    await post(served, "/api/v1/alerts/a1/shelve", { duration: "1h", why: "defrosting" });
    expect(await ask(served, `/api/v1/oncall?alert=a1&at=${NOW}`)).toMatchObject({
      paged: { labels: { device: "freezer-1", severity: "critical" }, shelved: { kind: "timed", why: "defrosting" }, routes: [{ target: "urgent" }] },
    });
    expect(await ask(served, "/api/v1/oncall?alert=a1")).toMatchObject({ at: expect.any(String) });
  });

  test.each([
    ["?alert=nope", 404, "unknown_alert"],
    ["?alert=a1&site=oslo", 400, "bad_parameter"],
    ["?site=oslo,bergen", 400, "bad_parameter"],
    ["?at=tomorrow", 400, "bad_parameter"],
  ])("refuses %s", async (query, status, code) => {
    expect(await problemOf(await (await open()).get(`/api/v1/oncall${query}`))).toEqual([status, code]);
  });

  test("is empty where there are no schedules", async () => {
    const served = await serve();
    opened.push(served);
    expect(await ask(served, "/api/v1/oncall")).toMatchObject({ schedules: [], paged: null });
    expect(await ask(served, "/api/v1/schedules")).toMatchObject({ schedules: [] });
  });
});

describe("/api/v1/schedules", () => {
  test("gives shifts and gaps of a range", async () => {
    const served = await open();
    expect(await ask(served, `/api/v1/schedules?from=${NOW}&to=${NOW + 5 * dayMs}&schedule=ops`)).toEqual({
      from: "2026-01-14T11:00:00.000Z",
      to: "2026-01-19T11:00:00.000Z",
      schedules: [
        {
          ...{ schedule: "ops", timezone: "Europe/Oslo" },
          shifts: [
            { start: "2026-01-14T11:00:00.000Z", end: "2026-01-16T23:00:00.000Z", member: "bo", by: { kind: "layer", layer: 1, turn: 1 } },
            { start: "2026-01-16T23:00:00.000Z", end: "2026-01-18T23:00:00.000Z", member: null, by: null },
            { start: "2026-01-18T23:00:00.000Z", end: "2026-01-19T08:00:00.000Z", member: "bo", by: { kind: "layer", layer: 1, turn: 1 } },
            { start: "2026-01-19T08:00:00.000Z", end: "2026-01-19T11:00:00.000Z", member: "anna", by: { kind: "layer", layer: 1, turn: 2 } },
          ],
          gaps: [{ start: "2026-01-16T23:00:00.000Z", end: "2026-01-18T23:00:00.000Z" }],
        },
      ],
    });
    expect(await ask(served, "/api/v1/schedules")).toMatchObject({ schedules: [{ schedule: "ops" }, { schedule: "nobody" }] });
  });

  test.each([
    [`?from=${NOW}&to=${NOW}`, 400, "bad_parameter"],
    [`?from=${NOW}&to=${NOW + 93 * dayMs}`, 400, "bad_parameter"],
    ["?schedule=none", 404, "unknown_schedule"],
    ["/none/calendar", 404, "unknown_schedule"],
  ])("refuses %s", async (path, status, code) => {
    expect(await problemOf(await (await open()).get(`/api/v1/schedules${path}`))).toEqual([status, code]);
  });

  test("gives a calendar that others read, of all or of one", async () => {
    const served = await open();
    const eventsOf = async (query: string): Promise<ICAL.Event[]> => {
      const response = await served.get(`/api/v1/schedules/ops/calendar${query}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/calendar; charset=utf-8"]);
      const calendar = new ICAL.Component(ICAL.parse(await response.text()));
      return calendar.getAllSubcomponents("vevent").map((event) => new ICAL.Event(event));
    };
    const all = await eventsOf("");
    expect(new Set(all.map(({ summary }) => summary))).toEqual(new Set(["anna on call: ops", "bo on call: ops"]));
    const bos = await eventsOf("?member=bo");
    expect(new Set(bos.map(({ summary }) => summary))).toEqual(new Set(["bo on call: ops"]));
    expect(bos.map(({ uid }) => uid)).toEqual(all.filter(({ summary }) => summary.startsWith("bo ")).map(({ uid }) => uid));
  });
});

describe("/api/v1/overrides", () => {
  test("puts somebody on call, and takes it back, under the name of who asked", async () => {
    const served = await startWith("operator", "viewer");
    opened.push(served);
    served.gateway.setPlan(oncallPlan);
    const [operator, viewer] = [await loggedIn(served, "operator"), await loggedIn(served, "viewer")];
    const body = { schedule: "nobody", member: "carla", duration: "2h", why: "holiday" };
    expect(await problemOf(await post(served, "/api/v1/overrides", body, viewer))).toEqual([403, "may_not"]);
    const made = (await (await post(served, "/api/v1/overrides", body, operator)).json()) as { override: { id: string; from: string; to: string } };
    expect(made.override).toMatchObject({ schedule: "nobody", member: "carla", by: "operator", why: "holiday", removed_by: null });
    expect(Date.parse(made.override.to) - Date.parse(made.override.from)).toBe(7_200_000);
    const at = encodeURIComponent(made.override.from);
    const oncall = async (): Promise<unknown> => (await served.get(`/api/v1/oncall?at=${at}`, { headers: viewer })).json();
    expect(await oncall()).toMatchObject({ schedules: [{}, { member: "carla", by: { kind: "override", why: "holiday" }, until: made.override.to }] });
    const list = async (query = ""): Promise<{ overrides: { id: string }[] }> =>
      (await (await served.get(`/api/v1/overrides${query}`, { headers: viewer })).json()) as { overrides: { id: string }[] };
    expect(await list("?schedule=nobody")).toEqual({ overrides: [made.override] });
    expect(await list("?schedule=ops")).toEqual({ overrides: [] });

    const path = `/api/v1/overrides/${made.override.id}?why=back`;
    expect((await served.get(path, { method: "DELETE", headers: viewer })).status).toBe(403);
    const removed = await served.get(path, { method: "DELETE", headers: operator });
    expect(await removed.json()).toEqual({ override: { ...made.override, removed_by: "operator" } });
    expect(await list()).toEqual({ overrides: [] });
    expect(await oncall()).toMatchObject({ schedules: [{}, { member: null }] });
    expect(await problemOf(await served.get(path, { method: "DELETE", headers: operator }))).toEqual([404, "unknown_override"]);
    const audited = answerAudit(db(), {}).audit.filter(({ action }) => action.startsWith("override"));
    expect(audited.map(({ who, action, target, why, outcome }) => [who, action, target, why, outcome]).reverse()).toEqual([
      ["operator", "override", made.override.id, "holiday", "ok"],
      ["operator", "override remove", made.override.id, "back", "ok"],
    ]);
  });

  test.each([
    [{ schedule: "none", member: "bo", duration: "2h", why: "x" }, 404, "unknown_schedule"],
    [{ schedule: "ops", member: "dave", duration: "2h", why: "x" }, 404, "unknown_member"],
    [{ schedule: "ops", member: "bo", to: "2026-01-01T00:00:00Z", why: "x" }, 409, "span_empty"],
    [{ schedule: "ops", member: "bo", why: "x" }, 400, "bad_body"],
    [{ schedule: "ops", member: "bo", duration: "400d", why: "x" }, 400, "bad_body"],
    [{ schedule: "ops", member: "bo", duration: "2h" }, 400, "bad_body"],
  ])("refuses %j", async (body, status, code) => {
    expect(await problemOf(await post(await open(), "/api/v1/overrides", body))).toEqual([status, code]);
  });
});
