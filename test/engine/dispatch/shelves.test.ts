// Shelves and out of service: what an operator hides for a while, until it clears, or for maintenance; and latches, which wait for one.

import { describe, expect, it } from "vitest";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import { keyOf } from "../../../src/engine/dispatch/occurrence.ts";
import { STANDING_MAX } from "../../../src/engine/dispatch/operator.ts";
import { desk, onOff } from "./desk.ts";

type Desk = ReturnType<typeof desk>;
type Named = Extract<Command, { kind: "unshelve" }>["alert"];

const nameOf = (run: Desk, device: string): Named => {
  const id = run.alertOf(device);
  const record = run.effects.flatMap(({ alerts }) => alerts).find((each) => each.id === id);
  if (record === undefined) throw new Error(`${device} never fired`);
  return { id, rule: record.rule, subject: record.subject, labels: record.labels };
};
const shelve = (run: Desk, device: string, seconds: number | null): Command => ({
  kind: "shelve",
  alert: nameOf(run, device),
  until: seconds === null ? null : run.now() + seconds * 1000,
  why: "works",
});
const eventsOf = (run: Desk): string[] => run.effects.flatMap(({ alertEvents }) => alertEvents.map(({ kind, by, number }) => `${number} ${kind} ${by}`.trim()));

describe("a shelf for a time", () => {
  it("hides repeats and what fires anew; what still fires then is announced again, also where it was told before", () => {
    const run = desk({ route: { repeatMs: 10_000 } });
    run.say(1, "a");
    run.command(shelve(run, "a", 45));
    expect(run.pass(44)).toEqual([]);
    expect(run.pass(5)).toEqual(["45: announced firing a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 2, "shelved shelf": 4 });
    expect(eventsOf(run)).toEqual(["1 shelved anna", "2 shelf_expired"]);
    expect(run.effects.flatMap(({ shelves }) => shelves.map(({ shelf }) => shelf?.kind ?? null))).toEqual(["timed", null]);
  });

  it("outlives the occurrence: the next one is hidden and announced", () => {
    const run = desk();
    run.say(1, "a");
    run.command(shelve(run, "a", 60));
    run.pass(1);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["1: transition resolved a → on-call"]);
    run.pass(1);
    expect(run.sentBy(run.say(1, "a"))).toEqual([]);
    run.restart();
    expect(run.pass(70)).toEqual(["60: announced firing a → on-call"]);
  });

  it("that hid an alert to its end announces nothing", () => {
    const run = desk();
    run.say(1, "a");
    run.pass(1);
    run.say(0, "a");
    run.command(shelve(run, "a", 60));
    run.pass(1);
    run.say(1, "a");
    run.pass(1);
    expect(run.sentBy(run.say(0, "a"))).toEqual([]);
    expect(run.pass(100)).toEqual([]);
    expect(run.dispositions()).toEqual({ sent: 2, "shelved shelf": 1 });
  });

  it("ends when somebody unshelves it, unless something else hides it", () => {
    const run = desk();
    run.say(1, "a");
    run.command(shelve(run, "a", 60));
    expect(run.command({ kind: "unshelve", alert: nameOf(run, "a"), why: "" }).sent).toEqual(["0: announced firing a → on-call"]);
    run.command(shelve(run, "a", 60));
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 90_000, why: "" });
    expect(run.command({ kind: "unshelve", alert: nameOf(run, "a"), why: "" }).sent).toEqual([]);
    expect(run.pass(100)).toEqual(["90: announced firing a → on-call"]);
  });

  it.each([
    ["longer than any", 8 * 3600 + 1, "shelved_too_long"],
    ["for no time", 0, "span_empty"],
    ["into the past", -1, "span_empty"],
  ])("%s is refused", (_, seconds, code) => {
    const run = desk();
    run.say(1, "a");
    expect(run.command(shelve(run, "a", seconds))).toMatchObject({ kind: "refused", code });
    expect(run.command(shelve(run, "a", 8 * 3600))).toMatchObject({ kind: "done", id: keyOf(run.alertOf("a")) });
  });

  it("for as long as any may be, by a clock that is a little ahead, ends when the longest does", () => {
    const run = desk();
    run.say(1, "a");
    const [alert, longest] = [nameOf(run, "a"), 8 * 3_600_000];
    run.command({ kind: "shelve", alert, until: run.now() + longest + 500, why: "" });
    expect(run.pass(8 * 3600 - 1)).toEqual([]);
    expect(run.pass(1)).toEqual([expect.stringContaining("announced firing a")]);
    expect(run.command({ kind: "shelve", alert, until: run.now() + longest + 501, why: "" })).toMatchObject({ kind: "refused", code: "shelved_too_long" });
  });

  it("is refused where there are too many", () => {
    const run = desk();
    run.say(1, "a");
    const alert = nameOf(run, "a");
    for (let count = 0; count < STANDING_MAX; count++) run.command({ kind: "shelve", alert: { ...alert, id: `${count}-x` }, until: run.now() + 1000, why: "" });
    expect(run.command(shelve(run, "a", 10))).toMatchObject({ kind: "refused", code: "too_many" });
  });
});

describe("a shelf until it clears", () => {
  it("ends with the occurrence, and the next one is told", () => {
    const run = desk();
    run.say(1, "a");
    run.command(shelve(run, "a", null));
    run.pass(5);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["5: transition resolved a → on-call"]);
    run.pass(5);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["10: transition firing a → on-call"]);
  });

  it("ends, if it does not clear, when nothing may be shelved for longer", () => {
    const run = desk({ dispatch: { shelveMaxMs: 100_000 } });
    run.say(1, "a");
    run.command(shelve(run, "a", null));
    expect(run.pass(120)).toEqual(["100: announced firing a → on-call"]);
  });
});

describe("out of service", () => {
  it("has no end but that somebody returns it, and takes the place of a shelf", () => {
    const run = desk();
    run.say(1, "a");
    run.command(shelve(run, "a", 60));
    expect(run.command({ kind: "take_out_of_service", alert: nameOf(run, "a"), why: "new probe" })).toMatchObject({ kind: "done" });
    run.pass(1);
    run.say(0, "a");
    run.pass(1);
    run.say(1, "a");
    expect(run.pass(100_000, 1000)).toEqual([]);
    expect(run.command({ kind: "return_to_service", alert: nameOf(run, "a"), why: "" }).sent).toEqual(["100002: announced firing a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 3, "shelved out_of_service": 1 });
  });
});

describe("a latched alert", () => {
  const latched = { rules: [onOff({ latch: true })] };

  it("stands recovering when it has cleared, since then, and is over when somebody resets it", () => {
    const run = desk(latched);
    run.say(1, "a");
    run.pass(5);
    const cleared = run.say(0, "a");
    expect(cleared.alerts).toMatchObject([{ state: "recovering", latchedAt: run.now(), resolvedAt: null }]);
    expect(cleared.transitions).toMatchObject([{ to: "recovering", reason: "latched" }]);
    expect(run.pass(1000, 10)).toEqual([]);
    run.restart();
    expect(run.command({ kind: "reset", alert: run.alertOf("a"), note: "looked" }).sent).toEqual(["1005: transition resolved a → on-call"]);
    expect(run.effects.at(-1)).toMatchObject({ alerts: [{ state: "resolved", latchedAt: null }], alertEvents: [{ kind: "reset", text: "looked" }] });
    run.pass(1);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["1006: transition firing a → on-call"]);
  });

  it("fires again within the same occurrence, which then cannot be reset", () => {
    const run = desk(latched);
    run.say(1, "a");
    run.pass(1);
    run.say(0, "a");
    run.pass(1);
    const again = run.say(1, "a");
    expect(again.alerts).toMatchObject([{ id: run.alertOf("a"), state: "firing", latchedAt: null }]);
    expect(run.sentBy(again)).toEqual([]);
    expect(run.command({ kind: "reset", alert: run.alertOf("a"), note: "" })).toMatchObject({ kind: "refused", code: "still_active" });
  });

  it("of a group is reset too", () => {
    const run = desk({ rules: [onOff({ latch: true, group_by: ["site"], condition: { type: "threshold", aggregate: "max", above: 0.5 } })] });
    const id = run.say(1, "a,site=x").alerts[0]?.id ?? "";
    run.pass(1);
    run.say(0, "a,site=x");
    expect(run.command({ kind: "reset", alert: id, note: "" })).toMatchObject({ kind: "done" });
    expect(run.effects.at(-1)?.transitions).toMatchObject([{ alert: id, to: "resolved", reason: "reset" }]);
  });

  it("is known by its id alone", () => {
    expect(desk(latched).command({ kind: "reset", alert: "none-0", note: "" })).toMatchObject({ kind: "refused", code: "not_active" });
  });
});
