// Reads what the report of a device needs: its series, the summaries of their days, the alerts that stood in the time and what people did with
// them. Only the nightly batch's figures, so that a year is as quick as a month; how far they go is said (`knownUntil`).

import { type Day, type DayBounds, dayBounds, dayOf, isDay, nextDay, type ZoneTable } from "../engine/calendar.ts";
import { groupOf, isGrouped } from "../engine/grouping.ts";
import { type Labels, seriesKey } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { type Excursion, type ReportDay, type ReportTime, reportSeries, seriesNames } from "../reports/device-report.ts";
import type { AlertRow } from "./alert-rows.ts";
import { compactedThrough, createChunkReader } from "./chunks.ts";
import type { Database } from "./database.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { type Answer, QUERY_TIME_MS, type QueryContext, type QueryRequest } from "./query.ts";
import { readRulesInForce } from "./rule-versions-query.ts";
import { type SelectedSeries, selectSeries } from "./series-query.ts";
import { readSummary } from "./stored-summary.ts";
import { summarizedThrough } from "./summary-work.ts";

export const REPORT_DAYS_MAX = 366;
export const REPORT_SERIES_MAX = 200;
/** Days times series: what is told must be printed too. */
export const REPORT_ROWS_MAX = 20_000;
/** Alerts that are told one by one, and what was done with one of them. */
export const EXCURSIONS_MAX = 2000;
/** Alerts that are looked at for it. */
const ALERTS_MAX = 20_000;
const EVENTS_MAX = 100;

type Request = Extract<QueryRequest, { kind: "report" }>;

/** @throws GatewayError `query_invalid`, `query_too_large`, `query_too_long` */
export function answerReport(db: Database, { device, time }: Request, context: QueryContext): Answer<Request> {
  const { zone, clock, devices } = context;
  const deadline = createDeadline(clock, context.timeMs ?? QUERY_TIME_MS);
  const madeAt = clock.now();
  const days = daysOfReport(time, zone, madeAt);
  const [first, last] = [days[0] as Place, days.at(-1) as Place];
  const found = selectSeries(db, { labels: { device: [device] }, limit: REPORT_SERIES_MAX }, devices);
  const own = Object.hasOwn(devices, device) ? devices[device] : undefined;
  if (found.length === 0 && own === undefined) return null;
  refuseTooMany(found.length, days.length);
  const knownUntil = batchKnowsUntil(db, zone.name, madeAt);
  const readDays = createDayReader(db, zone.name, knownUntil, deadline);
  const names = seriesNames(found.map(({ labels }) => labels));
  return {
    device,
    labels: own?.labels ?? {},
    limits: own?.limits ?? {},
    ...{ from: first.day, to: last.day, start: first.start, end: last.end, zone, knownUntil },
    series: found.map(({ id, labels, unit }, index) => reportSeries({ id, name: names[index] as string, labels, unit }, readDays(id, days))),
    ...readExcursions(db, subjectsOf(db, device, found), { start: first.start, end: last.end }, deadline),
    madeAt,
    gateway: context.gateway?.name ?? "",
    version: context.gateway?.version ?? "",
  };
}

type Place = DayBounds & { readonly day: Day };

/** The days that are asked for and have begun; those without length are none. @throws GatewayError `query_invalid`, `query_too_large` */
export function daysOfReport(time: ReportTime, zone: ZoneTable, now: EpochMs): Place[] {
  const today = dayOf(zone, now);
  const { from, to } = limitsOf(time, today);
  if (from > to) throw new GatewayError("query_invalid", "`to` is before `from`", { hint: "both are days, and both are in the report" });
  if (from > today) throw new GatewayError("query_invalid", `${from} has not begun yet in ${zone.name}`, { hint: "ask for days up to today" });
  const days: Place[] = [];
  for (let day = from; day <= to && day <= today; day = nextDay(day)) {
    if (days.length === REPORT_DAYS_MAX)
      throw new GatewayError("query_too_large", `a report is of at most ${REPORT_DAYS_MAX} days`, { hint: "ask for a year at a time" });
    const bounds = dayBounds(zone, day);
    if (bounds.end > bounds.start) days.push({ day, ...bounds });
  }
  if (days.length === 0) throw new GatewayError("query_invalid", `${zone.name} has no such day`, { hint: "its clocks left it out" });
  return days;
}

function limitsOf({ month, from, to }: ReportTime, today: Day): { from: Day; to: Day } {
  if (from === undefined && to === undefined) return monthOf(month ?? today.slice(0, -3));
  if (month !== undefined) throw new GatewayError("query_invalid", "`month` and `from` or `to` are two answers to one question", { hint: "keep one" });
  if (from === undefined) throw new GatewayError("query_invalid", "`to` needs `from`", { hint: "write both days, or a month" });
  for (const day of [from, to ?? today]) if (!isDay(day)) throw new GatewayError("query_invalid", `${day} is no day`, { hint: "write YYYY-MM-DD" });
  return { from, to: to ?? today };
}

function monthOf(month: string): { from: Day; to: Day } {
  const days = Array.from({ length: 31 }, (_, index) => `${month}-${String(index + 1).padStart(2, "0")}`).filter(isDay);
  const [from, to] = [days[0], days.at(-1)];
  if (from === undefined || to === undefined) throw new GatewayError("query_invalid", `${month} is no month`, { hint: "write YYYY-MM" });
  return { from, to };
}

function refuseTooMany(series: number, days: number): void {
  if (series > REPORT_SERIES_MAX)
    throw new GatewayError("query_too_large", `the device has more than ${REPORT_SERIES_MAX} series`, { hint: "/api/v1/summaries tells of them in pages" });
  if (series * days > REPORT_ROWS_MAX)
    throw new GatewayError("query_too_large", `${series} series over ${days} days are more than a report holds`, {
      hint: `ask for at most ${Math.floor(REPORT_ROWS_MAX / series)} days at a time`,
    });
}

/** When the first reading came that the batch has not looked at: of what came before, it knows the days. */
function batchKnowsUntil(db: Database, zone: string, now: EpochMs): EpochMs {
  if (summarizedThrough(db, zone) === undefined) return Number.NEGATIVE_INFINITY;
  const next = db.prepare<[number], EpochMs>("SELECT at FROM journal WHERE seq > ? ORDER BY seq LIMIT 1").pluck();
  return Math.min(next.get(compactedThrough(db)) ?? now, now);
}

function createDayReader(db: Database, zone: string, knownUntil: EpochMs, deadline: Deadline): (series: SeriesId, days: readonly Place[]) => ReportDay[] {
  const read = db.prepare<[string, Day, number], { approximate: 0 | 1; body: string }>(
    "SELECT approximate, body FROM daily_summary WHERE zone = ? AND day = ? AND series = ?",
  );
  const isOpen = db.prepare<[string, Day, number], 1>("SELECT 1 FROM summary_open WHERE zone = ? AND day = ? AND series = ?").pluck();
  const chunks = createChunkReader(db);
  // Of what came while another zone was in force only the chunks tell.
  const hasReadings = (series: SeriesId, { start: from, end: to }: Place): boolean => chunks.count(series, { from, to }) > 0;
  return (series, days) =>
    days.map((place): ReportDay => {
      deadline.check();
      const row = read.get(zone, place.day, series);
      const open = isOpen.get(zone, place.day, series) === 1;
      if (row === undefined) return { ...place, state: open || place.end > knownUntil || hasReadings(series, place) ? "waiting" : "silent", figures: null };
      return { ...place, state: open ? "open" : row.approximate === 1 ? "approximate" : "exact", figures: readSummary(row.body) };
    });
}

/** By the text under which alerts keep what they are about: the device's series, and groups that are of this device alone. */
function subjectsOf(db: Database, device: string, found: readonly SelectedSeries[]): ReadonlyMap<string, SeriesId | null> {
  const subjects = new Map<string, SeriesId | null>(found.map(({ key, id }) => [key, id]));
  const grouped = readRulesInForce(db).filter(isGrouped);
  const ownLabels = db.prepare<[number], string>("SELECT labels FROM series WHERE id = ?").pluck();
  for (const { id, labels } of found) {
    const own = JSON.parse(ownLabels.get(id) ?? "{}") as Labels;
    // What compares metrics of a device is about all labels but the metric, whether its rule is in force or not.
    const { metric: _, ...others } = own;
    const groups = [others, ...grouped.map((rule) => groupOf(rule, labels, own))].filter((group) => group !== undefined);
    for (const group of groups) if (group["device"] === device && !subjects.has(seriesKey(group))) subjects.set(seriesKey(group), null);
  }
  return subjects;
}

type Read = { readonly excursions: readonly Excursion[]; readonly excursionsLeftOut: number };

/** @throws GatewayError `query_too_large` */
function readExcursions(db: Database, subjects: ReadonlyMap<string, SeriesId | null>, span: DayBounds, deadline: Deadline): Read {
  const found: { row: AlertRow; series: SeriesId | null }[] = [];
  for (const each of alertsIn(db, subjects, span, deadline)) {
    if (found.length === ALERTS_MAX)
      throw new GatewayError("query_too_large", `more than ${ALERTS_MAX} alerts of the device fired in this time`, { hint: "ask for a shorter time" });
    found.push(each);
  }
  const eventsOf = db.prepare<[string, number], Excursion["events"][number]>(
    "SELECT at, kind, by, text FROM alert_event WHERE alert = ? ORDER BY number LIMIT ?",
  );
  // Of those that fired together first comes whose rule comes first: they were found in that order.
  const first = found.sort((a, b) => a.row.fired_at - b.row.fired_at).slice(0, EXCURSIONS_MAX);
  const excursions = first.map(({ row, series }) => excursionOf(row, series, eventsOf.all(row.id, EVENTS_MAX)));
  return { excursions, excursionsLeftOut: found.length - first.length };
}

/** Of a rule on a subject one occurrence follows the other, so that of those before the time only the newest can reach into it. */
function* alertsIn(
  db: Database,
  subjects: ReadonlyMap<string, SeriesId | null>,
  { start, end }: DayBounds,
  deadline: Deadline,
): Generator<{ row: AlertRow; series: SeriesId | null }> {
  const nextRule = db.prepare<[string], string | null>("SELECT min(rule) FROM alert WHERE rule > ?").pluck();
  const within = db.prepare<[string, string, number, number], AlertRow>(
    "SELECT * FROM alert WHERE rule = ? AND subject = ? AND fired_at >= ? AND fired_at < ?",
  );
  const before = db.prepare<[string, string, number], AlertRow>(
    "SELECT * FROM alert WHERE rule = ? AND subject = ? AND fired_at < ? ORDER BY fired_at DESC LIMIT 1",
  );
  for (let rule = nextRule.get("") ?? null; rule !== null; rule = nextRule.get(rule) ?? null) {
    for (const [subject, series] of subjects) {
      deadline.check();
      const reaching = before.get(rule, subject, start);
      if (reaching !== undefined && (reaching.resolved_at === null || reaching.resolved_at > start)) yield { row: reaching, series };
      for (const row of within.iterate(rule, subject, start, end)) yield { row, series };
    }
  }
}

function excursionOf(row: AlertRow, series: SeriesId | null, events: Excursion["events"]): Excursion {
  const { id, rule, severity, unit, fired_at: firedAt, resolved_at: resolvedAt, peak, limit, acked_by, acked_at, ack_note } = row;
  const ack = acked_by === null || acked_at === null ? null : { by: acked_by, at: acked_at, note: ack_note ?? "" };
  return { id, series, rule, severity, unit, firedAt, resolvedAt, peak, limit, ack, events };
}
