// `highwater import`, `export` and `rebuild --alerts` as a shell sees them: what they say, what they refuse, how they end.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createControl } from "../../src/control.ts";
import { GatewayError } from "../../src/error.ts";
import { lockDataDir, openDatabase } from "../../src/storage/database.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const FRIDGE =
  "timestamp,device,metric,value\n2026-03-01T12:00:00.000Z,fz-7,temperature,-18.5\n2026-03-01T12:00:10.000Z,fz-7,temperature,12\n2026-03-01T12:00:20.000Z,fz-7,temperature,-18\n";

function prepare() {
  const dir = mkdtempSync(join(tmpdir(), "highwater-cli-import-"));
  cleanUp.push(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(
    join(dir, "highwater.yaml"),
    "gateway: { timezone: UTC, data_dir: ./data }\nmqtt: { limits: { series: 3 } }\nrules: [{ name: warm, match: { metric: temperature }, condition: { type: threshold, above: 0 } }]\n",
  );
  writeFileSync(join(dir, "fridge.csv"), FRIDGE);
  const args = (verb: string, ...more: string[]): string[] => [`${root}bin/highwater.js`, verb, "-c", "highwater.yaml", ...more];
  return {
    dir,
    data: join(dir, "data"),
    args,
    run(verb: string, more: readonly string[] = [], input = "") {
      const { status, stdout, stderr } = spawnSync(process.execPath, args(verb, ...more), { cwd: dir, encoding: "utf8", input });
      return { code: status, out: stdout, err: stderr };
    },
  };
}

describe("import", () => {
  it("says what is in, and that it is in already; export gives the same file again", () => {
    const { run, dir } = prepare();
    const first = run("import", ["fridge.csv"]);
    expect([first.code, first.err]).toEqual([0, ""]);
    expect(first.out.split("\n").slice(0, 2)).toEqual([
      "3 readings of fridge.csv imported, Sun 2026-03-01 12:00 to Sun 2026-03-01 12:00 (UTC)",
      "1 series, 1 of them new",
    ]);
    expect(first.out).toContain("its days are summarised by night (`highwater summarize` does it at once)");
    expect(run("import", ["fridge.csv"]).out).toBe("fridge.csv is in already: 3 readings; nothing was done (--again does it anyway)\n");
    expect(run("import", ["fridge.csv", "--again"]).out).toContain("3 readings were there already");
    expect(run("export")).toEqual({ code: 0, out: FRIDGE, err: "" });
    expect(run("export", ["-o", "copy.csv"]).code).toBe(0);
    expect(readFileSync(join(dir, "copy.csv"), "utf8")).toBe(FRIDGE);
    expect(readdirSync(dir).filter((name) => name.endsWith(".export"))).toEqual([]);
    expect(run("export", ["-o", "data/highwater.db", "--format", "csv"])).toMatchObject({ code: 1, err: expect.stringContaining("is a database") });
    expect(run("export").out).toBe(FRIDGE);
  });

  it("says that a last line without line feed was taken", () => {
    const { run, dir } = prepare();
    writeFileSync(join(dir, "open.csv"), FRIDGE.slice(0, -1));
    expect(run("import", ["open.csv"])).toMatchObject({ code: 0, out: expect.stringContaining("the last line has no line feed and was taken as it stands") });
  });

  it("takes the good lines, tells of the bad ones, and exits 1", () => {
    const { run, dir } = prepare();
    writeFileSync(join(dir, "bad.csv"), `${FRIDGE}yesterday,fz-7,temperature,1\n2999-01-01T00:00:00Z,fz-7,temperature,1\n`);
    const { code, out, err } = run("import", ["bad.csv"]);
    expect(code).toBe(1);
    expect(err.replaceAll(`${dir}/`, "").split("\n")).toEqual([
      expect.stringContaining('bad.csv:5:1: "yesterday" is not a time'),
      "bad.csv:6:1: 2999-01-01T00:00:00.000Z is in the future (look at the clock that wrote it, and whether seconds stand where milliseconds are meant)",
      "",
    ]);
    expect(out).toContain("3 readings of bad.csv imported");
    expect(out).toContain("2 problems: 1 time, 1 future");
    expect(run("import", ["bad.csv"])).toEqual({
      code: 1,
      out: "bad.csv is in already: 3 readings; 2 problems: 1 time, 1 future, told when it was read; nothing was done (--again does it anyway)\n",
      err: "",
    });
  });

  it("reads standard input, and nothing is written by --dry-run", () => {
    const { run, data } = prepare();
    const dry = run("import", ["-", "--format", "csv", "--dry-run"], FRIDGE);
    expect([dry.code, dry.out.split("\n")[0], dry.out.includes("nothing was written")]).toEqual([
      0,
      expect.stringContaining("3 readings of - would be imported"),
      true,
    ]);
    const db = openDatabase(data, { readonly: true });
    expect(db.prepare("SELECT (SELECT count(*) FROM chunk) + (SELECT count(*) FROM series) + (SELECT count(*) FROM import)").pluck().get()).toBe(0);
    db.close();
    const real = JSON.parse(run("import", ["-", "--format", "csv", "--json", "--device", "x"], FRIDGE).out);
    expect(real).toMatchObject({ outcome: "done", mayGoOn: false, progress: { readings: 3 } });
  });

  it.each([
    [["none.csv"], 2, "none.csv:1:1: this file cannot be read: no such file"],
    [["fridge.txt"], 2, "its name does not say in which format it is (give one with --format: csv, ndjson, line-protocol)"],
    [["fridge.csv", "--timezone", "Mars/Olympus"], 2, "Mars/Olympus is no time zone"],
    [["fridge.csv", "--precision", "weeks"], 2, "--precision weeks is none (write one of ns, us, ms, s)"],
    [["fridge.csv", "--label", "room"], 2, "Write name=value."],
  ])("refuses %j with exit code %i", (args, code, message) => {
    const { run } = prepare();
    const refused = run("import", args);
    expect(refused.code).toBe(code);
    expect(refused.err).toContain(message);
  });

  it("refuses more series than the config allows, and leaves nothing of them", () => {
    const { run, dir } = prepare();
    writeFileSync(join(dir, "many.csv"), `timestamp,device,metric,value\n${[1, 2, 3, 4].map((each) => `1772366400,d-${each},temperature,1\n`).join("")}`);
    const refused = run("import", ["many.csv"]);
    expect([refused.code, refused.err]).toEqual([
      1,
      "highwater: the file brings 4 series that are new, and there are 0 of at most 3 (raise mqtt.limits.series, or look whether a label holds what differs from reading to reading)\n",
    ]);
    expect(run("export").out).toBe("timestamp,device,metric,value\n");
  });

  it("is refused while another holds the data directory without a gateway's socket", () => {
    const { run, data } = prepare();
    const lock = lockDataDir(data);
    cleanUp.push(() => lock.release());
    expect(run("import", ["fridge.csv"])).toMatchObject({ code: 1, err: expect.stringContaining("another highwater uses") });
  });

  it("ends cleanly at an interrupt, says how to go on, and goes on there", { timeout: 60_000 }, async () => {
    const { args, dir, run } = prepare();
    const lines = Array.from({ length: 3_000_000 }, (_, index) => `${1_500_000_000 + index},fz-7,temperature,${index % 100}`);
    writeFileSync(join(dir, "long.csv"), `timestamp,device,metric,value\n${lines.join("\n")}\n`);
    const child = spawn(process.execPath, args("import", "long.csv"), { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const closed = once(child, "close");
    const data = join(dir, "data");
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (readdirSync(dir).includes("data") && hasBlock(data)) break;
    }
    child.kill("SIGINT");
    expect((await closed)[0]).toBe(1);
    expect(said).toContain("interrupted: what is in stays in; the same command goes on where it was");
    const rest = run("import", ["long.csv"]);
    expect(rest.out).toMatch(/^went on after line \d+\n3000000 readings of long\.csv imported/);
    expect(
      run("export", ["--step", "day"])
        .out.split("\n")
        .slice(1, -1)
        .reduce((sum, line) => sum + Number(line.split(",")[4]), 0),
    ).toBe(3_000_000);
  });

  it("says why a running gateway cannot do it", async () => {
    const { args, dir, data } = prepare();
    const lock = lockDataDir(data);
    cleanUp.push(() => lock.release());
    const control = await createControl(data, {
      running: () => Promise.resolve(true),
      import: (order) =>
        Promise.reject(
          new GatewayError("not_a_history", `${(order as { file: string }).file}:1:1: this file cannot be read: no permission`, {
            hint: "give a file of readings",
          }),
        ),
    });
    cleanUp.push(() => control.close());
    const ended = async (...more: string[]) => {
      const child = spawn(process.execPath, args("import", ...more), { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
      let err = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        err += text;
      });
      const [code] = await once(child, "close");
      return [code, err];
    };
    expect(await ended("fridge.csv")).toEqual([
      2,
      expect.stringContaining("no permission (give a file of readings; the running gateway reads the file itself, as its own user)"),
    ]);
    expect(await ended("-", "--format", "csv")).toEqual([
      1,
      expect.stringContaining("it cannot read this standard input (give it a file that it can read, or stop it)"),
    ]);
  });
});

/** Whether a block is in that is not the last. */
function hasBlock(data: string): boolean {
  try {
    const db = openDatabase(data, { readonly: true });
    try {
      return db.prepare("SELECT 1 FROM import").get() !== undefined;
    } finally {
      db.close();
    }
  } catch {
    // It is being made.
    return false;
  }
}

describe("export", () => {
  it("chooses by label and time, and writes other formats", () => {
    const { run } = prepare();
    run("import", ["fridge.csv"]);
    run("import", ["-", "--format", "csv", "--metric", "door", "--device", "fz-8"], "timestamp,value\n2026-03-02T00:00:00Z,1\n");
    expect(run("export", ["metric=door"]).out).toBe("timestamp,device,metric,value\n2026-03-02T00:00:00.000Z,fz-8,door,1\n");
    expect(run("export", ["device=fz-7", "device=fz-8", "--from", "2026-03-01T12:00:20Z", "--format", "ndjson"]).out.trim().split("\n")).toHaveLength(2);
    expect(run("export", ["--to", "2026-03-01", "--step", "1h"]).out).toContain(
      "2026-03-01T12:00:00.000Z,2026-03-01T13:00:00.000Z,fz-7,temperature,3,-18.5,12,",
    );
    expect(run("export", ["device=none"])).toMatchObject({ code: 0, out: "timestamp,device,metric,value\n" });
  });

  it("ends quietly when nobody reads on", async () => {
    const { args, dir, run } = prepare();
    writeFileSync(
      join(dir, "long.csv"),
      `timestamp,device,metric,value\n${Array.from({ length: 200_000 }, (_, index) => `${1_500_000_000 + index},fz-7,t,${index}\n`).join("")}`,
    );
    run("import", ["long.csv"]);
    const child = spawn(process.execPath, args("export"), { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    expect([...(await once(child, "close")), err]).toEqual([0, null, ""]);
  });

  it.each([
    [["device"], 2, "device is no label (write device=fz-7)"],
    [["--step", "2m"], 2, "Write one of raw, 1m, 1h, day."],
    [["--format", "line-protocol"], 2, "line-protocol is read, but not written (give --format csv or ndjson)"],
    [["--from", "2026-03-02", "--to", "2026-03-01"], 2, "--from is not before --to"],
    [["-o", "nowhere/out.csv"], 1, "cannot be written"],
  ])("refuses %j with exit code %i", (args, code, message) => {
    const { run } = prepare();
    if (code === 1) run("import", ["fridge.csv"]);
    const refused = run("export", args);
    expect([refused.code, refused.out]).toEqual([code, ""]);
    expect(refused.err).toContain(message);
  });
});

describe("rebuild --alerts", () => {
  it("makes history of what would have fired, at once by import --alerts, and tells of it", () => {
    const { run } = prepare();
    const out = run("import", ["fridge.csv", "--alerts"]).out;
    expect(out).toContain("2026-03-01 12:00:10Z warm device=fz-7 metric=temperature, resolved 2026-03-01 12:00:20Z: only the rebuild has it: now history");
    expect(out).toContain("nobody was told");
    const again = run("rebuild", ["--alerts", "--from", "2026-03-01", "--to", "2026-03-01"]);
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringContaining(
        "by event time, as readings of that time were imported: 3 readings, 1 alert\nthe rebuild gives the alerts that are stored\nnobody was told\n",
      ),
    });
  });

  it("only tells with --dry-run", () => {
    const { run } = prepare();
    run("import", ["fridge.csv"]);
    for (let times = 0; times < 2; times += 1)
      expect(JSON.parse(run("rebuild", ["--alerts", "--from", "2026-03-01", "--dry-run", "--json"]).out)).toMatchObject({
        isDry: true,
        counts: { inserted: 1 },
      });
  });

  it.each([
    [[], "say what to rebuild"],
    [["--alerts"], "say of which time: --from TIME, and --to TIME if not until now"],
    [["--alerts", "--from", "soon"], "--from soon is no time"],
    [["--alerts", "--from", "2999-01-01"], "--from is in the future"],
  ])("refuses %j with exit code 2", (args, message) => {
    const { run } = prepare();
    const refused = run("rebuild", args);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(message);
  });
});
