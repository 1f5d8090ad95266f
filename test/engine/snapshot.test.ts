// A snapshot of many series, all of which change while it is under way: what is saved early fills more than one store.

import { expect, it } from "vitest";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { plan, rule, SECOND, SOURCE } from "./harness.ts";

const SERIES = 300;

/** One reading of each series. */
function round(second: number): Input {
  const ids = Array.from({ length: SERIES }, (_, id) => id);
  const defined = second === 0 ? ids.map((id) => ({ id, labels: { device: `d${id}`, metric: "temperature" }, source: SOURCE })) : [];
  const batch = { series: Uint32Array.from(ids), ts: new Float64Array(SERIES).fill(second * SECOND), value: Float64Array.from(ids), defined, rejected: {} };
  return { kind: "readings", at: second * SECOND, up: second * SECOND, batch };
}

const feed = (engine: Engine, from: number, to: number): void => {
  for (let second = from; second < to; second++) engine.step([round(second)], { now: second * SECOND, up: second * SECOND });
};

function partsOf(engine: Engine) {
  const parts = [];
  for (;;) {
    const { part, saved, isLast } = engine.nextSnapshotPart();
    if (saved !== undefined) parts.push({ part, saved });
    if (isLast) return parts;
  }
}

it("is of the step at which it began, though every series changes meanwhile", () => {
  const [still, busy] = [createEngine(), createEngine()];
  for (const engine of [still, busy]) {
    engine.step([{ kind: "rules", at: 0, up: 0, plan: plan([rule({ condition: { type: "threshold", above: 1000 } })]) }], { now: 0, up: 0 });
    feed(engine, 0, 160);
    engine.beginSnapshot();
  }
  feed(busy, 160, 162);
  expect(partsOf(busy)).toEqual(partsOf(still));
});
