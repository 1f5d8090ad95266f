// The engine against the oracle, over random rules that change and random logs, with the engine woken, joined and restarted at
// random: verdicts; transitions with their dates, occurrences, severities and values; what was pending; closed minutes; minutes
// that were closed when a reading came.

import fc from "fast-check";
import { expect, it } from "vitest";
import { SECOND } from "./harness.ts";
import { consult } from "./oracle/consult.ts";
import { observe } from "./oracle/observe.ts";
import { type Happening, happenings, inputsOf, type Turn, turns } from "./oracle/random-happenings.ts";
import { type Draft, draftsOf, planOf } from "./oracle/random-rules.ts";
import { runs } from "./random-log.ts";

function agree(list: readonly Draft[], happened: readonly Happening[], driven: readonly Turn[], silence: number): void {
  const inputs = inputsOf(happened, list.map(planOf));
  const until = (inputs.at(-1)?.up ?? 0) + silence * SECOND;
  expect(observe(inputs, driven, until)).toEqual(consult(inputs, until));
}

it("the engine and the oracle are of one opinion while rules change", () => {
  fc.assert(fc.property(draftsOf(false), happenings, turns, fc.nat(1000), agree), { numRuns: runs(80) });
}, 600_000);

it("the engine and the oracle are of one opinion of groups", () => {
  fc.assert(fc.property(draftsOf(true), happenings, turns, fc.nat(1000), agree), { numRuns: runs(60) });
}, 600_000);
