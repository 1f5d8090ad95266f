// What is decided when the store is beyond its limit, where the limit changes while room is made.

import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import type { RetentionReport } from "../../src/batch/jobs/retention.ts";
import { createLog } from "../../src/log.ts";
import { createRoomKeeper } from "../../src/upkeep/room-keeper.ts";

const nothingGone: RetentionReport = { isWhole: true, journalRows: 0, days: 0, readings: 0, packed: 0, used: 200, lacks: "days" };

it("holds nothing when the limit was taken away while no room could be made", async () => {
  const said: string[] = [];
  let ends: ((report: RetentionReport) => void) | undefined;
  const keeper = createRoomKeeper({
    makeRoom: () => new Promise((resolve) => (ends = resolve)),
    summarize: async () => undefined,
    tell: async (state) => void said.push(state),
    hold: (reason) => said.push(reason === undefined ? "released" : "hold"),
    clock: { now: () => 0, monotonic: () => 0 },
    log: createLog({ level: "silent", name: "test" }),
  });
  keeper.told({ used: 200, limit: 100, isOver: true });
  await setImmediate();
  // What the watch says once, after a reload without a limit.
  keeper.told({ used: 200, limit: 200, isOver: false });
  ends?.(nothingGone);
  await setImmediate();
  ends?.(nothingGone);
  await setImmediate();
  await keeper.close();
  expect(said).toEqual(["over", "held", "hold", "released", "ok"]);
});
