// Snapshots of many series: one during which all of them change, so that what is saved early fills more than one store, and one
// before which nearly none did.

import { expect, it } from "vitest";
import type { Engine } from "../../src/engine/contract.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { plan, rule, SECOND, SOURCE } from "./harness.ts";

const SERIES = 1500;

const EACH = Array.from({ length: SERIES }, (_, id) => id);

/** One reading of each of these series. */
function round(second: number, ts = second * SECOND, ids = EACH): Input {
  const defined = second === 0 ? ids.map((id) => ({ id, labels: { device: `d${id}`, metric: "temperature" }, source: SOURCE })) : [];
  const batch = { series: Uint32Array.from(ids), ts: new Float64Array(ids.length).fill(ts), value: Float64Array.from(ids), defined, rejected: {} };
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
  // Put in the middle of what some series remember, appended to it, and more than they keep.
  busy.step([round(160, 150.5 * SECOND, EACH.slice(0, SERIES / 2))], { now: 160 * SECOND, up: 160 * SECOND });
  feed(busy, 161, 175);
  expect(partsOf(busy)).toEqual(partsOf(still));
});

it("leaves out what did not change since the one before", () => {
  const engine = createEngine();
  engine.step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }], { now: 0, up: 0 });
  feed(engine, 0, 1);
  engine.beginSnapshot();
  const all = partsOf(engine);
  engine.step([round(1, SECOND, [0])], { now: SECOND, up: SECOND });
  engine.beginSnapshot();
  const changed = partsOf(engine);
  expect(all.length).toBeGreaterThan(2);
  expect(changed.map(({ part }) => part)).toEqual([0, 1]);
});

it("after a restart holds only what has changed since the one that it was restored from", () => {
  const before = createEngine();
  feed(before, 0, 1);
  before.beginSnapshot();
  const whole = partsOf(before);
  const restored = createEngine();
  expect(restored.restore(whole)).toBe("restored");
  restored.step([round(1, SECOND, [SERIES - 1])], { now: SECOND, up: SECOND });
  restored.beginSnapshot();
  const changed = partsOf(restored);
  expect(() => restored.nextSnapshotPart()).toThrow("no snapshot was begun");
  expect(changed.map(({ part }) => part)).toEqual([0, whole.at(-1)?.part]);
  expect(whole.length).toBeGreaterThan(40);
  const again = createEngine();
  again.restore([...whole.slice(1, -1), ...changed]);
  const next = { now: 2 * SECOND, up: 2 * SECOND };
  expect(again.step([round(2)], next)).toEqual(restored.step([round(2)], next));
  expect(again.books()).toEqual({ ...restored.books(), accepted: 2 * SERIES + 1, duplicate: 0 });
});
