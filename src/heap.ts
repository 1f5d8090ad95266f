// What V8 keeps room for without need: what a thread's start leaves behind (sources, compilers, schemas), more than a quarter of what an
// idle gateway takes, and a young generation that grew in a moment of haste (docs/adr/0009-room-is-bounded.md).

import { setFlagsFromString } from "node:v8";

/** As bin/highwater.js starts the gateway there is a `gc`; elsewhere there is none, and nothing is given back. */
const collect = (globalThis as { readonly gc?: (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void }).gc;

/** To be called seldom, by a thread that is about to wait or has just let go of much. Stops it for some 30 ms, more with a large heap. */
export function giveBackRoom(): void {
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

/** A second of so many readings is a storm: those that wait for their acknowledgement would be copied too often in a small young generation. */
const STORM_READINGS_PER_SECOND = 60_000;
const LOOK_MS = 1000;
/** Looks without a storm after which it is over. */
const CALM_LOOKS = 10;

/**
 * V8 doubles the young generation of the thread that takes readings when much of it survives, as in one turn that takes long, and then
 * keeps 67 MB for good. Here it stays as it began (bin/highwater.js), but in a storm, after which what it grew by is given back. What is set holds
 * for all threads; the others have limits of their own.
 * @returns to be told of each turn
 */
export function createYoungGeneration(monotonic: () => number): { turned(readings: number): void } {
  let [since, readings, calm] = [monotonic(), 0, CALM_LOOKS];
  const mayGrow = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`);
  if (collect !== undefined) mayGrow(1);
  return {
    turned(count) {
      readings += count;
      const elapsed = monotonic() - since;
      if (collect === undefined || elapsed < LOOK_MS) return;
      const isStorm = readings * 1000 > STORM_READINGS_PER_SECOND * elapsed;
      if (isStorm && calm >= CALM_LOOKS) mayGrow(2);
      if (!isStorm && calm === CALM_LOOKS - 1) {
        mayGrow(1);
        giveBackRoom();
      }
      calm = isStorm ? 0 : Math.min(CALM_LOOKS, calm + 1);
      [since, readings] = [monotonic(), 0];
    },
  };
}
