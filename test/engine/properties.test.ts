// The laws of event time, over random logs with disorder, lateness, duplicates, conflicts, wrong clocks, gaps, silence,
// a gateway that is down, and changes of the rules.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/contract.ts";
import type { Effects } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { families, under } from "./families.ts";
import { MINUTE, SECOND, SOURCE } from "./harness.ts";
import { labels, log, inputsOf as plainInputs, runs } from "./random-log.ts";

const timeOf = (input: Input) => ({ now: input.at, up: input.up });
/** What came of it, without where the steps were cut. */
const flat = (effects: readonly Effects[]) => ({
  transitions: effects.flatMap((effect) => effect.transitions),
  alerts: effects.flatMap((effect) => effect.alerts),
  notifications: effects.flatMap((effect) => effect.notifications),
  pending: effects.flatMap((effect) => effect.pending),
  rollups: effects.flatMap((effect) => effect.rollups),
  dirty: effects.flatMap((effect) => effect.dirty),
  verdicts: effects.flatMap((effect) => effect.verdicts.map((marks) => [...marks])),
});
const oneByOne = (engine: Engine, inputs: readonly Input[]): Effects[] => inputs.map((input) => engine.step([input], timeOf(input)));

function saved(engine: Engine) {
  engine.beginSnapshot();
  const parts = [];
  for (;;) {
    const { part, saved: state, isLast } = engine.nextSnapshotPart();
    if (state !== undefined) parts.push({ part, saved: state });
    if (isLast) return parts;
  }
}

describe.each(families)("laws of $name", ({ plans }) => {
  const inputsOf = (events: Parameters<typeof plainInputs>[0]) => under(plans, plainInputs(events));

  it("where a batch ends and how often the engine is woken change nothing", () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(30), { minLength: 1, maxLength: 20 }), (events, cuts, wakes) => {
        const inputs = inputsOf(events);
        const expected = flat(oneByOne(createEngine(), inputs));
        const engine = createEngine();
        const effects: Effects[] = [];
        for (let from = 0, turn = 0; from < inputs.length; turn++) {
          const to = Math.min(inputs.length, from + 1 + (cuts[turn % cuts.length] as number));
          const group = inputs.slice(from, to);
          const last = group.at(-1) as Input;
          effects.push(engine.step(group, timeOf(last)));
          const room = (inputs[to]?.up ?? last.up) - last.up;
          const wake = Math.min(room, (wakes[turn % wakes.length] as number) * SECOND);
          effects.push(engine.step([], { now: last.at + wake, up: last.up + wake }));
          from = to;
        }
        expect(flat(effects)).toEqual(expected);
      }),
      { numRuns: runs(300) },
    );
  });

  it("a snapshot taken anywhere, whole or in parts between steps, goes on as if nothing had been", () => {
    fc.assert(
      fc.property(log, fc.nat(60), (events, position) => {
        const inputs = inputsOf(events);
        const cut = Math.min(position, inputs.length);
        const engine = createEngine();
        oneByOne(engine, inputs.slice(0, cut));
        // Its parts are asked for while later steps go on: they must still be of the step at which it began.
        engine.beginSnapshot();
        const copy = createEngine();
        const parts: Parameters<Engine["restore"]>[0] extends Iterable<infer Part> ? Part[] : never = [];
        const expected: Effects[] = [];
        let isLast = false;
        for (const input of inputs.slice(cut)) {
          if (!isLast) isLast = take(engine, parts);
          expected.push(engine.step([input], timeOf(input)));
        }
        while (!isLast) isLast = take(engine, parts);
        copy.restore(parts);
        expect(flat(oneByOne(copy, inputs.slice(cut)))).toEqual(flat(expected));
      }),
      { numRuns: runs(300) },
    );
  });

  it("a restored engine holds what it was restored from, bit for bit", () => {
    fc.assert(
      fc.property(log, (events) => {
        const inputs = inputsOf(events);
        const engine = createEngine();
        oneByOne(engine, inputs);
        const copy = createEngine();
        copy.restore(saved(engine));
        // The same rules again touch every series, so that the next snapshot of both is whole.
        const last = inputs.at(-1) as Input;
        const again: Input = { kind: "rules", at: last.at, up: last.up, plan: plans[0] as RulePlan };
        expect(flat(oneByOne(copy, [again]))).toEqual(flat(oneByOne(engine, [again])));
        expect(saved(copy)).toEqual(saved(engine));
      }),
      { numRuns: runs(200) },
    );
  });

  it("the books balance, and each reading has one verdict", () => {
    fc.assert(
      fc.property(log, (events) => {
        const inputs = inputsOf(events);
        const engine = createEngine();
        const marks = flat(oneByOne(engine, inputs)).verdicts.flat();
        const { received, ...parts } = engine.books();
        expect(received).toBe(Object.values(parts).reduce((sum, count) => sum + count, 0));
        expect(marks).toHaveLength(received);
      }),
    );
  });

  it("a quarantined reading changes only its counter", () => {
    fc.assert(
      fc.property(log, fc.nat(60), fc.integer({ min: 61, max: 1e9 }), (events, position, ahead) => {
        const inputs = inputsOf(events);
        const at = Math.min(position, inputs.length - 1);
        const before = inputs[at] as Input;
        const defined = inputs.slice(0, at + 1).flatMap((input) => (input.kind === "readings" ? input.batch.defined : []));
        fc.pre(defined.length > 0);
        const wrong = { series: Uint32Array.of(0), ts: Float64Array.of(before.at + ahead * SECOND), value: Float64Array.of(99), defined: [], rejected: {} };
        const [left, right] = [createEngine(), createEngine()];
        const expected = flat(oneByOne(left, inputs));
        const got = flat(
          oneByOne(right, [...inputs.slice(0, at + 1), { kind: "readings", at: before.at, up: before.up, batch: wrong }, ...inputs.slice(at + 1)]),
        );
        expect({ ...got, verdicts: [] }).toEqual({ ...expected, verdicts: [] });
        expect(right.books().quarantined).toBe(left.books().quarantined + 1);
      }),
    );
  });

  it("a permutation within out_of_orderness gives the same transitions", () => {
    const steady = fc.array(fc.record({ value: fc.integer({ min: 0, max: 40 }), shift: fc.nat(3) }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(steady, (readings) => {
        const disordered = readings
          .map(({ value, shift }, index) => ({ ts: index * 5 * SECOND, value, order: index + shift }))
          .sort((a, b) => a.order - b.order);
        const told = (ordered: readonly { ts: number; value: number }[]) => {
          const engine = createEngine();
          const start: Input = { kind: "rules", at: 0, up: 0, plan: plans[0] as RulePlan };
          const inputs = ordered.map(({ ts, value }, index): Input => {
            const [at, defined] = [index * 5 * SECOND + MINUTE, index === 0 ? [{ id: 0, labels: labels[0] as (typeof labels)[0], source: SOURCE }] : []];
            return {
              kind: "readings",
              at,
              up: at,
              batch: { series: Uint32Array.of(0), ts: Float64Array.of(ts), value: Float64Array.of(value), defined, rejected: {} },
            };
          });
          const end: Input = { kind: "clock", at: 60 * MINUTE, up: 60 * MINUTE };
          const { transitions } = flat(oneByOne(engine, [start, ...inputs, end]));
          // When something is told depends on what was waited for; what is told, and its order within an alert, does not.
          return transitions
            .map(({ alert, to, ts, figures }) => ({ alert, to, ts, figures }))
            .sort((a, b) => (a.alert < b.alert ? -1 : a.alert > b.alert ? 1 : 0));
        };
        expect(told(disordered)).toEqual(told([...disordered].sort((a, b) => a.ts - b.ts)));
      }),
      { numRuns: runs(300) },
    );
  });
});

function take(engine: Engine, parts: { part: number; saved: NonNullable<ReturnType<Engine["nextSnapshotPart"]>["saved"]> }[]): boolean {
  const { part, saved: state, isLast } = engine.nextSnapshotPart();
  if (state !== undefined) parts.push({ part, saved: state });
  return isLast;
}
