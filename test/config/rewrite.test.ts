// A rule is written into a YAML file in place of what stands there: it reads as it should, and the rest of the file is the same, byte
// for byte: other rules, comments, line breaks, layouts of all kinds.

import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { toRule } from "../../src/config/plan.ts";
import { ruleAsYaml, withRule } from "../../src/config.ts";
import { type Rule, ruleSchema } from "../../src/engine/rule.ts";
import { writtenRule } from "../../src/engine/rule-settings.ts";
import { draftsOf } from "../engine/oracle/random-rules.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (written: unknown): Rule => toRule(ruleSchema.parse(written));
const target = {
  name: "r",
  match: { metric: "t", device: ["a", "b-*"] },
  condition: { type: "threshold", above: 7 },
  for: "5m",
  annotations: { summary: "a: b # c\nnext" },
};

/** Writes into the rule at `index`, and holds all that must be so. @returns the text */
function write(text: string, index: number, rule: Rule): string {
  const before = (parse(text) as { rules: unknown[] }).rules;
  const made = withRule(text, ["rules", index], writtenRule(rule)) ?? "";
  const after = (parse(made) as { rules: unknown[] }).rules;
  expect(after).toHaveLength(before.length);
  expect(read(after[index])).toEqual(rule);
  expect(after.filter((_, place) => place !== index)).toEqual(before.filter((_, place) => place !== index));
  return made;
}

describe("the rest of the file stays", () => {
  const layouts: readonly (readonly [name: string, text: string, index: number, before: string, after: string])[] = [
    [
      "block maps",
      "# head\nrules:\n  - name: a # mine\n    match: { m: x }\n    for: 1m # short\n  # of b\n  - name: b\n    match: { m: y }\n",
      0,
      "# head\nrules:\n  - ",
      "\n  # of b\n  - name: b\n    match: { m: y }\n",
    ],
    ["the last rule, without a line break", "rules:\n- name: a\n- name: b\n  for: 1m", 1, "rules:\n- name: a\n- ", ""],
    ["another block after it", "rules:\n  - name: a\n    labels:\n      x: y\n\n# devices\ndevices: {}\n", 0, "rules:\n  - ", "\n\n# devices\ndevices: {}\n"],
    [
      "a text block at its end",
      "rules:\n  - name: a\n    annotations:\n      summary: |\n        two\n        lines\n\n  - name: b\n",
      0,
      "rules:\n  - ",
      "\n\n  - name: b\n",
    ],
    ["flow maps", "rules: [{ name: a, for: 1m }, { name: b }] # all\n", 0, "rules: [", ", { name: b }] # all\n"],
    ["flow maps in a block list", "rules:\n  - { name: a, for: 1m } # a\n  - { name: b } # b\n", 1, "rules:\n  - { name: a, for: 1m } # a\n  - ", " # b\n"],
    ["an alias", "x: &x { name: a, for: 1m }\nrules:\n  - *x\n  - name: b\n", 0, "x: &x { name: a, for: 1m }\nrules:\n  - ", "\n  - name: b\n"],
    ["a key without a value at its end", "rules:\n  - name: a\n    labels:\n  - name: b\n", 0, "rules:\n  - ", "\n  - name: b\n"],
    [
      "a comment before its first key, and much space",
      "rules:\n    -   # why\n        name: a\n        for: 1m\n    -   name: b\n",
      0,
      "rules:\n    -   # why\n        ",
      "\n    -   name: b\n",
    ],
    ["line breaks of Windows", "rules:\r\n  - name: a\r\n    for: 1m\r\n  - name: b\r\n", 0, "rules:\r\n  - ", "\r\n  - name: b\r\n"],
    ["a byte order mark", "\uFEFFrules:\n  - name: a\n", 0, "\uFEFFrules:\n  - ", "\n"],
    ["letters beyond ASCII", "# °C 🧊\nrules:\n  - name: ä\n    for: 1m\n  - name: ö # °\n", 0, "# °C 🧊\nrules:\n  - ", "\n  - name: ö # °\n"],
  ];

  it.each(layouts)("%s", (_name, text, index, before, after) => {
    const made = write(text, index, read(target));
    expect(made.startsWith(before), made).toBe(true);
    expect(made.endsWith(after), made).toBe(true);
    if (text.includes("\r\n")) expect(made.replaceAll("\r\n", "")).not.toContain("\n");
    // Once more gives the same: nothing grows.
    expect(withRule(made, ["rules", index], writtenRule(read(target)))).toBe(made);
  });

  it("JSON stays JSON, on one line or on several", () => {
    const [one, two] = [{ name: "a", for: "1m" }, { name: "b" }];
    const short = write(JSON.stringify({ rules: [one, two] }), 0, read(target));
    expect(JSON.parse(short)).toEqual({ rules: [writtenRule(read(target)), two] });
    const long = write(JSON.stringify({ rules: [one, two] }, undefined, 2), 0, read(target));
    expect(long).toBe(JSON.stringify({ rules: [writtenRule(read(target)), two] }, undefined, 2));
  });

  it("a flow map stays on its line, however long it becomes", () => {
    const long = read({ ...target, annotations: { summary: "word ".repeat(60), lead: 'says "no", { or: [so] }\nand on' } });
    const made = write("rules: [\n  { name: a }, # a\n  { name: b }\n]\n", 0, long);
    expect(made.split("\n")).toHaveLength(5);
    expect(made.split("\n")[1]).toMatch(/ \}, # a$/);
  });

  it("in the rules files of this repository, whatever is written", () => {
    const files = globSync("config/rules/*.yaml", { cwd: root }).filter((file) => !file.endsWith(".test.yaml"));
    const texts = files.map((file) => readFileSync(`${root}/${file}`, "utf8"));
    expect(texts.length).toBeGreaterThan(2);
    fc.assert(
      fc.property(draftsOf(true), fc.nat(), fc.nat(), ([draft], file, place) => {
        const text = texts[file % texts.length] as string;
        const index = place % (parse(text) as { rules: unknown[] }).rules.length;
        for (const rule of draft?.rules ?? []) write(text, index, read(rule));
      }),
      { numRuns: 300 },
    );
  });

  it("nothing is written where nothing stands", () => {
    expect(withRule("rules:\n  - name: a\n", ["rules", 1], writtenRule(read(target)))).toBeUndefined();
    expect(withRule("rules:\n  - 7\n", ["rules", 0], writtenRule(read(target)))).toBeUndefined();
    expect(withRule("", ["rules", 0], writtenRule(read(target)))).toBeUndefined();
  });
});

it("a rule is written as people write it; what would be taken from the environment is escaped", () => {
  const rule = read({ ...target, severity: "critical", labels: { team: "cold" }, annotations: { summary: "costs ${PRICE}", lead: "yes: no" } });
  expect(ruleAsYaml(writtenRule(rule))).toBe(`name: r
match: { device: [a, b-*], metric: t }
condition: { type: threshold, above: 7 }
for: 5m
severity: critical
labels: { team: cold }
annotations:
  summary: costs $\${PRICE}
  lead: "yes: no"
`);
});
