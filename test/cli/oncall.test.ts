// `highwater oncall` as a shell sees it: from a config alone, where no gateway ever ran; and beside one that runs, with overrides.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ICAL from "ical.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFolder, highwater, type RunningGateway, startHighwater, writeConfig } from "../e2e/gateway-process.ts";

const webhook = { url: "http://127.0.0.1:9/hook" };
const config = {
  gateway: { timezone: "Europe/Oslo" },
  devices: { "fz-7": { labels: { site: "oslo" } } },
  sources: [{ topic: "sensors/{device}/{metric}", codec: "json" }],
  rules: [{ name: "too-warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 30 }, severity: "critical" }],
  notify: {
    receivers: ["anna", "bo"].map((name) => ({ name, webhook })),
    time_intervals: [
      { name: "workdays", time_intervals: [{ weekdays: ["monday:friday"] }] },
      { name: "nights", time_intervals: [{ times: [{ start_time: "22:00", end_time: "06:00" }] }] },
    ],
    schedules: [
      { name: "ops", layers: [{ members: ["anna", "bo"], start: "2026-01-05", active: "workdays" }] },
      { name: "maintenance-east", timezone: "Asia/Tokyo", layers: [{ members: ["bo"], start: "2126-01-05" }] },
    ],
    escalations: [{ name: "urgent", steps: [{ notify: ["ops"], wait: "5m" }, { notify: ["bo", "ops"], wait: "10m" }, { notify: ["maintenance-east"] }] }],
    route: {
      receiver: "urgent",
      routes: [{ matchers: { site: "oslo" }, receiver: "anna", mute_time_intervals: ["nights"], continue: true, group_by: ["site"] }, { receiver: "urgent" }],
    },
  },
};

let folder: ReturnType<typeof createFolder>;
let file: string;
beforeAll(() => {
  folder = createFolder("oncall");
  file = writeConfig(folder.path, config);
});
afterAll(() => folder.remove());
const run = (...args: string[]) => highwater(...args, "-c", file);
async function out(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  return stdout;
}

describe("where no gateway ever ran", () => {
  it("says who is on call, who is next, and the gaps to come", async () => {
    expect(await out("oncall", "--at", "2026-11-27T12:00")).toBe(
      [
        "on call at Fri 2026-11-27 12:00 Europe/Oslo",
        "  ops               anna, until Sat 2026-11-28 00:00, then nobody",
        "  maintenance-east  nobody",
        "",
        "nobody is on call, in the next 30 days",
        "  ops               Sat 2026-11-28 00:00, for 2 d",
        "  ops               Sat 2026-12-05 00:00, for 2 d",
        "  ops               Sat 2026-12-12 00:00, for 2 d",
        "  ops               Sat 2026-12-19 00:00, for 2 d",
        "  ops               Sat 2026-12-26 00:00, for 1 d 12 h",
        "  maintenance-east  Fri 2026-11-27 20:00 Asia/Tokyo, for 30 d",
        "",
      ].join("\n"),
    );
  });

  it("says step by step who would be paged, and why nobody", async () => {
    expect(await out("oncall", "alertname=too-warm", "device=fz-7", "--at", "2026-11-28T23:00")).toBe(
      [
        "critical too-warm, if it fires at Sat 2026-11-28 23:00 Europe/Oslo",
        "  site=oslo device=fz-7",
        "",
        'receiver anna: in the group {site="oslo"} after 30 s, again each 4 h',
        "  muted by nights until Sun 2026-11-29 06:00",
        "  +30 s  Sat 2026-11-28 23:00  muted by nights until Sun 2026-11-29 06:00",
        "  +7 h   Sun 2026-11-29 06:00  anna by webhook:0",
        "",
        "escalation urgent: again each 4 h",
        "  at once  Sat 2026-11-28 23:00  step 1: skipped, nobody is on call in ops",
        "  at once  Sat 2026-11-28 23:00  step 2: bo by webhook:0",
        "  +10 min  Sat 2026-11-28 23:10  step 3: skipped, nobody is on call in",
        "                                 maintenance-east",
        "",
      ].join("\n"),
    );
    const onDuty = await out("oncall", "site=bergen", "--at", "2026-11-27T12:00");
    expect(onDuty).toContain("step 1: anna (ops, layer 1) by webhook:0");
    expect(JSON.parse((await run("oncall", "site=bergen", "--at", "2026-11-27T11:00Z", "--json")).stdout)).toMatchObject({
      at: "2026-11-27T11:00:00.000Z",
      paged: { labels: { site: "bergen" }, routes: [{ target: "urgent", complete: true }] },
    });
  });

  it("writes a calendar, of all or of one", async () => {
    const summaries = (text: string): Set<string> =>
      new Set(new ICAL.Component(ICAL.parse(text)).getAllSubcomponents("vevent").map((event) => new ICAL.Event(event).summary));
    expect(summaries((await run("oncall", "calendar", "ops")).stdout)).toEqual(new Set(["anna on call: ops", "bo on call: ops"]));
    const target = join(folder.path, "bo.ics");
    expect(await out("oncall", "calendar", "ops", "--member", "bo", "-o", target)).toBe("");
    expect(summaries(readFileSync(target, "utf8"))).toEqual(new Set(["bo on call: ops"]));
  });

  it.each([
    [["--at", "tomorrow"], 2, /^highwater: tomorrow is no time \(write 2026-01-14T12:00 for a local time \(Europe\/Oslo\)/],
    [["fz-7"], 2, /^highwater: fz-7 is no LABEL=VALUE/],
    [["a=1", "a=2"], 2, /^highwater: a is given more than once/],
    [["--alert", "abc"], 1, /^highwater: there is no database in /],
    [["calendar", "none"], 1, /^highwater: there is no schedule of this name/],
    [["calendar", "ops", "-o", "/nonexistent/x.ics"], 1, /^highwater: \/nonexistent\/x.ics cannot be written/],
    [["override", "ops", "bo", "now", "2h"], 2, /^highwater: an override says why/],
    [["override", "none", "bo", "now", "2h", "--why", "x"], 1, /^highwater: there is no schedule of this name/],
    [["override", "ops", "bo", "now", "400d", "--why", "x"], 2, /^highwater: the override lasts more than 366 days/],
    [["override", "ops", "bo", "now", "2h", "--why", "x"], 1, /^highwater: no gateway runs on /],
  ])("oncall %j is refused", async (args, code, message) => {
    const told = await run("oncall", ...args);
    expect([told.code, told.stdout]).toEqual([code, ""]);
    expect(told.stderr).toMatch(message);
  });

  it("says so where there are no overrides, and no schedules", async () => {
    expect(await out("oncall", "overrides")).toBe("there are no overrides beside those of the config\n");
    const bare = createFolder("bare");
    const { stdout } = await highwater("oncall", "-c", writeConfig(bare.path, {}));
    bare.remove();
    expect(stdout).toBe("there are no schedules; notify.schedules takes them\n");
  });

  it("check notes the gaps of each schedule with its place", async () => {
    const { code, stdout } = await run("check");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /highwater\.yaml:\d+:\d+: note: nobody is on call in ops from .* Europe\/Oslo, and [345] times more within 30 days \(a layer without/,
    );
    expect(stdout).toMatch(/highwater\.yaml:\d+:\d+: note: nobody is on call in maintenance-east from .* Asia\/Tokyo \(a layer without/);
    expect(stdout).toContain("2 receivers, 2 notes");
  });
});

describe("beside a running gateway", () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startHighwater(folder.path);
  });
  afterAll(() => gateway.stop());

  it("puts somebody on call, lists it, and takes it away", async () => {
    const made = await out("oncall", "override", "maintenance-east", "anna", "2126-06-01T09:00", "8h", "--why", "bo is away\u001b[31m");
    expect(made.replace(/\s+/g, " ")).toMatch(
      /^\S+ anna for maintenance-east, from Sat 2126-06-01 09:00 Asia\/Tokyo to Sat 2126-06-01 17:00 Asia\/Tokyo by local:\S+: bo is away·\[31m $/,
    );
    const [id = ""] = made.split(" ");
    expect(await gateway.get("/api/v1/overrides")).toMatchObject({ overrides: [{ id, from: "2126-06-01T00:00:00.000Z", to: "2126-06-01T08:00:00.000Z" }] });
    expect(await out("oncall", "overrides")).toBe(made);
    expect(await out("oncall", "--at", "2126-06-01T03:00Z")).toContain("maintenance-east  anna (override: bo is away·[31m), until Sat 2126-06-01 17:00");
    const refused = await run("oncall", "override", "ops", "carla", "now", "2h", "--why", "x");
    expect([refused.code, refused.stderr]).toEqual([1, "highwater: there is no receiver of this name (receivers are those of notify.receivers)\n"]);
    const { id: other } = JSON.parse(await out("oncall", "override", "ops", "bo", "now", "2h", "--why", "x", "--json")) as { id: string };
    expect(await out("oncall", "remove", id, "--why", "back")).toBe(`override ${id} is taken away: anna for maintenance-east\n`);
    expect(JSON.parse(await out("oncall", "remove", other, "--json"))).toEqual({ id: other });
    const gone = await run("oncall", "remove", id);
    expect([gone.code, gone.stderr]).toEqual([1, "highwater: there is no override of this id (ids are listed by `highwater oncall overrides`)\n"]);
    expect((await run("audit", "--action", "override remove")).stdout).toMatch(new RegExp(`local:\\S+ from cli: override remove ${id}.*back`));
  }, 120_000);
});
