// The command line itself, as a shell sees it: what is printed and the exit code of check, schema, --version and of wrong usage.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createFolder } from "../config/folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { write, path: folder } = createFolder();

function highwater(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}bin/highwater.js`, ...args], { cwd: folder, env, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

describe("check", () => {
  test("five mistakes give five lines with file, line, column, what and hint, and exit code 2", () => {
    write("bad.yaml", "gatway: {}\nhttp: { port: x }\nbatch: { daily_summary: { at: noon } }\ngateway: { timezone: Nowhere }\nrules_files: [gone.yaml]\n");
    const { code, out, err } = highwater("check", "--config", "bad.yaml");
    expect(out.split("\n")).toEqual([
      "bad.yaml:1:1: unknown key gatway (did you mean gateway?)",
      'bad.yaml:2:15: port cannot be "x" (write a whole number from 0 to 65535)',
      'bad.yaml:3:31: at cannot be "noon" (write a time of day in quotes, such as "04:15")',
      'bad.yaml:4:22: timezone "Nowhere": no such time zone (an IANA name such as Europe/Oslo, or UTC)',
      "bad.yaml:5:15: gone.yaml cannot be read: no such file (relative paths start at the config's folder)",
      "",
      "5 problems in bad.yaml",
      "",
    ]);
    expect([code, err]).toEqual([2, ""]);
  });

  test("a valid config is summed up, notes first, and exit code 0", () => {
    write("good.yaml", "notify: { receivers: [{ name: a, webhook: { url: http://localhost } }], route: {} }\nhttp: { host: 0.0.0.0, anonymous: unsafe }\n");
    const { code, out } = highwater("check", "-c", "good.yaml");
    expect(out.split("\n")).toEqual([
      "good.yaml:2:15: note: while there is no account, anyone who reaches 0.0.0.0:8080 can read all",
      "",
      "good.yaml is valid",
      "  0 rules, 1 source, 0 devices, 1 receiver, 1 note",
      "  a: webhook:0",
      "",
    ]);
    expect(code).toBe(0);
  });

  test("--json says the same for machines", () => {
    write("good.yaml", "http: { port: 0 }\n");
    expect(JSON.parse(highwater("check", "--json", "-c", "good.yaml").out)).toMatchObject({
      ok: true,
      problems: [],
      notes: [],
      summary: { rules: 0, sources: 1, receivers: [] },
    });
    const { code, out } = highwater("check", "--json", "-c", "nowhere.yaml");
    expect(JSON.parse(out)).toEqual({
      ok: false,
      problems: [{ file: "nowhere.yaml", line: 1, column: 1, message: "the config cannot be read: no such file", hint: "give another file with --config" }],
      notes: [],
    });
    expect(code).toBe(2);
  });
});

test("schema prints the file that editors use", () => {
  const { code, out } = highwater("schema");
  expect(out).toBe(readFileSync(`${root}config/highwater.schema.json`, "utf8"));
  expect(code).toBe(0);
});

test("the version is the package's; wrong usage is exit code 2 and says what was meant", () => {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string };
  expect(highwater("--version")).toEqual({ code: 0, out: `${version}\n`, err: "" });
  const wrong = highwater("chekc");
  expect([wrong.code, wrong.out]).toEqual([2, ""]);
  expect(wrong.err).toContain("Did you mean check?");
  expect(highwater("check", "--cofnig", "x").code).toBe(2);
  expect(highwater("try", "nowhere.csv")).toEqual({
    code: 2,
    out: "",
    err: "highwater: there are no rules to try (give a file with --rules, or a config with --config)\n",
  });
  const help = highwater("--help");
  expect([help.code, help.out.includes("check the config and its rules files")]).toEqual([0, true]);
});
