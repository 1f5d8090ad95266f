// Whatever stands in the file, `loadConfig` answers: it never throws, and each problem points into a file.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig, loadRules } from "../../src/config.ts";
import { createFolder } from "./folder.ts";

const { write } = createFolder();
const example = readFileSync(new URL("../../config/highwater.yaml", import.meta.url), "utf8").replace("rules/*.yaml", "none/*.yaml");
const rules = readFileSync(new URL("../../config/rules/cold-chain.yaml", import.meta.url), "utf8");

/** The answer to a text, its positions checked. */
function answer(text: string, load: typeof loadConfig | typeof loadRules = loadConfig): string {
  const result = load(write("any.yaml", text), {});
  const lines = text.split("\n");
  const problems = result.kind === "ok" ? ("notes" in result ? result.notes : []) : result.problems;
  if (result.kind === "invalid") expect(problems.length).toBeGreaterThan(0);
  for (const { line, column, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 2);
    expect(message).not.toBe("");
    expect(message).not.toMatch(/\[object |undefined/);
  }
  return result.kind;
}

/** Text that is often YAML, and often nearly. */
const yamlish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "a",
        "rules",
        "name",
        "mqtt",
        "listeners",
        "notify",
        "receivers",
        "condition",
        "&x",
        "*x",
        "!!binary",
        "!t",
        "<<",
        "? ",
        "|",
        ">",
        "---",
        "...",
        "%YAML 1.2",
      ),
      fc.constantFrom(
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "{ ",
        " }",
        "[",
        "]",
        ", ",
        '"',
        "'",
        "#",
        "\t",
        "${A}",
        "$${",
        "${",
        "__proto__",
        "constructor",
        "null",
        "~",
        ".inf",
        ".nan",
        "1e999",
      ),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

/** The example with some of its text cut, doubled or replaced. */
const damaged = (text: string) =>
  fc
    .array(fc.record({ from: fc.nat(text.length), length: fc.nat(30), put: fc.oneof(yamlish, fc.constant("")) }), { minLength: 1, maxLength: 4 })
    .map((edits) => edits.reduce((whole, { from, length, put }) => whole.slice(0, from) + put + whole.slice(from + length), text));

/** A value of the right nesting and any content, for the place of any key. */
const anyYaml = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value));

describe("never throws", () => {
  test("on arbitrary text", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => void answer(text)),
      { numRuns: 500 },
    ));
  test("on text that resembles YAML", () =>
    fc.assert(
      fc.property(yamlish, (text) => void answer(text)),
      { numRuns: 1_500 },
    ));
  test("on a damaged config", () =>
    fc.assert(
      fc.property(damaged(example), (text) => void answer(text)),
      { numRuns: 500 },
    ));
  test("on damaged rules", () =>
    fc.assert(
      fc.property(damaged(rules), (text) => void answer(text, loadRules)),
      { numRuns: 500 },
    ));
  test("on any JSON in the place of a block", () => {
    const blocks = ["gateway", "mqtt", "sources", "devices", "rules_files", "rules", "notify", "alarm_performance", "storage", "batch", "http"];
    fc.assert(
      fc.property(fc.constantFrom(...blocks), anyYaml, (block, value) => void answer(`${block}: ${value}`)),
      { numRuns: 500 },
    );
  });
  test("on any JSON in the place of a key", () => {
    const places = [
      "notify: { receivers: [{ name: a, webhook: V }] }",
      "notify: { receivers: V }",
      "notify: { route: { routes: [V] } }",
      "rules: [V]",
      "rules: [{ name: a, match: V, condition: { type: threshold, above: 1 } }]",
      "rules: [{ name: a, match: {}, condition: V }]",
      "rules: [{ name: a, match: {}, condition: { type: threshold, outside: V } }]",
      "rules: [{ name: a, match: {}, condition: { type: window, window: V, aggregate: avg, above: V } }]",
      "sources: [V]",
      "sources: [{ topic: V, codec: V }]",
      "devices: { d: V }",
      "mqtt: { listeners: [V], limits: V }",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places), anyYaml, (place, value) => void answer(place.replaceAll("V", () => value))),
      { numRuns: 1_000 },
    );
  });
});

test("what would grow without bound is refused", () => {
  expect(answer(`${"[".repeat(50_000)}`)).toBe("invalid");
  expect(answer(`${"a: {".repeat(200)}${"}".repeat(200)}`)).toBe("invalid");
  const levels = Array.from({ length: 12 }, (_, index) => `l${index + 1}: &l${index + 1} [${Array(10).fill(`*l${index}`).join(", ")}]`);
  expect(answer(`l0: &l0 [x]\n${levels.join("\n")}\n`)).toBe("invalid");
  expect(answer("rules: &r [*r]\n")).toBe("invalid");
  expect(answer(" ".repeat(5_000_000))).toBe("invalid");
});

test("the example is valid as it is", () => {
  expect(answer(example)).toBe("ok");
  expect(answer(rules, loadRules)).toBe("ok");
  expect(loadConfig("config/highwater.yaml", {})).toMatchObject({ kind: "ok", notes: [] });
});
