// Silences: before, during and after what they hide; what still fires when one is over is announced, and an end goes to who was told.

import { describe, expect, it } from "vitest";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import { STANDING_MAX } from "../../../src/engine/dispatch/operator.ts";
import { desk, levelled } from "./desk.ts";

type Desk = ReturnType<typeof desk>;

const silence = (run: Desk, from: number, to: number, pattern = "*"): Command => ({
  kind: "silence",
  matchers: [{ label: "device", patterns: [pattern] }],
  startsAt: run.now() + from * 1000,
  endsAt: run.now() + to * 1000,
  why: "works",
});
const made = (run: Desk, from: number, to: number, pattern?: string): string => {
  const answer = run.command(silence(run, from, to, pattern));
  if (answer.kind !== "done" || answer.id === null) throw new Error("it was refused");
  return answer.id;
};

describe("a silence", () => {
  it("hides what fires while it lasts, and what still fires then is announced", () => {
    const run = desk();
    const id = made(run, 0, 20);
    expect(run.sentBy(run.say(1, "a", "b"))).toEqual([]);
    run.pass(5);
    expect(run.sentBy(run.say(0, "b"))).toEqual([]);
    expect(run.pass(30)).toEqual(["20: announced firing a → on-call"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["35: transition resolved a → on-call"]);
    expect(run.dispositions()).toEqual({ "silenced silence": 2, sent: 2 });
    expect([...run.rows.values()].flatMap(({ cause }) => cause ?? [])).toEqual([`silence:${id}`, `silence:${id}`]);
  });

  it("hides nothing before it begins, and its end goes to who was told", () => {
    const run = desk();
    made(run, 10, 30);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → on-call"]);
    run.pass(15);
    expect(run.sentBy(run.say(1, "b"))).toEqual([]);
    run.pass(1);
    expect(run.sentBy(run.say(0, "a", "b"))).toEqual(["16: transition resolved a → on-call"]);
    expect(run.pass(30)).toEqual([]);
  });

  it("hides what matches alone, and by its first name where two do", () => {
    const run = desk();
    const first = made(run, 0, 20, "a*");
    const second = made(run, 0, 40, "a*");
    expect(run.sentBy(run.say(1, "a", "b"))).toEqual(["0: transition firing b → on-call"]);
    expect([...run.rows.values()].map(({ cause }) => cause)).toEqual([`silence:${first}`, null]);
    expect(run.pass(25)).toEqual([]);
    expect(run.command({ kind: "end_silence", id: second })).toMatchObject({ kind: "done", sent: ["25: announced firing a → on-call"] });
  });

  it("made after the telling hides the repeats, and the alert is announced when it is over", () => {
    const run = desk({ route: { repeatMs: 10_000 } });
    run.say(1, "a");
    run.pass(5);
    made(run, 0, 30);
    expect(run.pass(29)).toEqual([]);
    expect(run.dispositions()).toEqual({ sent: 1, "silenced silence": 3 });
    expect(run.pass(11)).toEqual(["35: announced firing a → on-call", "45: repeat firing a → on-call"]);
  });

  it("that hid nothing of it meanwhile announces nothing", () => {
    const run = desk();
    run.say(1, "a");
    made(run, 0, 10);
    expect(run.pass(20)).toEqual([]);
  });

  it("that begins while an alert waits in its group hides it", () => {
    const run = desk({ route: { groupBy: [], groupWaitMs: 20_000 } });
    run.say(1, "a", "b");
    made(run, 10, 60, "a");
    expect(run.pass(30)).toEqual(["20: transition firing b+0 → on-call"]);
    expect(run.pass(60)).toEqual(["60: announced firing a+1 → on-call"]);
  });

  it("that hid all of a group leaves the wait to those that come after it", () => {
    const run = desk({ route: { groupBy: [], groupWaitMs: 10_000 } });
    made(run, 0, 1000, "a");
    run.say(1, "a");
    run.pass(100);
    run.say(1, "b");
    run.pass(3);
    run.say(1, "c");
    expect(run.pass(20)).toEqual(["110: transition firing b+1 → on-call"]);
  });

  it("ends when somebody ends it, also over a restart, and says who", () => {
    const run = desk();
    const id = made(run, 0, 1000);
    run.say(1, "a");
    run.restart();
    run.pass(5);
    expect(run.command({ kind: "end_silence", id }, "bert")).toMatchObject({ sent: ["5: announced firing a → on-call"] });
    expect(run.effects.at(-1)?.silences).toMatchObject([{ id, endsAt: run.now(), endedBy: "bert", by: "anna" }]);
    expect(run.pass(2000, 100)).toEqual([]);
  });

  it("that has not begun is over at once when it is ended", () => {
    const run = desk();
    const id = made(run, 10, 20);
    run.command({ kind: "end_silence", id });
    expect(run.effects.at(-1)?.silences).toMatchObject([{ id, startsAt: run.now(), endsAt: run.now() }]);
  });

  it("of the same words at the same time is another", () => {
    const run = desk();
    expect(made(run, 0, 10)).not.toBe(made(run, 0, 10));
  });

  it("hides what gets graver too, unless it matches no more", () => {
    const run = desk({ rules: [levelled] });
    run.command({ ...silence(run, 0, 100), matchers: [{ label: "severity", patterns: ["warning"] }] } as Command);
    expect(run.sentBy(run.say(1, "a"))).toEqual([]);
    run.pass(1);
    expect(run.sentBy(run.say(2, "a"))).toEqual(["1: transition firing a → on-call"]);
    run.pass(1);
    expect(run.sentBy(run.say(1, "a"))).toEqual([]);
    expect(run.pass(200, 10)).toEqual(["102: announced firing a → on-call"]);
  });
});

describe("a refused silence", () => {
  it.each([
    ["ends before it begins", 20, 10],
    ["ends as it begins", 20, 20],
    ["is over already", -20, -10],
    ["ends now", -20, 0],
  ])("%s", (_, from, to) => {
    const run = desk();
    expect(run.command(silence(run, from, to))).toMatchObject({ kind: "refused", code: "span_empty" });
    expect(run.effects.at(-1)?.silences).toEqual([]);
  });

  it("is one too many", () => {
    const run = desk();
    for (let count = 0; count < STANDING_MAX; count++) made(run, 0, 1000 + count);
    expect(run.command(silence(run, 0, 10))).toMatchObject({ kind: "refused", code: "too_many" });
  });

  it("is not known, or over", () => {
    const run = desk();
    const id = made(run, 0, 10);
    run.pass(10);
    for (const each of ["none", id]) expect(run.command({ kind: "end_silence", id: each })).toMatchObject({ kind: "refused", code: "unknown_silence" });
  });
});
