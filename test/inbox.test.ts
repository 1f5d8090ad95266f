// The inbox on a clock that the test turns: what is sealed when, in which order it is called back, and what the clocks say.

import { describe, expect, it } from "vitest";
import { systemTimers, type Timers } from "../src/clock.ts";
import type { Input } from "../src/engine/input.ts";
import { createInbox, type InboxOptions, type Turn } from "../src/inbox.ts";

const tick = () => new Promise((resolve) => setImmediate(resolve));
const NO_WAKE = { now: undefined, up: undefined };
const labels = { device: "a", metric: "temperature" };

function start(options: Partial<InboxOptions> = {}, timers: Timers = systemTimers) {
  const clock = { wall: 1_000_000, steady: 0, now: () => clock.wall, monotonic: () => clock.steady };
  const pass = (ms: number) => {
    clock.wall += ms;
    clock.steady += ms;
  };
  const turns: Turn[] = [];
  const steps: number[] = [];
  const inbox = createInbox(
    { clock, timers, send: (turn) => void turns.push(turn), clockStepped: (ms) => void steps.push(ms) },
    { seriesMax: 10, bytesMax: 1e6, up: 500, at: 0, series: [], ...options },
  );
  const id = () => inbox.registry.idOf(labels, "s") as number;
  return { inbox, clock, pass, turns, steps, id };
}

const readings = (turn: Turn | undefined) => (turn?.inputs ?? []).flatMap((input) => (input.kind === "readings" ? [input] : []));
const values = (turn: Turn | undefined) => readings(turn).flatMap((input) => [...input.batch.value]);

describe("turns", () => {
  it("sends at once when idle, and gathers while a turn is under way", async () => {
    const { inbox, turns, id } = start();
    const done: number[] = [];
    for (const value of [1, 2]) {
      inbox.add(id(), undefined, value);
      inbox.committed(() => done.push(value));
    }
    await tick();
    expect(values(turns[0])).toEqual([1, 2]);
    expect(done).toEqual([]);
    for (const value of [3, 4]) {
      inbox.add(id(), undefined, value);
      inbox.committed(() => done.push(value));
    }
    await tick();
    expect(turns).toHaveLength(1);
    inbox.settled(NO_WAKE);
    expect(done).toEqual([1, 2]);
    expect(values(turns[1])).toEqual([3, 4]);
    inbox.settled(NO_WAKE);
    expect(done).toEqual([1, 2, 3, 4]);
    await inbox.idle();
  });

  it.each([
    { what: "waits for company after a quick turn of many readings", count: 16, tookMs: 4, waits: [8] },
    { what: "sends at once after a slow one, which has gathered company", count: 16, tookMs: 12, waits: [] },
    { what: "sends at once after one of few readings", count: 15, tookMs: 4, waits: [] },
  ])("$what", async ({ count, tookMs, waits }) => {
    const lingers: number[] = [];
    let flush = (): void => undefined;
    const timers: Timers = {
      soon: setImmediate,
      after(ms, work) {
        lingers.push(ms);
        flush = work;
        return () => undefined;
      },
    };
    const { inbox, turns, pass, id } = start({}, timers);
    const add = () => {
      inbox.add(id(), undefined, 1);
      inbox.committed(() => undefined);
    };
    pass(100);
    for (let reading = 0; reading < count; reading++) add();
    await tick();
    add();
    pass(tookMs);
    inbox.settled(NO_WAKE);
    expect(lingers).toEqual(waits);
    expect(turns).toHaveLength(waits.length === 0 ? 2 : 1);
    flush();
    expect(turns).toHaveLength(2);
  });

  it("keeps other inputs in their place among readings", async () => {
    const { inbox, turns, id } = start();
    inbox.add(id(), 1, 1);
    inbox.post({ kind: "dead-letter", notification: "n", reason: "gone" });
    inbox.add(id(), 2, 2);
    inbox.committed(() => undefined);
    await tick();
    expect(turns[0]?.inputs.map(({ kind }) => kind)).toEqual(["readings", "dead-letter", "readings"]);
  });

  it("defines a series once, in the order of its id", async () => {
    const { inbox, turns } = start({ series: [{ labels: { device: "old", metric: "m" }, source: "s" }] });
    expect(inbox.registry.idOf({ metric: "m", device: "old" }, "s")).toBe(0);
    expect(inbox.registry.idOf({ metric: "m", device: "new" }, "s")).toBe(1);
    expect(inbox.registry.idOf({ device: "new", metric: "m" }, "s")).toBe(1);
    inbox.committed(() => undefined);
    await tick();
    expect(readings(turns[0]).flatMap(({ batch }) => batch.defined)).toEqual([{ id: 1, labels: { device: "new", metric: "m" }, source: "s" }]);
  });

  it("defines a series again when another source brings it, as after a change of the config", async () => {
    const { inbox, turns } = start({ series: [{ labels, source: "old" }] });
    expect(inbox.registry.idOf(labels, "old")).toBe(0);
    expect(inbox.registry.idOf(labels, "new")).toBe(0);
    expect(inbox.registry.idOf(labels, "new")).toBe(0);
    inbox.committed(() => undefined);
    await tick();
    expect(readings(turns[0]).flatMap(({ batch }) => batch.defined.map(({ id, source }) => [id, source]))).toEqual([[0, "new"]]);
  });

  it("refuses one series too many, and counts it", () => {
    const { inbox } = start({ seriesMax: 1 });
    expect(inbox.registry.idOf({ device: "a", metric: "m" }, "s")).toBe(0);
    expect(inbox.registry.idOf({ device: "b", metric: "m" }, "s")).toBeUndefined();
    expect(inbox.status().series_refused).toBe(1);
  });

  it("calls back with an error what is waiting when it closes", async () => {
    const { inbox, id } = start();
    const errors: (string | undefined)[] = [];
    inbox.add(id(), 1, 1);
    inbox.committed((error) => errors.push(error?.message));
    await tick();
    inbox.add(id(), 2, 2);
    inbox.committed((error) => errors.push(error?.message));
    inbox.close();
    expect(errors).toEqual(["the gateway is closing", "the gateway is closing"]);
  });

  it("plans no wake for a turn that is settled after it closed", async () => {
    let planned = 0;
    const timers: Timers = {
      ...systemTimers,
      after() {
        planned += 1;
        return () => undefined;
      },
    };
    const { inbox, id } = start({}, timers);
    inbox.add(id(), 1, 1);
    inbox.committed(() => undefined);
    await tick();
    inbox.close();
    inbox.settled({ now: undefined, up: 60_000 });
    expect(planned).toBe(0);
  });
});

describe("rejections", () => {
  it("are counted by reason, with the newest sample per topic, cut", async () => {
    const { inbox, turns } = start();
    const payload = new Uint8Array(5000);
    for (const detail of ["one", "two"]) inbox.reject("undecodable", { topic: "t", detail, payload });
    inbox.reject("bad_quality", { topic: "t", detail: "nan", payload });
    inbox.committed(() => undefined);
    await tick();
    expect(readings(turns[0])[0]?.batch.rejected).toEqual({ undecodable: 2, bad_quality: 1 });
    const [first] = turns[0]?.finished ?? [];
    expect(first).toMatchObject({ kind: "rejected", topic: "t", reason: "undecodable", count: 2, detail: "two" });
    expect(first?.kind === "rejected" && first.sample).toHaveLength(1024);
  });

  it("keep samples of a bounded number of topics", async () => {
    const { inbox, turns } = start();
    for (let index = 0; index < 1000; index++) inbox.reject("undecodable", { topic: `t/${index}`, detail: "", payload: new Uint8Array(1) });
    inbox.committed(() => undefined);
    await tick();
    const finished = turns[0]?.finished ?? [];
    expect(finished.length).toBeLessThanOrEqual(257);
    expect(finished.reduce((sum, row) => sum + (row.kind === "rejected" ? row.count : 0), 0)).toBe(1000);
  });
});

describe("clocks", () => {
  const settle = async (inbox: ReturnType<typeof start>["inbox"]) => {
    await tick();
    inbox.settled(NO_WAKE);
  };
  const times = (inputs: readonly Input[]) => inputs.map(({ kind, at, up }) => ({ kind, at, up }));

  it("advance alike, from where the last run ended", async () => {
    const { inbox, pass, turns, id } = start();
    pass(40);
    inbox.add(id(), 1, 1);
    inbox.committed(() => undefined);
    await settle(inbox);
    expect(times(turns[0]?.inputs ?? [])).toEqual([{ kind: "readings", at: 1_000_040, up: 540 }]);
  });

  it("take a step of the wall clock in a clock input, in either direction", async () => {
    const { inbox, clock, pass, turns, steps, id } = start();
    for (const step of [3_600_000, -7_200_000]) {
      pass(10);
      clock.wall += step;
      inbox.add(id(), 1, 1);
      inbox.committed(() => undefined);
      await settle(inbox);
    }
    expect(turns.map(({ inputs }) => times(inputs))).toEqual([
      [
        { kind: "clock", at: 4_600_010, up: 510 },
        { kind: "readings", at: 4_600_010, up: 510 },
      ],
      [
        { kind: "clock", at: -2_599_980, up: 520 },
        { kind: "readings", at: -2_599_980, up: 520 },
      ],
    ]);
    expect(steps).toEqual([3_600_000, -7_200_000]);
  });

  it("let the listening clock stand still while the disk refuses", async () => {
    const { inbox, pass, turns, id } = start();
    inbox.add(id(), 1, 1);
    inbox.committed(() => undefined);
    await tick();
    pass(100);
    inbox.holding();
    pass(60_000);
    inbox.settled(NO_WAKE);
    pass(5);
    inbox.add(id(), 2, 2);
    inbox.committed(() => undefined);
    await settle(inbox);
    expect(times(turns[1]?.inputs ?? [])).toEqual([
      { kind: "clock", at: 1_060_105, up: 605 },
      { kind: "readings", at: 1_060_105, up: 605 },
    ]);
  });

  it("seal an open batch when it grows old, so that arrivals stay true while the processor is busy", async () => {
    const { inbox, pass, turns, id } = start();
    inbox.committed(() => undefined);
    inbox.add(id(), 1, 1);
    await tick();
    inbox.add(id(), 2, 2);
    pass(500);
    inbox.add(id(), 3, 3);
    inbox.committed(() => undefined);
    inbox.settled(NO_WAKE);
    expect(readings(turns[1]).map(({ at, batch }) => [at, [...batch.value]])).toEqual([
      [1_000_000, [2]],
      [1_000_500, [3]],
    ]);
  });

  it("start behind a journal that is ahead of the wall clock", async () => {
    const { inbox } = start({ at: 5_000_000 });
    expect(inbox.instant().at).toBe(5_000_000);
  });
});
