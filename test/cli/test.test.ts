// `highwater test` as a child process: the tests beside the rules of config/ pass, what is not met is shown exactly, and a bad
// file is refused with its place.

import { execFile } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "highwater-rule-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

function highwater(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, "bin/highwater.js"), ...args], { cwd: folder, env: { ...process.env, NO_COLOR: "1" } }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}
function written(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const rules = `rules:
  - name: hot
    match: { metric: temperature }
    condition: { type: threshold, above: limit.high, clear_below: 25 }
    for: 5m
    keep_firing_for: 5m
    severity: critical
    labels: { team: ovens }
    annotations: { summary: "{{device}} in {{room}} is at {{value}} {{unit}}" }
  - name: steep
    match: { metric: temperature }
    condition: { type: window, window: { tumbling: 5m }, aggregate: max, above: 90 }
devices: { oven: { labels: { room: B2 }, limits: { high: 30 }, unit: "°C" } }
`;
const labels = "exp_labels: { device: oven, metric: temperature, room: B2, severity: critical, team: ovens }";
const file = (checks: string, values = "20 31x9 20x20") => `${rules}tests:
  - name: an oven
    interval: 1m
    input_series:
      - series: temperature{device="oven"}
        values: ${values}
    alert_rule_test:
${checks}
`;

describe("highwater test", () => {
  it("passes what stands beside the rules of config/", async () => {
    const files = globSync("config/rules/*.test.yaml", { cwd: root });
    expect(files).not.toEqual([]);
    const { code, out } = await highwater("test", ...files.map((name) => join(root, name)));
    expect(out).toMatch(/\d+ tests, \d+ checks: all passed\n$/);
    expect(code).toBe(0);
  });

  it("judges at eval_time: pending is nothing, firing and recovering are alerts, resolved is nothing", async () => {
    const alert = `exp_alerts: [{ ${labels}, exp_annotations: { summary: oven in B2 is at 31 °C } }]`;
    // Hot from 1m, so that it fires at 6m; clear from 11m, so that it resolves at 16m.
    const checks = [
      "      - { eval_time: 5m59s, alertname: hot }",
      `      - { eval_time: 6m, alertname: hot, ${alert} }`,
      `      - { eval_time: 15m59s, alertname: hot, ${alert} }`,
      "      - { eval_time: 16m, alertname: hot, exp_alerts: [] }",
      "      - { eval_time: 30m, alertname: steep }",
    ];
    const { code, out } = await highwater("test", written("judged.yaml", file(checks.reverse().join("\n"))));
    expect(out).toBe("✓ an oven\n1 test, 5 checks: all passed\n");
    expect(code).toBe(0);
  });

  it("shows exactly what differs, at most 80 columns wide", async () => {
    const checks = `      - eval_time: 6m
        alertname: hot
        exp_alerts:
          - ${labels.replace("critical", "warning")}
            exp_annotations: { summary: "oven in B2 is at 31 °C, which is rather more than it should be by any account" }
      - { eval_time: 1h, alertname: hot, exp_alerts: [{ exp_labels: { device: stove } }] }
      - { eval_time: 6m, alertname: hot }`;
    const { code, out } = await highwater("test", written("different.yaml", file(checks)));
    expect(code).toBe(1);
    expect(out).toBe(`✗ an oven
different.yaml:21:9: hot at 6m: fires otherwise than expected
  different.yaml:24:13
    labels:
      device: oven
      metric: temperature
      room: B2
-     severity: warning
+     severity: critical
      team: ovens
    annotations:
-     summary: oven in B2 is at 31 °C, which is rather more than it should be by
-          any account
+     summary: oven in B2 is at 31 °C

different.yaml:26:9: hot at 1h: does not fire
  different.yaml:26:55
-   labels:
-     device: stove

different.yaml:27:9: hot at 6m: fires and is not expected
  fires
+   labels:
+     device: oven
+     metric: temperature
+     room: B2
+     severity: critical
+     team: ovens
+   annotations:
+     summary: oven in B2 is at 31 °C

1 test, 3 checks: 3 failed
`);
  });

  it("takes rules, devices and the zone from a config", async () => {
    written("highwater.yaml", rules);
    const text = `config: highwater.yaml
tests:
  - input_series: [{ series: '{metric="temperature", device="oven"}', values: 20 95x5 }]
    alert_rule_test:
      - eval_time: 5m
        alertname: steep
        exp_alerts: [{ exp_labels: { device: oven, metric: temperature, room: B2, severity: warning } }]
`;
    expect(await highwater("test", written("by-config.yaml", text))).toMatchObject({ code: 0, out: "✓ test 1\n1 test, 1 check: all passed\n" });
  });

  it("prints a line per check for machines", async () => {
    const { code, out } = await highwater("test", "--json", written("json.yaml", file("      - { eval_time: 6m, alertname: hot }")));
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ file: "json.yaml", line: 21, column: 9, test: "an oven", eval_time_ms: 360_000, ok: false, expected: [] });
    expect(JSON.parse(out).got).toMatchObject([{ labels: { device: "oven" }, annotations: { summary: "oven in B2 is at 31 °C" } }]);
  });

  it("says where a file is wrong, and runs the others", async () => {
    const good = written("good.yaml", file("      - { eval_time: 0s, alertname: hot }"));
    const bad = written("bad.yaml", file("      - { eval_time: 6m, alertname: hott }\n      - { eval_time: 6, alertname: hot }", "20 21y5"));
    const { code, out, err } = await highwater("test", bad, good, "absent.yaml");
    expect(code).toBe(2);
    expect(out).toBe("✓ an oven\n1 test, 1 check: all passed\n");
    expect(err.split("\n")).toEqual([
      'bad.yaml:19:20: values "20 21y5": "21y5" is no value (write 20, 20x5, 20+1x5, 20-0.5x5, _, _x3 or stale)',
      "bad.yaml:22:22: eval_time cannot be 6 (write a duration such as 500ms, 90s, 5m, 1h30m, 7d or 2w)",
      "absent.yaml:1:1: this file cannot be read: no such file",
      "",
    ]);
    const misnamed = await highwater("test", written("misnamed.yaml", file("      - { eval_time: 6m, alertname: hott }")));
    expect(misnamed).toMatchObject({ code: 2, out: "", err: "misnamed.yaml:21:37: there is no rule hott (did you mean hot?)\n" });
  });
});
