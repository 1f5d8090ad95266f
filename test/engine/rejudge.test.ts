// Evidence suffices: each of thousands of transitions, of all kinds of conditions, delays, levels and changes of the rules, follows
// again from its stored evidence alone, and does not from evidence that was changed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AlertRecord, Evidence, Transition } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import type { Test } from "../../src/engine/predicate.ts";
import { rejudge } from "../../src/engine/rejudge.ts";
import { families, under } from "./families.ts";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";
import { happenings, inputsOf as inputsOfHappenings, type Turn, turns } from "./oracle/random-happenings.ts";
import { draftsOf, planOf } from "./oracle/random-rules.ts";
import { inputsOf, log, runs } from "./random-log.ts";

/** Never fewer: rare kinds of transitions are to be among them. */
const tries = (count: number): number => Math.max(count, runs(count));

type Made = { readonly transition: Transition; readonly record: AlertRecord };

/** What the engine does, driven like the gateway drives it. */
function madeBy(inputs: readonly Input[], driven: readonly Turn[] = [{ join: 0, wake: 30, restart: false }]): Made[] {
  const engine = createEngine();
  const made: Made[] = [];
  const note = ({ transitions, alerts }: ReturnType<typeof engine.step>): void =>
    void made.push(...transitions.map((transition, index) => ({ transition, record: alerts[index] as AlertRecord })));
  for (const [index, input] of inputs.entries()) {
    const { at, up } = input;
    note(engine.step([input], { now: at, up }));
    const wake = Math.min((driven[index % driven.length] as Turn).wake * SECOND, (inputs[index + 1]?.up ?? Number.POSITIVE_INFINITY) - up);
    note(engine.step([], { now: at + wake, up: up + wake }));
  }
  const last = inputs.at(-1) as Input;
  note(engine.step([], { now: last.at + 900 * SECOND, up: last.up + 900 * SECOND }));
  return made;
}

/** As it is read back from the store. */
const stored = (evidence: Evidence): Evidence => JSON.parse(JSON.stringify(evidence)) as Evidence;

function agrees({ transition, record }: Made): void {
  const evidence = stored(transition.evidence);
  const again = rejudge(evidence, transition.ts);
  const told = { to: transition.to, reason: transition.reason, ...(again?.severity !== undefined && { severity: record.severity }) };
  expect(again, JSON.stringify(transition)).toEqual(told);
}

/** How often each kind of transition was seen: what was never tried is not tested. */
const seen = new Map<string, number>();
function note({ transition: { to, reason, evidence } }: Made): void {
  const kind = evidence.silence !== undefined ? "silence" : evidence.parts !== undefined ? "parts" : evidence.window !== undefined ? "window" : "other";
  for (const name of ["all", `${evidence.from} ${to} ${reason}`, kind, evidence.trigger, ...Object.keys(evidence)]) seen.set(name, (seen.get(name) ?? 0) + 1);
}
const check = (made: readonly Made[]): void => {
  for (const each of made) {
    agrees(each);
    note(each);
  }
};

describe("the evidence alone gives the same transition", () => {
  it.each(families)("$name", ({ plans }) => {
    fc.assert(
      fc.property(log, (events) => check(madeBy(under(plans, inputsOf(events))))),
      { numRuns: tries(60) },
    );
  });

  it.each([
    ["rules of every kind that change", false],
    ["groups that change", true],
  ])(
    "%s",
    (_name, hasGroups) => {
      fc.assert(
        fc.property(draftsOf(hasGroups), happenings, turns, (drafts, happened, driven) =>
          check(madeBy(inputsOfHappenings(happened, drafts.map(planOf)), driven)),
        ),
        { numRuns: tries(1500) },
      );
    },
    120_000,
  );

  it("was tried on thousands of transitions, of each kind", () => {
    expect(seen.get("all")).toBeGreaterThan(3000);
    const kinds = [
      ...["inactive firing condition", "pending firing condition", "firing resolved condition", "firing recovering condition", "recovering firing condition"],
      ...[
        "recovering resolved condition",
        "firing firing level",
        "recovering recovering level",
        "recovering firing rule_changed",
        "firing resolved rule_changed",
      ],
      ...["firing resolved rule_removed", "recovering resolved rule_removed", "silence", "parts", "window", "reading", "timer", "input", "unjudged", "instant"],
    ];
    expect(kinds.filter((kind) => !seen.has(kind))).toEqual([]);
  });
});

describe("evidence that was changed gives another transition, or none", () => {
  const other = (made: Made, evidence: Evidence, ts = made.transition.ts): void => {
    const { to, reason } = made.transition;
    const again = rejudge(stored(evidence), ts);
    expect(again && { to: again.to, reason: again.reason }, JSON.stringify(evidence)).not.toEqual({ to, reason });
  };

  it("a measure on the other side of the limit; a delay that was not over; a silence that was not long enough", () => {
    const counts = { measure: 0, since: 0, silence: 0 };
    const change = (made: Made): void => {
      const { evidence, reason, to, ts } = made.transition;
      if (reason !== "condition" || evidence.unjudged === true) return;
      const opposite = to === "firing" ? clearOf(evidence.test) : breachOf(evidence.test);
      if (opposite !== undefined && evidence.trigger !== "input") {
        counts.measure += 1;
        other(made, { ...evidence, measure: opposite });
      }
      const delay =
        evidence.from === "pending" ? (evidence.for_ms ?? 0) : evidence.from === "recovering" && to === "resolved" ? evidence.keep_firing_for_ms : 0;
      if (delay !== undefined && delay > 0) {
        counts.since += 1;
        other(made, { ...evidence, since: (evidence.instant ?? ts) - delay + 1 });
      }
      if (evidence.silence !== undefined && "silent_for" in evidence.test && evidence.trigger !== "timer") {
        counts.silence += 1;
        other(made, { ...evidence, silence: { ...evidence.silence, quiet_ms: to === "firing" ? evidence.test.silent_for : evidence.test.silent_for + 1 } });
      }
    };
    fc.assert(
      fc.property(log, fc.nat(3), (events, index) => madeBy(under(families[index]?.plans ?? [], inputsOf(events))).forEach(change)),
      { numRuns: tries(150) },
    );
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(50);
  });

  it("a level that was not on long enough, and one whose limit was not reached", () => {
    const levels = [
      { above: 10, severity: "warning" },
      { above: 20, severity: "critical" },
    ];
    const run = drive(plan([rule({ condition: { type: "threshold", levels }, for: "1m" })], { maxFutureMs: 1e15 }));
    for (const [minute, value] of [15, 15, 25, 25, 25].entries()) run.reading(minute * MINUTE, value);
    const transition = run.transitions.find(({ reason }) => reason === "level") as Transition;
    const { evidence, ts } = transition;
    expect(rejudge(evidence, ts)).toEqual({ to: "firing", reason: "level", severity: "critical" });
    expect(rejudge({ ...evidence, measure: 20 }, ts)).toBeUndefined();
    expect(rejudge(evidence, ts - 1)).toBeUndefined();
    expect(rejudge({ ...evidence, severity: "critical" }, ts)).toBeUndefined();
  });

  it("a part that did not hold, or was not judged", () => {
    const conditions = [
      { type: "threshold", above: 10 },
      { type: "absence", after: "1m" },
    ];
    const run = drive(plan([rule({ condition: { type: "all", conditions } })]));
    run.reading(0, 20);
    run.listen(2 * MINUTE);
    const { evidence, ts } = run.transitions[0] as Transition;
    const [warm, silent] = evidence.parts ?? [];
    if (warm === undefined || silent === undefined) throw new Error("there are two parts");
    expect(rejudge(evidence, ts)).toEqual({ to: "firing", reason: "condition" });
    expect(rejudge({ ...evidence, parts: [{ ...warm, measure: 9 }, silent] }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, parts: [{ ...warm, measure: null }, silent] }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, parts: [warm, { ...silent, quiet_ms: MINUTE }] }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, parts: [warm] }, ts)).toBeUndefined();
    // What its test asks for is not there.
    const { parts: _, ...without } = evidence;
    expect(rejudge(without, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, parts: [warm, { ...silent, quiet_ms: undefined as never }] }, ts)).toBeUndefined();
    expect(rejudge({ ...without, test: { silent_for: MINUTE } }, ts)).toBeUndefined();
    expect(rejudge({ ...without, test: {} }, ts)).toBeUndefined();
  });

  it("a window that held too few readings", () => {
    const condition = { type: "window", window: { tumbling: "1m" }, aggregate: "avg", min_count: 2, above: 10 };
    const run = drive(plan([rule({ condition })], { maxFutureMs: 1e15 }));
    for (const ts of [0, 30, 61]) run.reading(ts * SECOND, 20);
    const { evidence, ts } = run.transitions[0] as Transition;
    expect(rejudge(evidence, ts)).toEqual({ to: "firing", reason: "condition" });
    expect(rejudge({ ...evidence, window: { ...(evidence.window as NonNullable<Evidence["window"]>), count: 1 } }, ts)).toBeUndefined();
  });

  it("rules that would still hold it", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 10 } })]));
    run.reading(0, 20);
    run.rules(plan([rule({ condition: { type: "threshold", above: 30 } })]));
    const { evidence, ts } = run.transitions[1] as Transition;
    expect(evidence.change).toMatchObject({ kind: "anew", test: { above: 30 }, measure: 20 });
    expect(rejudge(evidence, ts)).toEqual({ to: "resolved", reason: "rule_changed" });
    if (evidence.change?.kind !== "anew") throw new Error("it was judged anew");
    expect(rejudge({ ...evidence, change: { ...evidence.change, measure: 31 } }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, from: "inactive" }, ts)).toBeUndefined();
    // What has ended stays so, and the first transition is none of it.
    expect(rejudge({ ...(run.transitions[0] as Transition).evidence, from: "resolved" }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, from: "resolved", change: { kind: "removed" } }, ts)).toBeUndefined();
  });

  it("a rule that latches: it is over, and is reset", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 10 }, latch: true, keep_firing_for: "1m" })], { maxFutureMs: 1e15 }));
    for (const [minute, value] of [20, 5, 5, 5].entries()) run.reading(minute * MINUTE, value);
    expect(run.transitions.map(({ to, reason }) => [to, reason])).toEqual([
      ["firing", "condition"],
      ["recovering", "condition"],
      ["recovering", "latched"],
    ]);
    for (const { evidence, ts, to, reason } of run.transitions) expect(rejudge(evidence, ts)).toEqual({ to, reason });
    const { evidence, ts } = run.transitions[2] as Transition;
    const { latch: _, ...unlatched } = evidence;
    expect(rejudge(unlatched, ts)).toEqual({ to: "resolved", reason: "condition" });
    expect(rejudge({ ...evidence, latched: true }, ts)).toBeUndefined();
    expect(rejudge({ ...evidence, latched: true, change: { kind: "reset" } }, ts)).toEqual({ to: "resolved", reason: "reset" });
  });

  it("a wall clock that was set", () => {
    const engine = createEngine();
    const step = (inputs: Input[]): readonly Transition[] => engine.step(inputs, { now: inputs[0]?.at ?? 0, up: 0 }).transitions;
    step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }]);
    const [stepped] = step([{ kind: "clock", at: 10 * MINUTE, up: 0, steppedMs: 10 * MINUTE }]);
    expect(stepped && rejudge(stepped.evidence, stepped.ts)).toEqual({ to: "firing", reason: "clock_step" });
    const [anew] = step([{ kind: "started", at: 11 * MINUTE, up: 0, version: "1" }]);
    expect(anew && rejudge(anew.evidence, anew.ts)).toEqual({ to: "resolved", reason: "clock_step" });
  });

  it("a dead letter, which stands until the next start", () => {
    const engine = createEngine();
    const step = (inputs: Input[]): readonly Transition[] => engine.step(inputs, { now: inputs[0]?.at ?? 0, up: 0 }).transitions;
    step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }]);
    const [given] = step([{ kind: "dead-letter", at: 1, up: 0, notification: "x", reason: "refused" }]);
    const [anew] = step([{ kind: "started", at: 2, up: 0, version: "1" }]);
    for (const each of [given, anew]) expect(each && rejudge(each.evidence, each.ts)).toEqual({ to: each?.to, reason: "dead_letter" });
    expect(given && rejudge({ ...given.evidence, measure: 0 }, given.ts)).toBeUndefined();
  });
});

/** A measure that certainly breaches, or certainly clears; undefined where parts or silence judge. */
function breachOf(test: Test): number | undefined {
  if ("at_least" in test) return test.at_least;
  if ("at_most" in test) return test.at_most;
  if ("silent_for" in test || "all" in test || "any" in test) return undefined;
  if (test.inside !== undefined) return (Number(test.inside[0]) + Number(test.inside[1])) / 2;
  return test.above !== undefined || test.outside !== undefined ? 1e9 : -1e9;
}
function clearOf(test: Test): number | undefined {
  if ("at_least" in test) return test.at_least - 1;
  if ("at_most" in test) return test.at_most + 1;
  if ("silent_for" in test || "all" in test || "any" in test) return undefined;
  if (test.outside !== undefined) return (Number(test.outside[0]) + Number(test.outside[1])) / 2;
  return test.above !== undefined ? -1e9 : 1e9;
}
