// What several alerts have in common: read from the key of their group, from their labels, and counted.

import { describe, expect, test } from "vitest";
import type { RoutePlan } from "../../src/engine/dispatch/plan.ts";
import { Routes } from "../../src/engine/dispatch/routes.ts";
import { agreement, alertsOf, common, groupLabels, groupSummary, newOnes, rulesText, shares, tellsOfSeveral, worstFirst } from "../../src/notify/group.ts";
import { readNotification } from "../../src/notify/notification.ts";
import { freezerRows, type GroupOptions, groupRow, row } from "./outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const groupOf = (count: number, options: GroupOptions = {}, labelsOf: (index: number) => Record<string, string> = () => ({})) =>
  readNotification(groupRow(freezerRows(count, labelsOf), options), sender);
const agreed = (...args: Parameters<typeof groupOf>) => {
  const notification = groupOf(...args);
  return agreement(notification, alertsOf(notification));
};

describe("the key of a group", () => {
  const keyBy = (groupBy: RoutePlan["groupBy"], labels: Record<string, string>, receiver = "on-call") => {
    const [taken] = new Routes({ receiver, ...(groupBy !== undefined && { groupBy }) }).taking(labels);
    return `${taken?.group}@mhx2k9.2f`;
  };

  test("as the engine writes it, gives back its labels, without those that its alerts do not have", () => {
    const labels = { site: `north "A"} {b="c"`, room: "B 2, left\\right", device: "f1", umlaut: "Kühlhaus\n2" };
    expect(groupLabels(keyBy(["site", "room", "umlaut", "team"], labels))).toEqual({ site: labels.site, room: labels.room, umlaut: labels.umlaut });
    expect(groupLabels(keyBy(null, labels))).toEqual({});
    expect(groupLabels(keyBy(["site"], { site: 'x/1f2e:{a="b"}@k' }, "on-call/night: {a}"))).toEqual({ site: 'x/1f2e:{a="b"}@k' });
  });

  test.each(["storm/on-call@mhx2k9", "", "anything", 'a/1f2e:{site="\\x"}@k'])("%o has none", (key) => {
    expect(groupLabels(key)).toEqual({});
  });
});

test("common is what all have with the same value", () => {
  expect(common([{ a: "1", b: "2" }, { a: "1", b: "3" }, { a: "1" }])).toEqual({ a: "1" });
  expect(common([])).toEqual({});
});

test("new is what fires and was not told before; in a first message, and in one that is told again, nothing is", () => {
  const newIn = (options: GroupOptions) => [...newOnes(groupOf(5, options))].map(({ device }) => device);
  expect(newIn({ seq: 2, fresh: 2 })).toEqual(["freezer-1", "freezer-2"]);
  expect(newIn({ seq: 2, fresh: 5 })).toHaveLength(4);
  expect([newIn({ fresh: 2 }), newIn({ seq: 2, kind: "repeat" }), newIn({ seq: 2, kind: "escalation" })]).toEqual([[], [], []]);
  const [graver, ...others] = freezerRows(2);
  const level = { ...graver, transition: { ...graver.transition, reason: "level" as const } };
  expect(newOnes(readNotification(groupRow([level, ...others], { seq: 2, fresh: 1 }), sender)).size).toBe(0);
  expect(groupSummary(groupOf(2, { seq: 2 }))).toBe("2 alerts fire, both critical, all new.");
});

describe("a title", () => {
  test("names the rule, or how many there are", () => {
    expect(rulesText(alertsOf(groupOf(3)))).toBe("freezer-too-warm");
    expect(rulesText(alertsOf(groupOf(3, {}, (index) => ({ alertname: `rule-${index}` }))))).toBe("3 rules");
  });

  test("names what is grouped by; without that, what all agree in; of one device that", () => {
    expect(agreed(3)).toBe("site oslo");
    expect(agreed(3, { line: "storm/on-call@mhx2k9" })).toBe("room B2, site oslo, team cold-chain");
    expect(agreed(3, { line: "storm/on-call@mhx2k9" }, (index) => ({ room: `${index}`, site: `${index}`, team: `${index}` }))).toBe("");
    expect(agreed(3, {}, () => ({ device: "freezer-1" }))).toBe("freezer-1");
  });
});

test.each([
  [1, 0, 0, "1 alert fires, critical."],
  [2, 0, 0, "2 alerts fire, both critical."],
  [4, 0, 0, "4 alerts fire, 3 of them critical."],
  [5, 0, 0, "4 alerts fire, 3 of them critical; 1 has resolved."],
  [10, 0, 0, "8 alerts fire, 5 of them critical; 2 have resolved."],
  [10, 0, 7, "8 alerts fire, 5 of them critical; 2 have resolved; there are 7 more."],
  [5, 4, 0, "The alert has resolved."],
  [10, 8, 0, "Both alerts have resolved."],
  [10, 8, 3, "2 have resolved; there are 3 more."],
  [15, 12, 0, "All 3 alerts have resolved."],
])("%i alerts without the %i that fire, and %i more: %s", (count, without, more, text) => {
  const rows = freezerRows(count).filter((each) => without === 0 || each.state === "resolved");
  expect(groupSummary(readNotification(groupRow(rows as [(typeof rows)[0], ...typeof rows], { more }), sender))).toBe(text);
});

test("worst first: firing before resolved, then by severity, and among equals as they came", () => {
  const devices = worstFirst(alertsOf(groupOf(10))).map(({ device, state, alert }) => `${device} ${state} ${alert.severity}`);
  expect(devices).toEqual([
    ...["freezer-1", "freezer-2", "freezer-4", "freezer-7", "freezer-8"].map((device) => `${device} firing critical`),
    ...["freezer-3", "freezer-6", "freezer-9"].map((device) => `${device} firing warning`),
    ...["freezer-5", "freezer-10"].map((device) => `${device} resolved critical`),
  ]);
});

test("shares are counted, most first, of labels that at least two have", () => {
  const notification = groupOf(6, {}, (index) => ({ alertname: index < 4 ? "cold" : "warm", gateway: `gw-${index % 2}`, room: `${index}` }));
  const found = shares(alertsOf(notification), 3);
  expect(found.rules).toEqual([
    { name: "rule", text: "cold", count: 4 },
    { name: "rule", text: "warm", count: 2 },
  ]);
  expect(found.labels).toEqual([
    { name: "site", text: "oslo", count: 6 },
    { name: "team", text: "cold-chain", count: 6 },
    { name: "gateway", text: "gw-0", count: 3 },
  ]);
});

test("one alert is told alone, whether of a group or not; one of which there was no room for others is not", () => {
  expect(tellsOfSeveral(readNotification(row("firing"), sender))).toBe(false);
  expect(tellsOfSeveral(groupOf(1))).toBe(false);
  expect(tellsOfSeveral(groupOf(2))).toBe(true);
  expect(tellsOfSeveral(groupOf(1, { more: 1 }))).toBe(true);
  expect(alertsOf(readNotification(row("firing"), sender))).toHaveLength(1);
});
