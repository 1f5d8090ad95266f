// The laws of dispatch over random worlds: each notification ends in exactly one way, whoever was told of the firing is told of the end
// and nobody else, nothing is held for ever, and neither the cut of the inputs nor a restart changes anything.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runs } from "../random-log.ts";
import { cutOtherwise, flat, problems, untold } from "./balance.ts";
import { act, live, worldPlan } from "./world.ts";

const plans = fc.array(worldPlan, { minLength: 1, maxLength: 3 });
const acts = fc.array(act, { minLength: 1, maxLength: 60, size: "max" });

describe("whatever happens", () => {
  it("each notification ends once, and those that were told of a firing, and only they, are told of its end", () => {
    fc.assert(
      fc.property(plans, acts, (all, happened) => {
        const lived = live(all);
        for (const each of happened) lived.act(each);
        lived.end();
        expect(problems(lived.effects)).toEqual([]);
      }),
      { numRuns: runs(150) },
    );
  });

  it("what still fires is told once nothing hides it any more", () => {
    fc.assert(
      fc.property(plans, acts, (all, happened) => {
        const lived = live(all);
        for (const each of happened) lived.act(each);
        lived.calm();
        expect(untold(lived)).toEqual([]);
      }),
      { numRuns: runs(40) },
    );
  });

  it("neither where it is cut nor a restart changes what is told", () => {
    fc.assert(
      fc.property(plans, acts, fc.array(fc.nat(1000), { minLength: 5, maxLength: 40 }), (all, happened, cuts) => {
        const lived = live(all);
        for (const each of happened) lived.act(each);
        lived.end();
        expect(flat(cutOtherwise(lived, cuts))).toEqual(flat(lived.effects));
      }),
      { numRuns: runs(100) },
    );
  });
});
