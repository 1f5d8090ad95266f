// The engine beside its rules: what it tells of its state, what it asks of the store, its alerts about the gateway itself, and what it
// refuses because only a mistake can bring it.

import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/contract.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { type KnownReading, type SeriesDefinition, TIME_ASSIGNED, VERDICT_MASK, verdicts } from "../../src/engine/reading.ts";
import { StateReader } from "../../src/engine/state.ts";
import { drive, MINUTE, plan, rule, SECOND, SOURCE } from "./harness.ts";

const labels = { device: "probe", metric: "temperature" };
const definition: SeriesDefinition = { id: 0, labels, source: SOURCE };
const above30 = rule({ condition: { type: "threshold", above: 30 } });

/** An engine that has heard readings at 1, 2, … `count`, one step each. */
function heard(count: number): Engine {
  const engine = createEngine();
  engine.step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }], { now: 0, up: 0 });
  for (let ts = 1; ts <= count; ts++) engine.step([readings([[ts, ts]], ts === 1 ? [definition] : [])], { now: 0, up: 0 });
  return engine;
}

const readings = (
  list: readonly (readonly [ts: number, value: number])[],
  defined: readonly SeriesDefinition[] = [],
  known?: readonly KnownReading[],
): Input => ({
  kind: "readings",
  at: 0,
  up: 0,
  batch: {
    series: new Uint32Array(list.length),
    ts: Float64Array.from(list, ([ts]) => ts),
    value: Float64Array.from(list, ([, value]) => value),
    defined,
    rejected: {},
    ...(known === undefined ? {} : { known }),
  },
});

const partsOf = (engine: Engine) => {
  engine.beginSnapshot();
  const parts = [];
  for (;;) {
    const { part, saved, isLast } = engine.nextSnapshotPart();
    if (saved !== undefined) parts.push({ part, saved });
    if (isLast) return parts;
  }
};

describe("what the engine tells", () => {
  it("the newest readings of series that changed since a step", () => {
    const run = drive(plan([]));
    run.reading(1, 10);
    const { step, readings } = run.engine.latest(0);
    expect(readings).toEqual([{ series: 0, ts: 1, value: 10 }]);
    run.reading(2, 11, { labels: { device: "other", metric: "temperature" } });
    expect(run.engine.latest(step).readings).toEqual([{ series: 1, ts: 2, value: 11 }]);
    expect(run.engine.latest(run.engine.latest(0).step).readings).toEqual([]);
  });

  it("nothing of a series whose readings still wait", () => {
    const run = drive(plan([], { outOfOrdernessMs: MINUTE }));
    run.reading(1, 10);
    expect(run.engine.latest(0).readings).toEqual([]);
  });

  it("how the rules of a series stand", () => {
    const run = drive(plan([above30, rule({ name: "cold", condition: { type: "threshold", below: 0 } })]));
    run.reading(1, 40);
    run.reading(2, 41);
    expect(run.engine.standing(0)).toEqual([
      { rule: "r", measure: 41, state: "firing" },
      { rule: "cold", measure: 41, state: "inactive" },
    ]);
    expect(run.engine.standing(7)).toEqual([]);
  });

  it("how many a rule watches, and how its alerts stand", () => {
    expect(createEngine().ruleCounts()).toEqual([]);
    const slow = rule({ name: "slow", condition: { type: "threshold", above: 30 }, for: "5m", keep_firing_for: "5m" });
    const mean = rule({ name: "mean", group_by: ["metric"], condition: { type: "threshold", aggregate: "avg", above: 30 } });
    const expected = rule({ name: "expected", condition: { type: "absence", after: "1m", expect: [{ device: "p9", metric: "temperature" }] } });
    const run = drive(plan([above30, slow, mean, expected]));
    run.reading(1, 40);
    run.reading(2, 20, { labels: { device: "other", metric: "temperature" } });
    const count = (name: string) => run.engine.ruleCounts().find(({ rule }) => rule === name);
    expect(count("r")).toEqual({ rule: "r", series: 2, pending: 0, firing: 1, recovering: 0 });
    expect(count("slow")).toEqual({ rule: "slow", series: 2, pending: 1, firing: 0, recovering: 0 });
    expect(count("expected")).toEqual({ rule: "expected", series: 2, pending: 0, firing: 0, recovering: 0 });
    run.listenUntil(6 * MINUTE);
    run.reading(6 * MINUTE, 20);
    expect(count("mean")).toEqual({ rule: "mean", series: 1, pending: 0, firing: 0, recovering: 0 });
    expect(count("slow")).toEqual({ rule: "slow", series: 2, pending: 0, firing: 0, recovering: 1 });
    expect(count("expected")?.firing).toBe(2);
  });

  it("groups of a rule that is gone are not counted", () => {
    const mean = rule({ name: "mean", group_by: ["metric"], condition: { type: "threshold", aggregate: "avg", above: 30 } });
    const run = drive(plan([mean]));
    run.reading(1, 40);
    run.rules(plan([above30]));
    expect(run.engine.ruleCounts()).toEqual([{ rule: "r", series: 1, pending: 0, firing: 0, recovering: 0 }]);
  });

  it("the plan in force, the series, and the listening clock", () => {
    expect(createEngine().planHash()).toBeUndefined();
    const run = drive(plan([]));
    run.listen(5);
    run.reading(1, 10);
    expect(run.engine.planHash()).toBe(plan([]).hash);
    expect(run.engine.series()).toEqual([{ labels, source: SOURCE }]);
    expect(run.engine.up()).toBe(5);
  });
});

describe("timestamps that the engine has forgotten", () => {
  const verdictOf = (engine: Engine, input: Input) => verdicts[(engine.step([input], { now: 0, up: 0 }).verdicts[0]?.[0] as number) & VERDICT_MASK];

  it("are looked up once each; those that it remembers are not", () => {
    const engine = heard(300);
    const asked = readings([
      [1, 1],
      [1, 2],
      [2, 2],
      [300, 300],
      [301, 1],
    ]);
    if (asked.kind !== "readings") throw new Error("readings");
    expect(engine.unknown(asked.batch)).toEqual([
      { series: 0, ts: 1 },
      { series: 0, ts: 2 },
    ]);
    const { batch } = asked;
    expect(engine.unknown({ ...batch, series: Uint32Array.of(9, 9, 9, 9, 9) })).toEqual([]);
  });

  it("are duplicates or conflicts by what the store answered, else late", () => {
    const known = [{ series: 0, ts: 1, value: 1 }];
    expect(verdictOf(heard(300), readings([[1, 1]], [], known))).toBe("duplicate");
    expect(verdictOf(heard(300), readings([[1, 2]], [], known))).toBe("conflict");
    expect(verdictOf(heard(300), readings([[2, 2]], [], known))).toBe("late");
    expect(verdictOf(heard(300), readings([[1, 1]]))).toBe("late");
    expect(verdictOf(heard(300), readings([[1, 1]], [], []))).toBe("late");
  });

  it("that came late in between are remembered in their place", () => {
    const engine = heard(2);
    for (const ts of [-5, -3, -4]) expect(verdictOf(engine, readings([[ts, 1]]))).toBe("late");
    for (const ts of [-5, -4, -3, 1]) expect(verdictOf(engine, readings([[ts, 1]]))).toBe("duplicate");
    expect(verdictOf(engine, readings([[-6, 1]]))).toBe("late");
  });

  it("are never one of the 128 below the watermark, however many come in one step", () => {
    const engine = heard(1);
    engine.step([readings(Array.from({ length: 2000 }, (_, index) => [index + 2, 1]))], { now: 0, up: 0 });
    const unknown = (ts: number) => {
      const input = readings([[ts, 1]]);
      return input.kind === "readings" && engine.unknown(input.batch).length > 0;
    };
    // The watermark stands at 2000, 1 ms before the newest.
    expect([unknown(2001), unknown(2000), unknown(1873), unknown(1872), unknown(1)]).toEqual([false, false, false, true, true]);
    expect(verdictOf(engine, readings([[1873, 1]]))).toBe("duplicate");
    expect(verdictOf(engine, readings([[1873, 2]]))).toBe("conflict");
    expect(verdictOf(engine, readings([[2002, 2]]))).toBe("accepted");
  });

  it("are none as long as the watermark has not passed them", () => {
    const run = drive(plan([], { outOfOrdernessMs: 60 * MINUTE }));
    for (let ts = 0; ts < 400; ts++) run.reading(ts, 1);
    expect(run.reading(0, 1)).toBe("duplicate");
    expect(run.reading(0, 2)).toBe("conflict");
  });
});

describe("the books", () => {
  it("count what was rejected before it became a reading, whatever the reasons", () => {
    const engine = heard(2);
    const input = readings([[3, 1]]);
    if (input.kind !== "readings") throw new Error("readings");
    engine.step([{ ...input, batch: { ...input.batch, rejected: { bad_quality: 2, no_series: 1, too_large: 4 } } }], { now: 0, up: 0 });
    expect(engine.books()).toEqual({ received: 10, accepted: 3, late: 0, duplicate: 0, conflict: 0, quarantined: 0, rejected: 7 });
  });
});

describe("a reading without the device's time", () => {
  it("has that of its arrival, or 1 ms after the series' last, and is marked", () => {
    const engine = createEngine();
    const input = readings(
      [
        [Number.NaN, 1],
        [Number.NaN, 2],
        [Number.NaN, 3],
      ],
      [definition],
    );
    const { ts, verdicts: marks } = engine.step([input], { now: 0, up: 0 });
    expect([...(ts[0] ?? [])]).toEqual([0, 1, 2]);
    expect([...(marks[0] ?? [])]).toEqual([TIME_ASSIGNED, TIME_ASSIGNED, TIME_ASSIGNED]);
    expect([...(engine.step([{ ...input, at: 50 }], { now: 50, up: 0 }).ts[0] ?? [])]).toEqual([50, 51, 52]);
  });
});

describe("a reading too old for its source", () => {
  it("is quarantined beyond max_past, not at it", () => {
    const run = drive(plan([], { maxPastMs: SECOND }));
    run.listenUntil(10 * SECOND);
    expect(run.reading(9 * SECOND - 1, 1)).toBe("quarantined");
    expect(run.reading(9 * SECOND, 1)).toBe("accepted");
    expect(run.reading(70 * SECOND, 1)).toBe("accepted");
    expect(run.reading(70 * SECOND + 1, 1)).toBe("quarantined");
  });

  it("by its source's defaults where the plan does not know the source", () => {
    const engine = createEngine();
    const effects = engine.step(
      [
        readings(
          [
            [60_000, 1],
            [60_001, 1],
            [-1e12, 1],
          ],
          [{ ...definition, source: "gone" }],
        ),
      ],
      { now: 0, up: 0 },
    );
    expect([...(effects.verdicts[0] ?? [])].map((mark) => verdicts[mark & VERDICT_MASK])).toEqual(["accepted", "quarantined", "late"]);
  });
});

describe("a notification that was given up", () => {
  const receivers = [{ name: "on-call", channels: ["webhook:0", "email:0"] }];
  const twoChannels = { ...plan([above30]), receivers };
  const dead = (notification: string): Input => ({ kind: "dead-letter", at: 5000, up: 5000, notification, reason: "500 {no}" });

  function fired() {
    const engine = createEngine();
    const time = { now: 0, up: 0 };
    engine.step([{ kind: "rules", at: 0, up: 0, plan: twoChannels }], time);
    const { notifications } = engine.step([readings([[1, 40]], [definition])], time);
    const told = (input: Input) => {
      const effects = engine.step([input], { now: input.at, up: input.up });
      return { ...effects, to: effects.notifications.map(({ channel, state }) => `${channel} ${state}`) };
    };
    const idOf = (channel: string) => notifications.find((each) => each.channel === channel)?.id ?? "";
    return { told, idOf };
  }

  it("raises an alert that the other channels are told, once per channel, until the next start", () => {
    const { told, idOf } = fired();
    const first = told(dead(idOf("webhook:0")));
    expect(first.dead).toEqual([{ notification: idOf("webhook:0"), reason: "500 {no}" }]);
    expect(first.to).toEqual(["email:0 firing"]);
    expect(first.transitions[0]).toMatchObject({ to: "firing", ts: 5000, ordinal: 1, figures: { value: 1, peak: 1 } });
    expect(first.alerts[0]).toMatchObject({
      rule: "highwater-dead-letter",
      labels: { receiver: "on-call", channel: "webhook:0" },
      annotations: { summary: "A notification by webhook:0 of on-call was given up: 500  no " },
      firedAt: 5000,
      value: 1,
      peak: 1,
    });
    expect(told(dead(idOf("webhook:0"))).alerts).toEqual([]);
    expect(told(dead(idOf("email:0"))).to).toEqual(["webhook:0 firing"]);
    const ended = told({ kind: "started", at: 4000, up: 5000, version: "1" });
    expect(ended.to).toEqual(["email:0 resolved", "webhook:0 resolved"]);
    expect(ended.transitions.map(({ to, ts, ordinal, figures }) => ({ to, ts, ordinal, value: figures.value }))).toEqual([
      { to: "resolved", ts: 5000, ordinal: 2, value: 0 },
      { to: "resolved", ts: 5000, ordinal: 2, value: 0 },
    ]);
    expect(told({ kind: "started", at: 6000, up: 5000, version: "1" }).transitions).toEqual([]);
    expect(told(dead(idOf("webhook:0"))).to).toEqual(["email:0 firing"]);
  });

  it("raises none when it was itself about one", () => {
    const { told, idOf } = fired();
    const [about] = told(dead(idOf("webhook:0"))).notifications;
    const second = told(dead(about?.id ?? ""));
    expect(second.dead).toHaveLength(1);
    expect(second.transitions).toEqual([]);
  });

  it("of a channel that the config has no more is told by all", () => {
    const { told } = fired();
    const { to, alerts } = told(dead("0000-1-ffffffff"));
    expect(to).toEqual(["webhook:0 firing", "email:0 firing"]);
    expect(alerts[0]?.labels).toMatchObject({ receiver: "unknown", channel: "unknown" });
  });
});

describe("who is told", () => {
  it("channels of the route's receiver only, and of a resolution those that were told the firing", () => {
    const receivers = [
      { name: "on-call", channels: ["webhook:0"] },
      { name: "office", channels: ["webhook:0"] },
    ];
    const run = drive({ ...plan([above30]), receivers });
    run.reading(1, 40);
    run.rules({ ...plan([above30]), hash: "2", receivers, route: { receiver: "office" } });
    run.reading(2, 20);
    run.reading(3, 40);
    const told = run.effects.flatMap(({ notifications }) => notifications.map(({ receiver, state, seq }) => `${receiver} ${state} ${seq}`));
    expect(told).toEqual(["on-call firing 1", "on-call resolved 2", "office firing 1"]);
  });
});

describe("an alert that recovers and fires again", () => {
  it("tells nobody: the same occurrence is told when it fires first, and when it is resolved", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 30 }, keep_firing_for: "10s" })]));
    for (const [ts, value] of [40, 20, 40, 20].entries()) run.reading(ts, value);
    const told = () => run.effects.flatMap(({ notifications }) => notifications.map(({ state, seq }) => `${state} ${seq}`));
    expect(run.told().map(({ to }) => to)).toEqual(["firing", "recovering", "firing", "recovering"]);
    expect(told()).toEqual(["firing 1"]);
    run.listen(60_000);
    expect(told()).toEqual(["firing 1", "resolved 2"]);
  });
});

describe("what only a mistake can bring", () => {
  it("is refused loudly", () => {
    const step = (engine: Engine, input: Input) => () => engine.step([input], { now: 0, up: 0 });
    expect(step(createEngine(), readings([[1, 1]]))).toThrow("series 0 was never defined");
    expect(step(createEngine(), readings([], [{ ...definition, id: 1 }]))).toThrow("series 1 is defined out of order; 0 is next");
    expect(step(createEngine(), { kind: "sunset", at: 0, up: 0 } as unknown as Input)).not.toThrow();
    const engine = createEngine();
    engine.step([], { now: 0, up: 5 });
    expect(() => engine.step([], { now: 0, up: 4 })).toThrow("listening time went back from 5 to 4");
    expect(() => engine.nextSnapshotPart()).toThrow("no snapshot was begun");
  });
});

describe("a snapshot", () => {
  it("that is missing leaves the engine new; one of another release is refused", () => {
    const engine = createEngine();
    expect(engine.restore([])).toBe("restored");
    const [first] = partsOf(heard(1));
    if (first === undefined) throw new Error("a snapshot has a part");
    const numbers = first.saved.numbers.slice();
    numbers[0] = 1;
    expect(engine.restore([{ ...first, saved: { ...first.saved, numbers } }])).toBe("other_version");
    expect(engine.series()).toEqual([]);
  });

  it("of which a part is missing is refused", () => {
    const parts = partsOf(heard(1));
    expect(parts.length).toBeGreaterThan(1);
    expect(() => createEngine().restore(parts.slice(0, 1))).toThrow("snapshot holds 0 of 1 series");
    expect(() => createEngine().restore(parts.map(({ part, saved }) => ({ part, saved: { ...saved, texts: [] } })))).toThrow("saved state ends too early");
  });

  it("taken before any rules goes on", () => {
    const engine = createEngine();
    engine.step([readings([[1, 1]], [definition])], { now: 0, up: 0 });
    const restored = createEngine();
    expect(restored.restore(partsOf(engine))).toBe("restored");
    expect(restored.planHash()).toBeUndefined();
    expect(restored.latest(0).readings).toEqual([{ series: 0, ts: 1, value: 1 }]);
    expect(restored.books()).toEqual(engine.books());
  });

  it("whose rules are not those that it was taken with is refused", () => {
    const without = (hidden: string, rules: Parameters<typeof plan>[0], defined: readonly SeriesDefinition[]) => {
      const engine = createEngine();
      engine.step([{ kind: "rules", at: 0, up: 0, plan: plan(rules) }], { now: 0, up: 0 });
      engine.step([readings([], defined)], { now: 0, up: 0 });
      return partsOf(engine).map(({ part, saved }) => ({
        part,
        saved: { ...saved, texts: saved.texts.map((text) => text.replace(`"name":"${hidden}"`, '"name":"x"')) },
      }));
    };
    const expected = rule({ condition: { type: "absence", after: "1m", expect: [{ device: "p9", metric: "t" }] } });
    expect(() => createEngine().restore(without("r", [expected], []))).toThrow("saved expectation of rule r, which is not in force");
  });

  it("ends where it ends", () => {
    const reader = new StateReader({ numbers: Float64Array.of(1, 2), texts: [] });
    expect([...reader.all(2)]).toEqual([1, 2]);
    expect(reader.done).toBe(true);
    expect(() => reader.number()).toThrow("saved state ends too early");
    expect(() => new StateReader({ numbers: Float64Array.of(1, 2), texts: [] }).all(3)).toThrow("saved state ends too early");
    expect(() => reader.text()).toThrow("saved state ends too early");
  });
});
