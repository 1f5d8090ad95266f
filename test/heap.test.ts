// V8 does what heap.ts asks of it: a young generation stays small in calm times, however much survives, and grows in a storm.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("./heap-process.ts", import.meta.url));
const MB = 1e6;

function sizes(...flags: string[]): number[] {
  const { stdout, stderr } = spawnSync(process.execPath, ["--scavenger-max-new-space-capacity-mb=16", ...flags, script], { encoding: "utf8" });
  expect(stderr.replace(/^.*Warning.*$\n?/gm, "")).not.toContain("Error");
  return (JSON.parse(stdout) as number[]).map((bytes) => bytes / MB);
}

it("the young generation is small in calm, and grows in a storm", () => {
  const [calm, storm] = sizes("--expose-gc") as [number, number];
  // V8 may double it once more before it is told.
  expect(calm).toBeLessThan(20);
  expect(storm).toBeGreaterThan(30);
});

it("it is V8's own business where the gateway was not started with its flags", () => {
  const [calm] = sizes() as [number];
  expect(calm).toBeGreaterThan(30);
});
