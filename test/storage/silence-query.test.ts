// Silences, shelves and overrides as the store answers them, written by the real engine and committer; which alerts a silence would
// hide; and which alert somebody means by the beginning of its id.

import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { utc } from "../../src/engine/calendar.ts";
import type { AlertName } from "../../src/engine/dispatch/command.ts";
import { answerAlert, findAlerts } from "../../src/storage/alert-query.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Answer, QueryContext, QueryRequest } from "../../src/storage/query.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const minute = 60_000;
const context: QueryContext = { devices: {}, zone: utc, clock: systemClock, timeMs: 60_000 };
const rules = [rule({ name: "warm", condition: { type: "threshold", above: 30 } }), rule({ name: "hot", condition: { type: "threshold", above: 60 } })];

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});
/** fz-1 was warm and is again, fz-2 is hot. */
function record(): Recorder {
  open = createRecorder(plan(rules, { maxFutureMs: 1e15 }));
  for (const [step, [one, two]] of [
    [20, 20],
    [40, 20],
    [20, 20],
    [45, 70],
  ].entries())
    open.receive(
      [
        { device: "fz-1", ts: (step + 1) * minute, value: one as number },
        { device: "fz-2", ts: (step + 1) * minute, value: two as number },
      ],
      minute,
    );
  return open;
}
function ask<Request extends QueryRequest>(store: Recorder, request: Request, given = context): Answer<Request> {
  const db = store.reader();
  try {
    return answerQuery(db, request, given);
  } finally {
    db.close();
  }
}
const matchers = (device: string) => [{ label: "device", patterns: [device] }];
const nameOf = (store: Recorder, device: string, ruleName: string): AlertName => {
  const [alert] = ask(store, { kind: "alerts", rule: ruleName, labels: { device: [device] } }).alerts;
  const id = alert?.id as string;
  return { id, rule: ruleName, subject: answerAlert(store.db, { id })?.subject as string, labels: alert?.labels ?? {} };
};

describe("silences", () => {
  it("have a state as of now, latest end first, in pages; an ended one says by whom", () => {
    const store = record();
    const start = store.now();
    const make = (device: string, from: number, to: number): string => {
      const answer = store.command("ada", { kind: "silence", matchers: matchers(device), startsAt: start + from, endsAt: start + to, why: `${device} moves` });
      return (answer.kind === "done" ? answer.id : "") as string;
    };
    const [soon, long, later, short] = [make("a", 0, 10 * minute), make("b", 0, 60 * minute), make("c", 30 * minute, 40 * minute), make("d", 0, 2 * minute)];
    const list = (now: number, rest: object = {}) => ask(store, { kind: "silences", now, ...rest }).silences.map(({ id, state }) => `${id} ${state}`);
    const at = start + 5 * minute;
    expect(list(at)).toEqual([`${long} active`, `${later} pending`, `${soon} active`, `${short} expired`]);
    expect(list(at, { states: ["active"] })).toEqual([`${long} active`, `${soon} active`]);
    expect(list(at, { states: ["pending", "expired"] })).toEqual([`${later} pending`, `${short} expired`]);
    // The start is inclusive, the end is not.
    expect([list(start + 30 * minute, { id: later }), list(start + 40 * minute, { id: later })]).toEqual([[`${later} active`], [`${later} expired`]]);
    expect([list(start, { states: ["pending"] }), list(start + 30 * minute, { states: ["active"] })]).toEqual([
      [`${later} pending`],
      [`${long} active`, `${later} active`],
    ]);
    const first = ask(store, { kind: "silences", now: at, limit: 2 });
    expect(first.silences.map(({ id }) => id)).toEqual([long, later]);
    const second = ask(store, { kind: "silences", now: at, limit: 2, cursor: first.cursor as string });
    expect([second.silences.map(({ id }) => id), second.cursor]).toEqual([[soon, short], null]);
    expect(() => ask(store, { kind: "silences", now: at, cursor: "nonsense" })).toThrow(expect.objectContaining({ code: "query_invalid" }));

    store.command("bob", { kind: "end_silence", id: long });
    const [ended] = ask(store, { kind: "silences", now: store.now(), id: long }).silences;
    expect(ended).toEqual({
      ...{ id: long, state: "expired", matchers: matchers("b"), startsAt: start, endsAt: store.now() },
      ...{ by: "ada", why: "b moves", createdAt: expect.any(Number), endedBy: "bob" },
    });
    expect(ask(store, { kind: "silences", now: at, id: "none" })).toEqual({ silences: [], cursor: null });
  });

  it("a preview counts all that match and are active, and gives the newest", () => {
    const store = record();
    const hides = (pattern: string, limit?: number) => {
      const { alerts, count } = ask(store, { kind: "silenced", matchers: matchers(pattern), ...(limit === undefined ? {} : { limit }) });
      return [count, ...alerts.map(({ rule: name, labels }) => `${name} ${labels["device"]}`)];
    };
    expect(hides("fz-1")).toEqual([1, "warm fz-1"]);
    expect(hides("/fz-[23]/").sort()).toEqual([2, "hot fz-2", "warm fz-2"]);
    expect(hides("*", 1)).toHaveLength(2);
    expect(hides("*", 1)[0]).toBe(3);
    expect(hides("fz-9")).toEqual([0]);
    expect(() => ask(store, { kind: "silenced", matchers: matchers("*") }, { ...context, timeMs: -1 })).toThrow(
      expect.objectContaining({ code: "query_too_long" }),
    );
  });
});

describe("shelves", () => {
  it("are listed newest first with the newest occurrence, in pages, and gone when they are over", () => {
    const store = record();
    const [warm, hot] = [nameOf(store, "fz-1", "warm"), nameOf(store, "fz-2", "hot")];
    store.command("ada", { kind: "shelve", alert: warm, until: store.now() + 10 * minute, why: "noise" });
    store.command("bob", { kind: "take_out_of_service", alert: hot, why: "sold" });
    const { shelves } = ask(store, { kind: "shelves" });
    expect(shelves).toMatchObject([
      { rule: "hot", kind: "out_of_service", by: "bob", until: null, why: "sold", alert: hot.id, state: "firing", labels: { device: "fz-2" } },
      { rule: "warm", kind: "timed", by: "ada", why: "noise", alert: warm.id, state: "firing" },
    ]);
    const first = ask(store, { kind: "shelves", limit: 1 });
    const second = ask(store, { kind: "shelves", limit: 1, cursor: first.cursor as string });
    expect([first, second].map((page) => page.shelves.map(({ rule: name }) => name))).toEqual([["hot"], ["warm"]]);
    expect(second.cursor).toBeNull();
    expect(ask(store, { kind: "alert", id: warm.id })?.alert.shelf).toMatchObject({ kind: "timed", by: "ada" });
    store.silence(10 * minute);
    expect(ask(store, { kind: "shelves" }).shelves.map(({ rule: name }) => name)).toEqual(["hot"]);
    expect(ask(store, { kind: "alert", id: warm.id })?.events.map(({ kind }) => kind)).toEqual(["shelved", "shelf_expired"]);
  });
});

describe("overrides", () => {
  it("none without a schedule", () => {
    const store = record();
    expect(ask(store, { kind: "overrides", now: store.now(), schedule: "primary" })).toEqual({ overrides: [] });
  });

  it("those that are not over and were not taken away, by their end", () => {
    const store = record();
    const insert = store.db.prepare("INSERT INTO schedule_override VALUES (?, ?, 'ada', ?, ?, 'bob', 'swap', 0, ?)");
    for (const [id, schedule, ends, removedBy] of [
      ["o1", "primary", 300, null],
      ["o2", "primary", 200, null],
      ["o3", "night", 250, null],
      ["o4", "primary", 400, "eve"],
      ["o5", "primary", 100, null],
    ])
      insert.run(id, schedule, 50, ends, removedBy);
    const ids = (rest: object = {}) => ask(store, { kind: "overrides", now: 100, ...rest }).overrides.map(({ id }) => id);
    expect([ids(), ids({ schedule: "primary" }), ids({ limit: 1 })]).toEqual([["o2", "o3", "o1"], ["o2", "o1"], ["o2"]]);
    expect(ask(store, { kind: "overrides", now: 299 }).overrides).toEqual([
      { id: "o1", schedule: "primary", member: "ada", from: 50, to: 300, by: "bob", why: "swap", createdAt: 0, removedBy: null },
    ]);
  });
});

describe("the alert that somebody means", () => {
  it("is the active one of several occurrences, an exact id in any state, and nothing where it could be more", () => {
    const store = record();
    const [now, before] = ask(store, { kind: "alerts", rule: "warm", labels: { device: ["fz-1"] } }).alerts.map(({ id }) => id as string) as [string, string];
    const meant = (prefix: string) => findAlerts(store.db, prefix).map(({ id }) => id);
    const key = now.slice(0, now.lastIndexOf("-") + 1);
    expect(before.startsWith(key)).toBe(true);
    expect([meant(key), meant(key.slice(0, 6)), meant(now), meant(before)]).toEqual([[now], [now], [now], [before]]);
    expect(meant("")).toHaveLength(3);
    expect(meant("zzz")).toEqual([]);
    store.db.prepare("UPDATE alert SET id = ? WHERE id = ?").run(`${before}x`, now);
    expect([meant(before), meant(before.slice(0, -1))]).toEqual([[before], [`${before}x`]]);
    store.db.prepare("UPDATE alert SET id = ? WHERE id = ?").run(now, `${before}x`);
    store.receive([{ device: "fz-1", ts: 9 * minute, value: 20 }], minute);
    // All of one rule and subject and none active: the newest.
    expect(meant(key)).toEqual([now]);
  });
});
