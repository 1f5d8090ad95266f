// Exact replay of what dispatch decided: random worlds with groups, silences, inhibition, shelves, storms, escalations over a rota and
// clocks that are set, lived through the real pipeline and database. From whatever is kept, a replay gives the same transitions,
// dispositions and notification ids; a restart finds nothing to decide otherwise; the table holds what the effects said.

import fc from "fast-check";
import { expect, it } from "vitest";
import { dayNumber } from "../src/engine/calendar.ts";
import type { NotificationRecord } from "../src/engine/dispatch/record.ts";
import type { Effects } from "../src/engine/effect.ts";
import type { Input } from "../src/engine/input.ts";
import type { RulePlan } from "../src/engine/rule.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { createPipeline } from "../src/pipeline.ts";
import { engineAt, replayJournal } from "../src/replay/journal-replay.ts";
import type { Database } from "../src/storage/database.ts";
import { listSnapshots } from "../src/storage/snapshot.ts";
import { act, live, worldPlan } from "./engine/dispatch/world.ts";
import { runs } from "./engine/random-log.ts";
import { freshDatabase } from "./fresh-database.ts";

function pipelineOn(db: Database) {
  const deps = { monotonic: () => performance.now(), sleep: () => undefined, holding: () => undefined, log: createLog({ level: "silent", name: "test" }) };
  return createPipeline({ db, ...deps, metrics: createMetrics(), snapshotAfter: 5 });
}

/** Who is on call changes each ten minutes; the first step of each escalation asks for them. */
function withRota(plan: RulePlan): RulePlan {
  const dispatch = plan.dispatch as NonNullable<RulePlan["dispatch"]>;
  const start = dayNumber("2023-11-14") * 86_400_000;
  const layer = { members: ["r1", "r2", "r3"], rotation: { kind: "local", everyMinutes: 10 }, anchor: start, start, active: null } as const;
  const schedules = [{ name: "rota", zone: "UTC", layers: [layer], overrides: [] }];
  const escalations = dispatch.escalations.map((each) => ({ ...each, steps: [{ targets: ["rota"], waitMs: 30_000 }, ...each.steps] }));
  return { ...plan, dispatch: { ...dispatch, schedules, escalations } };
}

/** Runs inputs in turns of so many, woken in between, and lets what is under way be written. */
function run(db: Database, inputs: readonly Input[], sizes: readonly number[]): Effects[] {
  const pipeline = pipelineOn(db);
  const effects: Effects[] = [];
  for (let from = 0, turn = 0; from < inputs.length; turn++) {
    const to = Math.min(inputs.length, from + 1 + (sizes[turn % sizes.length] as number));
    const settled = pipeline.turn({ inputs: inputs.slice(from, to), finished: [] });
    if (settled.effects !== undefined) effects.push(settled.effects);
    while (pipeline.idle([]).hasMore);
    from = to;
  }
  return effects;
}

it("repeats what was told to whom, byte for byte, from whatever is kept", () => {
  let fromSnapshots = 0;
  const worlds = fc.array(worldPlan.map(withRota), { minLength: 1, maxLength: 2 });
  const sizes = fc.array(fc.nat(3), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(worlds, fc.array(act, { minLength: 5, maxLength: 40 }), sizes, (plans, acts, cuts) => {
      const lived = live(plans);
      for (const each of acts) lived.act(each);
      lived.end();
      const db = freshDatabase();
      const effects = run(db, lived.inputs, cuts);
      expect(pipelineOn(db).recovered.differing).toEqual([]);

      const last = db.prepare<[], { seq: number; at: number }>("SELECT seq, at FROM journal ORDER BY seq DESC LIMIT 1").get() as { seq: number; at: number };
      for (const base of [{ seq: 0, at: null }, ...listSnapshots(db)]) {
        const range = { from: 0, to: last.at + 1, firstSeq: base.seq + 1, lastSeq: last.seq, nextUp: undefined };
        const told: NotificationRecord[] = [];
        replayJournal(db, { engine: engineAt(db, base), base, range }, (row) => {
          expect(row.isSame).toBe(true);
          told.push(...row.effects.notifications);
        });
        if (base.seq === 0) expect(told).toEqual(effects.flatMap(({ notifications }) => notifications));
        else fromSnapshots += 1;
      }

      const final = new Map(effects.flatMap(({ notifications }) => notifications.map((each) => [each.id, each])));
      const dead = new Set(effects.flatMap((each) => each.dead.map(({ notification }) => notification)));
      const stored = db.prepare<[], { id: string; disposition: string; cause: string | null }>("SELECT id, disposition, cause FROM notification").all();
      expect(new Map(stored.map(({ id, disposition, cause }) => [id, [disposition, cause]]))).toEqual(
        new Map([...final].map(([id, { disposition, cause }]) => [id, [disposition === "waiting" && dead.has(id) ? "dead" : disposition, cause]])),
      );
    }),
    { numRuns: runs(40) },
  );
  expect(fromSnapshots).toBeGreaterThan(0);
});
