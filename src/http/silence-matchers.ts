// Which matchers a silence made by people may have. They come from outside and run in the engine, for each alert and after each
// recovery again, so what could take a regular expression for ever is refused: few repetitions, none within another.

import { compileMatchers, type LabelMatcher, matchSchema } from "../engine/matcher.ts";

const LABELS_MAX = 20;
const PATTERNS_MAX = 50;
const PATTERN_CHARS_MAX = 200;
/** Of one pattern: its time grows with the length of the label to this power. */
const REPEATS_MAX = 3;
/** Groups of one pattern, and what it leaves out at will: each doubles its time, or worse. */
const BRANCHES_MAX = 6;
/** No label is like this. */
const UNLIKELY = "\u{1f30a}\u{fffd}\u{1f30a}";

export const silenceMatchersSchema = matchSchema
  .superRefine((matchers, context) => {
    const problem = problemOf(matchers);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  })
  .meta({
    description: `label: glob, list of globs, or /regex/ (anchored), all of which must match; 1 to ${LABELS_MAX} labels, at most ${REPEATS_MAX} repetitions in a pattern`,
  });

function problemOf(matchers: readonly LabelMatcher[]): string | undefined {
  if (matchers.length === 0) return "takes at least one label";
  if (matchers.length > LABELS_MAX) return `takes at most ${LABELS_MAX} labels`;
  if (matchers.some(({ patterns }) => patterns.length > PATTERNS_MAX)) return `takes at most ${PATTERNS_MAX} patterns for a label`;
  const patterns = matchers.flatMap((each) => each.patterns);
  if (patterns.some(({ length }) => length > PATTERN_CHARS_MAX)) return `takes patterns of at most ${PATTERN_CHARS_MAX} characters`;
  const slow = patterns.find((pattern) => !isQuick(pattern));
  return slow && `${slow} could take too long: at most ${REPEATS_MAX} of * and +, none within another or of a group, and ${BRANCHES_MAX} groups and ?`;
}

/** Whether its time is bounded by a small power of the length of what it is tried on. */
function isQuick(pattern: string): boolean {
  if (!(pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/"))) return (pattern.match(/\*+/g)?.length ?? 0) <= REPEATS_MAX;
  if (/\\[1-9k]/.test(pattern)) return false;
  const plain = pattern.replace(/\\./gsu, "x").replace(/\[[^\]]*\]/g, "x");
  const branches = plain.replace(/\(\?/g, "(").match(/[(?]/g)?.length ?? 0;
  return !/\)[*+{]/.test(plain) && branches <= BRANCHES_MAX && (plain.match(/[*+]|\{\d*,?\d*\}/g)?.length ?? 0) <= REPEATS_MAX;
}

/** Whether they match whatever a label says, and so every alert, or nearly. A pattern that is none matches nothing. */
export function matchesEverything(matchers: readonly LabelMatcher[]): boolean {
  try {
    return matchers.every((each) => compileMatchers([each])({ [each.label]: UNLIKELY }));
  } catch {
    return false;
  }
}
