// Drives an engine the way the gateway does, for tests: readings in order of arrival, both clocks advancing alike,
// and a gateway that may be down for a while.

import { type ConditionSettings } from "../../src/engine/conditions/index.ts";
import type { Engine } from "../../src/engine/contract.ts";
import type { Effects, Transition } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { type Labels, type SeriesDefinition, VERDICT_MASK, verdicts } from "../../src/engine/reading.ts";
import { type Rule, type RulePlan, ruleSchema, type SourceTiming } from "../../src/engine/rule.ts";
import type { Saved } from "../../src/engine/state.ts";

export const SECOND = 1000;
export const MINUTE = 60_000;
export const SOURCE = "sensors/{device}/{metric}";

/** A rule from its YAML form; `match` and `name` have defaults. */
export function rule(settings: Record<string, unknown>): Rule {
  const parsed = ruleSchema.parse({ name: "r", match: { metric: "*" }, ...settings });
  const { for: forMs, keep_firing_for: keepFiringForMs, group_by: groupBy = null, stale_after: staleAfterMs = null, ...rest } = parsed;
  const logic = JSON.stringify([parsed.match, parsed.condition, groupBy, staleAfterMs, forMs, keepFiringForMs]);
  return {
    ...rest,
    condition: parsed.condition as ConditionSettings,
    forMs,
    keepFiringForMs,
    groupBy,
    staleAfterMs,
    logic,
    text: JSON.stringify([parsed.severity, parsed.labels, parsed.annotations]),
  };
}

export function plan(rules: readonly Rule[], timing: Partial<SourceTiming> = {}): RulePlan {
  const source = { outOfOrdernessMs: 0, maxFutureMs: 60_000, maxPastMs: null, idleAfterMs: 10_000, ...timing };
  return {
    hash: JSON.stringify([rules, source]),
    rules,
    sources: { [SOURCE]: source },
    devices: {},
    zone: { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] },
    receivers: [{ name: "on-call", channels: ["webhook:0"] }],
    route: { receiver: "on-call" },
  };
}

export type Told = Pick<Transition, "to" | "ts"> & { rule: string };

/** One series, `probe/temperature`, unless labels say otherwise. `at` and `up` start at 0 with the plan. */
export function drive(rulePlan: RulePlan) {
  let engine: Engine = createEngine();
  let [at, up] = [0, 0];
  const ids = new Map<string, number>();
  const transitions: Transition[] = [];
  const effects: Effects[] = [];
  const run = (inputs: Input[]): Effects => {
    const effect = engine.step(inputs, { now: at, up });
    effects.push(effect);
    transitions.push(...effect.transitions);
    return effect;
  };
  run([{ kind: "rules", at, up, plan: rulePlan }]);
  const drive = {
    get engine() {
      return engine;
    },
    transitions,
    effects,
    told: (): Told[] => transitions.map(({ to, ts, evidence }) => ({ to, ts, rule: evidence.rule })),
    /** A reading arrives now, or at arrival time `options.at`; `retained`: another broker had kept it. @returns its verdict */
    reading(ts: number, value: number, options: { at?: number; labels?: Labels; retained?: true } = {}): string {
      if (options.at !== undefined) drive.listenUntil(options.at);
      const labels = options.labels ?? { device: "probe", metric: "temperature" };
      const key = JSON.stringify(labels);
      const isNew = !ids.has(key);
      const id = ids.get(key) ?? ids.size;
      ids.set(key, id);
      const defined = isNew ? [{ id, labels, source: SOURCE }] : [];
      const columns = { series: Uint32Array.of(id), ts: Float64Array.of(ts), value: Float64Array.of(value) };
      const batch = { ...columns, defined, rejected: {}, ...(options.retained === true && { retained: [0] }) };
      const mark = run([{ kind: "readings", at, up, batch }]).verdicts[0]?.[0] ?? Number.NaN;
      return verdicts[mark & VERDICT_MASK] ?? "none";
    },
    /** The gateway listens until `time` by the wall clock; nothing arrives. */
    listenUntil(time: number): void {
      if (time < at) throw new Error("time goes on");
      up += time - at;
      at = time;
      run([]);
    },
    listen(ms: number): void {
      drive.listenUntil(at + ms);
    },
    /** The gateway is down: the wall clock goes on, the listening clock does not. */
    down(ms: number): void {
      at += ms;
    },
    rules(next: RulePlan): Effects {
      return run([{ kind: "rules", at, up, plan: next }]);
    },
    /** Saves the state and goes on with a fresh engine that was restored from it. */
    restart(): void {
      const parts = partsOf(engine);
      engine = createEngine();
      engine.restore(parts);
    },
  };
  return drive;
}

/** The parts of an engine's first snapshot. */
export function partsOf(engine: Engine): { part: number; saved: Saved }[] {
  engine.beginSnapshot();
  const parts: { part: number; saved: Saved }[] = [];
  for (;;) {
    const { part, saved, isLast } = engine.nextSnapshotPart();
    if (saved === undefined) throw new Error("the first snapshot is whole");
    parts.push({ part, saved });
    if (isLast) return parts;
  }
}

/** A snapshot as the store keeps it: parts that are as they were are those of the one before. */
export function snapshotOf(engine: Engine, before: ReadonlyMap<number, Saved>): Map<number, Saved> {
  engine.beginSnapshot();
  const parts = new Map<number, Saved>();
  for (;;) {
    const { part, saved, isLast } = engine.nextSnapshotPart();
    parts.set(part, saved ?? (before.get(part) as Saved));
    if (isLast) return parts;
  }
}

/** Series `0`, `1`, … each heard once, with its number, at ts 1. */
export function heardOnce(rulePlan: RulePlan, count: number, labelsOf: (index: number) => SeriesDefinition["labels"]) {
  const engine = createEngine();
  engine.step([{ kind: "rules", at: 0, up: 0, plan: rulePlan }], { now: 0, up: 0 });
  const defined = Array.from({ length: count }, (_, id) => ({ id, labels: labelsOf(id), source: SOURCE }));
  const batch = { series: Uint32Array.from(defined, ({ id }) => id), ts: new Float64Array(count).fill(1), value: Float64Array.from(defined, ({ id }) => id) };
  const effects = engine.step([{ kind: "readings", at: 0, up: 0, batch: { ...batch, defined, rejected: {} } }], { now: 0, up: 0 });
  return { engine, effects };
}
