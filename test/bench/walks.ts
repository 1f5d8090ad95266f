// Series as sensors send them: slow walks of one and of two decimals in turn, read at a steady pace, each series with a phase of its own.
// A reading arrives a few milliseconds later, differently each time, and is stored with the turn that the gateway was collecting: the
// arrivals of all series lie on a common raster. The same series give the same readings each time, however many others there are.

import type { OrderedReadings } from "../../src/engine/history.ts";
import type { EpochMs } from "../../src/engine/units.ts";

/** How often the gateway commits under load. */
const TURN_MS = 12;
/** Of the way from the sensor to the gateway: it takes longer than so much more in one of three cases, than twice as much in one of nine, … */
const WAY_MS = 2;
/** By decimals: how far a reading may lie from the one before, in units of the last place. */
const strides = [undefined, 2, 12] as const;

export type Walk = ReturnType<typeof createWalk>;

/** One decimal for series with an even id, two for others. */
export const placesOf = (id: number): 1 | 2 => (id % 2 === 0 ? 1 : 2);

/** @param everyMs from one reading to the next */
export function createWalk(id: number, everyMs: number) {
  const scale = 10 ** placesOf(id);
  const stride = strides[placesOf(id)] as number;
  const [lowest, highest] = [15 * scale, 25 * scale];
  // Twice, since series that are neighbours would begin alike.
  let random = Math.imul(Math.imul(id + 1, 2_654_435_761) ^ 0x5bd1e995, 2_246_822_519) | 0;
  const drawn = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
    return (random >>> 8) / 2 ** 24;
  };
  const phase = Math.floor(drawn() * everyMs);
  let whole = Math.round(lowest + drawn() * (highest - lowest));
  return {
    /** The readings of a stretch that begins on a multiple of `everyMs`, and ends on one; to be asked in order of time. */
    take(from: EpochMs, to: EpochMs): OrderedReadings {
      const count = Math.round((to - from) / everyMs);
      const [ts, value, at] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
      for (let index = 0; index < count; index += 1) {
        const moved = whole + Math.floor(drawn() * (2 * stride + 1)) - stride;
        whole = Math.min(highest, Math.max(lowest, moved));
        const time = from + index * everyMs + phase;
        ts[index] = time;
        value[index] = whole / scale;
        at[index] = Math.ceil((time + 1 - WAY_MS * Math.log(1 - drawn())) / TURN_MS) * TURN_MS;
      }
      return { ts, value, late: new Uint8Array(count), at };
    },
  };
}
