// /api/v1/rules/:name/versions/:a/diff/:b: what differs between two versions of a rule.

import { z } from "zod";
import { differenceLines, differences, writtenRule } from "../../engine/rule-settings.ts";
import { findVersion, type RuleVersion } from "../../storage/rule-versions-query.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { unknownRule } from "./rule-versions.ts";

const versionParam = z.string().meta({ description: "Number of a version, or the first 4 characters or more of its `logic`, or of `logic.text`" });
const answerSchema = z.strictObject({
  name: z.string(),
  a: z.int(),
  b: z.int(),
  changes: z
    .array(z.strictObject({ path: z.string(), before: z.unknown().exactOptional(), after: z.unknown().exactOptional() }))
    .meta({ description: "By path in the rule as it is written, such as `condition.above`; what is on one side only has no other" }),
  lines: z.array(z.string()).meta({ description: "The same as text: `- for: 5m`, `+ for: 10m`" }),
});

export const ruleDiff = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/rules/:name/versions/:a/diff/:b",
  summary: "What differs between two versions of a rule",
  query: z.strictObject({}),
  params: z.strictObject({ name: z.string().meta({ description: "Of the rule; it may be gone" }), a: versionParam, b: versionParam }),
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { params: { name, a, b } }) {
    const { versions } = await deps.query({ kind: "rule_versions", rule: name });
    if (versions.length === 0) throw unknownRule(name);
    const [before, after] = [wanted(versions, a), wanted(versions, b)];
    const changes = differences(writtenRule(before.rule), writtenRule(after.rule));
    return { body: { name, a: before.number, b: after.number, changes, lines: differenceLines(changes) } };
  },
});

function wanted(versions: readonly RuleVersion[], text: string): RuleVersion {
  const found = findVersion(versions, text);
  if (found !== undefined) return found;
  throw new Refusal(404, "unknown_version", `the rule has no version ${text}`, `it has ${versions.length}; they are listed at /api/v1/rules/NAME/versions`);
}
