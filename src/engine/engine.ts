// The engine: inputs in order of arrival and the two clocks in, effects out. Pure and deterministic: the same state and the
// same inputs give the same effects, however they are cut into steps. It is called live, by recovery, replay and tries alike.

import { type Actor, Agenda } from "./agenda.ts";
import { utc } from "./calendar.ts";
import { Dispatcher } from "./dispatch.ts";
import type { AlertState, Effects } from "./effect.ts";
import { Expectations } from "./expectations.ts";
import { GatewayAlerts } from "./gateway-alerts.ts";
import { isGrouped } from "./grouping.ts";
import { Groups } from "./groups.ts";
import type { Input } from "./input.ts";
import { compileMatchers } from "./matcher.ts";
import {
  ACCEPTED,
  type Books,
  CONFLICT,
  DUPLICATE,
  indexKnown,
  LATE,
  type Lookup,
  QUARANTINED,
  type ReadingBatch,
  type SeriesDefinition,
  TIME_ASSIGNED,
  verdicts,
} from "./reading.ts";
import type { Rule, RulePlan, SourceTiming } from "./rule.ts";
import type { RulingContext } from "./ruling.ts";
import { Series } from "./series.ts";
import { type EnginePart, SnapshotRun } from "./snapshot.ts";
import { type Saved, StateReader, StateWriter } from "./state.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** Where the clocks stand. */
export type EngineTime = { readonly now: EpochMs; readonly up: UptimeMs };

/** The newest evaluated reading of a series. */
export type LatestReading = { readonly series: SeriesId; readonly ts: EpochMs; readonly value: number };

export type Engine = {
  /** Moves time input by input, to `time` at the end, and gives what came of it. */
  step(inputs: readonly Input[], time: EngineTime): Effects;
  /** When something falls due if nothing arrives, by the listening clock; undefined: never. */
  nextWakeAt(): UptimeMs | undefined;
  /** Timestamps that are older than the engine's memory: answer them as `known` in the batch before stepping it. */
  unknown(batch: ReadingBatch): readonly Lookup[];
  books(): Books;
  /** Where the listening clock stands. */
  up(): UptimeMs;
  /** Hash of the plan in force; undefined before the first. */
  planHash(): string | undefined;
  /** All series in the order of their ids. */
  series(): readonly Omit<SeriesDefinition, "id">[];
  /** Newest readings of the series that changed after step `since`; `step` is the present one. */
  latest(since: number): { step: number; readings: readonly LatestReading[] };
  /** How the rules of a series stand, in their order. */
  standing(series: SeriesId): readonly RuleStanding[];
  /** By rule, in their order: how many series or groups it watches, and how its alerts stand. */
  ruleCounts(): readonly RuleCount[];
  /** Series that found no room in a group. */
  refusedByGroups(): number;
  /** Begins a snapshot as of now; its parts come from `nextSnapshotPart` while steps go on. */
  beginSnapshot(): void;
  nextSnapshotPart(): EnginePart;
  /** Takes the parts of one snapshot, in any order, into a fresh engine; of one that another release wrote nothing. */
  restore(parts: Iterable<{ readonly part: number; readonly saved: Saved }>): "restored" | "other_version";
};

/** What a rule watches, and how many of its alerts are pending, firing or recovering. */
export type RuleCount = { readonly rule: string; readonly series: number; readonly pending: number; readonly firing: number; readonly recovering: number };

/** A rule on a series: what it measured last (NaN: nothing yet), and where its alert stands. */
export type RuleStanding = { readonly rule: string; readonly measure: number; readonly state: AlertState };

/** Counts the changes of what is saved, and how. */
const SNAPSHOT_VERSION = 20261202;

const defaultTiming: SourceTiming = { outOfOrdernessMs: 0, maxFutureMs: 60_000, maxPastMs: null, idleAfterMs: 10_000 };

export function createEngine(): Engine {
  return new StreamEngine();
}

/** A RuleCount while it is counted. */
type Counted = { -readonly [Key in keyof RuleCount]: RuleCount[Key] };
type CompiledRule = { readonly number: number; readonly rule: Rule; readonly matches: (labels: Readonly<Record<string, string>>) => boolean };

class StreamEngine implements Engine {
  #plan: RulePlan | undefined;
  #rules: readonly CompiledRule[] = [];
  /** By the numbers of the rules in them. */
  #ruleLists = new Map<string, readonly Rule[]>();
  /** Changes of the rules so far. */
  #generation = 0;
  #up: UptimeMs = 0;
  #step = 0;
  readonly #series: Series[] = [];
  readonly #dispatcher = new Dispatcher();
  readonly #gatewayAlerts = new GatewayAlerts();
  readonly #books: Books = { received: 0, accepted: 0, late: 0, duplicate: 0, conflict: 0, quarantined: 0, rejected: 0 };
  readonly #agenda = new Agenda();
  readonly #groups = new Groups({ agenda: this.#agenda, into: this.#dispatcher, touch: (group) => this.#touch(group) });
  readonly #expectations = new Expectations(this.#agenda, this.#dispatcher);
  #touched: Series[] = [];
  #snapshot: SnapshotRun | undefined;
  #snapshotStep = 0;
  #snapshotStepBefore = Number.NEGATIVE_INFINITY;

  step(inputs: readonly Input[], time: EngineTime): Effects {
    this.#step += 1;
    for (const input of inputs) {
      this.#advance(input.up);
      this.#take(input);
    }
    this.#advance(time.up);
    for (const series of this.#touched) series.trim();
    this.#touched = [];
    return this.#dispatcher.take();
  }

  nextWakeAt(): UptimeMs | undefined {
    return this.#agenda.first;
  }

  unknown(batch: ReadingBatch): readonly Lookup[] {
    const lookups: Lookup[] = [];
    const asked = new Set<string>();
    for (let index = 0; index < batch.series.length; index++) {
      const series = this.#series[batch.series[index] as number];
      const ts = batch.ts[index] as number;
      if (series === undefined || !(ts <= series.memory.forgotten) || series.memory.find(ts) !== undefined) continue;
      const key = `${series.id} ${ts}`;
      if (asked.has(key)) continue;
      asked.add(key);
      lookups.push({ series: series.id, ts });
    }
    return lookups;
  }

  books(): Books {
    return { ...this.#books };
  }

  up(): UptimeMs {
    return this.#up;
  }

  planHash(): string | undefined {
    return this.#plan?.hash;
  }

  series(): readonly Omit<SeriesDefinition, "id">[] {
    return this.#series.map(({ ownLabels, source }) => ({ labels: ownLabels, source }));
  }

  latest(since: number): { step: number; readings: readonly LatestReading[] } {
    const readings: LatestReading[] = [];
    for (const series of this.#series) {
      if (series.touchedAt <= since || series.lastTs === Number.NEGATIVE_INFINITY) continue;
      readings.push({ series: series.id, ts: series.lastTs, value: series.lastValue });
    }
    return { step: this.#step, readings };
  }

  standing(series: SeriesId): readonly RuleStanding[] {
    return this.#series[series]?.standing() ?? [];
  }

  ruleCounts(): readonly RuleCount[] {
    const counts = new Map(
      (this.#plan?.rules ?? []).map(({ name }): [string, Counted] => [name, { rule: name, series: 0, pending: 0, firing: 0, recovering: 0 }]),
    );
    for (const subjects of [this.#series, this.#groups.all]) {
      for (const { rules, alerts } of subjects) {
        for (const { rule } of rules) (counts.get(rule.name) as Counted).series += 1;
        for (const { rule, phase } of alerts) if (phase !== "inactive") (counts.get(rule.name) as Counted)[phase] += 1;
      }
    }
    for (const { rule, isFiring } of this.#expectations.all) {
      if (isFiring) (counts.get(rule.name) as Counted).firing += 1;
    }
    return [...counts.values()];
  }

  refusedByGroups(): number {
    return this.#groups.refused;
  }

  #take(input: Input): void {
    switch (input.kind) {
      case "readings":
        return this.#takeBatch(input.batch, input.at, input.up);
      case "rules":
        return this.#usePlan(input.plan, input.at);
      case "dead-letter":
        this.#dispatcher.dead(input.notification, input.reason);
        return this.#gatewayAlerts.deadLetter(input, this.#dispatcher);
      case "started":
        return this.#gatewayAlerts.started(input.at, this.#dispatcher);
      case "clock":
        return;
      default: {
        const never: never = input;
        return never;
      }
    }
  }

  #takeBatch(batch: ReadingBatch, at: EpochMs, up: UptimeMs): void {
    for (const definition of batch.defined) this.#define(definition);
    const count = batch.series.length;
    const marks = new Uint8Array(count);
    const times = new Float64Array(count);
    const known = batch.known === undefined || batch.known.length === 0 ? undefined : indexKnown(batch.known);
    const retained = batch.retained === undefined ? undefined : new Set(batch.retained);
    for (let index = 0; index < count; index++) {
      const series = this.#series[batch.series[index] as number];
      if (series === undefined) throw new Error(`series ${batch.series[index]} was never defined`);
      const sent = batch.ts[index] as number;
      const isAssigned = Number.isNaN(sent);
      const ts = isAssigned ? Math.max(at, series.maxTs + 1) : sent;
      const judged = this.#judge(series, ts, batch.value[index] as number, at, known);
      const verdict = judged === ACCEPTED && retained?.has(index) === true ? LATE : judged;
      marks[index] = isAssigned ? verdict | TIME_ASSIGNED : verdict;
      times[index] = ts;
      this.#books[verdicts[verdict] as (typeof verdicts)[number]] += 1;
      if (verdict === ACCEPTED || verdict === LATE) this.#feed(series, verdict, ts, batch.value[index] as number, at, up);
    }
    this.#count(batch);
    this.#dispatcher.verdicts(marks, times);
  }

  #judge(series: Series, ts: EpochMs, value: number, at: EpochMs, known: ReadonlyMap<string, number> | undefined): number {
    const { maxFutureMs, maxPastMs } = series.timing;
    if (ts > at + maxFutureMs || (maxPastMs !== null && ts < at - maxPastMs)) return QUARANTINED;
    const before = series.memory.find(ts) ?? (ts <= series.memory.forgotten ? known?.get(`${series.id} ${ts}`) : undefined);
    if (before !== undefined) return before === value ? DUPLICATE : CONFLICT;
    return series.isLate(ts) ? LATE : ACCEPTED;
  }

  #feed(series: Series, verdict: number, ts: EpochMs, value: number, at: EpochMs, up: UptimeMs): void {
    this.#touch(series);
    if (verdict === LATE) {
      series.takeLate(ts, value, up, this.#dispatcher);
      this.#groups.takeLate(series, ts, value, up);
    } else {
      if (!series.isHeard) this.#expectations.heard(series, ts, value);
      series.accept(ts, value, at, up, this.#dispatcher);
      this.#groups.accept(series, ts, value, at, up);
    }
    this.#agenda.expect(series, verdict === LATE ? up : Math.max(up, series.dueFrom));
  }

  #count(batch: ReadingBatch): void {
    const rejected = Object.values(batch.rejected).reduce((sum, count) => sum + count, 0);
    this.#books.rejected += rejected;
    this.#books.received += batch.series.length + rejected;
  }

  #define({ id, labels, source }: SeriesDefinition): void {
    const known = this.#series[id];
    if (known !== undefined) {
      this.#touch(known);
      known.source = source;
      this.#describe(known);
      // Another source may have another timing.
      return this.#agenda.remind(known, this.#up);
    }
    if (id !== this.#series.length) throw new Error(`series ${id} is defined out of order; ${this.#series.length} is next`);
    const series = this.#addSeries(labels, source);
    series.applyRules(this.#rulesFor(series), this.#context, this.#dispatcher);
    this.#groups.define(series, this.#context);
  }

  get #context(): RulingContext {
    return { up: this.#up, born: this.#generation, zone: this.#plan?.zone ?? utc };
  }

  #addSeries(labels: SeriesDefinition["labels"], source: string): Series {
    const series = new Series(this.#series.length, labels, source, this.#plan?.sources[source] ?? defaultTiming);
    this.#describe(series);
    this.#series.push(series);
    series.touchedAt = this.#step;
    return series;
  }

  #describe(series: Series): void {
    series.device = this.#plan?.devices[series.ownLabels["device"] as string];
    series.labels = { ...series.device?.labels, ...series.ownLabels };
    series.timing = this.#plan?.sources[series.source] ?? defaultTiming;
  }

  /** The same list for all series that the same rules match. */
  #rulesFor({ labels }: Series): readonly Rule[] {
    const matching = this.#rules.filter(({ matches }) => matches(labels));
    const key = matching.map(({ number }) => number).join();
    let rules = this.#ruleLists.get(key);
    if (rules === undefined) this.#ruleLists.set(key, (rules = matching.map(({ rule }) => rule)));
    return rules;
  }

  #usePlan(plan: RulePlan, at: EpochMs): void {
    this.#adopt(plan);
    this.#generation += 1;
    for (const series of this.#series) {
      this.#touch(series);
      this.#describe(series);
      series.applyRules(this.#rulesFor(series), this.#context, this.#dispatcher);
      this.#agenda.remind(series, this.#up);
    }
    this.#groups.usePlan(plan.rules.filter(isGrouped), plan.devices, this.#series, this.#context);
    this.#expectations.usePlan(plan, this.#series, { at, up: this.#up });
  }

  #adopt(plan: RulePlan): void {
    this.#plan = plan;
    this.#rules = plan.rules.filter((rule) => !isGrouped(rule)).map((rule, number) => ({ number, rule, matches: compileMatchers(rule.match) }));
    this.#ruleLists = new Map();
    this.#dispatcher.usePlan(plan);
  }

  /** Does what falls due by `up`, each at its own time. */
  #advance(up: UptimeMs): void {
    if (up < this.#up) throw new Error(`listening time went back from ${this.#up} to ${up}`);
    this.#agenda.advance(up, (actor) => this.#touch(actor), this.#dispatcher);
    this.#up = up;
  }

  /** To be called before a series, a group or an expectation changes. */
  #touch(actor: Actor): void {
    if (actor.touchedAt === this.#step) return;
    this.#snapshot?.preserve(actor);
    if (actor instanceof Series) this.#touched.push(actor);
    actor.touchedAt = this.#step;
  }

  beginSnapshot(): void {
    const writer = new StateWriter();
    for (const value of [SNAPSHOT_VERSION, this.#generation, this.#up, this.#step, this.#series.length, this.#groups.numbered]) writer.number(value);
    for (const count of Object.values(this.#books)) writer.number(count);
    writer.text(JSON.stringify(this.#plan ?? null));
    writer.text(this.#dispatcher.save());
    writer.text(this.#gatewayAlerts.save());
    this.#expectations.save(writer);
    const before = this.#snapshotStepBefore;
    this.#snapshotStep = this.#step;
    this.#snapshot = new SnapshotRun([this.#series, this.#groups.all], ({ touchedAt }) => touchedAt > before, writer.saved());
  }

  nextSnapshotPart(): EnginePart {
    if (this.#snapshot === undefined) throw new Error("no snapshot was begun");
    const part = this.#snapshot.next();
    if (part.isLast) {
      this.#snapshot = undefined;
      this.#snapshotStepBefore = this.#snapshotStep;
    }
    return part;
  }

  restore(parts: Iterable<{ readonly part: number; readonly saved: Saved }>): "restored" | "other_version" {
    const ordered = [...parts].sort((a, b) => a.part - b.part);
    const [global, ...rest] = ordered.map(({ saved }) => new StateReader(saved));
    if (global === undefined) return "restored";
    if (global.number() !== SNAPSHOT_VERSION) return "other_version";
    this.#generation = global.number();
    this.#up = global.number();
    this.#step = global.number();
    const count = global.number();
    this.#groups.numbered = global.number();
    for (const name of Object.keys(this.#books) as (keyof Books)[]) this.#books[name] = global.number();
    const plan = JSON.parse(global.text()) as RulePlan | null;
    if (plan !== null) {
      this.#adopt(plan);
      this.#groups.adopt(plan.rules.filter(isGrouped), plan.devices);
    }
    this.#dispatcher.restore(global.text());
    this.#gatewayAlerts.restore(global.text());
    this.#expectations.restore(global, plan ?? undefined);
    for (const part of rest) {
      while (!part.done) {
        if (this.#series.length < count) this.#restoreSeries(part);
        else this.#groups.restore(part, this.#series, this.#context.zone);
      }
    }
    if (this.#series.length !== count) throw new Error(`snapshot holds ${this.#series.length} of ${count} series`);
    this.#snapshotStepBefore = this.#step;
    return "restored";
  }

  #restoreSeries(from: StateReader): void {
    const source = from.text();
    const series = this.#addSeries(JSON.parse(from.text()), source);
    series.restore(from, this.#rulesFor(series), this.#plan?.zone ?? utc);
    const due = series.nextDue();
    if (due.up !== Number.POSITIVE_INFINITY) this.#agenda.remind(series, due.up);
  }
}
