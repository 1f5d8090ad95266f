// The engine against the oracle, over random rules that change and random logs, with the engine woken, joined and restarted at
// random: verdicts; transitions with their dates, occurrences, severities and values; what was pending; closed minutes; minutes
// that were closed when a reading came.

import fc from "fast-check";
import { expect, it } from "vitest";
import { SECOND } from "./harness.ts";
import { consult } from "./oracle/consult.ts";
import { observe } from "./oracle/observe.ts";
import { happenings, inputsOf, turns } from "./oracle/random-happenings.ts";
import { draftsOf, planOf } from "./oracle/random-rules.ts";
import { runs } from "./random-log.ts";

const drafts = draftsOf(["threshold", "window", "absence", "rate", "flatline", "consecutive"], true);

it("the engine and the oracle are of one opinion", () => {
  fc.assert(
    fc.property(drafts, happenings, turns, fc.nat(1000), (list, happened, driven, silence) => {
      const inputs = inputsOf(happened, list.map(planOf));
      const until = (inputs.at(-1)?.up ?? 0) + silence * SECOND;
      expect(observe(inputs, driven, until)).toEqual(consult(inputs, until));
    }),
    { numRuns: runs(120) },
  );
}, 600_000);
