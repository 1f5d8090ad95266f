// Whose readings a chunk holds, and of which day, in words: whoever cannot go on without a chunk that is damaged says which it is.

import { dayText } from "../engine/calendar.ts";
import { type Labels, seriesKey } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { type ChunkColumns, decodeChunk } from "./chunk-codec.ts";
import type { Database } from "./database.ts";

type Stored = { readonly series: SeriesId; readonly day: EpochMs; readonly body: Uint8Array };

/** The date at the middle of a local day, whatever its zone. */
const NOON = 43_200_000;
export const dateOf = (start: EpochMs): string => dayText(Math.floor((start + NOON) / (2 * NOON)));

/** @returns a function that decodes a chunk. It throws GatewayError `chunk_damaged`, which names the series and the day */
export function createChunkDecoder(db: Database): (chunk: Stored, wanted?: { readonly at: boolean }) => ChunkColumns {
  return ({ series, day, body }, wanted) => {
    try {
      return decodeChunk(body, wanted);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { code, message, hint } = error;
      const what = `of ${nameOf(db, series)} on ${dateOf(day)}, ${message}`;
      throw new GatewayError(code, what, { ...(hint === undefined ? {} : { hint }), cause: error });
    }
  };
}

function nameOf(db: Database, series: SeriesId): string {
  const labels = db.prepare<[number], string>("SELECT labels FROM series WHERE id = ?").pluck().get(series);
  try {
    return seriesKey(JSON.parse(labels ?? "") as Labels);
  } catch {
    // What says whose they are is damaged too.
    return `series ${series}`;
  }
}
