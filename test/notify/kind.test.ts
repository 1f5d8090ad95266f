// Why somebody is told, of one alert and of a group, for every kind.

import { expect, test } from "vitest";
import { type NotificationKind, notificationKinds } from "../../src/engine/dispatch/record.ts";
import { groupKindLine, kindLine, kindMark } from "../../src/notify/kind.ts";
import { readNotification } from "../../src/notify/notification.ts";
import { FIRED_AT, freezerRows, type GroupOptions, groupRow, row } from "./outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const HOUR = 3_600_000;
const alone = (kind: NotificationKind, seq = 1, createdAt = FIRED_AT + 4 * HOUR) => readNotification({ ...row("firing", { createdAt }), kind, seq }, sender);
const together = (options: GroupOptions, count = 3) => readNotification(groupRow(freezerRows(count), { createdAt: FIRED_AT + 4 * HOUR, ...options }), sender);

test("of an alert alone", () => {
  expect(notificationKinds.map((kind) => [kind, kindMark(alone(kind)), kindLine(alone(kind))])).toEqual([
    ["transition", "", ""],
    [
      "announced",
      "was held back",
      "It was held back until now, by a silence, a shelf, a mute time or another alert, or because nobody was on call. That is over, and it still fires.",
    ],
    ["repeat", "again", "Still firing after 4 h; nobody has acknowledged it."],
    ["escalation", "unacknowledged", "Nobody has acknowledged it, 4 h after it fired: you are the next step."],
    ["flapping", "flapping", "It fires again and again: further changes are held back until it is calm. If it still fires then, you are told."],
    ["storm", "storm", "It came in a storm: so many alerts came within so short a time that they are told together. What comes further is told in a while."],
  ]);
});

test("an alert that flaps, where it is known from when on it does", () => {
  const flapping = { firings: 5, withinMs: 30 * 60_000, calmMs: 60_000 };
  const told = readNotification({ ...row("firing"), kind: "flapping" }, { ...sender, flapping });
  expect(kindLine(told)).toBe("It has fired 5 times within 30 min: further changes are held back until it is calm. If it still fires then, you are told.");
});

test("announced to somebody who was told before", () => {
  expect(kindMark(alone("announced", 2))).toBe("still");
  expect(kindLine(alone("announced", 2))).toContain("told anew because it still fires");
});

test("told again when it is latched: that it has cleared", () => {
  const told = (latchedAt: number, kind: NotificationKind = "repeat"): string => {
    const fired = row("firing", { createdAt: FIRED_AT + 4 * HOUR });
    return kindLine(readNotification({ ...fired, kind, alert: { ...fired.alert, latchedAt } }, sender));
  };
  const words = "Its condition has cleared since: it stands until somebody resets it.";
  expect(told(FIRED_AT + HOUR)).toBe(`Still firing after 4 h; nobody has acknowledged it. ${words}`);
  expect(told(FIRED_AT + HOUR, "announced")).toContain(words);
  // It cleared only later than that was to be told.
  expect(told(FIRED_AT + 5 * HOUR)).not.toContain(words);
  expect(told(FIRED_AT + HOUR, "transition")).toBe("");
});

test("of a group: what concerns one of it names that one", () => {
  expect(groupKindLine(together({ kind: "transition" }))).toBe("");
  expect(groupKindLine(together({ kind: "repeat" }))).toBe("Told again because not all of it is acknowledged; the first of it fired 4 h ago.");
  expect(groupKindLine(together({ kind: "escalation" }))).toBe("Not all of it is acknowledged: you are the next step.");
  expect(groupKindLine(together({ kind: "flapping" }))).toMatch(/^Of freezer-1 \(freezer-too-warm\): It fires again and again: /);
  expect(groupKindLine(together({ kind: "announced" }))).toMatch(/^Of freezer-1 \(freezer-too-warm\): It was held back until now/);
});

test("of a storm: how many within how long, then that it goes on, then that it was one", () => {
  const [first, second, ...others] = freezerRows(4);
  const late = { ...first, transition: { ...first.transition, at: first.transition.at + 90_000 } };
  const begun = readNotification(groupRow([late, ...(second === undefined ? [] : [second]), ...others], { kind: "storm", more: 8 }), sender);
  expect(groupKindLine(begun)).toBe(
    "So many alerts came for on-call within so short a time, 12 within 1 min 30 s, that they are told together. What comes further is told together too, in a while, until it is calm.",
  );
  expect(groupKindLine(together({ kind: "storm", seq: 2 }))).toMatch(/^The storm goes on: /);
  expect(groupKindLine(together({ kind: "storm", seq: 3, fresh: 0 }))).toMatch(/^Nothing new came of the storm: below is what fires of it/);
  const over = freezerRows(10).filter(({ state }) => state === "resolved");
  expect(groupKindLine(readNotification(groupRow(over as [(typeof over)[0], ...typeof over], { kind: "storm", seq: 3 }), sender))).toBe(
    "These alerts came in a storm and were told together.",
  );
});
