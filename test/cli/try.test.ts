// `highwater try` as a child process: what it prints for people and for machines, and how it ends.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const program = new URL("../../bin/highwater.js", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "highwater-try-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function highwater(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

const rules = file(
  "rules.yaml",
  `rules:
  - name: hot
    match: { metric: temperature, device: oven, site: lab }
    condition: { type: threshold, above: 30 }
    for: 10m
  - name: silent
    match: { device: oven }
    condition: { type: absence, after: 1h }
`,
);
/** One reading each five minutes from noon; hot from 12:10 to 12:30; a gap of two hours; one instant twice. */
const recording = file(
  "oven.csv",
  [
    "timestamp,value",
    ...[20, 20, 31, 33, 35, 32, 20, 20].map((value, index) => `2024-03-01 12:${String(index * 5).padStart(2, "0")}:00,${value}`),
    "2024-03-01 12:35:00,21",
    "2024-03-01 14:35:00,20",
    "",
  ].join("\n"),
);
const options = ["--rules", rules, "--device", "oven", "--label", "site=lab"];
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("highwater try", () => {
  it("prints the alerts for people", async () => {
    const { code, out } = await highwater("try", recording, ...options);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "● firing     2024-03-01 12:20:00Z  hot  35 above 30",
        "✓ resolved   2024-03-01 12:30:00Z  hot  20 after 10m, peak 35",
        "● firing     2024-03-01 13:35:00Z  silent  20 no reading for 1h",
        "✓ resolved   2024-03-01 14:35:00Z  silent  20 after 1h, peak 20",
        "",
        "10 readings: 9 accepted, 1 conflict",
        "2 rules: 2 alerts",
        "",
      ].join("\n"),
    );
  });

  it("rounds figures for people, and for machines does not", async () => {
    const values = [20.1, 30.1234567890123, -32.1234567890123, 1234567.891];
    const long = file("long.csv", ["timestamp,value", ...values.map((value, index) => `2024-03-01 12:00:0${index},${value}`), ""].join("\n"));
    const outside = file(
      "outside.yaml",
      "rules:\n  - { name: out, match: {}, condition: { type: threshold, outside: [-1.0000000000000002, 30.000000000000004] } }\n",
    );
    const { out } = await highwater("try", long, "--rules", outside);
    expect(out).toBe("● firing     2024-03-01 12:00:01Z  out  30.1235 outside [-1, 30]\n\n4 readings: 4 accepted\n1 rule: 1 alert\n");
    const machine = await highwater("try", long, "--rules", outside, "--json");
    expect(lines(machine.out)[0]).toMatchObject({ value: 30.1234567890123, predicate: "outside [-1.0000000000000002, 30.000000000000004]" });
    const header = await highwater("try", file("header.csv", "timestamp,value\n"), "--rules", outside);
    expect(header).toMatchObject({ code: 0, out: "0 readings\n1 rule: 0 alerts\n" });
  });

  it("prints a line per transition for machines", async () => {
    const { out } = await highwater("try", recording, ...options, "--json");
    expect(lines(out).map(({ rule, state, ts, since }) => [rule, state, ts, since])).toEqual([
      ["hot", "firing", "2024-03-01T12:20:00.000Z", "2024-03-01T12:10:00.000Z"],
      ["hot", "resolved", "2024-03-01T12:30:00.000Z", "2024-03-01T12:30:00.000Z"],
      ["silent", "firing", "2024-03-01T13:35:00.000Z", "2024-03-01T13:35:00.000Z"],
      ["silent", "resolved", "2024-03-01T14:35:00.000Z", "2024-03-01T14:35:00.000Z"],
    ]);
  });

  it("traces each reading and rule", async () => {
    const { out } = await highwater("try", recording, ...options, "--trace");
    const trace = lines(out);
    expect(trace).toHaveLength(10 * 2);
    expect(Object.keys(trace[0] ?? {})).toEqual(["ts", "value", "verdict", "rule", "measure", "score", "state"]);
    expect(trace.filter(({ rule }) => rule === "hot").map(({ state }) => state)).toEqual([
      ...["inactive", "inactive", "pending", "pending", "firing", "firing"],
      ...["inactive", "inactive", "inactive", "inactive"],
    ]);
    expect(trace.at(-4)).toMatchObject({ verdict: "conflict", value: 21, measure: 20 });
  });

  it("traces the score of a deviation, of readings that were accepted", async () => {
    const deviates = file(
      "deviates.yaml",
      "rules:\n  - { name: odd, match: {}, condition: { type: deviation } }\n  - { name: hot, match: {}, condition: { type: threshold, above: 30 } }\n",
    );
    const minute = (index: number): string => new Date(Date.UTC(2024, 2, 1, 0, index)).toISOString();
    // A rhythm of 10 readings, 600 of them; then one that was never seen, twice at one instant, and one from the past.
    const rows = Array.from({ length: 600 }, (_, index) => `${minute(index)},${20 + (index % 10)}`);
    const odd = file("odd.csv", ["timestamp,value", ...rows, `${minute(600)},90`, `${minute(600)},91`, `${minute(300)},24`, ""].join("\n"));
    const { out } = await highwater("try", odd, "--rules", deviates, "--trace");
    const trace = lines(out);
    expect(trace.filter(({ rule }) => rule === "hot").every(({ score }) => score === null)).toBe(true);
    const scored = trace.filter(({ rule }) => rule === "odd");
    expect(scored).toHaveLength(603);
    const accepted = scored.slice(0, 601).map(({ score }) => score as number);
    expect(accepted.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(accepted.at(-1)).toBe(Math.max(...accepted));
    expect(scored[600]).toMatchObject({ verdict: "accepted", state: "firing", measure: accepted.at(-1) });
    expect(scored.slice(601).map(({ verdict, score }) => [verdict, score])).toEqual([
      ["conflict", null],
      ["late", null],
    ]);
  });

  it("says where a recording or a rule is wrong", async () => {
    const bad = await highwater("try", file("bad.csv", "timestamp,value\n2024-03-01 12:00:00,warm\n"), ...options);
    expect(bad).toMatchObject({ code: 1, out: "" });
    expect(bad.err).toContain('bad.csv:2:21: "warm" is not a number');
    const wrong = await highwater("try", recording, "--rules", file("wrong.yaml", "rules:\n  - name: a\n    match: {}\n    condition: { type: treshold }\n"));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("wrong.yaml:4:24:");
    const none = await highwater("try", recording);
    expect(none.code).toBe(2);
    expect(none.err).toContain("--rules");
  });

  it.each([
    ["is not there", () => join(folder, "nofile.csv"), "nofile.csv:1:1: this file cannot be read: no such file"],
    ["is a folder", () => folder, ":1:1: this file cannot be read: it is a folder"],
    ["is empty", () => file("empty.csv", ""), "empty.csv:1:1: the file is empty; its first line must name the columns timestamp and value"],
    ["has other columns", () => file("other.csv", "time,temperature\n1,2\n"), "other.csv:1:1: the first line must name the columns timestamp and value"],
  ])("refuses a recording that %s", async (_what, path, says) => {
    const { code, out, err } = await highwater("try", path(), ...options);
    expect({ code, out, lines: err.trimEnd().split("\n").length }).toEqual({ code: 2, out: "", lines: 1 });
    expect(err).toContain(says);
  });
});
