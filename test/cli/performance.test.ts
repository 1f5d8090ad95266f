// `highwater performance` and `highwater tune` as a shell sees them, beside a writer that holds the database open: what they print for
// people within 80 columns, what for machines, and how they refuse.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

const program = new URL("../../bin/highwater.js", import.meta.url).pathname;
const MINUTE = 60_000;
const DAY = 86_400_000;
const today = Math.floor(Date.now() / DAY) * DAY;
/** Two whole days in UTC before today. */
const from = today - 2 * DAY;
let store: Recorder;

function highwater(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args, "-c", "highwater.yaml"], { cwd: store.dir, env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}
const widest = (text: string): number => Math.max(...text.split("\n").map((line) => Array.from(line).length));
const dayText = (ts: number): string => new Date(ts).toISOString().slice(0, 10);

beforeAll(() => {
  const warm = rule({ name: "warm", condition: { type: "threshold", above: 5 }, severity: "critical" });
  const gone = rule({ name: "gone", condition: { type: "absence", after: "1h" } });
  store = createRecorder(plan([warm, gone], { maxFutureMs: 1e15 }));
  writeFileSync(
    join(store.dir, "highwater.yaml"),
    `gateway: { name: cold-chain, data_dir: . }
alarm_performance: { targets: { per_hour: 3 } }
rules:
  - { name: warm, match: { metric: temperature }, condition: { type: threshold, above: 5 }, severity: critical }
  - { name: gone, match: { metric: temperature }, condition: { type: absence, after: 1h } }
`,
  );
  // Every 10 s; on the hour it wavers around the limit for five minutes.
  for (let ts = from; ts < today; ts += 10 * MINUTE) {
    const sent = Array.from({ length: 60 }, (_, index) => {
      const wavers = ts % (60 * MINUTE) === 0 && index < 30;
      return { device: "fz-1", ts: ts + index * 10_000, value: wavers ? 5 + (index % 2 === 0 ? 0.4 : -0.4) : 1 + (index % 2) };
    });
    for (const each of sent) store.receive([each], 1);
  }
});
afterAll(() => store.close());

describe("highwater performance", () => {
  it("tells of a day within 80 columns", async () => {
    const { code, out, err } = await highwater("performance", "--day", dayText(from));
    expect([code, err]).toEqual([0, ""]);
    expect(widest(out)).toBeLessThanOrEqual(80);
    const lines = out.split("\n");
    expect(lines[0]).toBe(`${dayText(from)} 00:00:00Z to ${dayText(from + DAY)} 00:00:00Z, 1 d`);
    expect(lines[1]).toBe("360 alerts fired, none was acknowledged, 1 sensor chatters.");
    expect(lines).toContain("Mean in an hour           15       ≤ 3 missed");
    expect(lines).toContain("Most in 10 min            15      ≤ 10 missed from 00:00Z");
    expect(lines).toContain("warm                   fz-1 temperature           360   100 % chattering");
    expect(out).toContain("Floods, the largest first");
    expect(out).toContain("and 19 more, which --json tells");
  });

  it("tells of 24 hours when nothing is said, and gives machines what the API answers", async () => {
    const { out } = await highwater("performance", "--json", "--from", new Date(from).toISOString(), "--to", dayText(from));
    expect(JSON.parse(out)).toMatchObject({ alerts: 360, from: new Date(from).toISOString(), to: new Date(from + DAY).toISOString(), flood: { count: 24 } });
    const last = JSON.parse((await highwater("performance", "--json")).out) as { from: string; to: string };
    expect(Date.parse(last.to) - Date.parse(last.from)).toBe(DAY);
  });

  it("tells of a day without alerts", async () => {
    const { code, out } = await highwater("performance", "--day", "2020-01-01");
    expect(code).toBe(0);
    expect(out).toContain("No alert fired.\n");
    expect(out).not.toContain("tune");
  });

  it("refuses times that are none, with 2", async () => {
    const wrong: [string[], string][] = [
      [["--day", "2020-01-01", "--from", "2020-01-01"], "--day and --from or --to are two answers to one question"],
      [["--day", "yesterday"], "yesterday is no day"],
      [["--from", "noon"], "--from noon is no time"],
      [["--from", "2020-01-02", "--to", "2020-01-01"], "to is not after from"],
      [["--from", "2999-01-01"], "from is in the future"],
    ];
    for (const [args, words] of wrong) {
      const { code, err } = await highwater("performance", ...args);
      expect([args, code]).toEqual([args, 2]);
      expect(err).toContain(words);
    }
  });
});

describe("highwater tune", () => {
  it("prints what each change would have done, and the lines of the one that it suggests, within 80 columns", async () => {
    const { code, out, err } = await highwater("tune", "warm");
    expect([code, err]).toEqual([0, ""]);
    expect(widest(out)).toBeLessThanOrEqual(80);
    expect(out).toContain("warm on fz-1 temperature\n");
    expect(out).toContain("As it is: 720 alerts in 48 episodes");
    // It wavers down to 4.6 and mostly steps by 1: half of that is enough.
    expect(out).toMatch(/^→ clear_below: 4\.5 +48 {3}93 %/m);
    expect(out).toContain("  - name: warm\n    condition:\n      clear_below: 4.5\n");
  });

  it("gives machines the same", async () => {
    const { out } = await highwater("tune", "warm", "device=fz-1", "--days", "30", "--json");
    expect(JSON.parse(out)).toMatchObject({
      rule: "warm",
      series: 0,
      labels: { device: "fz-1", alertname: "warm" },
      readings: 17_280,
      stored: 720,
      alerts: 720,
      suggestion: { kind: "deadband", yaml: "condition:\n  clear_below: 4.5", alerts: 48, told_later_max_ms: 0, missed_episodes: 0, joined_episodes: 0 },
    });
  });

  it("says plainly when nothing can be suggested, with 1, and what was written wrongly, with 2", async () => {
    const refused: [string[], number, string][] = [
      [["gone"], 1, "no suggestion can be made for gone: an absence has its own delay"],
      [["warm", "--device", "fz-2"], 1, "warm did not fire on such a series in this time"],
      [["wrm"], 2, "the config has no rule wrm (it has warm, gone)"],
      [["warm", "fz-1"], 2, "fz-1 is not label=value"],
      [["warm", "--days", "0"], 2, "--days 0 is no number of days"],
    ];
    for (const [args, expected, words] of refused) {
      const { code, err } = await highwater("tune", ...args);
      expect([args, code]).toEqual([args, expected]);
      expect(err).toContain(words);
    }
  });
});
