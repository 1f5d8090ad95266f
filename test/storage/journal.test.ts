// A row of the journal gives back the inputs that went into it, so that recovery and replay step what the engine stepped.

import { expect, it } from "vitest";
import type { ReadingBatch } from "../../src/engine/reading.ts";
import { decodeRow, encodeRow } from "../../src/storage/journal.ts";

const batch: ReadingBatch = {
  series: Uint32Array.of(0, 1, 0),
  ts: Float64Array.of(1_763_800_000_000, 1_763_800_000_500, 1_763_800_001_000),
  value: Float64Array.of(21.5, -3, 22),
  defined: [],
  rejected: {},
};

it.each([
  ["plain", batch],
  ["with what another broker had retained", { ...batch, retained: [0, 2] }],
  ["with what the store was asked for", { ...batch, known: [{ series: 1, ts: 5, value: 6 }] }],
  ["with what was rejected", { ...batch, rejected: { retained: 2 } }],
] satisfies [string, ReadingBatch][])("readings, %s", (_name, readings) => {
  const row = encodeRow([{ kind: "readings", at: 7, up: 5, batch: readings }], [Uint8Array.of(1, 0, 1)], [readings.ts]);
  expect(decodeRow(row.body)).toEqual([{ kind: "readings", at: 7, up: 5, batch: readings }]);
});
