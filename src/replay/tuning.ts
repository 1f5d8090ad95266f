// Tuning: the stored readings of one series once more through the engine, by event time, with a rule as it is and with each change
// that may help, all in one pass. Reads only. It knows what `replay` by event time knows: no lateness, no downtime, no commands.

import { createPlan, type GatewayConfig } from "../config.ts";
import type { AlertRecord } from "../engine/effect.ts";
import { createEngine } from "../engine/engine.ts";
import type { OrderedReadings } from "../engine/history.ts";
import type { Input } from "../engine/input.ts";
import type { Labels } from "../engine/reading.ts";
import type { Rule, RulePlan } from "../engine/rule.ts";
import { leadOf } from "../engine/rule-lead.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Database } from "../storage/database.ts";
import { noDeadline } from "../storage/deadline.ts";
import type { LabelFilter } from "../storage/query.ts";
import { gatherRaw, type RawWant, takeRaw, wantAll } from "../storage/raw-readings.ts";
import { matchesFilter } from "../storage/series-query.ts";
import { type Candidate, candidatesOf, DELAY_MS_MAX, untunable } from "./tuning-candidates.ts";
import { effectOf, episodesOf, type Stood, suggestionOf, type Tried } from "./tuning-effect.ts";

/** Readings, of rows of the journal that are not compacted yet those of all series, and such rows. */
const READINGS_MAX = 20_000_000;
const ROWS_MAX = 2_000_000;
/** Readings after which the engine hands over what came of them. */
const STEP_READINGS = 4_096;

export type TuningOptions = {
  readonly config: Pick<GatewayConfig, "plan">;
  readonly rule: Rule;
  /** Of the alerts' labels: which subject; without any that of the most alerts. */
  readonly labels: LabelFilter;
  /** Event time; from inclusive, to exclusive. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly progress?: (progress: { readonly done: number; readonly of: number }) => void;
};

export type Tuning = {
  readonly series: SeriesId;
  readonly labels: Labels;
  readonly unit: string | null;
  /** In this time. */
  readonly readings: number;
  /** Median step from one reading to the next, of those that differ if most do not; 0: it never changes. */
  readonly noise: number;
  /** Alerts that the live run stored in this time. */
  readonly stored: number;
  /** Of the rule as it is, in the replay. */
  readonly alerts: number;
  readonly episodes: number;
  readonly tried: readonly Tried[];
  readonly suggestion: Tried | undefined;
};

/** @throws GatewayError `not_tunable`, `nothing_to_tune`, `tuning_too_large` */
export function tune(db: Database, options: TuningOptions): Tuning {
  const { rule, config, from, to } = options;
  const why = untunable(rule);
  if (why !== undefined) throw new GatewayError("not_tunable", `no suggestion can be made for ${rule.name}: ${why}`);
  const { series, labels, stored } = worstSubject(db, options);
  const { source, own } = seriesOf(db, series);
  const device = config.plan.devices[own["device"] ?? ""];
  // Twice: a window that the begin cuts may fire on what is left of it, and the next one puts that right.
  const lead = 2 * leadOf({ rules: [rule] }) + DELAY_MS_MAX;
  const readings = readingsOf(db, series, { from: from - lead, to });
  const noise = noiseOf(readings.value);
  const candidates = candidatesOf(rule, device?.limits ?? {}, noise);
  const plan = planOf(config, [rule, ...candidates.map((candidate: Candidate) => candidate.rule)]);
  const [before = [], ...after] = replayed(plan, { series, labels: own, source }, readings, options);
  const tried = candidates.map((candidate, index): Tried => ({ candidate, effect: effectOf(before, after[index] ?? [], to) }));
  return {
    series,
    labels,
    unit: device?.unit ?? null,
    readings: readings.ts.length - readings.ts.filter((ts) => ts < from).length,
    noise,
    stored,
    alerts: before.length,
    episodes: episodesOf(before, to).length,
    tried,
    suggestion: suggestionOf(tried),
  };
}

/** The series on which the rule fired most in this time. */
function worstSubject(db: Database, { rule, labels: filter, from, to }: TuningOptions): { series: SeriesId; labels: Labels; stored: number } {
  const rows = db
    .prepare<[string, number, number], { series: SeriesId; labels: string; stored: number }>(
      `SELECT series, labels, count(*) AS stored FROM alert WHERE rule = ? AND fired_at >= ? AND fired_at < ? AND series >= 0
       GROUP BY series ORDER BY stored DESC, series`,
    )
    .all(rule.name, from, to);
  for (const { series, labels: text, stored } of rows) {
    const labels = JSON.parse(text) as Labels;
    if (matchesFilter(labels, filter)) return { series, labels, stored };
  }
  const where = Object.keys(filter).length === 0 ? "" : " on such a series";
  throw new GatewayError("nothing_to_tune", `${rule.name} did not fire${where} in this time`, {
    hint: "`highwater performance` lists what alarms most; ask for more days with --days",
  });
}

function seriesOf(db: Database, series: SeriesId): { own: Labels; source: string } {
  const row = db.prepare<[number], { labels: string; source: string }>("SELECT labels, source FROM series WHERE id = ?").get(series);
  return { own: JSON.parse(row?.labels ?? "{}") as Labels, source: row?.source ?? "" };
}

function readingsOf(db: Database, series: SeriesId, span: { from: EpochMs; to: EpochMs }): OrderedReadings {
  const [want] = wantAll([series], span) as [RawWant];
  if (!takeRaw(db, [want], { rows: ROWS_MAX, readings: READINGS_MAX }))
    throw new GatewayError("tuning_too_large", `this time holds more than ${READINGS_MAX} readings to look at`, { hint: "ask for fewer days with --days" });
  gatherRaw(db, [want], noDeadline);
  return want.history.ordered();
}

/** The median of the absolute steps; of a series that mostly repeats itself, of those steps that are none of zero. */
export function noiseOf(values: Float64Array): number {
  const steps = new Float64Array(Math.max(0, values.length - 1));
  for (let index = 0; index < steps.length; index += 1) steps[index] = Math.abs((values[index + 1] as number) - (values[index] as number));
  steps.sort();
  const median = steps[steps.length >> 1] ?? 0;
  if (median > 0) return median;
  const moved = steps.subarray(steps.findIndex((step) => step > 0));
  return moved.length < steps.length ? (moved[moved.length >> 1] ?? 0) : 0;
}

/** Each rule by its place as its name. A source that no plan names tolerates no disorder, and there is none. */
function planOf({ plan }: TuningOptions["config"], rules: readonly Rule[]): RulePlan {
  const named = rules.map((rule, index) => ({ ...rule, name: String(index), logic: `${rule.logic}-${index}` }));
  return createPlan({ rules: named, sources: {}, devices: plan.devices, zone: plan.zone, receivers: [], route: { receiver: "" } });
}

type Source = { readonly series: SeriesId; readonly labels: Labels; readonly source: string };

/** What fired from `from` on, by rule of the plan, each in the order of time. */
function replayed(plan: RulePlan, { labels, source }: Source, { ts, value }: OrderedReadings, { from, to, progress }: TuningOptions): Stood[][] {
  const engine = createEngine();
  const begin = Math.min(ts[0] ?? from, from);
  const byRule: Map<string, Stood>[] = plan.rules.map(() => new Map<string, Stood>());
  const step = (inputs: readonly Input[], at: EpochMs): void => {
    for (const { id, rule, firedAt, resolvedAt } of engine.step(inputs, { now: at, up: at - begin }).alerts as AlertRecord[])
      if (firedAt >= from) byRule[Number(rule)]?.set(id, { firedAt, resolvedAt });
  };
  const defined = [{ id: 0, labels, source }];
  const batchOf = (index: number, count: number) => ({
    series: new Uint32Array(count),
    ts: ts.subarray(index, index + count),
    value: value.subarray(index, index + count),
    rejected: {},
  });
  step(
    [
      { kind: "rules", at: begin, up: 0, plan },
      { kind: "readings", at: begin, up: 0, batch: { ...batchOf(0, 0), defined } },
    ],
    begin,
  );
  for (let first = 0; first < ts.length; first += STEP_READINGS) {
    const count = Math.min(STEP_READINGS, ts.length - first);
    const inputs = Array.from({ length: count }, (_, offset): Input => {
      const at = ts[first + offset] as number;
      return { kind: "readings", at, up: at - begin, batch: { ...batchOf(first + offset, 1), defined: [] } };
    });
    step(inputs, ts[first + count - 1] as number);
    progress?.({ done: first + count, of: ts.length });
  }
  step([], to - 1);
  return byRule.map((alerts) => [...alerts.values()].sort((a, b) => a.firedAt - b.firedAt));
}
