// The engine: inputs in order of arrival and the two clocks in, effects out. Pure and deterministic: the same state and the
// same inputs give the same effects, however they are cut into steps. It is called live, by recovery, replay and tries alike.

import { type Actor, Agenda } from "./agenda.ts";
import type { Alert } from "./alert.ts";
import { utc } from "./calendar.ts";
import type { Engine, EngineTime, LatestReading, RuleCount, RuleStanding, Wake } from "./contract.ts";
import { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Effects } from "./effect.ts";
import { Expectations } from "./expectations.ts";
import { GatewayAlerts } from "./gateway-alerts.ts";
import type { Group } from "./group.ts";
import { isGrouped } from "./grouping.ts";
import { Groups } from "./groups.ts";
import type { Input } from "./input.ts";
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
import type { RulePlan, SourceTiming } from "./rule.ts";
import { RuleLists } from "./rule-lists.ts";
import type { RulingContext } from "./ruling.ts";
import { Series } from "./series.ts";
import { type EnginePart, isKeptPart, SnapshotRun } from "./snapshot.ts";
import { type Saved, StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** Counts the changes of what is saved, and how. */
const SNAPSHOT_VERSION = 20261209;

/** A wall clock that was set by more than this is an alert, and what people wait for keeps what was left of it. */
const CLOCK_STEP_MS = 60_000;

const defaultTiming: SourceTiming = { outOfOrdernessMs: 0, maxFutureMs: 60_000, maxPastMs: null, idleAfterMs: 10_000 };

export function createEngine(): Engine {
  return new StreamEngine();
}

/** A RuleCount while it is counted. */
type Counted = { -readonly [Key in keyof RuleCount]: RuleCount[Key] };

class StreamEngine implements Engine {
  #plan: RulePlan | undefined;
  readonly #rules = new RuleLists();
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
      if (input.kind === "started") this.#dispatcher.asleepUntil = input.at;
      this.#advance({ now: input.at, up: input.up }, input.kind === "clock" ? input.steppedMs : undefined);
      this.#take(input);
      this.#dispatcher.asleepUntil = Number.NEGATIVE_INFINITY;
    }
    this.#advance(time);
    for (const series of this.#touched) series.trim();
    this.#touched = [];
    return this.#dispatcher.take();
  }

  nextWakeAt(): Wake {
    return { now: this.#dispatcher.nextAt, up: this.#agenda.first };
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
      case "disk":
        return this.#gatewayAlerts.disk(input, this.#dispatcher);
      case "clock":
        return;
      case "command":
        return this.#dispatcher.command(input.command, input.by, (record) => this.#reset(record, input.at));
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
    series.applyRules(this.#rules.for(series.labels), this.#context, this.#dispatcher);
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

  #usePlan(plan: RulePlan, at: EpochMs): void {
    this.#adopt(plan);
    this.#generation += 1;
    for (const series of this.#series) {
      this.#touch(series);
      this.#describe(series);
      series.applyRules(this.#rules.for(series.labels), this.#context, this.#dispatcher);
      this.#agenda.remind(series, this.#up);
    }
    this.#groups.usePlan(plan.rules.filter(isGrouped), plan.devices, this.#series, this.#context);
    this.#expectations.usePlan(plan, this.#series, { at, up: this.#up });
  }

  #adopt(plan: RulePlan): void {
    this.#plan = plan;
    this.#rules.usePlan(plan.rules);
    this.#dispatcher.usePlan(plan);
  }

  /** @param steppedMs by how much the wall clock was set since the input before; what was due by the old one is done first */
  #advance(time: EngineTime, steppedMs?: DurationMs): void {
    if (time.up < this.#up) throw new Error(`listening time went back from ${this.#up} to ${time.up}`);
    if (steppedMs !== undefined) {
      this.#elapse({ now: time.now - steppedMs, up: time.up });
      this.#dispatcher.clockStepped(time.now, Math.abs(steppedMs) > CLOCK_STEP_MS ? steppedMs : 0);
    }
    this.#elapse(time);
    if (steppedMs !== undefined && Math.abs(steppedMs) > CLOCK_STEP_MS) this.#gatewayAlerts.clockStepped(steppedMs, time.now, this.#dispatcher);
  }

  /**
   * Does what falls due by `time`, each at its own time. What a series or group does at `up` happened by the wall clock as long before
   * `time.now` as `up` lies before `time.up`, since both run alike from one input to the next; so it does not matter how often this is called.
   */
  #elapse({ now, up }: EngineTime): void {
    const dispatcher = this.#dispatcher;
    for (;;) {
      const agendaUp = this.#agenda.first ?? Number.POSITIVE_INFINITY;
      const dispatchAt = dispatcher.nextAt ?? Number.POSITIVE_INFINITY;
      if (agendaUp <= up && now - (up - agendaUp) <= dispatchAt) {
        dispatcher.now = now - (up - agendaUp);
        this.#agenda.advance(agendaUp, (actor) => this.#touch(actor), dispatcher);
      } else if (dispatchAt <= now) dispatcher.elapse();
      else break;
    }
    dispatcher.now = now;
    this.#up = up;
  }

  /** Resolves a latched alert. */
  #reset(record: AlertRecord, at: EpochMs): void {
    const { rule, subject, series } = record;
    if (this.#gatewayAlerts.reset(record, at, this.#dispatcher)) return;
    // What is latched stands, so there is somebody whose it is.
    const actor = (this.#series[series] ?? this.#groups.all.find(({ key, ruleName }) => key === subject && ruleName === rule)) as Series | Group;
    const alert = actor.alerts.find((each) => each.rule.name === rule) as Alert;
    this.#touch(actor);
    alert.reset(at, this.#dispatcher);
    this.#agenda.remind(actor, this.#up);
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
    const { numbered } = this.#dispatcher.state;
    for (const value of [SNAPSHOT_VERSION, this.#generation, this.#up, this.#step, this.#series.length, this.#groups.numbered, numbered]) writer.number(value);
    for (const count of Object.values(this.#books)) writer.number(count);
    writer.text(JSON.stringify(this.#plan ?? null));
    writer.text(this.#gatewayAlerts.save());
    this.#expectations.save(writer);
    const before = this.#snapshotStepBefore;
    this.#snapshotStep = this.#step;
    const actors = [this.#series, this.#groups.all];
    this.#snapshot = new SnapshotRun(actors, ({ touchedAt }) => touchedAt > before, { global: writer.saved(), kept: this.#dispatcher.state.all() });
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
    const [global, ...rest] = ordered.map(({ part, saved }) => ({ part, from: new StateReader(saved) }));
    if (global === undefined) return "restored";
    return this.#restoreGlobal(global.from, rest);
  }

  #restoreGlobal(global: StateReader, rest: readonly { readonly part: number; readonly from: StateReader }[]): "restored" | "other_version" {
    if (global.number() !== SNAPSHOT_VERSION) return "other_version";
    this.#generation = global.number();
    this.#up = global.number();
    this.#step = global.number();
    const count = global.number();
    this.#groups.numbered = global.number();
    this.#dispatcher.state.numbered = global.number();
    for (const name of Object.keys(this.#books) as (keyof Books)[]) this.#books[name] = global.number();
    const plan = JSON.parse(global.text()) as RulePlan | null;
    if (plan !== null) {
      this.#adopt(plan);
      this.#groups.adopt(plan.rules.filter(isGrouped), plan.devices);
    }
    this.#gatewayAlerts.restore(global.text());
    this.#expectations.restore(global, plan ?? undefined);
    for (const { part, from } of rest) {
      if (isKeptPart(part)) this.#dispatcher.state.restore(from.text());
      while (!from.done) {
        if (this.#series.length < count) this.#restoreSeries(from);
        else this.#groups.restore(from, this.#series, this.#context.zone);
      }
    }
    this.#dispatcher.state.restored();
    if (this.#series.length !== count) throw new Error(`snapshot holds ${this.#series.length} of ${count} series`);
    this.#snapshotStepBefore = this.#step;
    return "restored";
  }

  #restoreSeries(from: StateReader): void {
    const source = from.text();
    const series = this.#addSeries(JSON.parse(from.text()), source);
    series.restore(from, this.#rules.for(series.labels), this.#plan?.zone ?? utc);
    const due = series.nextDue();
    if (due.up !== Number.POSITIVE_INFINITY) this.#agenda.remind(series, due.up);
  }
}
