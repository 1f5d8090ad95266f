// The life of an alert: each event in each state, carried out by the engine in a state that commands and readings have led to. What is
// legal is done and written down, what is not is refused by name and changes nothing. The reference page is made of the same table; anew:
// vitest run test/engine/dispatch/life.test.ts --update

import { describe, expect, it } from "vitest";
import type { Engine } from "../../../src/engine/contract.ts";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import type { Effects } from "../../../src/engine/effect.ts";
import type { Saved } from "../../../src/engine/state.ts";
import { desk, onOff } from "./desk.ts";
import { type Cell, cells, events, LEGAL, type LifeEvent, type LifeState, nameOf, page } from "./life-table.ts";

const HOUR = 3_600_000;

type Desk = ReturnType<typeof desk>;
type Name = { id: string; rule: string; subject: string; labels: Record<string, string> };

function commandOf(event: LifeEvent, alert: Name, now: number): Command {
  const commands: Record<LifeEvent, Command> = {
    acknowledge: { kind: "acknowledge", alert: alert.id, note: "seen" },
    unacknowledge: { kind: "unacknowledge", alert: alert.id, note: "not mine" },
    comment: { kind: "comment", alert: alert.id, text: "a door" },
    shelve: { kind: "shelve", alert, until: now + HOUR, why: "works" },
    "shelve until clear": { kind: "shelve", alert, until: null, why: "works" },
    unshelve: { kind: "unshelve", alert, why: "done" },
    "take out of service": { kind: "take_out_of_service", alert, why: "works" },
    "return to service": { kind: "return_to_service", alert, why: "done" },
    reset: { kind: "reset", alert: alert.id, note: "looked" },
  };
  return commands[event];
}

/** What is written down of an event that is done: of the occurrence, where one stands, and of the shelf. */
const written: Record<LifeEvent, { kind: string; shelf?: string | null; ack?: boolean }> = {
  acknowledge: { kind: "acknowledged", ack: true },
  unacknowledge: { kind: "unacknowledged", ack: false },
  comment: { kind: "commented" },
  shelve: { kind: "shelved", shelf: "timed" },
  "shelve until clear": { kind: "shelved", shelf: "until_clear" },
  unshelve: { kind: "unshelved", shelf: null },
  "take out of service": { kind: "out_of_service", shelf: "out_of_service" },
  "return to service": { kind: "in_service", shelf: null },
  reset: { kind: "reset" },
};

const rules = {
  firing: onOff(),
  recovering: onOff({ keep_firing_for: "1h" }),
  latched: onOff({ latch: true }),
  over: onOff(),
};

/** An alert that was led into the state. */
function reach({ condition, isAcknowledged, shelving }: LifeState): { run: Desk; alert: Name } {
  const run = desk({ rules: [rules[condition]] });
  const nameIn = (effect: Effects): Name => {
    const [record] = effect.alerts;
    if (record === undefined) throw new Error("it did not fire");
    return { id: record.id, rule: record.rule, subject: record.subject, labels: record.labels };
  };
  const alert = nameIn(run.say(1, "a"));
  if (isAcknowledged) expect(run.command(commandOf("acknowledge", alert, run.now()))).toMatchObject({ kind: "done" });
  run.pass(1);
  if (condition !== "firing") run.say(0, "a");
  const shelve = { shelved: "shelve", "shelved until clear": "shelve until clear", "out of service": "take out of service" } as const;
  if (shelving === "in service") return { run, alert };
  run.pass(1);
  // What is over can only be until clear because a later occurrence is.
  const shelved = condition === "over" && shelving === "shelved until clear" ? nameIn(run.say(1, "a")) : alert;
  expect(run.command(commandOf(shelve[shelving], shelved, run.now()))).toMatchObject({ kind: "done" });
  return { run, alert };
}

/** All that a snapshot holds but how far the clocks and steps are. */
function bytesOf(engine: Engine): string {
  engine.beginSnapshot();
  const parts: [number, Saved | undefined][] = [];
  for (let isLast = false; !isLast; ) {
    const { part, saved, isLast: ends } = engine.nextSnapshotPart();
    parts.push([part, saved]);
    isLast = ends;
  }
  // The version, the number of rules put in force, then listening time and steps.
  const numbersOf = (part: number, { numbers }: Saved): number[] => [...numbers].filter((_, index) => part !== 0 || index < 2 || index > 3);
  return JSON.stringify(parts.map(([part, saved]) => [part, saved && { texts: saved.texts, numbers: numbersOf(part, saved).map(String) }]));
}

function expectDone({ event, state }: Cell, effect: Effects, alert: Name): void {
  const { kind, shelf, ack } = written[event];
  const isOfNewer = state.condition === "over" && state.shelving === "shelved until clear";
  if (state.condition === "over" && !isOfNewer) expect(effect.alertEvents).toEqual([]);
  else expect(effect.alertEvents.map((each) => [each.kind, each.by, each.alert === alert.id])).toEqual([[kind, "anna", !isOfNewer]]);
  expect(effect.shelves.map((each) => each.shelf?.kind ?? null)).toEqual(
    // A reset clears it, and with that ends the shelf until then.
    event === "reset" && state.shelving === "shelved until clear" ? [null] : shelf === undefined ? [] : [shelf],
  );
  expect(effect.acks.map((each) => each.ack !== null)).toEqual(ack === undefined ? [] : [ack]);
  expect(effect.transitions.map(({ to, reason }) => `${to} ${reason}`)).toEqual(event === "reset" ? ["resolved reset"] : []);
}

describe("each event in each state", () => {
  it("is in the table once", () => {
    expect(cells).toHaveLength(32 * events.length);
    expect(new Set(cells.map(({ state, event }) => `${nameOf(state)}: ${event}`)).size).toBe(cells.length);
    expect(cells.filter(({ answer }) => answer === undefined)).toEqual([]);
  });

  it.each(cells.map((cell) => [cell.event, nameOf(cell.state), cell.answer, cell] as const))("%s, %s: %s", (event, _, answer, cell) => {
    const { run, alert } = reach(cell.state);
    bytesOf(run.engine);
    const before = bytesOf(run.engine);
    const given = run.command(commandOf(event, alert, run.now()));
    const effect = run.effects.at(-1) as Effects;
    if (answer === LEGAL) {
      expect(given).toMatchObject({ kind: "done" });
      return expectDone(cell, effect, alert);
    }
    expect(given).toMatchObject({ kind: "refused", code: answer, message: expect.stringMatching(/^\w.+/), hint: expect.stringMatching(/^\w.+/), sent: [] });
    const empty = Object.fromEntries(Object.entries(effect).map(([key, list]) => [key, key === "answers" ? list : []]));
    expect(effect).toEqual(empty);
    expect(bytesOf(run.engine)).toBe(before);
  });

  it("docs/reference/alert-states.md is current", async () => {
    await expect(page()).toMatchFileSnapshot("../../../docs/reference/alert-states.md");
  });
});
