// A gateway as the HTTP server sees it, with the data of a small cold store made from a seed: what other threads would
// answer. Readings walk on demand; alerts are fired and resolved by the test.

import type { AlarmOccurrence } from "../../src/engine/alarm-figures.ts";
import { performanceOf } from "../../src/engine/alarm-performance.ts";
import { defaultTargets } from "../../src/engine/alarm-targets.ts";
import type { Command, CommandAnswer } from "../../src/engine/dispatch/command.ts";
import type { AlertRecord, Transition } from "../../src/engine/effect.ts";
import type { Rule, RulePlan } from "../../src/engine/rule.ts";
import type { GatewayDeps, Latest, ReloadOutcome } from "../../src/http/route.ts";
import type { Status } from "../../src/http/status.ts";
import type { AlertHistory, AlertView, Bucket, QueryAnswers, QueryRequest, SeriesView } from "../../src/storage/query.ts";
import { quietPlan } from "./fake-oncall.ts";
import { createFakeOperator } from "./fake-operator.ts";
import { auditOf, deviceReportOf, notificationsOf, summaryOf } from "./fake-rows.ts";

export type FakeGateway = GatewayDeps & {
  onTransition(listener: (alert: AlertRecord, transition: Transition) => void): () => void;
  /** What was asked so far. */
  readonly asked: QueryRequest[];
  /** What people asked of the engine. */
  readonly commands: readonly { readonly by: string; readonly command: Command }[];
  /** What the engine says to the next command, whatever it is. */
  answerNext(answer: CommandAnswer | Error): void;
  readonly series: readonly SeriesView[];
  /** Gives every series (or one) a new reading. */
  beat(only?: { series: number; value: number }): void;
  fire(alert: AlertView & { id: string }): void;
  resolve(id: string, value: number): void;
  pend(alert: AlertView): void;
  books: Status["readings"];
  setReady(reasons: string[]): void;
  /** What a reload gives from now on. */
  setReload(outcome: ReloadOutcome): void;
  setPlan(plan: RulePlan): void;
  /** Makes each query fail so. */
  breakWith(error: Error | undefined): void;
};

/** As if what fires were told at once. */
function occurrenceOf({ id, rule, series, labels, severity, firedAt, resolvedAt }: AlertView): AlarmOccurrence[] {
  if (id === null || firedAt === null) return [];
  const times = { firedAt, resolvedAt, toldAt: firedAt, clearedAt: resolvedAt, firstAckedAt: null, hidden: false };
  return [{ id, rule, subject: String(series), labels, severity, ...times }];
}

const kinds = [
  { metric: "temperature", unit: "°C", base: -19, swing: 1.6, noise: 0.25 },
  { metric: "humidity", unit: "%", base: 61, swing: 9, noise: 1.5 },
  { metric: "vibration_rms", unit: "mm/s", base: 2.1, swing: 0.4, noise: 0.3 },
  { metric: "door", unit: null, base: 0, swing: 0, noise: 0 },
  { metric: "power", unit: "kW", base: 3.4, swing: 1.1, noise: 0.2 },
] as const;
const sites = ["bergen", "oslo", "tromsø"];

/** Numbers in [0, 1) from a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function createFakeGateway(options: { series: number; now: () => number; seed?: number }): FakeGateway {
  const random = createRandom(options.seed ?? 7);
  const series = Array.from({ length: options.series }, (_, id) => describe(id));
  /** By how much a series is off since when: what its alert tells of. */
  const excursions = new Map<number, { from: number; by: number }>();
  const at = (id: number, instant: number, noise: () => number): number => {
    const { from, by } = excursions.get(id) ?? { from: 0, by: 0 };
    return Math.round((signal(id, instant, noise) + by * Math.min(1, Math.max(0, (instant - from) / 400_000))) * 10) / 10;
  };
  const value = Float64Array.from(series, (_, id) => at(id, options.now(), random));
  const ts = Float64Array.from(series, (_, id) => options.now() - (id % 7) * 400 - (id % 23 === 22 ? 1_900_000 : 0));
  const changed = new Float64Array(series.length).fill(1);
  const listeners = new Set<(alert: AlertRecord, transition: Transition) => void>();
  const alerts: AlertView[] = [];
  const histories = new Map<string, AlertHistory["transitions"][number][]>();
  const startedAt = options.now() - 93_780_000;
  let seq = 1;
  let reasons: string[] = [];
  let failure: Error | undefined;
  let reloaded: ReloadOutcome = { kind: "ok", plan: "5f1d", changed: false, rules: 1, sources: 1, devices: 2, receivers: 1, notes: [] };
  const asked: QueryRequest[] = [];
  let plan = quietPlan;
  const operator = createFakeOperator({ alerts, now: options.now, plan: () => plan });
  const books = { received: 4_211_905, accepted: 4_209_640, late: 2107, duplicate: 41, conflict: 12, quarantined: 3, rejected: 102 };

  const tell = (view: AlertView & { id: string }, to: Transition["to"]): void => {
    const previous = histories.get(view.id) ?? [];
    const transition = transitionOf(view, to, previous.length + 1, options.now());
    histories.set(view.id, [...previous, transition]);
    for (const listener of listeners) listener(recordOf(view), transition);
  };
  const answers: { [Kind in QueryRequest["kind"]]: (request: Extract<QueryRequest, { kind: Kind }>) => QueryAnswers[Kind] } = {
    series: ({ labels = {}, limit = 1000, cursor }) => {
      const found = series.filter(({ id, labels: own }) => id >= Number(cursor ?? 0) && matches(own, labels));
      return { series: found.slice(0, limit), cursor: found.length > limit ? String(found[limit]?.id) : null };
    },
    readings: ({ labels = {}, series: ids, from, to, step, percentiles = [] }) => {
      const found = series.filter(({ id, labels: own }) => (ids === undefined || ids.includes(id)) && matches(own, labels));
      const step_ms = typeof step === "number" ? step : step === "day" ? 86_400_000 : step === "raw" ? 1 : 60_000;
      const end = to ?? options.now();
      return {
        series: found.map(({ id, labels: own, unit }) => ({
          id,
          labels: own,
          unit,
          step_ms,
          buckets: bucketsOf(id, from ?? end - 3_600_000, end, Math.max(step_ms, 60_000)).map((bucket) => ({
            ...bucket,
            ...Object.fromEntries(percentiles.map((name) => [name, bucket.provisional ? null : bucket.avg])),
          })),
        })),
        cursor: null,
      };
    },
    alerts: ({ states, rule, labels = {} }) => {
      const found = alerts.filter(
        (alert) => (states?.includes(alert.state) ?? true) && (rule === undefined || alert.rule === rule) && matches(alert.labels, labels),
      );
      return { alerts: found.sort((a, b) => (b.firedAt ?? Infinity) - (a.firedAt ?? Infinity)), cursor: null };
    },
    uncompacted: () => ({ readings: 0, since: null }),
    alert: ({ id }) => {
      const alert = alerts.find((each) => each.id === id);
      return alert === undefined
        ? null
        : { alert, subject: "{}", transitions: histories.get(id) ?? [], notifications: notificationsOf(id, alert.firedAt ?? 0), events: operator.eventsOf(id) };
    },
    explain: ({ id }) => {
      const alert = alerts.find((each) => each.id === id);
      if (alert === undefined) return null;
      const told = { kind: "transition", cause: null, heldUntil: null, members: 1, other: null, silence: null, alert: null, shelf: null, ack: null };
      const notifications = notificationsOf(id, alert.firedAt ?? 0).map((each) => ({ ...each, ...told }));
      return { alert, subject: "{}", transitions: histories.get(id) ?? [], notifications, timezone: "Europe/Oslo" };
    },
    rule_versions: ({ rule }) => ({ versions: rule === "freezer-too-warm" ? versionsAt(options.now() - 3_600_000) : [] }),
    report: ({ device }) => deviceReportOf(device, series, options.now()),
    summaries: ({ day }) => ({ summaries: series.slice(0, 2).map((each) => summaryOf(each, day ?? "2026-01-30")), cursor: null }),
    notifications: ({ alert }) => ({ notifications: notificationsOf(alert ?? "a1", options.now()), cursor: null }),
    outbox: () => ({ rows: [] }),
    outbox_row: () => null,
    rejected: () => ({ rejected: [] }),
    counts: () => ({ waiting: 0, oldestWaitingAt: null, dead: 0, notifications: [], rejected: [] }),
    accounts: () => ({ accounts: [], tokens: [], sessions: [] }),
    audit: () => ({ audit: [auditOf(options.now())], cursor: null }),
    performance: ({ from, to }) => {
      const end = to ?? options.now();
      return performanceOf(alerts.flatMap(occurrenceOf), { from: from ?? end - 86_400_000, to: end }, defaultTargets);
    },
    ...operator.answers,
  };
  return {
    asked,
    commands: operator.commands,
    command: operator.command,
    answerNext: operator.answerNext,
    series,
    books,
    async query(request) {
      asked.push(structuredClone(request));
      if (failure !== undefined) throw failure;
      return structuredClone(answers[request.kind](request as never)) as never;
    },
    async status() {
      return {
        version: "0.1.0",
        started_at: new Date(startedAt).toISOString(),
        uptime_ms: options.now() - startedAt,
        readings: { ...books },
        unmatched: [
          {
            topic: "zigbee2mqtt/hallway",
            count: 318,
            sample: '{"temperature":21.4,"battery":88}',
            suggestion: '- { topic: "zigbee2mqtt/{device}", codec: json }',
          },
        ],
        rejected: [
          {
            topic: "sensors/oslo/freezer-9/temperature",
            reason: "undecodable",
            count: 7,
            last_at: "2026-01-31T12:00:00.000Z",
            detail: "no JSON",
            sample: "ERR 85",
          },
        ],
        queue: { waiting: 0, bytes: 0 },
        broker: { connections: 112 },
        journal: { seq },
        outbox: { waiting: 0, in_flight: 0, oldest_waiting_ms: 0, dead: 0 },
      };
    },
    ready: () => ({ ready: reasons.length === 0, reasons }),
    rules: async () => ({
      plan: "5f1d",
      rules: [{ rule: ruleOf("freezer-too-warm"), series: 6, pending: 1, firing: alerts.filter(({ state }) => state === "firing").length, recovering: 0 }],
    }),
    plan: () => plan,
    reload: async () => reloaded,
    metricsText: async () => "# HELP highwater_up 1\n# TYPE highwater_up gauge\nhighwater_up 1\n",
    async latest(since): Promise<Latest> {
      const ids = series.map(({ id }) => id).filter((id) => (changed[id] as number) > since);
      return {
        seq,
        series: Uint32Array.from(ids),
        ts: Float64Array.from(ids, (id) => ts[id] as number),
        value: Float64Array.from(ids, (id) => value[id] as number),
      };
    },
    onTransition(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    beat(only) {
      seq += 1;
      for (const { id } of series) {
        if (only === undefined ? id % 23 === 22 : only.series !== id) continue;
        ts[id] = options.now();
        value[id] = only?.value ?? at(id, options.now(), random);
        changed[id] = seq;
      }
      books.received += series.length;
      books.accepted += series.length;
    },
    fire(alert) {
      alerts.unshift(alert);
      excursions.set(alert.series, { from: (alert.firedAt ?? 0) - 300_000, by: alert.value - signal(alert.series, options.now(), random) });
      tell(alert, "firing");
    },
    resolve(id, good) {
      const index = alerts.findIndex((alert) => alert.id === id);
      const alert = alerts[index] as AlertView & { id: string };
      const resolved = { ...alert, state: "resolved" as const, since: options.now(), resolvedAt: options.now(), value: good };
      alerts[index] = resolved;
      excursions.delete(alert.series);
      tell(resolved, "resolved");
    },
    pend: (alert) => void alerts.unshift(alert),
    setReady(now) {
      reasons = now;
    },
    setReload(outcome) {
      reloaded = outcome;
    },
    setPlan(next) {
      plan = next;
    },
    breakWith(error) {
      failure = error;
    },
  };

  function bucketsOf(id: number, from: number, to: number, step: number): Bucket[] {
    const buckets: Bucket[] = [];
    const noise = createRandom(id + 1);
    for (let t = Math.floor(from / step) * step; t < to && buckets.length < 500; t += step) {
      const center = at(id, t, noise);
      buckets.push({
        t,
        end: t + step,
        count: 6,
        min: center - 0.1,
        max: center + 0.1,
        avg: center,
        sum: center * 6,
        source: "stream",
        provisional: t + step > to,
      });
    }
    return buckets;
  }
}

const matches = (own: Readonly<Record<string, string>>, wanted: Readonly<Record<string, readonly string[]>>): boolean =>
  Object.entries(wanted).every(([name, values]) => values.includes(own[name] ?? ""));

function describe(id: number): SeriesView {
  const kind = kinds[id % kinds.length] as (typeof kinds)[number];
  const site = sites[Math.floor(id / 10) % sites.length] as string;
  const labels = { device: `freezer-${Math.floor(id / kinds.length) + 1}`, metric: kind.metric, room: `B${(Math.floor(id / 5) % 4) + 1}`, site };
  const key = `{device="${labels.device}",metric="${labels.metric}",site="${site}"}`;
  return { id, key, labels, source: "sensors/{site}/{device}/{metric}", unit: kind.unit, last: null };
}

function signal(id: number, at: number, random: () => number): number {
  const kind = kinds[id % kinds.length] as (typeof kinds)[number];
  const wave = Math.sin(at / (700_000 + (id % 11) * 90_000) + id) * 0.7 + Math.sin(at / 190_000 + id * 3) * 0.3;
  return Math.round((kind.base + wave * kind.swing + (random() - 0.5) * 2 * kind.noise) * 10) / 10;
}

const ruleOf = (name: string): Rule => ({
  name,
  match: [{ label: "device", patterns: ["freezer-*"] }],
  condition: { type: "threshold", above: -15 },
  forMs: 300_000,
  keepFiringForMs: 0,
  groupBy: null,
  staleAfterMs: null,
  severity: "critical",
  labels: { team: "cold-chain" },
  annotations: {},
  logic: "5f1d",
  text: "a0c4",
});

/** What freezer-too-warm said before and after an instant. */
const versionsAt = (at: number): QueryAnswers["rule_versions"]["versions"] => [
  { number: 1, rule: { ...ruleOf("freezer-too-warm"), forMs: 60_000, logic: "4e0c" }, inForce: [{ from: at - 3_600_000, until: at, plan: "4e0c" }] },
  { number: 2, rule: ruleOf("freezer-too-warm"), inForce: [{ from: at, until: null, plan: "5f1d" }] },
];

/** A firing alert on a series. */
export function alertOn(series: SeriesView, given: Partial<AlertView> & { id: string; firedAt: number }): AlertView & { id: string } {
  return {
    rule: "freezer-too-warm",
    series: series.id,
    severity: "critical",
    labels: { alertname: given.rule ?? "freezer-too-warm", severity: given.severity ?? "critical", team: "cold-chain", ...series.labels },
    annotations: { summary: "{{device}} is at {{value}} °C", runbook: "https://example.org/runbooks/freezer" },
    state: "firing",
    latchedAt: null,
    since: given.firedAt,
    resolvedAt: null,
    value: -11.4,
    peak: -9.8,
    limit: -15,
    unit: series.unit,
    ...given,
  };
}

function recordOf(view: AlertView & { id: string }): AlertRecord {
  return {
    ...view,
    subject: "{}",
    state: view.state === "pending" ? "firing" : view.state,
    firedAt: view.firedAt ?? view.since,
    peak: view.peak ?? view.value,
  };
}

function transitionOf(view: AlertView & { id: string }, to: Transition["to"], ordinal: number, at: number): AlertHistory["transitions"][number] {
  return {
    alert: view.id,
    ordinal,
    to,
    reason: "condition",
    ts: view.since,
    at,
    figures: { value: view.value, peak: view.peak ?? view.value },
    evidence: {
      test: { above: -15, clear_below: -17 },
      rule: view.rule,
      logic: "5f1d",
      predicate: `above ${view.limit}, clears below ${(view.limit ?? 0) - 2}`,
      measure: view.value,
      ts: view.since,
      since: view.since - 300_000,
      ...(view.rule === "vibration-high" ? { window: { start: view.since - 600_000, end: view.since, aggregate: "avg", count: 60 } } : {}),
      trigger: view.rule === "vibration-high" ? "window" : "reading",
      watermark: view.since - 1,
      from: to === "firing" ? "pending" : "firing",
    },
  };
}
