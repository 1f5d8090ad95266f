// How alarms performed in a span of time: how many, how often, in floods, by whom, how fast they were acknowledged. Pure.
// Load is counted at the wall clock of the commit by which an alert was told, since that is when it reached whoever is on call;
// whether a signal chatters is judged by event time, since a backlog that arrives at once says nothing about the signal.
// One occurrence counts once, however often it recovered and fired again, and whether or not a silence hid it.

import type { Actor, AlarmFigures, AlarmOccurrence, StaleAlarm } from "./alarm-figures.ts";
import { type Flood, fixedPeak, floodsOf, HOUR_MS, type Span, slidingPeak, TEN_MINUTES_MS, timeInFloods } from "./alarm-rate.ts";
import { type AlarmTargets, judge, type Verdict } from "./alarm-targets.ts";
import { severities } from "./severity.ts";

export type AlarmPerformance = AlarmFigures & { readonly span: Span; readonly verdicts: readonly Verdict[] };

const TOP = 10;
export const ACTORS_MAX = 100;
export const FLOODS_MAX = 100;
/** Fleeting: it stood for less than this, and there was no other of the same actor so near. */
export const FLEETING_MS = 60_000;
export const STALE_MS = 86_400_000;
/** How long before a span alerts should be known, so that a flood that goes on at its begin is seen. */
export const FLOOD_LEAD_MS = HOUR_MS;

/**
 * @param occurrences in any order: those told in the span, those of FLOOD_LEAD_MS before, and those that stood in it however old
 * @param span of at least a millisecond
 */
export function performanceOf(occurrences: readonly AlarmOccurrence[], span: Span, targets: AlarmTargets): AlarmPerformance {
  const { from, to } = span;
  const inOrder = occurrences.filter(({ toldAt }) => toldAt < to).sort((a, b) => a.toldAt - b.toldAt);
  const own = inOrder.filter(({ toldAt }) => toldAt >= from);
  const told = own.map(({ toldAt }) => toldAt);
  const floods = floodsOf(
    inOrder.map(({ toldAt }) => toldAt),
    { over: targets.floodPerTenMinutes, endBelow: targets.floodEndPerTenMinutes },
    span,
  );
  const inFloodMs = timeInFloods(floods, span);
  const actors = actorsOf(own, targets);
  const top = actors.slice(0, TOP);
  const count = top.reduce((sum, actor) => sum + actor.count, 0);
  const chattering = actors.filter((actor) => actor.chattering);
  const stale = staleOf(inOrder, span);
  const figures: AlarmFigures = {
    alerts: own.length,
    hidden: own.filter(({ hidden }) => hidden).length,
    rate: {
      perTenMinutes: (own.length * TEN_MINUTES_MS) / (to - from),
      perHour: (own.length * HOUR_MS) / (to - from),
      peakTenMinutes: slidingPeak(told, TEN_MINUTES_MS),
      fixedTenMinutes: fixedPeak(told, TEN_MINUTES_MS),
      peakHour: slidingPeak(told, HOUR_MS),
    },
    flood: { share: inFloodMs / (to - from), ms: inFloodMs, count: floods.length, floods: largest(floods) },
    topTen: { actors: top, of: actors.length, count, share: shareOf(count, own.length) },
    chattering: { count: chattering.length, actors: chattering.slice(0, ACTORS_MAX) },
    fleeting: actors.reduce((sum, { fleeting }) => sum + fleeting, 0),
    stale: { count: stale.length, alerts: stale.slice(0, ACTORS_MAX) },
    acknowledge: acknowledgeOf(own),
    mix: mixOf(own),
  };
  return { span, ...figures, verdicts: judge(figures, targets) };
}

const shareOf = (count: number, all: number): number | null => (all === 0 ? null : count / all);

/** In the order of time. */
const largest = (floods: readonly Flood[]): readonly Flood[] =>
  floods.length <= FLOODS_MAX
    ? floods
    : [...floods]
        .sort((a, b) => b.count - a.count)
        .slice(0, FLOODS_MAX)
        .sort((a, b) => a.start - b.start);

/** The most frequent first. */
function actorsOf(occurrences: readonly AlarmOccurrence[], { chattering }: AlarmTargets): Actor[] {
  const byActor = new Map<string, AlarmOccurrence[]>();
  for (const each of occurrences) {
    const key = `${each.rule}\n${each.subject}`;
    const known = byActor.get(key);
    if (known === undefined) byActor.set(key, [each]);
    else known.push(each);
  }
  return [...byActor.values()]
    .map((own): Actor => {
      const { rule, subject, labels } = own.at(-1) as AlarmOccurrence;
      const fired = [...own].sort((a, b) => a.firedAt - b.firedAt);
      return {
        rule,
        subject,
        labels,
        count: own.length,
        share: own.length / occurrences.length,
        chattering: chatters(fired, chattering),
        fleeting: fleetingOf(fired),
      };
    })
    .sort((a, b) => b.count - a.count || compareText(a.rule, b.rule) || compareText(a.subject, b.subject));
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @param fired of one actor, by event time */
const chatters = (fired: readonly AlarmOccurrence[], { firings, withinMs }: AlarmTargets["chattering"]): boolean =>
  fired.some(({ firedAt }, index) => {
    const first = fired[index - firings + 1];
    return first !== undefined && firedAt - first.firedAt < withinMs;
  });

/** @param fired of one actor, by event time */
const fleetingOf = (fired: readonly AlarmOccurrence[]): number =>
  fired.filter(({ firedAt, resolvedAt, clearedAt, firstAckedAt }, index) => {
    if (resolvedAt === null || clearedAt === null || resolvedAt - firedAt >= FLEETING_MS) return false;
    if (firstAckedAt !== null && firstAckedAt <= clearedAt) return false;
    const [before, after] = [fired[index - 1], fired[index + 1]];
    const isAlone = (before === undefined || firedAt - before.firedAt >= FLEETING_MS) && (after === undefined || after.firedAt - firedAt >= FLEETING_MS);
    return isAlone;
  }).length;

/** Those that stood for more than a day at some time of the span, the longest first. */
const staleOf = (inOrder: readonly AlarmOccurrence[], { from, to }: Span): StaleAlarm[] =>
  inOrder
    .filter(({ toldAt, clearedAt }) => Math.max(from, toldAt + STALE_MS) < Math.min(clearedAt ?? to, to))
    .map(({ id, rule, subject, labels, severity, toldAt, clearedAt }) => ({ id, rule, subject, labels, severity, toldAt, clearedAt }));

function acknowledgeOf(occurrences: readonly AlarmOccurrence[]): AlarmFigures["acknowledge"] {
  // A wall clock that was put back must not give a time below zero.
  const took = occurrences.flatMap(({ firstAckedAt, toldAt }) => (firstAckedAt === null ? [] : [Math.max(0, firstAckedAt - toldAt)])).sort((a, b) => a - b);
  return { acknowledged: took.length, never: occurrences.length - took.length, medianMs: nearestRank(took, 0.5), p95Ms: nearestRank(took, 0.95) };
}

/** The percentile of nearest rank; null of nothing. */
const nearestRank = (sorted: readonly number[], share: number): number | null => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;

function mixOf(occurrences: readonly AlarmOccurrence[]): AlarmFigures["mix"] {
  const entries = severities.map((severity) => {
    const count = occurrences.filter((each) => each.severity === severity).length;
    return [severity, { count, share: shareOf(count, occurrences.length) }] as const;
  });
  return Object.fromEntries(entries) as AlarmFigures["mix"];
}
