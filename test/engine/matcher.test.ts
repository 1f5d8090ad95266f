// Matchers: globs agree with the regular expressions that they stand for, and long labels do not hold up anybody.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileMatchers } from "../../src/engine/matcher.ts";
import { runs } from "./random-log.ts";

const matches = (pattern: string, text: string): boolean => compileMatchers([{ label: "l", patterns: [pattern] }])({ l: text });
const letters = (from: string, maxLength: number) => fc.array(fc.constantFrom(...Array.from(from)), { maxLength }).map((each) => each.join(""));

describe("a glob", () => {
  it("matches what its regular expression does", () => {
    fc.assert(
      fc.property(letters("ab*?.🌊\n", 7), letters("ab.🌊\n", 9), (pattern, text) => {
        const source = pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(matches(pattern, text)).toBe(new RegExp(`^${source}$`, "us").test(text));
      }),
      { numRuns: runs(3_000) },
    );
  });

  it("with many asterisks does not try all ways to divide a long label", () => {
    const long = "a".repeat(60_000);
    expect(matches("*a*a*a*b", long)).toBe(false);
    expect(matches("*a*a*a*", long)).toBe(true);
  });

  it("of which all is literal matches that alone, and a missing label is the empty text", () => {
    expect(["fz-7", "fz-70", "", "FZ-7"].map((text) => matches("fz-7", text))).toEqual([true, false, false, false]);
    expect(compileMatchers([{ label: "other", patterns: [""] }])({ l: "x" })).toBe(true);
  });
});
