// Notifications in words: what each kind of alert says of itself, and how figures, spans and instants are written.

import { describe, expect, test } from "vitest";
import type { Evidence, TransitionReason } from "../../src/engine/effect.ts";
import { readNotification } from "../../src/notify/notification.ts";
import { formatFigure, formatInstant, formatNumber, formatShort, formatSpan, oneLine, wrapText } from "../../src/reasons/format.ts";
import type { OutboxRow } from "../../src/storage/outbox-row.ts";
import { FIRED_AT, freezerRows, GROUP_KEY, groupRow, row } from "./outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080/", timezone: "Europe/Oslo" };

type Change = { reason?: TransitionReason; at?: number; evidence?: Partial<Evidence> };
const changed = (from: OutboxRow, { evidence, ...transition }: Change): OutboxRow => ({
  ...from,
  transition: { ...from.transition, ...transition, evidence: { ...from.transition.evidence, ...evidence } },
});

test("a threshold: the reading, the limit, since when, the rule", () => {
  const { headline, summary, why, alert, notes } = readNotification(row("firing"), sender);
  expect(headline).toBe("freezer-too-warm · freezer-7 −12.4 °C");
  expect(summary).toBe("freezer-7 in room B2 is at -12.4 °C");
  expect(why).toEqual([
    "The temperature of freezer-7 was −12.4 °C at Sun 22 Nov 2026 13:31:07 CET (12:31:07 UTC): above −15 °C.",
    "It had been so since Sun 22 Nov 2026 13:26:07 CET (12:26:07 UTC), for 5 min, when the rule fired.",
    "Rule freezer-too-warm@9f86d081884c: above −15 °C, clears below −17 °C.",
  ]);
  expect(alert).toMatchObject({ startsAt: FIRED_AT, endsAt: null, url: "http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60718-mhx2k9" });
  expect(notes).toEqual([]);
});

test("without a summary of the rule's, one is made", () => {
  expect(readNotification(row("firing", { annotations: {} }), sender).summary).toBe("temperature of freezer-7 is −12.4 °C, above −15 °C");
  expect(readNotification(row("resolved", { annotations: {} }), sender).summary).toBe("temperature of freezer-7 is back at −17.3 °C after 35 min");
});

test("a window: the aggregate, its window and how many readings it held", () => {
  const window = { start: FIRED_AT - 600_000, end: FIRED_AT, aggregate: "avg", count: 10 };
  const { why, summary } = readNotification(
    changed(row("firing", { annotations: {}, value: 9.12345678, unit: "mm/s" }), { evidence: { window, predicate: "outside [2, 7.1]" } }),
    sender,
  );
  expect(why[0]).toBe(
    "The avg of temperature of freezer-7 over 10 min was 9.12346 mm/s in the window ending Sun 22 Nov 2026 13:31:07 CET (12:31:07 UTC), of 10 readings: outside 2 to 7.1 mm/s.",
  );
  expect(summary).toBe("avg of temperature of freezer-7 over 10 min is 9.12 mm/s, outside 2 to 7.1 mm/s");
});

test("a group is named by the labels that it agrees in, and what of it was measured", () => {
  const labels = { room: "B 2", site: "oslo", alertname: "room-warm", severity: "warning" };
  const group = row("firing", { annotations: {}, value: 29, unit: "°C", labels });
  const told = changed(
    { ...group, alert: { ...group.alert, subject: '{room="B 2",site="oslo"}' } },
    { evidence: { predicate: "avg of last values above 25" } },
  );
  expect(readNotification(told, sender).summary).toBe("avg of last values of room B 2, site oslo is 29 °C, avg of last values above 25 °C");
});

test("two metrics that are compared are both named", () => {
  const labels = { device: "pump-1", alertname: "clogged", severity: "warning" };
  const told = changed(row("firing", { annotations: {}, value: 0.5, unit: "bar", labels }), { evidence: { predicate: "out - in below 1" } });
  expect(readNotification(told, sender).summary).toBe("out - in of pump-1 is 0.5 bar, out - in below 1 bar");
});

test("a count has no unit", () => {
  const window = { start: FIRED_AT - 60_000, end: FIRED_AT, aggregate: "count", count: 1 };
  const { figure, why } = readNotification(changed(row("firing", { value: 1, unit: null }), { evidence: { window, predicate: "below 3" } }), sender);
  expect(figure).toBe("1");
  expect(why[0]).toContain("was 1 in the window");
  expect(why[0]).toContain("of 1 reading: below 3.");
});

test.each([
  [
    "a rate",
    "below -12.5 per minute, clears above -1 per minute",
    "°C per minute",
    "The rate of temperature of freezer-7 was −12.4 °C per minute",
    "below −12.5 °C per minute",
  ],
  [
    "a rate without a unit",
    "outside [10, 12] per 1h30m",
    "per 1h30m",
    "The rate of temperature of freezer-7 was −12.4 per 1h30m",
    "outside 10 to 12 per 1h30m",
  ],
  ["a flat line", "flat within 0.5 for 1h30m", "°C", "The range of temperature of freezer-7 was −12.4 °C", "flat within 0.5 °C for 1h30m"],
  [
    "several readings",
    "3 of 15 readings outside [20, 70]",
    null,
    "The number of breaching readings of temperature of freezer-7 was −12.4",
    "3 of 15 readings outside 20 to 70",
  ],
  ["an anomaly", "score above 0.5", null, "The anomaly score of temperature of freezer-7 was −12.4", "score above 0.5"],
  ["a range of two digits", "outside [12, 18]", "°C", "The temperature of freezer-7 was −12.4 °C", "outside 12 to 18 °C"],
])("%s: what was measured, in its unit", (_name, predicate, unit, measure, limit) => {
  const { why } = readNotification(row("firing", { predicate, unit }), sender);
  expect(why[0]).toContain(`${measure} at `);
  expect(why[0]).toContain(`: ${limit}.`);
});

test("of several conditions the one that decided", () => {
  const predicate = "all of (above 60; above 1 per minute)";
  const parts = [
    { predicate: "above 60", measure: 65, holds: true },
    { predicate: "above 1 per minute", measure: -12.4, holds: true },
  ];
  const { why } = readNotification(changed(row("firing", { predicate, unit: null }), { evidence: { parts } }), sender);
  expect(why[0]).toContain("The rate of temperature of freezer-7 was −12.4 at ");
  expect(why[0]).toContain(": all of (above 60; above 1 per minute).");
});

test("an absence: which reading was the last, and how long it was silent", () => {
  const predicate = "no reading for 600000 ms";
  const silent = readNotification(row("firing", { predicate, annotations: {} }), sender);
  expect(silent.headline).toBe("freezer-too-warm · freezer-7 silent for 10 min");
  expect(silent.why[0]).toBe(
    "The last reading of temperature from freezer-7 was −12.4 °C, at Sun 22 Nov 2026 13:21:07 CET (12:21:07 UTC); none came in the 10 min after it.",
  );
  expect(silent.why.at(-1)).toBe("Rule freezer-too-warm@9f86d081884c: no reading for 10 min.");
  const heard = readNotification(row("resolved", { predicate, annotations: {} }), sender);
  expect(heard.headline).toBe("freezer-too-warm · freezer-7 heard again");
  expect(heard.why.join(" ")).not.toContain("peak");
});

test("a rule that went away does not say that the sensor recovered", () => {
  const removed = readNotification(changed(row("resolved", { annotations: {} }), { reason: "rule_removed" }), sender);
  expect(removed.why[0]).toContain("Nothing says that the sensor has recovered.");
  expect(removed.summary).toBe("freezer-too-warm on freezer-7 ended after 35 min: rule removed");
  expect(removed.facts.map(({ name }) => name)).not.toContain("Good value");
});

test("a dead letter names its channel and has no figures", () => {
  const labels = { alertname: "highwater-dead-letter", severity: "critical", receiver: "night", channel: "webhook:0" };
  const dead = changed(row("firing", { labels, annotations: {} }), {
    reason: "dead_letter",
    evidence: { predicate: "a notification was given up", measure: 1 },
  });
  const { headline, facts } = readNotification(dead, sender);
  expect(headline).toBe("freezer-too-warm · night webhook:0 gave up a notification");
  expect(facts.map(({ name }) => name)).toEqual(["Fired"]);
});

test("what was known late says so", () => {
  const late = changed(row("firing"), { at: FIRED_AT + 5 * 3_600_000 });
  expect(readNotification(late, sender).why).toContain(
    "The gateway knew of it 5 h after the event, at Sun 22 Nov 2026 18:31:07 CET (17:31:07 UTC): its readings came late.",
  );
  expect(readNotification(row("firing"), sender).why.join()).not.toContain("came late");
});

test("each of a group is told as if alone, with its own state", () => {
  const rows = freezerRows(5);
  const told = readNotification(groupRow(rows, { more: 2, createdAt: FIRED_AT + 60_000 }), sender);
  expect(told.madeAt).toBe(FIRED_AT + 60_000);
  expect(told).toMatchObject({ state: "firing", group: GROUP_KEY, members: { more: 2 } });
  expect(told.members?.alerts.map(({ state }) => state)).toEqual(["firing", "firing", "firing", "firing", "resolved"]);
  const [, second] = rows;
  const { id, madeAt, group, ...alone } = readNotification(second as OutboxRow, sender);
  expect(told.members?.alerts[1]).toEqual({ ...alone, id: told.id, madeAt: told.madeAt, group: told.group });
  expect([id, madeAt, group]).toEqual([second?.id, second?.createdAt, null]);
});

test("the same row gives the same notification", () => {
  expect(readNotification(row("firing"), sender)).toEqual(readNotification(row("firing"), sender));
});

test("templates see labels, figures and times; labels do not hide figures", () => {
  const labels = { device: "d1", metric: "m", value: "forged", alertname: "x" };
  const annotations = {
    a: "{{device}} {{value}} {{unit}} {{limit}} {{peak}} {{state}} {{severity}} {{alertname}} {{duration}} {{starts_at}} {{labels.metric}} {{gateway}}",
  };
  const { alert } = readNotification(row("resolved", { labels, annotations }), sender);
  expect(alert.annotations["a"]).toBe("d1 -17.3 °C -15 -9.8 resolved critical freezer-too-warm 35 min 2026-11-22T12:31:07.000Z m cold-chain");
});

describe("writing", () => {
  test.each([
    [-12.4, "−12.4"],
    [0.1 + 0.2, "0.3"],
    [-0, "0"],
    [1234567.89, "1234568"],
    [0.000012345678, "0.0000123457"],
    [21, "21"],
  ])("%d is %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test.each([
    [-16.24711, -17, "−16.25 °C"],
    [-15.001, -15, "−15.001 °C"],
    [-15, -15, "−15 °C"],
    [0.012345, 0, "0.0123 °C"],
    [1e9, null, "1000000000 °C"],
  ])("%d against %o is %s at a glance", (value, limit, text) => {
    expect(formatFigure(value, "°C", limit)).toBe(text);
  });

  test.each([
    [0, "0 ms"],
    [250, "250 ms"],
    [1_000, "1 s"],
    [90_000, "1 min 30 s"],
    [35 * 60_000, "35 min"],
    [3_600_000 + 5_000, "1 h"],
    [2 * 86_400_000 + 4 * 3_600_000 + 59 * 60_000, "2 d 4 h"],
  ])("%d ms is %s", (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });

  test.each([
    ["UTC", "Sun 22 Nov 2026 12:31:07 UTC"],
    ["Europe/Oslo", "Sun 22 Nov 2026 13:31:07 CET (12:31:07 UTC)"],
    ["Pacific/Auckland", "Mon 23 Nov 2026 01:31:07 GMT+13 (Sun 22 Nov 2026 12:31:07 UTC)"],
  ])("an instant in %s", (zone, text) => {
    expect(formatInstant(FIRED_AT, zone)).toBe(text);
  });

  test.each([
    [FIRED_AT + 3_600_000, "Europe/Oslo", "13:31"],
    [FIRED_AT + 12 * 3_600_000, "Europe/Oslo", "22 Nov 13:31"],
    [FIRED_AT + 12 * 3_600_000, "Pacific/Auckland", "01:31"],
    [FIRED_AT + 60 * 86_400_000, "UTC", "22 Nov 2026 12:31"],
  ])("short, seen at %d in %s: %s", (now, zone, text) => {
    expect(formatShort(FIRED_AT, zone, now)).toBe(text);
  });

  test("what is not in the calendar is never", () => {
    expect(formatShort(1e300, "UTC", FIRED_AT)).toBe("never");
  });

  test("wrapped text keeps its words, its indent and its columns", () => {
    expect(wrapText("one two three four", 8)).toEqual(["one two", "three", "four"]);
    expect(wrapText("  one two three", 8, 4)).toEqual(["  one", "    two", "    thre", "    e"]);
    expect(wrapText("x".repeat(17), 8)).toEqual(["xxxxxxxx", "xxxxxxxx", "x"]);
    expect(wrapText("", 8)).toEqual([]);
  });

  test("one line has neither breaks nor marks that turn text, and an end", () => {
    expect(oneLine(" a\r\nb\u2028c\u202ed\u0000 ")).toBe("a b c d");
    expect(oneLine("x".repeat(1_000))).toHaveLength(300);
  });
});
