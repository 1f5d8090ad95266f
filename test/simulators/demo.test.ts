// The demo: its config is one, its timetable keeps the promise that an alert fires and resolves within half a minute, and Ctrl-C ends it in order.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { demoBlocks } from "../../simulators/demo.ts";
import { coldChain } from "../../simulators/scenarios/cold-chain.ts";
import { readSignal, seedOf } from "../../simulators/signals.ts";
import { wrap } from "../../simulators/wrap.ts";
import { configSchema } from "../../src/config/schema.ts";

test("its config is one, with the rules of every scenario", () => {
  const config = configSchema.parse(demoBlocks({ smtpUrl: "smtp://127.0.0.1:1025", webhookUrl: "http://127.0.0.1:9000/alerts" }));
  expect(config.rules.length).toBeGreaterThan(8);
  expect(Object.keys(config.devices).length).toBe(16);
});

test.each([1, 2, 3, 99])("with seed %d the door of freezer-1 makes it too warm for 3 s and cold again before 20 s", (seed) => {
  const [metric] = coldChain.device(0).metrics;
  const origin = Date.parse("2025-11-22T12:00:00Z");
  const topic = "sensors/cold-store/freezer-1/temperature";
  const values = Array.from(
    { length: 31 },
    (_, second) => readSignal(metric?.signal as never, metric?.faults ?? [], seedOf(seed, topic), origin, origin + second * 1000) as number,
  );
  const tooWarm = values.flatMap((value, second) => (value > -15 ? [second] : []));
  expect(tooWarm.length).toBeGreaterThanOrEqual(5);
  expect((tooWarm.at(-1) as number) - (tooWarm[0] as number)).toBe(tooWarm.length - 1);
  expect(Math.max(...values.slice(18))).toBeLessThan(-17);
});

test.each([
  ["short", 10, ["short"]],
  ["  two words", 8, ["  two", "  words"]],
  ["abcdefghij", 4, ["abcd", "efgh", "ij"]],
  ["", 4, [""]],
])("wrap %j at %d", (line, width, expected) => {
  expect(wrap(line, width)).toEqual(expected);
});

test("Ctrl-C ends `npm run demo` in order, exit code 0, and no line of it is wider than a terminal", async () => {
  // A process group of its own, all of which gets the signal, as from a terminal: npm and its shell too.
  const demo = spawn("npm", ["run", "demo"], { cwd: fileURLToPath(new URL("../..", import.meta.url)), detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  demo.stdout.setEncoding("utf8").on("data", (text: string) => {
    const wasReady = said.includes("Ctrl-C");
    said += text;
    if (!wasReady && said.includes("Ctrl-C")) process.kill(-(demo.pid as number), "SIGINT");
  });
  expect(await once(demo, "close")).toEqual([0, null]);
  expect(said).toContain("Ending (SIGINT): fleet, gateway, receivers.");
  for (const line of said.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});
