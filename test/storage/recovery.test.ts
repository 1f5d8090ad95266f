// Recovery where retention took the older rows of the journal: from the snapshot, or not at all.

import { afterEach, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { runRetention } from "../../src/batch/jobs/retention.ts";
import { utc } from "../../src/engine/calendar.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { packPart, unpackPart } from "../../src/storage/parts.ts";
import { recover } from "../../src/storage/recovery.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const forever = { timeMs: 1e15, bytes: null };
let open: Recorder | undefined;
afterEach(() => open?.close());

/** A reading every ten minutes for two days, of which the journal is gone as far as it may; then so many more. */
async function withoutJournal(more: number): Promise<Recorder> {
  open?.close();
  const store = createRecorder(plan([]));
  open = store;
  const receive = (index: number): void => store.receive([{ device: "a", ts: index * 600_000, value: index }], 600_000);
  for (let index = 0; index < 288; index += 1) receive(index);
  await runDailySummary(store.db, { zone: utc, now: store.now(), devices: {} }, store.finish);
  store.snapshot();
  const retention = { journal: { timeMs: 0, bytes: null }, raw: forever, minutes: forever, hours: forever };
  await runRetention(store.db, { zone: utc, now: store.now() + 1, retention }, store.finish);
  for (let index = 288; index < 288 + more; index += 1) receive(index);
  return store;
}

it("goes on from the snapshot, and knows until when the journal went", async () => {
  for (const more of [0, 5]) {
    const store = await withoutJournal(more);
    const engine = createEngine();
    expect(recover(store.db, engine)).toMatchObject({ seq: store.seq(), at: store.now(), rows: more });
    expect(engine.books().accepted).toBe(288 + more);
  }
});

it("refuses to begin anew when another release wrote the snapshot and the rows before it are gone", async () => {
  for (const more of [0, 5]) {
    const { db } = await withoutJournal(more);
    const [part] = db.prepare<[], { part: number; seq: number; body: Uint8Array }>("SELECT * FROM snapshot_part ORDER BY part LIMIT 1").all();
    const saved = unpackPart((part as NonNullable<typeof part>).body);
    saved.numbers[0] = (saved.numbers[0] as number) + 1;
    db.prepare("UPDATE snapshot_part SET body = ? WHERE part = ?").run(packPart(saved), part?.part);
    expect(() => recover(db, createEngine())).toThrow(expect.objectContaining({ code: "state_unreadable" }));
  }
});
