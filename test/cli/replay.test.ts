// `highwater replay` as a child process, beside a writer that holds the database open: what it prints for people and for machines,
// by the rules of the config, by those that were in force and by others, and that it writes nothing.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createPipeline } from "../../src/pipeline.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";

const program = new URL("../../bin/highwater.js", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "highwater-cli-replay-"));
const MINUTE = 60_000;
const noon = Date.UTC(2026, 2, 1, 12);
let db: Database;

function highwater(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}
const rules = (above: number): string => `rules:
  - { name: hot, match: { metric: temperature }, condition: { type: threshold, above: ${above} }, for: 5m }
  - { name: mean, match: { metric: temperature }, condition: { type: window, window: { tumbling: 10m }, aggregate: avg, above: 50 } }
`;
const config = (above: number): string => `gateway: { data_dir: ./data, timezone: Europe/Oslo }\nsources: [{ topic: "s/{device}/{metric}" }]\n${rules(above)}`;
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** One reading a minute for two hours: 25 from 12:05, 35 from 12:10 to 12:30, 25 until 12:40, then 20. */
const valueAt = (minute: number): number => (minute < 5 ? 20 : minute < 10 ? 25 : minute < 30 ? 35 : minute < 40 ? 25 : 20);

beforeAll(() => {
  writeFileSync(join(folder, "highwater.yaml"), config(30));
  writeFileSync(join(folder, "other.yaml"), rules(22));
  writeFileSync(join(folder, "changed.yaml"), config(22));
  const loaded = loadConfig(join(folder, "highwater.yaml"));
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  db = openDatabase(join(folder, "data"), { readonly: false });
  const deps = { monotonic: () => performance.now(), sleep: () => undefined, holding: () => undefined, log: createLog({ level: "silent", name: "test" }) };
  const pipeline = createPipeline({ db, ...deps, metrics: createMetrics(), snapshotAfter: 3 });
  pipeline.turn({ inputs: [{ kind: "rules", at: noon - MINUTE, up: 0, plan: loaded.config.plan }], finished: [] });
  for (let minute = 0; minute < 120; minute++) {
    const at: number = noon + minute * MINUTE;
    const defined = minute === 0 ? [{ id: 0, labels: { device: "oven", metric: "temperature" }, source: "s/{device}/{metric}" }] : [];
    const batch = { series: Uint32Array.of(0), ts: Float64Array.of(at), value: Float64Array.of(valueAt(minute)), defined, rejected: {} };
    pipeline.turn({ inputs: [{ kind: "readings", at, up: at - noon + MINUTE, batch }], finished: [] });
    pipeline.idle([]);
  }
});
afterAll(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const range = ["--from", "2026-03-01T12:04:00Z", "--to", "2026-03-01T13:30:00Z", "--config", "highwater.yaml"];
const withoutTime = (text: string): string => text.replace(/\d+\.\d s.*\n$/, "… s\n");

describe("highwater replay", () => {
  it("repeats what the config's rules told, and says that it is the same", async () => {
    const version = db.pragma("data_version", { simple: true });
    const { code, out } = await highwater("replay", ...range);
    expect(withoutTime(out)).toBe(`2026-03-01 12:04:00Z to 2026-03-01 13:30:00Z, by arrival
exact, from the journal: 86 rows, 86 readings
rules of highwater.yaml, which were in force

what fires
  2026-03-01 12:15:00Z 15 min      hot                    oven temperature

the same alerts as live
the same effects as live, byte for byte: 86 rows
88 readings in … s
`);
    expect(code).toBe(0);
    expect(db.pragma("data_version", { simple: true })).toBe(version);
  });

  it("tells what other rules would have fired, and what differs", async () => {
    const { code, out } = await highwater("replay", ...range, "--rules", "other.yaml");
    expect(withoutTime(out)).toBe(`2026-03-01 12:04:00Z to 2026-03-01 13:30:00Z, by arrival
exact, from the journal: 86 rows, 86 readings
rules of other.yaml instead of those in force

what would have fired
  2026-03-01 12:10:00Z 30 min      hot                    oven temperature

differs from what did (- only live, + only here, ~ live and below it here)
~ 2026-03-01 12:15:00Z 15 min      hot                    oven temperature
  2026-03-01 12:10:00Z 30 min      hot                    oven temperature

0 only live, 0 only in the replay, 1 at other times
90 readings in … s
`);
    expect(code).toBe(0);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("knows rules of a file that are those in force, and verifies", async () => {
    writeFileSync(join(folder, "same.yaml"), rules(30).replace("for: 5m", "for: 300s"));
    const { code, out } = await highwater("replay", ...range, "--rules", "same.yaml");
    expect(out).toContain("rules of same.yaml, which were in force\n");
    expect(out).toContain("the same effects as live, byte for byte: 86 rows\n");
    expect(code).toBe(0);
  });

  it("takes the rules of a config that has changed, unless asked for those in force", async () => {
    const changed = [...range.slice(0, 4), "--config", "changed.yaml", "--json"];
    const present = lines((await highwater("replay", ...changed)).out);
    expect(present.map(({ kind }) => kind)).toEqual(["transition", "transition", "changed", "summary"]);
    expect(present.at(-1)).toMatchObject({ grade: "exact", isOther: true, fired: 1, differences: 1, readings: 86 });
    const { code, out } = await highwater("replay", ...changed, "--in-force");
    expect(lines(out).map(({ kind, to, ts }) => [kind, to, ts])).toEqual([
      ["transition", "firing", noon + 15 * MINUTE],
      ["transition", "resolved", noon + 30 * MINUTE],
      ["summary", Date.UTC(2026, 2, 1, 13, 30), undefined],
    ]);
    expect(lines(out).at(-1)).toMatchObject({ isOther: false, differences: 0, transitions: 2, differingCount: 0 });
    expect(code).toBe(0);
  });

  it("goes by event time when asked to, and where the journal is gone", async () => {
    const asked = await highwater("replay", ...range, "--by-event-time");
    expect(asked.out).toContain("by event time, as it was asked for\n86 readings in the order of their own times; no downtime, no lateness\n");
    expect(asked.out).toContain("the same alerts as live\n");
    const json = lines((await highwater("replay", ...range, "--by-event-time", "--rules", "other.yaml", "--json")).out);
    expect(json.filter(({ kind }) => kind === "transition").map(({ to, ts }) => [to, ts])).toEqual([
      ["firing", noon + 10 * MINUTE],
      ["resolved", noon + 40 * MINUTE],
    ]);
    expect(json.at(-1)).toMatchObject({ grade: "event-time", because: "it was asked for" });
  });

  it("says that this release decides otherwise, and ends with 1", async () => {
    db.exec("SAVEPOINT tampered; UPDATE journal SET effects = zeroblob(8) WHERE seq IN (50, 51); RELEASE tampered");
    const { code, out } = await highwater("replay", ...range);
    expect(code).toBe(1);
    expect(out).toContain("this release decides otherwise about 2 rows of the journal: 50, 51\n");
  });

  it("says that another release wrote the database", async () => {
    for (const [version, word] of [
      [1, "older"],
      [99, "newer"],
    ] as const) {
      const newest = db.pragma("user_version", { simple: true });
      db.pragma(`user_version = ${version}`);
      const { code, err } = await highwater("replay", ...range);
      db.pragma(`user_version = ${newest}`);
      expect(code).toBe(1);
      expect(err).toMatch(word === "older" ? /has schema 1; .*migrates it/ : /has schema 99; .*or a later one/);
    }
  });

  it("takes local days, and says what no time is", async () => {
    const day = lines((await highwater("replay", "--config", "highwater.yaml", "--from", "2026-03-01", "--to", "2026-03-01", "--json")).out).at(-1);
    expect(day).toMatchObject({ from: Date.UTC(2026, 1, 28, 23), to: Date.UTC(2026, 2, 1, 23), readings: 120 });
    const empty = await highwater("replay", "--config", "highwater.yaml", "--from", "2026-03-02");
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.out).toContain("nothing fires");
    expect((await highwater("replay", "--config", "highwater.yaml", "--from", "2026-03-02", "--rules", "other.yaml")).out).not.toContain("in force");
    const wrong = await highwater("replay", "--config", "highwater.yaml", "--from", "yesterday");
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(wrong.err).toContain("--from yesterday is no time (write 2026-01-31T04:15:00Z, a day as 2026-01-31, or milliseconds since 1970)");
    const beyond = await highwater("replay", "--config", "highwater.yaml", "--from", "0", "--to", "9999999999999999");
    expect(beyond).toMatchObject({ code: 2, out: "" });
    expect(await highwater("replay", "--config", "highwater.yaml", "--from", "2026-03-02", "--to", "2026-03-01")).toMatchObject({ code: 2 });
    expect(await highwater("replay", ...range, "--rules", "absent.yaml")).toMatchObject({ code: 2 });
    expect(await highwater("replay", ...range, "--rules", "other.yaml", "--in-force")).toMatchObject({ code: 2 });
  });
});
