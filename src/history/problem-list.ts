// Problems of one file: the first are kept to be told one by one, the others are counted by what they are about, so that a file that is
// wrong throughout costs no memory and buries nothing.

import { type Problem, problem } from "../config/problem.ts";
import { type Flaw, type Place, type ProblemKind, problemKinds } from "./format.ts";

export type ProblemList = {
  readonly add: (kind: ProblemKind, place: Place, flaw: Flaw) => void;
  /** The first ones, in the file's order. */
  readonly told: readonly Problem[];
  /** How many others there are, by what they are about. */
  readonly untold: Readonly<Record<ProblemKind, number>>;
  /** All of them, by what they are about. */
  readonly byKind: Readonly<Record<ProblemKind, number>>;
  readonly count: number;
};

export const TOLD_MAX = 20;

export function createProblemList(file: string): ProblemList {
  const told: Problem[] = [];
  const untold = Object.fromEntries(problemKinds.map((kind) => [kind, 0])) as Record<ProblemKind, number>;
  const byKind = { ...untold };
  let count = 0;
  return {
    add(kind, place, { what, hint }) {
      count += 1;
      byKind[kind] += 1;
      if (told.length < TOLD_MAX) told.push(problem(file, place, what, hint));
      else untold[kind] += 1;
    },
    told,
    untold,
    byKind,
    get count() {
      return count;
    },
  };
}
