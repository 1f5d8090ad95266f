// The case that inhibition is for: ten thousand devices behind twenty gateways that drop at once. Twenty pages, ten thousand records
// that name their cause, and twenty resolved when all come back. Also with a restart while the devices wait for what inhibits them.

import { describe, expect, it } from "vitest";
import { noDispatch } from "../../../src/engine/dispatch/plan.ts";
import type { NotificationRecord } from "../../../src/engine/dispatch/record.ts";
import type { Effects } from "../../../src/engine/effect.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import type { Input } from "../../../src/engine/input.ts";
import type { Saved } from "../../../src/engine/state.ts";
import { plan, rule, SECOND, SOURCE, snapshotOf } from "../harness.ts";

const GATEWAYS = 20;
const DEVICES = 10_000;
const START = 1_700_000_000_000;

const rules = [
  rule({ name: "offline", match: { metric: "seen", device: "gw-*" }, condition: { type: "absence", after: "1m" } }),
  rule({ name: "silent", match: { metric: "temperature" }, condition: { type: "absence", after: "1m" } }),
];
const site = {
  ...plan(rules),
  dispatch: {
    ...noDispatch,
    inhibit: [
      {
        source: [{ label: "alertname", patterns: ["offline"] }],
        target: [{ label: "alertname", patterns: ["silent"] }],
        equal: ["gateway"],
        waitMs: 30 * SECOND,
      },
    ],
  },
};

const gatewayOf = (device: number): string => `gw-${device % GATEWAYS}`;
const series = Array.from({ length: GATEWAYS + DEVICES }, (_, id) =>
  id < GATEWAYS
    ? { id, labels: { device: `gw-${id}`, metric: "seen", gateway: `gw-${id}` }, source: SOURCE }
    : { id, labels: { device: `d-${id}`, metric: "temperature", gateway: gatewayOf(id) }, source: SOURCE },
);

function gateways() {
  let engine = createEngine();
  let kept = new Map<number, Saved>();
  let up = 0;
  const rows = new Map<string, NotificationRecord>();
  let isDefined = false;
  const run = (inputs: Input[]): Effects => {
    const effects = engine.step(inputs, { now: START + up, up });
    for (const record of effects.notifications) rows.set(record.id, record);
    return effects;
  };
  run([{ kind: "rules", at: START, up, plan: site }]);
  return {
    rows,
    hear(ids: readonly number[]): Effects {
      const defined = isDefined ? [] : series;
      isDefined = true;
      const batch = { series: Uint32Array.from(ids), ts: new Float64Array(ids.length).fill(START + up), value: new Float64Array(ids.length).fill(1) };
      return run([{ kind: "readings", at: START + up, up, batch: { ...batch, defined, rejected: {} } }]);
    },
    listen(seconds: number): Effects[] {
      return Array.from({ length: seconds }, () => {
        up += SECOND;
        return run([]);
      });
    },
    restart(): void {
      kept = snapshotOf(engine, kept);
      engine = createEngine();
      engine.restore(structuredClone([...kept].map(([part, saved]) => ({ part, saved }))));
    },
  };
}

const sent = (effects: readonly Effects[]) =>
  effects.flatMap(({ notifications }) => notifications.filter(({ disposition, heldUntil }) => disposition === "waiting" && heldUntil === null));
const states = (effects: readonly Effects[]) => effects.flatMap(({ alerts }) => alerts);
const ids = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe.each([{ restarts: false }, { restarts: true }])(
  "ten thousand devices behind twenty gateways that drop at once, restarts: $restarts",
  ({ restarts }) => {
    it("are twenty pages, a record with its cause for each device, and twenty resolved", () => {
      const world = gateways();
      const restart = (): void => (restarts ? world.restart() : undefined);
      // The devices are heard last, so they fire last, and wait for what inhibits them whatever came first.
      world.hear(ids(GATEWAYS, GATEWAYS + DEVICES));
      world.listen(1);
      world.hear(ids(0, GATEWAYS));

      const down = [...world.listen(75)];
      restart();
      down.push(...world.listen(30));
      const fired = states(down).filter(({ state }) => state === "firing");
      expect(fired).toHaveLength(GATEWAYS + DEVICES);
      const pages = sent(down);
      expect(pages).toHaveLength(GATEWAYS);
      const offline = new Map(fired.filter(({ rule: name }) => name === "offline").map(({ id, labels }) => [labels["gateway"], id]));
      expect(pages.map(({ alert }) => alert).sort()).toEqual([...offline.values()].sort());
      const labelsOf = new Map(fired.map(({ id, labels }) => [id, labels]));
      const records = [...world.rows.values()].filter(({ disposition }) => disposition !== "waiting");
      expect(records).toHaveLength(DEVICES);
      const wrong = records.filter(
        ({ alert, cause, disposition }) => disposition !== "inhibited" || cause !== `alert:${offline.get(labelsOf.get(alert)?.["gateway"])}`,
      );
      expect(wrong).toEqual([]);

      const back = [world.hear(ids(0, GATEWAYS)), ...world.listen(10)];
      restart();
      back.push(world.hear(ids(GATEWAYS, GATEWAYS + DEVICES)), ...world.listen(50));
      expect(states(back).filter(({ state }) => state === "resolved")).toHaveLength(GATEWAYS + DEVICES);
      expect(sent(back).map(({ alert, state, seq }) => [alert, state, seq])).toEqual(pages.map(({ alert }) => [alert, "resolved", 2]));
      expect([...world.rows.values()].filter(({ heldUntil }) => heldUntil !== null)).toEqual([]);
      expect(world.rows.size).toBe(2 * GATEWAYS + DEVICES);
    });
  },
);
