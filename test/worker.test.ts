// The thread of a job stands behind the others of its process.

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { utc } from "../src/engine/calendar.ts";
import { startTerminable } from "../src/worker.ts";
import { plan } from "./engine/harness.ts";
import { createRecorder } from "./storage/recorder.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** Of each thread of this process: proc(5), the 19th field of stat, of which the second may hold blanks. */
const niceness = (): number[] =>
  readdirSync("/proc/self/task").map((task) =>
    Number(
      readFileSync(`/proc/self/task/${task}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[16],
    ),
  );

// Skipped where threads have no priority of their own: only Linux gives them one.
it.skipIf(process.platform !== "linux")("a job gives way to all other threads", async () => {
  const store = createRecorder(plan([]));
  cleanUp.push(() => store.close());
  store.receive([{ device: "a", ts: 1000, value: 1 }]);
  const before = niceness();
  const job = startTerminable("job", { job: "compaction", dataDir: store.dir, options: { zone: utc, now: 2000 } });
  cleanUp.push(() => job.terminate());
  // It waits until its rows are written, which nobody does.
  await new Promise<void>((resolve) => job.worker.on("message", ({ kind }: { kind: string }) => kind === "question" && resolve()));
  const behind = niceness().filter((each) => each > Math.max(...before));
  expect(behind).toEqual([10]);
});
