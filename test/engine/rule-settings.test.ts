// A stored rule, written as YAML and read again, is the same rule: all rules of this repository's configs and docs, and thousands of
// random ones of every kind. And what differs between two rules is said line by line.

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, parseDocument, stringify } from "yaml";
import { toRule } from "../../src/config/plan.ts";
import { type Rule, ruleSchema } from "../../src/engine/rule.ts";
import { differenceLines, differences, writtenRule } from "../../src/engine/rule-settings.ts";
import { draftsOf } from "./oracle/random-rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (written: unknown): Rule => toRule(ruleSchema.parse(written));
/** As it is kept: JSON of the plan. */
const kept = (rule: Rule): Rule => JSON.parse(JSON.stringify(rule)) as Rule;

function isTheSame(written: unknown): void {
  const rule = read(written);
  const again = read(parse(stringify(writtenRule(kept(rule)))));
  expect(again).toEqual(rule);
}

/** Rules of the YAML files, and of the YAML blocks of the docs, that can be read. */
function rulesOfTheRepository(): { name: string; written: unknown }[] {
  const files = globSync("config/rules/*.yaml", { cwd: root }).filter((file) => !file.endsWith(".test.yaml"));
  const texts = files.map((file) => [file, readFileSync(`${root}/${file}`, "utf8")] as const);
  const blocks = globSync("docs/reference/*.md", { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}/${file}`, "utf8").matchAll(/```yaml\n(rules:\n.*?)```/gs)].map(([, yaml]) => [file, yaml as string] as const),
  );
  return [...texts, ...blocks].flatMap(([file, yaml]) => {
    const { rules = [] } = (parseDocument(yaml).toJS() ?? {}) as { rules?: { name: string }[] };
    return rules.filter((rule) => ruleSchema.safeParse(rule).success).map((written) => ({ name: `${file} ${written.name}`, written }));
  });
}

describe("a rule that is written again is the same", () => {
  const all = rulesOfTheRepository();

  it("there are rules of every kind", () => {
    const types = new Set(all.map(({ written }) => (written as { condition: { type: string } }).condition.type));
    expect([...types].sort()).toEqual(["absence", "all", "any", "compare", "consecutive", "deviation", "flatline", "rate", "threshold", "window"]);
    expect(all.length).toBeGreaterThan(25);
  });

  it.each(all)("$name", ({ written }) => isTheSame(written));

  it("of any settings", () => {
    fc.assert(
      fc.property(draftsOf(true), (drafts) => {
        for (const { rules } of drafts) for (const rule of rules) isTheSame(rule);
      }),
      { numRuns: 300 },
    );
  });

  it("with texts that YAML could take for something else, and levels beside the condition", () => {
    isTheSame({
      name: "no: 1",
      match: { device: ["1", "/a{1,2}/"], site: "yes" },
      condition: { type: "threshold" },
      levels: [
        { above: 1, severity: "info" },
        { above: "limit.high", clear_below: 2, severity: "critical" },
      ],
      for: "1h1m1s1ms",
      latch: true,
      labels: { on: "true", n: "1e3", empty: "" },
      annotations: { summary: "a: b # c\n  second line {{ value }} 'q' \"d\"", lead: " - x" },
    });
  });
});

it("differences are said by path, what was and what is", () => {
  const before = { name: "r", match: { metric: "t" }, condition: { type: "window", window: { tumbling: "5m" }, aggregate: "avg", above: 30 }, for: "5m" };
  const after = { ...before, condition: { ...before.condition, window: { hopping: "5m", slide: "1m" }, above: 25 }, for: "10m", labels: { team: "a b" } };
  const changes = differences(writtenRule(read(before)), writtenRule(read(after)));
  expect(differenceLines(changes)).toEqual([
    "- condition.window.tumbling: 5m",
    "+ condition.window.hopping: 5m",
    "+ condition.window.slide: 1m",
    "- condition.above: 30",
    "+ condition.above: 25",
    "- for: 5m",
    "+ for: 10m",
    '+ labels: {"team":"a b"}',
  ]);
  expect(changes[3]).toEqual({ path: "condition.above", before: 30, after: 25 });
  expect(differences(writtenRule(read(before)), writtenRule(read(before)))).toEqual([]);
  const levels = (limit: number) => ({ levels: [{ above: 1, severity: "info" }, { above: limit }].slice(0, limit) });
  expect(differenceLines(differences(levels(2), levels(1)))).toEqual(['- levels.1: {"above":2}']);
});
