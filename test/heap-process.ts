// A process whose young generation is held and let go as the gateway's is: much survives all the time, calm and storm come by turns.
// Prints the bytes of its young generation after each.

import { getHeapSpaceStatistics } from "node:v8";
import { createYoungGeneration } from "../src/heap.ts";

let now = 0;
const young = createYoungGeneration(() => now);

/** So many turns of a tenth of a second, each of which makes much that lives longer than it. */
function turns(count: number, readings: number): void {
  let held: object[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    now += 100;
    young.turned(readings);
    for (let index = 0; index < 50_000; index += 1) held.push({ index });
    if (turn % 8 === 7) held = [];
  }
}

const size = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
const sizes: number[] = [];
for (const readings of [2000, 20_000, 2000]) {
  turns(400, readings);
  sizes.push(size());
}
process.stdout.write(JSON.stringify(sizes));
