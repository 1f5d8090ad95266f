// How many groups there may be. By itself, as it makes that many.

import { expect, it } from "vitest";
import { GROUPS_MAX } from "../../src/engine/groups.ts";
import { heardOnce, plan, rule } from "./harness.ts";

it("there are at most so many groups: the series of the next is refused, and counted", () => {
  const each = rule({ name: "each", group_by: ["device"], condition: { type: "threshold", aggregate: "max", above: GROUPS_MAX - 2 } });
  const { engine, effects } = heardOnce(plan([each]), GROUPS_MAX + 1, (id) => ({ device: String(id), metric: "t" }));
  expect(engine.refusedByGroups()).toBe(1);
  expect(effects.transitions.map(({ figures }) => figures.value)).toEqual([GROUPS_MAX - 1]);
});
