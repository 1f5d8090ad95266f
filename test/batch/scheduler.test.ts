// When a run is due, over nights that clocks change, failures and sleeps; and that node-cron takes the expressions and zones.

import { describe, expect, it } from "vitest";
import { createScheduler, lastDue } from "../../src/batch/scheduler.ts";
import type { ZoneTable } from "../../src/engine/calendar.ts";
import { createLog } from "../../src/log.ts";
import { zoneTable } from "../../src/zone.ts";

const hour = 3_600_000;
const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const log = createLog({ level: "silent", name: "test" });

/** A scheduler whose triggers ring every hour of a clock that the test moves. */
function nights(at: string, start: string, options: { fails?: (run: number) => boolean } = {}) {
  let now = Date.parse(start);
  const runs: string[] = [];
  let attempts = 0;
  const run = async (): Promise<void> => {
    attempts += 1;
    if (options.fails?.(attempts)) throw new Error("the disk is full");
    runs.push(new Date(now).toISOString().slice(0, 16));
  };
  const scheduler = createScheduler({ run, keepUp: async () => undefined, clock: { now: () => now, monotonic: () => now }, log }, { at, zone: oslo });
  return {
    runs,
    scheduler,
    async ring(hours: number): Promise<void> {
      for (let passed = 0; passed < hours; passed += 1) {
        await scheduler.ask();
        now += hour;
      }
    },
    sleep: (hours: number): void => {
      now += hours * hour;
    },
  };
}

describe("the scheduler", () => {
  it("runs at once, and then once a day after the local time", async () => {
    const { ring, runs } = nights("04:00", "2024-01-10T12:00:00Z");
    await ring(49);
    expect(runs).toEqual(["2024-01-10T12:00", "2024-01-11T03:00", "2024-01-12T03:00"]);
  });

  it("runs in the night that has no 02:30, and once in the night that has it twice", async () => {
    const spring = nights("02:30", "2024-03-30T12:00:00Z");
    await spring.ring(24);
    expect(spring.runs).toEqual(["2024-03-30T12:00", "2024-03-31T02:00"]);
    const autumn = nights("02:30", "2024-10-26T12:00:00Z");
    await autumn.ring(24);
    expect(autumn.runs).toEqual(["2024-10-26T12:00", "2024-10-27T01:00"]);
  });

  it("catches up, once, after nights that it slept through", async () => {
    const { ring, sleep, runs } = nights("04:00", "2024-01-10T12:00:00Z");
    await ring(1);
    sleep(100);
    await ring(2);
    expect(runs).toEqual(["2024-01-10T12:00", "2024-01-14T17:00"]);
  });

  it("tries again after a failure", async () => {
    const { ring, runs } = nights("04:00", "2024-01-10T12:00:00Z", { fails: (attempt) => attempt <= 2 });
    await ring(5);
    expect(runs).toEqual(["2024-01-10T14:00"]);
  });

  it("never has two runs at once, and its close awaits the one that goes on", async () => {
    let [begun, ended] = [0, 0];
    let finish: () => void = () => {};
    const run = async (): Promise<void> => {
      begun += 1;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      ended += 1;
    };
    const scheduler = createScheduler(
      { run, keepUp: async () => undefined, clock: { now: () => Date.now(), monotonic: () => 0 }, log },
      { at: "04:15", zone: oslo },
    );
    scheduler.start();
    const second = scheduler.ask();
    const closing = scheduler.close();
    expect([begun, ended]).toEqual([1, 0]);
    finish();
    await Promise.all([second, closing]);
    expect([begun, ended]).toEqual([1, 1]);
  });

  it.each(["4:15:00", "24:00", "noon", ""])("takes no %j for a time of day", (at) => {
    expect(() =>
      createScheduler({ run: async () => {}, keepUp: async () => {}, clock: { now: () => 0, monotonic: () => 0 }, log }, { at, zone: oslo }),
    ).toThrow("no time of day");
  });
});

it("lastDue is the newest due instant that has passed", () => {
  const at = (text: string) => new Date(lastDue(oslo, 255, Date.parse(text))).toISOString();
  expect(at("2024-01-10T03:14:59.999Z")).toBe("2024-01-09T03:15:00.000Z");
  expect(at("2024-01-10T03:15:00Z")).toBe("2024-01-10T03:15:00.000Z");
  expect(at("2024-07-10T02:15:00Z")).toBe("2024-07-10T02:15:00.000Z");
});
