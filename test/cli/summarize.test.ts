// `highwater summarize` as a shell sees it: days are written and shown, wrong days are refused, one writer at a time.

import { execFile, spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { SummaryReport } from "../../src/batch/jobs/summary-report.ts";
import { createControl } from "../../src/control.ts";
import { lockDataDir } from "../../src/storage/database.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const hour = 3_600_000;
const from = Date.UTC(2024, 0, 10);

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

/** A data directory with two days of hourly readings, and a config beside it. */
function prepare(): { store: Recorder; dir: string; run: (...args: string[]) => { code: number | null; out: string; err: string } } {
  const store = createRecorder(plan([]));
  open = store;
  store.receive(Array.from({ length: 48 }, (_, index) => ({ device: "fz-1", ts: from + index * hour, value: index })));
  const config = join(store.dir, "highwater.yaml");
  writeFileSync(config, "gateway: { name: cold-chain, timezone: UTC, data_dir: . }\n");
  return {
    store,
    dir: store.dir,
    run(...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}bin/highwater.js`, "summarize", "-c", config, ...args], { encoding: "utf8" });
      return { code: status, out: stdout, err: stderr };
    },
  };
}

describe("summarize", () => {
  it("writes the days that are due and shows them; the second time there is nothing to do", () => {
    const { run, store } = prepare();
    const first = run();
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out.replaceAll("\n", " ")).toContain("2024-01-10 to 2024-01-11 (2 days), UTC: 48 readings of 1 sensor; 0 alerts fired.");
    expect(store.db.prepare("SELECT count(*) FROM daily_summary").pluck().get()).toBe(2);
    expect(run()).toEqual({ code: 0, out: "nothing to summarise: no readings in these days, or all of them are summarised already\n", err: "" });
  });

  it("gives the report of named days as JSON", () => {
    const { run } = prepare();
    const one = run("--day", "2024-01-11", "--json");
    expect(JSON.parse(one.out)).toMatchObject({
      isWhole: true,
      days: [{ day: "2024-01-11", readings: 24, coverage: 1 }],
      worst: [{ labels: { device: "fz-1" }, min: 24 }],
    });
    const range = JSON.parse(run("--from", "2024-01-01", "--to", "2024-02-01", "--json").out) as SummaryReport;
    expect(range.days.map(({ day }) => day)).toEqual(["2024-01-10", "2024-01-11"]);
  });

  it.each([
    [["--day", "2024-02-30"], "2024-02-30 is no day (write YYYY-MM-DD)"],
    [["--from", "2024-01-01"], "--from and --to need each other"],
    [["--day", "2024-01-01", "--to", "2024-01-02"], "use either --day, or --from and --to"],
    [["--from", "2024-01-02", "--to", "2024-01-01"], "--from 2024-01-02 is after --to 2024-01-01"],
    [["--day", "2999-01-01"], "2999-01-01 is not over yet in UTC"],
  ])("refuses %j with exit code 2", (args, message) => {
    expect(prepare().run(...args)).toEqual({ code: 2, out: "", err: `${message}\n` });
  });

  it("makes no data directory where there is none, and exits 1", () => {
    const { run, dir } = prepare();
    writeFileSync(join(dir, "highwater.yaml"), "gateway: { data_dir: ./elsewhere }\n");
    const { code, err } = run();
    expect(code).toBe(1);
    expect(err).toContain("there is no database");
  });

  it("does not write beside another process that holds the data directory", () => {
    const { run, dir, store } = prepare();
    const lock = lockDataDir(dir);
    const { code, err } = run();
    lock.release();
    expect(code).toBe(1);
    expect(err).toContain("another highwater uses");
    expect(store.db.prepare("SELECT count(*) FROM daily_summary").pluck().get()).toBe(0);
  });

  it("says of readings that are damaged that they are not summarised, and exits 1", () => {
    const { run, store } = prepare();
    expect(run().code).toBe(0);
    store.db.exec("UPDATE chunk SET body = zeroblob(40); INSERT INTO summary_open SELECT 'UTC', day, series FROM daily_summary LIMIT 1");
    const text = "readings of 1 sensor are damaged on the disk, and not summarised: `highwater verify` names them\n";
    expect(run()).toEqual({ code: 1, out: text, err: "" });
  });

  it("says of a page that is damaged which database it is of, in a sentence", () => {
    const { run, store, dir } = prepare();
    expect(run().code).toBe(0);
    store.db.pragma("wal_checkpoint(TRUNCATE)");
    const page = store.db.prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'summary_open'").pluck().get() as number;
    const file = openSync(join(dir, "highwater.db"), "r+");
    writeSync(file, Buffer.alloc(4096, 7), 0, 4096, (page - 1) * 4096);
    closeSync(file);
    const { code, out, err } = run();
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^highwater: \S+\/highwater\.db is damaged, .*`highwater verify`[^\n]*\n$/);
  });

  it("asks the gateway that runs on the data directory", async () => {
    const { dir } = prepare();
    const asked: unknown[] = [];
    const empty = { zone: "UTC", isWhole: true, readings: 0, late: 0, alerts: 0, coverage: 1, series: 0, days: [], worst: [] };
    const control = await createControl(dir, {
      async summarize(argument, progress) {
        asked.push(argument);
        progress({ day: "2024-01-10", done: 0, days: 1, readings: 0 });
        return empty;
      },
    });
    const args = [`${root}bin/highwater.js`, "summarize", "-c", join(dir, "highwater.yaml"), "--day", "2024-01-10", "--json"];
    // spawnSync would keep this process from answering. A failure rejects, with what was printed.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    await control.close();
    expect([JSON.parse(stdout), stderr]).toEqual([empty, ""]);
    expect(asked).toEqual([{ days: { from: "2024-01-10", to: "2024-01-10" } }]);
  });
});
