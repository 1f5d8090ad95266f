// What V8 keeps room for without need: what a thread's start leaves behind (sources, compilers, schemas), more than a quarter of what an
// idle gateway takes, and a young generation that grew in a moment of haste (docs/adr/0009-room-is-bounded.md).

import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** As bin/highwater.js starts the gateway there is a `gc`; elsewhere there is none, and nothing is given back. */
const collect = (globalThis as { readonly gc?: (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void }).gc;

/** To be called once by a thread that is about to wait. Takes some 30 ms. */
export function giveBackRoom(): void {
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

const YOUNG_BYTES = 8_000_000;
/** A second of so many readings is a storm: those that wait for their acknowledgement would be copied too often in a small young generation. */
const STORM_READINGS_PER_SECOND = 60_000;
const LOOK_MS = 1000;

/**
 * V8 doubles the young generation of the thread that takes readings when much of it survives, as after one turn that took long, and then
 * keeps 67 MB for good. Here it grows beyond YOUNG_BYTES only in a storm. What is set holds for all threads; the others have limits of their own.
 * @returns to be told of each turn
 */
export function createYoungGeneration(monotonic: () => number): { turned(readings: number): void } {
  let [since, readings, isStorm, mayGrow] = [monotonic(), 0, false, true];
  const measure = (): void => {
    const elapsed = monotonic() - since;
    if (elapsed < LOOK_MS) return;
    isStorm = readings * 1000 > STORM_READINGS_PER_SECOND * elapsed;
    [since, readings] = [monotonic(), 0];
  };
  return {
    turned(count) {
      if (collect === undefined) return;
      readings += count;
      measure();
      const isAllowed = isStorm || youngBytes() < YOUNG_BYTES;
      if (isAllowed === mayGrow) return;
      mayGrow = isAllowed;
      setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
    },
  };
}

const youngBytes = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
