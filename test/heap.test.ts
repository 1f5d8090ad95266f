// V8 does what heap.ts asks of it: a young generation stays small in calm times, however much survives, grows in a storm, and is small again.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("./heap-process.ts", import.meta.url));
const MB = 1e6;

function sizes(...flags: string[]): number[] {
  const { stdout, stderr } = spawnSync(process.execPath, ["--scavenger-max-new-space-capacity-mb=16", "--min-semi-space-size=4", ...flags, script], {
    encoding: "utf8",
  });
  expect(stderr.replace(/^.*Warning.*$\n?/gm, "")).not.toContain("Error");
  return (JSON.parse(stdout) as number[]).map((bytes) => bytes / MB);
}

it("the young generation is small in calm, grows in a storm, and is small again after it", () => {
  const [calm, storm, after] = sizes("--expose-gc") as [number, number, number];
  expect(calm).toBeLessThan(10);
  expect(storm).toBeGreaterThan(30);
  expect(after).toBeLessThan(10);
});

it("it is V8's own business where the gateway was not started with its flags", () => {
  const [calm] = sizes() as [number];
  expect(calm).toBeGreaterThan(30);
});
