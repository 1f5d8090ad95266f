// The engine against an independent model, over random short runs: silences, inhibition with its wait, acknowledgement, repeats, and ends.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SECOND } from "../harness.ts";
import { runs } from "../random-log.ts";
import { desk } from "./desk.ts";
import { type Happening, type Rules, tellings } from "./naive-desk.ts";

const DEVICES = ["s1", "s2", "t1", "t2", "free"] as const;
const END = 400_000;

const device = fc.constantFrom(...DEVICES, "s1", "t1");
const at = fc.nat(150).map((second) => second * SECOND);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ at, kind: fc.constant("say" as const), device, isOn: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ at, kind: fc.constantFrom("ack" as const, "unack" as const), device }) },
  {
    weight: 1,
    arbitrary: fc
      .record({ at, device, ahead: fc.integer({ min: -20, max: 40 }), length: fc.integer({ min: 30, max: 100 }) })
      .map(({ ahead, length, ...each }) => ({ ...each, kind: "silence" as const, from: each.at + ahead * SECOND, to: each.at + (ahead + length) * SECOND })),
  },
);
/** In order, each at an instant of its own, and so is all that follows from it after whole seconds. */
const inOrder = (log: readonly Happening[]): Happening[] =>
  log
    .map((each, index) =>
      each.kind === "silence" ? { ...each, at: each.at + index, from: each.from + index, to: each.to + index } : { ...each, at: each.at + index },
    )
    .sort((a, b) => a.at - b.at);

const ms = (...seconds: number[]) => fc.constantFrom(...seconds.map((each) => each * SECOND));
const rules: fc.Arbitrary<Rules> = fc.record({
  sources: fc.constantFrom([], ["s1"], ["s1", "s2"]),
  targets: fc.constantFrom(["t1", "t2"], ["t1"]),
  wait: ms(0, 7, 30),
  repeat: fc.oneof(fc.constant(null), ms(17, 60)),
});
const match = (devices: readonly string[]) => [{ label: "device", patterns: devices.length === 0 ? ["none"] : [...devices] }];

function byTheEngine(log: readonly Happening[], { sources, targets, wait, repeat }: Rules): string[] {
  const inhibit = [{ source: match(sources), target: match(targets), equal: [], waitMs: wait }];
  const run = desk({ route: repeat === null ? {} : { repeatMs: repeat }, dispatch: { inhibit } });
  const start = run.now();
  const sent: string[] = [];
  const note = (words: readonly string[]): void => {
    for (const each of words) sent.push(`${run.now() - start}: ${each.slice(each.indexOf(" ") + 1, each.indexOf(" →"))}`);
  };
  const passTo = (time: number): void => {
    for (let next = 0; run.now() < start + time; ) {
      next = Math.min(run.engine.nextWakeAt().now ?? Number.POSITIVE_INFINITY, start + time);
      const seconds = (next - run.now()) / 1000;
      note(run.pass(seconds, seconds));
    }
  };
  const ids = new Map<string, string>();
  const carryOut = (each: Happening): readonly string[] => {
    if (each.kind === "say") {
      const effect = run.say(each.isOn ? 1 : 0, each.device);
      for (const { id } of effect.alerts) ids.set(each.device, id);
      return run.sentBy(effect);
    }
    if (each.kind === "silence")
      return run.command({ kind: "silence", matchers: match([each.device]), startsAt: start + each.from, endsAt: start + each.to, why: "" }).sent;
    const alert = ids.get(each.device);
    return alert === undefined ? [] : run.command({ kind: each.kind === "ack" ? "acknowledge" : "unacknowledge", alert, note: "" }).sent;
  };
  for (const each of log) {
    passTo(each.at);
    note(carryOut(each));
  }
  passTo(END);
  return sent;
}

describe("the engine and an independent model", () => {
  it("tell the same", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40, size: "max" }).map(inOrder), rules, (log, by) => {
        expect(byTheEngine(log, by).sort()).toEqual(tellings(log, by, END).sort());
      }),
      { numRuns: runs(1500) },
    );
  });
});
