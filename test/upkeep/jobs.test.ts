// Jobs in real threads, one after the other, also where one is ended.

import { afterEach, expect, it } from "vitest";
import { utc } from "../../src/engine/calendar.ts";
import { createJobs } from "../../src/upkeep/jobs.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

let open: Recorder | undefined;
afterEach(() => open?.close());

it("the next run reads what one that was ended had left on the way", async () => {
  const store = createRecorder(plan([]));
  open = store;
  for (let index = 0; index < 10; index += 1) store.receive([{ device: "a", ts: index * 1000, value: index }]);
  const ends = new AbortController();
  let isSlow = true;
  const emit = async (rows: Parameters<typeof store.finish>[0]): Promise<void> => {
    if (isSlow) {
      isSlow = false;
      ends.abort();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    store.finish(rows);
  };
  const jobs = createJobs({ dataDir: store.dir, emit, define: () => Promise.reject(new Error("not asked")), signal: new AbortController().signal });
  const options = { zone: utc, now: store.now() };
  const [ended, next] = [jobs.run("compaction", options, undefined, ends.signal), jobs.run("compaction", options)];
  expect(await ended).toBeUndefined();
  // All of it was written by the first: its rows were one handful.
  expect(await next).toMatchObject({ isWhole: true, readings: 0, through: store.seq() });
  expect(store.db.prepare("SELECT sum(count) FROM chunk").pluck().get()).toBe(10);
});
