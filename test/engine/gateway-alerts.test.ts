// Alerts of the gateway about itself outlast a snapshot: the next start resolves them.

import { expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { rejudge } from "../../src/engine/rejudge.ts";
import { partsOf, plan } from "./harness.ts";

it("a dead letter that was told before a snapshot stands after it, and is resolved by the next start", () => {
  const before = createEngine();
  before.step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }], { now: 0, up: 0 });
  const letter = { kind: "dead-letter", at: 10, up: 10, notification: "0000-1-ffffffff", reason: "500" } as const;
  const [told] = before.step([letter], { now: 10, up: 10 }).alerts;
  const after = createEngine();
  after.restore(partsOf(before));
  expect(after.step([{ ...letter, at: 20, up: 20 }], { now: 20, up: 20 }).alerts).toEqual([]);
  const { alerts, notifications } = after.step([{ kind: "started", at: 30, up: 20, version: "1" }], { now: 30, up: 20 });
  expect(alerts).toMatchObject([{ id: told?.id, state: "resolved", since: 30, value: 0, peak: 1 }]);
  expect(notifications.map(({ channel, state, seq }) => [channel, state, seq])).toEqual([["webhook:0", "resolved", 2]]);
});

it("the store beyond its limit is an alert that ends by itself; held, a further one", () => {
  const engine = createEngine();
  let at = 0;
  const step = ({ state }: Pick<Extract<Input, { kind: "disk" }>, "state">): string[] => {
    at += 1000;
    const { alerts, transitions } = engine.step([{ kind: "disk", used: 2e9, limit: 1e9, state, at, up: at }], { now: at, up: at });
    for (const { evidence, ts, to, reason } of transitions) expect(rejudge(evidence, ts)).toEqual({ to, reason });
    return alerts.map(({ rule, state, severity, latchedAt }) => `${rule} ${state} ${severity} ${latchedAt === null ? "" : "latched"}`.trim());
  };
  engine.step([{ kind: "rules", at: 0, up: 0, plan: plan([]) }], { now: 0, up: 0 });
  expect(step({ state: "over" })).toEqual(["highwater-disk-limit firing warning"]);
  expect(step({ state: "over" })).toEqual([]);
  expect(step({ state: "held" })).toEqual(["highwater-disk-held firing critical"]);
  const after = createEngine();
  after.restore(partsOf(engine));
  expect(step({ state: "over" })).toEqual(["highwater-disk-held resolved critical"]);
  expect(step({ state: "ok" })).toEqual(["highwater-disk-limit resolved warning"]);
  expect(step({ state: "ok" })).toEqual([]);
  const ended = after.step([{ kind: "started", at: 9000, up: 9000, version: "1" }], { now: 9000, up: 9000 }).transitions;
  expect(ended.map(({ to, reason }) => [to, reason])).toEqual([
    ["resolved", "disk_limit"],
    ["resolved", "disk_held"],
  ]);
});
