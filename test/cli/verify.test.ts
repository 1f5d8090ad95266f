// `highwater verify` and `highwater rebuild` as a shell sees them: what is wrong is a line each with what mends it, what it says mends it does,
// and wrong days are refused.

import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
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

type Ran = { code: number | null; out: string; err: string };

/** A data directory with two days of readings every ten minutes, summarised and packed, and a config beside it. */
function prepare(): { store: Recorder; config: string; run: (...args: string[]) => Ran } {
  const store = createRecorder(plan([]));
  open = store;
  store.receive(Array.from({ length: 288 }, (_, index) => ({ device: "fz-1", ts: from + (index * hour) / 6, value: index })));
  const config = join(store.dir, "highwater.yaml");
  writeFileSync(config, "gateway: { name: cold-chain, timezone: UTC, data_dir: . }\n");
  const run = (verb: string, ...args: string[]): Ran => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}bin/highwater.js`, verb, "-c", config, ...args], { encoding: "utf8" });
    return { code: status, out: stdout, err: stderr };
  };
  expect(run("summarize").code).toBe(0);
  return { store, config, run };
}

const spoil = (store: Recorder): void => void store.db.exec("UPDATE packed_rollup SET body = zeroblob(50) WHERE tier = 60000");
const minuteDamage =
  "packed-rollup device=fz-1 metric=temperature 2024-01-10: packed minutes cannot be read: stored readings are damaged: a checksum does not fit";

describe("verify", () => {
  it("says what it looked at, and that it is sound", () => {
    const { run } = prepare();
    expect(run("verify")).toEqual({
      code: 0,
      out: ["looked at 2 journal rows, 2 chunks, 3 packed rows", "held 334 rollup buckets and 2 summaries against 288 raw readings", "sound\n"].join("\n"),
      err: "",
    });
    expect(run("verify", "--quick").out).toBe("looked at 2 journal rows, 2 chunks, 3 packed rows\nsound\n");
    expect(JSON.parse(run("verify", "--json", "--from", "2024-01-11", "--to", "2024-01-11").out)).toMatchObject({
      sound: true,
      problems: 0,
      first: [],
      compared: { readings: 144, summaries: 1 },
    });
  });

  it("exits 1 with a line for each problem, and what each says mends it does", () => {
    const { run, store } = prepare();
    spoil(store);
    store.db.exec("UPDATE daily_summary SET body = json_set(body, '$.max', -1) WHERE day = '2024-01-11'");
    const { code, out } = run("verify");
    expect(code).toBe(1);
    expect(out.split("\n").slice(0, 3)).toEqual([
      `${minuteDamage} (highwater rebuild --rollups --from 2024-01-10 --to 2024-01-10)`,
      `${minuteDamage.replace("01-10", "01-11")} (highwater rebuild --rollups --from 2024-01-11 --to 2024-01-11)`,
      "summary device=fz-1 metric=temperature 2024-01-11: max is -1, raw makes it 287 (highwater summarize --day 2024-01-11)",
    ]);
    expect(out).toMatch(/\n3 problems: 2 packed-rollup, 1 summary\n$/);
    const asJson = JSON.parse(run("verify", "--json").out);
    expect(asJson).toMatchObject({ sound: false, problems: 3, by_kind: { "packed-rollup": 2, summary: 1 } });
    for (const { mend } of asJson.first as { mend: string }[]) expect(run(...(mend.split(" ").slice(1) as [string])).code).toBe(0);
    expect(run("verify").code).toBe(0);
  });

  it("shows so many, and counts the others", () => {
    const { run, store } = prepare();
    store.receive(Array.from({ length: 60 }, (_, index) => ({ device: `fz-${index + 2}`, ts: from + 48 * hour + index, value: index })));
    store.silence(2 * hour);
    store.db.exec("UPDATE rollup SET body = x'09' WHERE tier = 60000 AND series > 0");
    const lines = run("verify", "--quick").out.split("\n");
    expect(lines[50]).toBe("… and 10 more");
    expect(lines.at(-2)).toBe("60 problems: 60 rollup");
  });

  it.each([
    [["--from", "2024-01-01"], "--from and --to need each other"],
    [["--from", "2024-02-30", "--to", "2024-03-01"], "2024-02-30 is no day (write YYYY-MM-DD)"],
    [["--from", "2024-01-02", "--to", "2024-01-01"], "--from 2024-01-02 is after --to 2024-01-01"],
  ])("refuses %j with exit code 2", (args, message) => {
    expect(prepare().run("verify", ...args)).toEqual({ code: 2, out: "", err: `${message}\n` });
  });

  it("needs a database", () => {
    const { run, store } = prepare();
    writeFileSync(join(store.dir, "highwater.yaml"), "gateway: { data_dir: ./elsewhere }\n");
    const { code, err } = run("verify");
    expect([code, err]).toEqual([1, expect.stringContaining("there is no database")]);
  });
});

const days = ["--rollups", "--from", "2024-01-10", "--to", "2024-01-11"] as const;

describe("rebuild", () => {
  it("tells what differs when it is dry, and else writes it", () => {
    const { run, store } = prepare();
    spoil(store);
    const dry = run("rebuild", ...days, "--dry-run");
    expect([dry.code, dry.err]).toEqual([0, ""]);
    expect(dry.out.split("\n")[0]).toBe("device=fz-1 metric=temperature: the minute of 2024-01-10T00:00:00.000Z is not stored, and raw has 1 readings there");
    expect(dry.out).toMatch(/\n… and \d+ more\n.*\n\d+ minutes and 0 hours differ\n$/);
    expect(run("verify").code).toBe(1);
    expect(run("rebuild", ...days).out).toMatch(/ minutes and 0 hours differ; 2 rows written\n$/);
    expect(run("verify").code).toBe(0);
    expect(run("rebuild", ...days).out).toBe("held 334 buckets of 2 days against 288 raw readings\nnothing differs\n");
  });

  it.each([
    [["--from", "2024-01-10", "--to", "2024-01-10"], "say what to rebuild: --rollups or --alerts"],
    [["--rollups"], "say which days: --from DAY --to DAY"],
    [["--rollups", "--from", "2999-01-10", "--to", "2999-01-10"], "2999-01-10 is not over yet in UTC"],
    [["--rollups", "--from", "2024-01-10"], "--from and --to need each other"],
  ])("refuses %j with exit code 2", (args, message) => {
    expect(prepare().run("rebuild", ...args)).toEqual({ code: 2, out: "", err: `${message}\n` });
  });

  it("does not write beside another process that holds the data directory, and may be dry beside it", () => {
    const { run, store } = prepare();
    const lock = lockDataDir(store.dir);
    const [wet, dry] = [run("rebuild", ...days), run("rebuild", ...days, "--dry-run")];
    lock.release();
    expect([wet.code, wet.err]).toEqual([1, expect.stringContaining("another highwater uses")]);
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining("nothing differs")]);
  });

  it("asks the gateway that runs on the data directory", async () => {
    const { store, config } = prepare();
    const asked: unknown[] = [];
    const report = { isWhole: true, days: 2, readings: 1, buckets: 1, differing: { minutes: 0, hours: 0 }, written: 0, changed: 0, left: [], first: [] };
    const control = await createControl(store.dir, {
      async "rebuild-rollups"(argument, progress) {
        asked.push(argument);
        progress({ day: "2024-01-10", done: 0, days: 2, buckets: 0 });
        return report;
      },
    });
    const args = [`${root}bin/highwater.js`, "rebuild", "-c", config, ...days, "--json"];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
    await control.close();
    expect([JSON.parse(stdout), stderr]).toEqual([report, ""]);
    expect(asked).toEqual([{ days: { from: "2024-01-10", to: "2024-01-11" } }]);
  });
});
