// Time intervals, schedules and escalations from YAML to plans: the words of the calendar, the defaults, who is on call by them, and the gaps.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { coverageGaps, gapText } from "../../src/config/oncall-check.ts";
import { type OncallPlan, toOncallPlan } from "../../src/config/oncall-plan.ts";
import { type Blocks, blocks } from "../../src/config/schema.ts";
import { onCall, type SchedulePlan, type World } from "../../src/engine/dispatch/schedule.ts";
import { createFolder } from "./folder.ts";

const { config } = createFolder();

/** The plans of a block notify, with Oslo as the gateway's zone. */
function planOf(yaml: string): OncallPlan {
  return toOncallPlan(blocks.notify.parse(parse(yaml)) as Blocks["notify"], "Europe/Oslo");
}

const worldOf = ({ zones, intervals }: OncallPlan): World => ({ zones, intervals: new Map(intervals.map((one) => [one.name, one])), overrides: new Map() });
const schedulesOf = (layers: string): OncallPlan => planOf(`schedules: [{ name: ops, layers: [${layers}] }]`);

test("words of the calendar become numbers, and a list that leaves nothing out is none", () => {
  const { intervals, zones } = planOf(`
time_intervals:
  - name: odd
    time_intervals:
      - times: [{ start_time: "22:00", end_time: "06:00" }, { start_time: "09:00", end_time: "09:00" }, { start_time: "20:00", end_time: "24:00" }]
        weekdays: [friday:monday, Wed]
        days_of_month: [1, "-3:-1", "10:20"]
        months: [november:february, 5, may:Jun]
        years: [2026, "2030:2031"]
        location: america/los_angeles
      - { weekdays: [monday:sunday], months: ["1:12"], days_of_month: ["1:-1"], times: [{ start_time: "00:00", end_time: "24:00" }] }
      - { days_of_month: ["1:31"], times: [{ start_time: "00:00", end_time: "00:00" }] }
`);
  const all = { zone: "Europe/Oslo", times: [], weekdays: [], daysOfMonth: [], months: [], years: [] };
  expect(intervals).toEqual([
    {
      name: "odd",
      spans: [
        {
          zone: "America/Los_Angeles",
          times: [
            { from: 1320, to: 1800 },
            { from: 540, to: 1980 },
            { from: 1200, to: 1440 },
          ],
          weekdays: [0, 1, 3, 5, 6],
          daysOfMonth: [
            [1, 1],
            [-3, -1],
            [10, 20],
          ],
          months: [1, 2, 5, 6, 11, 12],
          years: [
            [2026, 2026],
            [2030, 2031],
          ],
        },
        all,
        all,
      ],
    },
  ]);
  expect(Object.keys(zones)).toEqual(["America/Los_Angeles", "Europe/Oslo"]);
});

test("a rotation of days or parts of a day goes by the clock on the wall, any other by elapsed time", () => {
  const plan = schedulesOf(`
    { members: [a], start: 2026-01-05 },
    { members: [a], rotation: daily, start: 2026-01-05 },
    { members: [a], rotation: 3d, handover: "07:30", start: 2026-01-05 },
    { members: [a], rotation: 8h, handover: "06:00", start: 2026-01-05, active: nights },
    { members: [a], rotation: 36h, start: 2026-01-05 },
    { members: [a, b], rotation: weekly, handover: fri 12:00, start: 2026-01-05 },
    { members: [a], handover: Sunday 00:00, start: 2026-01-04 }`);
  const local = (text: string): number => Date.parse(`${text}Z`);
  const layer = (everyMinutes: number, start: string, anchor = start) => ({
    rotation: { kind: "local", everyMinutes },
    anchor: local(anchor),
    start: local(start),
    active: null,
    members: ["a"],
  });
  expect(plan.schedules[0]?.layers).toEqual([
    layer(10_080, "2026-01-05T09:00"),
    layer(1440, "2026-01-05T09:00"),
    layer(4320, "2026-01-05T07:30"),
    { ...layer(480, "2026-01-05T06:00"), active: "nights" },
    { ...layer(0, "2026-01-05T09:00"), rotation: { kind: "elapsed", everyMs: 36 * 3_600_000 } },
    // The start is a Monday: the first turn is what is left of the one that began on the Friday before.
    { ...layer(10_080, "2026-01-05T12:00", "2026-01-02T12:00"), members: ["a", "b"] },
    layer(10_080, "2026-01-04T00:00"),
  ]);
});

test("overrides are instants: by the schedule's zone, or by the offset that they name", () => {
  const { schedules } = planOf(`
schedules:
  - name: ops
    timezone: America/New_York
    layers: [{ members: [a], start: 2026-01-05 }]
    overrides:
      - { member: b, from: 2026-12-24T08:00, to: 2026-12-24 09:00:30, why: at sea }
      - { member: b, from: 2026-12-24T08:00Z, to: 2026-12-24T08:00-03:30 }
      - { member: b, from: 2026-12-24T08:00+01:00, to: 2026-12-24T08:00:01Z }
`);
  const iso = ({ from, to, why }: SchedulePlan["overrides"][number]) => [new Date(from).toISOString(), new Date(to).toISOString(), why];
  expect(schedules[0]?.overrides.map(iso)).toEqual([
    ["2026-12-24T13:00:00.000Z", "2026-12-24T14:00:30.000Z", "at sea"],
    ["2026-12-24T08:00:00.000Z", "2026-12-24T11:30:00.000Z", ""],
    ["2026-12-24T07:00:00.000Z", "2026-12-24T08:00:01.000Z", ""],
  ]);
});

test("escalations have their waits in ms and are not repeated unless they say so", () => {
  const { escalations } = planOf(
    "escalations: [{ name: urgent, steps: [{ notify: [ops] }, { notify: [anna, boss], wait: 1h }] }, { name: x, steps: [{ notify: [a] }], repeat: 3 }]",
  );
  expect(escalations).toEqual([
    {
      name: "urgent",
      steps: [
        { targets: ["ops"], waitMs: 600_000 },
        { targets: ["anna", "boss"], waitMs: 3_600_000 },
      ],
      repeat: 0,
    },
    { name: "x", steps: [{ targets: ["a"], waitMs: 600_000 }], repeat: 3 },
  ]);
});

test("the example of docs/reference/on-call.md is a config, and says who is on call", () => {
  const page = readFileSync(new URL("../../docs/reference/on-call.md", import.meta.url), "utf8");
  const example = /```yaml\n(gateway:[\s\S]*?)```/.exec(page)?.[1] ?? "";
  expect(config(example).notify.receivers.map(({ name }) => name)).toContain("anna");
  const plan = toOncallPlan(blocks.notify.parse((parse(example) as { notify: unknown }).notify) as Blocks["notify"], "Europe/Oslo");
  const [ops] = plan.schedules as [SchedulePlan];
  const told = [...page.matchAll(/^\| (\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d) \| `?([a-z]+)`? \|/gm)];
  expect(told.length).toBeGreaterThan(4);
  for (const [, when = "", who] of told) expect(`${when} ${onCall(ops, worldOf(plan), Date.parse(when))?.member ?? "nobody"}`).toBe(`${when} ${who}`);
});

test("gaps of the next days are found, and told in local time", () => {
  const plan = planOf(`
time_intervals: [{ name: office, time_intervals: [{ weekdays: [monday:friday], times: [{ start_time: "08:00", end_time: "16:00" }] }] }]
schedules: [{ name: ops, layers: [{ members: [a], start: 2026-01-01, active: office }], overrides: [{ member: b, from: 2026-03-27T16:00, to: 2026-03-28T01:30 }] }]
`);
  const [ops] = plan.schedules as [SchedulePlan];
  const found = coverageGaps(ops, worldOf(plan), Date.parse("2026-03-27T12:00Z"), 3);
  expect(found.map((gap) => gapText(ops, worldOf(plan), gap))).toEqual(["nobody is on call in ops from 2026-03-28 01:30 to 2026-03-30 08:00 Europe/Oslo"]);
  expect(coverageGaps(ops, worldOf(plan), Date.parse("2026-03-30T06:00Z"), 1).map(({ start, end }) => (end - start) / 3_600_000)).toEqual([16]);
});
