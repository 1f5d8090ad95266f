// What the simulation found in the engine, each as small as it can be.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "../engine/harness.ts";

describe("a reload", () => {
  // Seed 4: the watermark stayed where the longer out_of_orderness had left it, the clock was borrowed from where the shorter one
  // would have it: what waited was due long ago and could not be done. The engine threw, at each start again.
  it("that shortens out_of_orderness while readings wait for their turn: the watermark must follow it", () => {
    const rules = [rule({ condition: { type: "threshold", above: 30 } })];
    const driven = drive(plan(rules, { outOfOrdernessMs: 60 * SECOND }));
    driven.reading(0, 40, { at: 0 });
    driven.reading(40 * SECOND, 20, { at: 40 * SECOND });
    driven.rules(plan(rules, { outOfOrdernessMs: 5 * SECOND }));
    expect(driven.told()).toEqual([{ to: "firing", ts: 0, rule: "r" }]);
  });

  // Seed 2037: what is expected went on with the rule as it was loaded first; after a restart it had the new text.
  it("that changes the text of an absence reaches what was never heard: expectations must take the new rule", () => {
    const expecting = (severity: string) =>
      plan([rule({ condition: { type: "absence", after: "1m", expect: [{ device: "x", metric: "temperature" }] }, severity })]);
    const driven = drive(expecting("warning"));
    driven.rules(expecting("critical"));
    driven.listen(2 * MINUTE);
    expect(driven.effects.at(-1)?.alerts.map(({ severity }) => severity)).toEqual(["critical"]);
  });

  // Seed 133: of a series whose readings all still wait for their turn nothing was evaluated, so the absence that went on under the new
  // rule measured NaN. The next reload resolved it with that: the store refused the row, and the process ended, at each start again.
  it("of an absence that fired while its reading still waits for its turn: what it measures must be that reading", () => {
    const after = (text: string) => plan([rule({ condition: { type: "absence", after: text } })], { outOfOrdernessMs: 60 * SECOND });
    const driven = drive(after("20s"));
    driven.reading(0, 7, { at: 0 });
    driven.listen(21 * SECOND);
    driven.rules(after("10s"));
    driven.rules(after("1h"));
    expect(driven.transitions.map(({ to, figures }) => [to, figures.value])).toEqual([
      ["firing", 7],
      ["resolved", 7],
    ]);
  });
});
