// Processes of one's own: ready when they say so, ended when told, and their own words when they fail.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startChild } from "../../simulators/child.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "highwater-child-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function start(script: string, more: { timeoutMs?: number; onLine?: (line: string) => void } = {}) {
  const file = join(folder, "script.mjs");
  await writeFile(file, script);
  return startChild<{ port: number }>([file], { timeoutMs: 10_000, ...more });
}

test("it is ready by its line, tells each line, and ends on SIGTERM with its own code", async () => {
  const lines: string[] = [];
  const script = `
    process.on("SIGTERM", () => process.exit(7));
    setInterval(() => {}, 1000);
    console.log("not JSON, but it says ready");
    console.log(JSON.stringify({ msg: "ready?", port: 1 }));
    console.log(JSON.stringify({ msg: "ready", port: 4711 }));`;
  const child = await start(script, { onLine: (line) => lines.push(line) });
  expect(child.ready).toEqual({ msg: "ready", port: 4711 });
  expect(await child.stop()).toBe(7);
  expect(lines.length).toBe(3);
});

test("one that ends before it is ready fails with its last words", async () => {
  await expect(start('console.error("port 1883 is taken"); process.exit(3);')).rejects.toThrow(/ended with 3 before it was ready\n {2}port 1883 is taken/);
});

test("one that is never ready is killed", async () => {
  await expect(start("setInterval(() => {}, 1000);", { timeoutMs: 300 })).rejects.toThrow("was not ready after 300 ms");
});

test("one that does not listen to SIGTERM is killed, and that is told", async () => {
  const script = `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log('{"msg":"ready","port":1}');`;
  const child = await start(script, { timeoutMs: 1000 });
  expect(await child.stop()).toBe(-1);
});
