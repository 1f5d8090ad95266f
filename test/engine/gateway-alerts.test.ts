// Alerts of the gateway about itself outlast a snapshot: the next start resolves them.

import { expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
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
