// Several rules on one series: each is judged by each reading, whichever of them had something to remember first.

import { expect, it } from "vitest";
import { drive, plan, rule } from "./harness.ts";

it.each([false, true])("of two limits the lower fires first and both resolve, in the order of the rules; restarted meanwhile: %s", (restarts) => {
  const limit = (name: string, above: number) => rule({ name, condition: { type: "threshold", above } });
  const run = drive(plan([limit("high", 30), limit("low", 20)]));
  for (const [ts, value] of [25, 40, 10, 40].entries()) {
    run.reading(ts, value);
    if (restarts) run.restart();
  }
  expect(run.told()).toEqual([
    { rule: "low", to: "firing", ts: 0 },
    { rule: "high", to: "firing", ts: 1 },
    { rule: "high", to: "resolved", ts: 2 },
    { rule: "low", to: "resolved", ts: 2 },
    { rule: "high", to: "firing", ts: 3 },
    { rule: "low", to: "firing", ts: 3 },
  ]);
});
