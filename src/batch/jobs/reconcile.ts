// Reconciliation: the stream held against the batch, for each series of a day. What the stream did not hear in time are the late
// readings; where there are such, the rules judge the day again by event time, with everything in its place, and what they would have
// fired is held against what they fired. The stream's rollups must hold what the batch holds; if they do not, that is said too.

import type { Day, DayBounds, ZoneTable } from "../../engine/calendar.ts";
import type { AlertRecord } from "../../engine/effect.ts";
import { CLOCK_STEP_RULE, DEAD_LETTER_RULE, DISK_HELD_RULE, DISK_LIMIT_RULE } from "../../engine/gateway-alerts.ts";
import type { OrderedReadings } from "../../engine/history.ts";
import type { Labels } from "../../engine/reading.ts";
import type { RulePlan } from "../../engine/rule.ts";
import { leadOf } from "../../engine/rule-lead.ts";
import type { DaySummary } from "../../engine/summary.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { compactedThrough, cutOut, type Span } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { historyCounter, planInForce, replayByEventTime } from "../../storage/event-replay.ts";
import { createImportedFinder } from "../../storage/imports.ts";
import { type Difference, differencesOf, liveOccurrences, Occurrences } from "../../storage/occurrences.ts";
import { type AlertDifference, createReconciliationReader, type Reconciliation, type ReconciliationRow } from "../../storage/reconciliation.ts";
import { createWaitingMinutes, UTC_DAY_MS } from "../../storage/rollup-days.ts";
import { createRollupReader, MINUTE_MS } from "../../storage/rollups.ts";
import { createSeriesReader, seriesIds } from "../../storage/series-query.ts";

/** Readings that one day may make the rules judge again. */
export const JUDGED_READINGS_MAX = 20_000_000;
/** Differences of alerts that are kept of a series and day. */
const DIFFERENCES_MAX = 50;
const gatewayRules = [DEAD_LETTER_RULE, CLOCK_STEP_RULE, DISK_LIMIT_RULE, DISK_HELD_RULE];

/** What is found before alerts are judged, and when the late readings were. */
type Draft = { readonly found: Omit<Reconciliation, "alerts">; readonly lateTs: Float64Array };

export type Reconciler = ReturnType<typeof createReconciler>;

export function createReconciler(db: Database, of: { zone: ZoneTable; day: Day; bounds: DayBounds; readingsMax?: number }) {
  const { zone, day, bounds } = of;
  const [reader, rollups, through] = [createReconciliationReader(db), createRollupReader(db), compactedThrough(db)];
  const waitingMinutes = createWaitingMinutes(db);
  const drafts = new Map<SeriesId, Draft>();
  const rowOf = (series: SeriesId, found: Reconciliation | null): ReconciliationRow => ({
    ...{ kind: "reconciliation", zone: zone.name, day, series, text: found === null ? null : JSON.stringify(found) },
  });

  /** Readings that the rollups have too many, or too few, of what they have closed and packing has not still to reckon. */
  function unexplained(series: SeriesId, readings: OrderedReadings): number {
    const closed = Math.min(bounds.end, rollups.closedEnd(MINUTE_MS, series));
    let [sum, from] = [0, bounds.start];
    for (const waiting of [...waitingMinutes(series, { from, to: closed }), closed]) {
      if (waiting > from) sum += excess(series, readings, { from, to: waiting });
      // The stream never heard what an import brought: until it is reckoned, the rollups of the UTC day lack it, and rightly so.
      from = waiting + UTC_DAY_MS;
    }
    return sum;
  }

  /**
   * The readings are those that compaction brought, and more of the day may have come since: minutes that changed after it are left out, as
   * are dirty ones.
   */
  function excess(series: SeriesId, readings: OrderedReadings, { from, to }: Span): number {
    const { count, left } = rollups.tally({ tier: MINUTE_MS, series, from, to }, through);
    const touched = left.reduce((sum, start) => sum + cutOut(readings, { from: start, to: start + MINUTE_MS }).ts.length, 0);
    return count - (cutOut(readings, { from, to }).ts.length - touched);
  }

  return {
    /** A series of the day, with its readings. @returns what is to be written at once: that nothing is to be said of it */
    take(series: SeriesId, readings: OrderedReadings, summary: DaySummary): ReconciliationRow | undefined {
      const { count, min, max, avg, late } = summary;
      const refused = reader.refused(series, bounds);
      const odd = { late, ...refused, unexplained: unexplained(series, readings) };
      if (Object.values(odd).every((each) => each === 0)) return reader.stored(zone.name, day, series) === null ? undefined : rowOf(series, null);
      const found = { stream: onTimeOf(readings), batch: { count, min, max, avg }, ...odd };
      drafts.set(series, { found, lateTs: readings.ts.filter((_, index) => readings.late[index] === 1) });
      return undefined;
    },
    /** Whether something will be said of a series when the day ends: until then it must not be closed. */
    isPending: (series: SeriesId): boolean => drafts.has(series),
    /** A series that has no readings in the day. */
    takeNone(series: SeriesId): ReconciliationRow | undefined {
      const refused = reader.refused(series, bounds);
      if (refused.duplicate + refused.conflict + refused.quarantined === 0) return undefined;
      return rowOf(series, { stream: none, batch: none, late: 0, ...refused, unexplained: 0, alerts: [] });
    },
    /** Judges the day again, for the series that need it. */
    finish(): Map<SeriesId, Reconciliation> {
      const late = [...drafts].filter(([, draft]) => draft.found.late > 0).map(([series]) => series);
      const judge: Judge = late.length === 0 ? () => [] : judgeAgain(db, late, { bounds, drafts, readingsMax: of.readingsMax });
      return new Map(Array.from(drafts, ([series, { found }]) => [series, { ...found, alerts: judge(series) }]));
    },
    rowOf,
  };
}

const none = { count: 0, min: null, max: null, avg: null } as const;

/** The figures of those that were not late. */
function onTimeOf({ value, late }: OrderedReadings): Reconciliation["stream"] {
  let [count, min, max, sum] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let index = 0; index < value.length; index += 1) {
    if (late[index] === 1) continue;
    const each = value[index] as number;
    count += 1;
    min = Math.min(min, each);
    max = Math.max(max, each);
    sum += each;
  }
  return count === 0 ? none : { count, min, max, avg: sum / count };
}

type Judging = { readonly bounds: DayBounds; readonly drafts: ReadonlyMap<SeriesId, Draft>; readonly readingsMax: number | undefined };

/** What the rules would have done, of a series; null: it was not judged. */
type Judge = (series: SeriesId) => readonly AlertDifference[] | null;

/** Judges those that had late readings: none when there are too many readings, and not those that an import touched. */
function judgeAgain(db: Database, late: readonly SeriesId[], judging: Judging): Judge {
  const { bounds, readingsMax = JUDGED_READINGS_MAX } = judging;
  const plan = planInForce(db, bounds.end);
  if (plan === undefined || plan.rules.length === 0) return () => [];
  const lead = leadOf(plan);
  const labelsOf = createSeriesReader(db, plan.devices);
  const series = heardTogether(db, late, plan, (id) => labelsOf(id).labels);
  const share = series.size / Math.max(1, seriesIds(db).length);
  if (historyCounter(db)(bounds.start - lead, bounds.end) * share > readingsMax) return () => null;
  // The stream is not to be blamed for what an import brought, neither for groups that hold it; `highwater rebuild --alerts` judges that.
  const imported = new Set([...series].filter(createImportedFinder(db, { from: bounds.start - lead, to: bounds.end })));
  const judged = late.filter((id) => !imported.has(id));
  if (judged.length === 0) return () => null;
  const told = new Occurrences();
  replayByEventTime(db, { plan, start: bounds.start - lead, from: bounds.start, to: bounds.end, series }, (effects) => {
    effects.transitions.forEach((transition, index) => {
      const alert = effects.alerts[index] as AlertRecord;
      if (alert.firedAt >= bounds.start && transition.ts < bounds.end) told.add({ ...transition, peak: transition.figures.peak }, alert);
    });
  });
  const live = liveOccurrences(db, { from: bounds.start, to: bounds.end, by: "ts", except: gatewayRules });
  const within = (list: Occurrences) => list.list().filter(({ firedAt }) => firedAt >= bounds.start);
  const found = new Map<SeriesId, AlertDifference[]>();
  for (const difference of differencesOf(within(live), within(told))) {
    const labels = (difference.kind === "only-replay" ? difference.replay : difference.live).labels;
    if ([...imported].some((each) => isOf(labels, labelsOf(each).labels))) continue;
    for (const id of judged.filter((each) => isOf(labels, labelsOf(each).labels))) {
      const list = found.get(id) ?? [];
      if (list.length < DIFFERENCES_MAX) list.push(toDifference(difference, (judging.drafts.get(id) as Draft).lateTs, lead));
      found.set(id, list);
    }
  }
  return (id) => (imported.has(id) ? null : (found.get(id) ?? []));
}

/** Whether an alert with these labels is of a series, or of a group that holds it: they agree in all labels that both have. */
const isOf = (alert: Labels, series: Labels): boolean => Object.entries(series).every(([name, value]) => alert[name] === undefined || alert[name] === value);

/** The series, those of their devices, and those that share a group with them by any rule. */
function heardTogether(db: Database, late: readonly SeriesId[], { rules }: RulePlan, labelsOf: (id: SeriesId) => Labels): Set<SeriesId> {
  const keys = [["device"], ...rules.flatMap(({ groupBy }) => (groupBy === null ? [] : [groupBy]))];
  const keyOf = (labels: Labels, names: readonly string[]): string => JSON.stringify(names.map((name) => labels[name] ?? ""));
  const wanted = keys.map((names) => new Set(late.map((id) => keyOf(labelsOf(id), names))));
  return new Set(seriesIds(db).filter((id) => keys.some((names, index) => wanted[index]?.has(keyOf(labelsOf(id), names)))));
}

function toDifference(difference: Difference, lateTs: Float64Array, lead: number): AlertDifference {
  const live = difference.kind === "only-replay" ? undefined : difference.live;
  const replay = difference.kind === "only-live" ? undefined : difference.replay;
  const times = [live, replay].flatMap((each) => (each === undefined ? [] : [each.firedAt, each.resolvedAt ?? each.firedAt]));
  const [from, to]: [EpochMs, EpochMs] = [Math.min(...times) - lead, Math.max(...times)];
  return {
    kind: difference.kind === "changed" ? "moved" : difference.kind === "only-live" ? "mistaken" : "missed",
    rule: (live ?? replay)?.rule ?? "",
    alert: live?.id ?? null,
    fired_at: live?.firedAt ?? null,
    resolved_at: live?.resolvedAt ?? null,
    due: replay === undefined ? null : { fired_at: replay.firedAt, resolved_at: replay.resolvedAt },
    because: lateTs.some((ts) => ts >= from && ts <= to) ? "late" : "other",
  };
}
