// A journal of very many rows that are not compacted, as an older release leaves it.

import { afterEach, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { utc } from "../../src/engine/calendar.ts";
import { answerUncompacted, UNCOMPACTED_ROWS_MAX } from "../../src/storage/uncompacted-query.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

let open: Recorder | undefined;
afterEach(() => open?.close());

it("is counted as far as it takes to know that compaction is due", () => {
  const { db } = (open = createRecorder(plan([])));
  const insert = db.prepare("INSERT INTO journal (seq, at, up, count, series, body, effects) VALUES (?, ?, 0, 2, x'', x'', x'')");
  db.transaction(() => {
    for (let row = 0; row < UNCOMPACTED_ROWS_MAX + 500; row += 1) insert.run(row + 100, 1000 + row);
  })();
  // The first row of all puts rules in force.
  expect(answerUncompacted(db)).toEqual({ readings: 2 * (UNCOMPACTED_ROWS_MAX - 1), since: 1000 });
});

it("is compacted whole, a stretch of rows at a time", async () => {
  const store = (open = createRecorder(plan([])));
  const count = 10_050;
  for (let index = 0; index < count; index += 1) store.receive([{ device: "a", ts: index * 1000, value: index }]);
  const report = await runCompaction(store.db, { zone: utc, now: store.now() }, store.finish);
  expect(report).toMatchObject({ isWhole: true, readings: count, through: store.seq() });
  expect(store.db.prepare("SELECT sum(count) FROM chunk").pluck().get()).toBe(count);
});
