// `highwater report` as a shell sees it, beside a writer that holds the database open: its formats, files, and how it refuses.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Recorder } from "../storage/recorder.ts";
import { FREEZER, recordOctober } from "../storage/report-store.ts";

const program = new URL("../../bin/highwater.js", import.meta.url).pathname;
let store: Recorder;

function highwater(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1" };
    execFile(process.execPath, [program, "report", ...args, "-c", "highwater.yaml"], { cwd: store.dir, env }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}
const written = (file: string): string => readFileSync(join(store.dir, file), "utf8");

beforeAll(async () => {
  store = await recordOctober();
  writeFileSync(join(store.dir, "highwater.yaml"), "gateway: { name: cold-chain, data_dir: ., timezone: Europe/Oslo }\n");
});
afterAll(() => store.close());

describe("highwater report", () => {
  it("writes a page to print, or a table by the name of the file, each of which bears the other out", async () => {
    expect(await highwater(FREEZER, "--month", "2026-10", "-o", "r.csv")).toEqual({ code: 0, out: "", err: "" });
    expect(await highwater(FREEZER, "--month", "2026-10", "-o", "r.html")).toEqual({ code: 0, out: "", err: "" });
    const csv = written("r.csv");
    expect(csv.split("\r\n").filter((line) => line.startsWith("excursion,"))).toHaveLength(5);
    const page = written("r.html");
    expect(page).toContain(
      createHash("sha256")
        .update(readFileSync(join(store.dir, "r.csv")))
        .digest("hex"),
    );
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(page).toContain(`cold-chain, Highwater ${version}`);
  });

  it("prints what it is asked for", async () => {
    const { code, out, err } = await highwater(FREEZER, "--from", "2026-10-12", "--to", "2026-10-12", "--format", "json");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({
      device: FREEZER,
      from: "2026-10-12",
      to: "2026-10-12",
      excursions: [{ rule: "device-worry" }, { rule: "too-warm", acked_by: "user:ada" }],
    });
    expect((await highwater(FREEZER, "--month", "2026-10")).out).toMatch(/^<!doctype html>/);
  });

  it("writes over any file but a database", async () => {
    const before = readFileSync(join(store.dir, "highwater.db"));
    for (const file of ["highwater.db", "highwater.db-wal"]) {
      const { code, err } = await highwater(FREEZER, "--month", "2026-10", "-o", file, "--format", "csv");
      expect([code, err]).toEqual([1, `highwater: ${file} is a database, and is not written over (write another name)\n`]);
    }
    expect(readFileSync(join(store.dir, "highwater.db")).equals(before)).toBe(true);
    writeFileSync(join(store.dir, "old.csv"), "old");
    expect((await highwater(FREEZER, "--month", "2026-10", "-o", "old.csv")).code).toBe(0);
    expect(written("old.csv")).toContain("excursion,");
  });

  it("refuses what it does not know and what makes no sense, with what mends it", async () => {
    const unknown = await highwater("fz-99", "--month", "2026-10");
    expect([unknown.code, unknown.out]).toEqual([1, ""]);
    expect(unknown.err).toMatch(/no device "fz-99"|know a device "fz-99"/);
    for (const [args, words] of [
      [["--month", "2026-1"], /2026-1 is no month.*YYYY-MM/s],
      [["--month", "2026-10", "--to", "2026-10-02"], /two answers/],
      [["--from", "2026-02-30"], /2026-02-30 is no day/],
      [["--month", "2026-10", "--format", "pdf"], /pdf is no format.*json, csv, html/s],
    ] as const) {
      const { code, out, err } = await highwater(FREEZER, ...args);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(words);
    }
    expect((await highwater(FREEZER, "--month", "2026-10", "-o", "none/r.csv")).err).toContain("cannot be written");
  });
});
