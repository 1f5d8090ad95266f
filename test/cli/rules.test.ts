// `highwater rules` as a shell sees it, on a real gateway: its versions, what differs, the way back while it runs and after it has
// ended, and what is refused, each time with the file as it was.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createFolder, type RunningGateway, startHighwater, writeConfig } from "../e2e/gateway-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** The rule under test between others, with comments. */
const fileOf = (above: number, delay: string): string => `# Freezers.
rules:
  - name: warm # the one that matters
    match: { metric: temperature }
    condition: { type: threshold, above: ${above} }
    for: ${delay}
  # Says nothing, is not cold.
  - name: silent
    match: { metric: temperature }
    condition: { type: absence, after: 15m } # minutes
`;

/** A gateway that has had the rule at 30, at 25, and has it at 20 now. */
async function prepare(): Promise<{ file: string; gateway: RunningGateway; run: (...args: string[]) => { code: number | null; out: string; err: string } }> {
  const folder = createFolder("rules");
  cleanUp.push(() => folder.remove());
  mkdirSync(join(folder.path, "rules"));
  const file = join(folder.path, "rules", "cold.yaml");
  writeFileSync(file, fileOf(30, "5m"));
  const gateway = await startHighwater(folder.path, { rules_files: ["rules/*.yaml"] });
  cleanUp.push(() => gateway.stop().catch(() => undefined));
  for (const [above, delay] of [
    [25, "5m"],
    [20, "10m"],
  ] as const) {
    writeFileSync(file, fileOf(above, delay));
    expect((await fetch(`${gateway.httpUrl}/api/v1/rules/reload`, { method: "POST" })).status).toBe(200);
  }
  const run = (...[verb = "", ...args]: string[]) => {
    const all = [`${root}bin/highwater.js`, "rules", verb, "-c", join(folder.path, "highwater.yaml"), ...args];
    const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  };
  return { file, gateway, run };
}

type RulesAnswer = { readonly rules: readonly { readonly name: string; readonly logic: string; readonly condition: { readonly above?: number } }[] };
const limitOf = async (gateway: RunningGateway): Promise<number | undefined> =>
  (await gateway.get<RulesAnswer>("/api/v1/rules")).rules.find(({ name }) => name === "warm")?.condition.above;

describe("rules", () => {
  it("lists, shows versions and differences; the API says the same", async () => {
    const { gateway, run } = await prepare();
    expect(run("list").out).toMatch(/^warm@[0-9a-f]{12} {2}threshold, warning\nsilent@[0-9a-f]{12} {2}absence, warning\n$/);
    const shown = run("versions", "warm");
    expect([shown.code, shown.err]).toEqual([0, ""]);
    expect(shown.out.replace(/\d{4}-\d\d-\d\d [\d:.]+Z/g, "T").replace(/[0-9a-f]{12}/g, "H")).toBe(`1  H.H
  from T to T
2  H.H
  from T to T
    - condition.above: 30
    + condition.above: 25
3  H.H
  from T until now
    - condition.above: 25
    + condition.above: 20
    - for: 5m
    + for: 10m
`);
    expect(run("diff", "warm", "1").out).toBe("warm, version 1 to 3\n- condition.above: 30\n+ condition.above: 20\n- for: 5m\n+ for: 10m\n");
    const { changes } = await gateway.get<{ changes: unknown[] }>("/api/v1/rules/warm/versions/2/diff/1");
    expect(changes).toEqual([{ path: "condition.above", before: 25, after: 30 }]);
    expect(JSON.parse(run("diff", "warm", "2", "1", "--json").out)).toMatchObject({ changes });
    const lines = run("versions", "warm", "--json").out.trim().split("\n");
    const { versions } = await gateway.get<{ versions: unknown[] }>("/api/v1/rules/warm/versions");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(versions);
  });

  it("rolls back: the file says what it said and nothing else changes, and the gateway that runs has taken it", async () => {
    const { file, gateway, run } = await prepare();
    const before = readFileSync(file, "utf8");
    const tried = run("rollback", "warm", "1", "--dry-run");
    expect(tried.out).toContain("nothing is written yet\n- condition.above: 20\n+ condition.above: 30\n- for: 10m\n+ for: 5m\n");
    expect(readFileSync(file, "utf8")).toBe(before);

    const { rules } = await gateway.get<RulesAnswer>("/api/v1/rules");
    const done = run("rollback", "warm", "1");
    expect([done.code, done.err]).toEqual([0, ""]);
    expect(done.out).toContain("in force now");
    expect(readFileSync(file, "utf8")).toBe(fileOf(30, "5m").replace(" # the one that matters", ""));
    expect(await limitOf(gateway)).toBe(30);
    const after = (await gateway.get<RulesAnswer>("/api/v1/rules")).rules;
    expect(after.find(({ name }) => name === "silent")).toEqual(rules.find(({ name }) => name === "silent"));
    // The version that came again has two spans, and is none of its own.
    const { versions } = await gateway.get<{ versions: { in_force: { until: string | null }[] }[] }>("/api/v1/rules/warm/versions");
    expect(versions.map(({ in_force }) => in_force.length)).toEqual([2, 1, 1]);
    expect(versions[0]?.in_force[1]?.until).toBeNull();
    expect(run("rollback", "warm", "1").out).toContain("its file says so already");
  });

  it("rolls back without a gateway, for the next start", async () => {
    const { file, gateway, run } = await prepare();
    await gateway.stop();
    expect(run("rollback", "warm", "2").out).toContain("in force when a gateway starts: none runs");
    expect(readFileSync(file, "utf8")).toContain("above: 25");
  });

  it("gives the file back when the config would not be valid", async () => {
    const { file, run } = await prepare();
    // The rule is an anchor of another rule's delay: written anew it would leave that one without.
    const anchored = fileOf(20, "&delay 10m").replace("after: 15m }", "after: *delay }");
    writeFileSync(file, anchored);
    const refused = run("rollback", "warm", "1");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("stays as it was, as the config would not be valid");
    expect(refused.err).toContain("*delay names no anchor");
    expect(readFileSync(file, "utf8")).toBe(anchored);
  });

  it("says what to add where the rule is gone, and refuses what it does not know", async () => {
    const { file, run } = await prepare();
    const without = "rules: []\n";
    writeFileSync(file, without);
    const gone = run("rollback", "warm", "2");
    expect(gone.code).toBe(1);
    expect(gone.err).toContain("no file of the config has a rule warm any more");
    expect(gone.out).toBe("  - name: warm\n    match: { metric: temperature }\n    condition: { type: threshold, above: 25 }\n    for: 5m\n");
    expect(readFileSync(file, "utf8")).toBe(without);
    // What is printed can be added as it is.
    writeFileSync(file, `rules:\n${gone.out}`);
    expect(run("rollback", "warm", "2").out).toContain("its file says so already");
    expect(run("rollback", "warm", "9")).toMatchObject({ code: 1, err: expect.stringContaining("warm has no version 9 (it has 3 versions") });
    expect(run("versions", "cold")).toMatchObject({ code: 1, err: expect.stringContaining("there was never a rule cold") });
    rmSync(file);
    writeFileSync(file, "rules: [{ name: warm }]\n");
    expect(run("rollback", "warm", "1")).toMatchObject({ code: 2, err: expect.stringContaining("cold.yaml:1:9: match is missing") });
  });

  it("needs a data directory", () => {
    const folder = createFolder("rules");
    cleanUp.push(() => folder.remove());
    const config = writeConfig(folder.path, {});
    const { status, stderr } = spawnSync(process.execPath, [`${root}bin/highwater.js`, "rules", "list", "-c", config], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).toContain("there is no database");
  });
});
