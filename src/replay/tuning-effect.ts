// What a changed rule would have done, beside the rule as it is: how many alerts fewer, how much later those that matter would have
// been told, and what would not have been told at all; and which change is suggested. Pure.
// Alerts that are at most DELAY_MS_MAX apart are one episode: of one trouble people want to hear once.

import type { DurationMs, EpochMs } from "../engine/units.ts";
import { type Candidate, candidateKinds, DELAY_MS_MAX } from "./tuning-candidates.ts";

/** An alert; `resolvedAt` is null where it stood at the end. */
export type Stood = { readonly firedAt: EpochMs; readonly resolvedAt: EpochMs | null };
export type Episode = { readonly start: EpochMs; readonly end: EpochMs };

export type TuningEffect = {
  readonly alerts: number;
  /** Of the alerts of the rule as it is; below zero where there are more. */
  readonly spared: number;
  /** From the first alert of an episode as it is to the first of the changed rule; null where no episode is told. */
  readonly laterMedianMs: DurationMs | null;
  readonly laterMaxMs: DurationMs | null;
  /** Episodes in which the changed rule never fires, and the longest of them. */
  readonly missed: number;
  readonly longestMissedMs: DurationMs;
  /** Episodes that are not told by themselves, since an alert of the one before stands still. */
  readonly joined: number;
};

/** @param alerts by the time at which they fired */
export function episodesOf(alerts: readonly Stood[], end: EpochMs): Episode[] {
  const episodes: Episode[] = [];
  for (const { firedAt, resolvedAt } of alerts) {
    const last = episodes.at(-1);
    if (last !== undefined && firedAt - last.end <= DELAY_MS_MAX)
      episodes[episodes.length - 1] = { start: last.start, end: Math.max(last.end, resolvedAt ?? end) };
    else episodes.push({ start: firedAt, end: resolvedAt ?? end });
  }
  return episodes;
}

/**
 * @param before, after by the time at which they fired
 * @param end of the time that was replayed
 */
export function effectOf(before: readonly Stood[], after: readonly Stood[], end: EpochMs): TuningEffect {
  const episodes = episodesOf(before, end);
  const later: number[] = [];
  const missed: number[] = [];
  let [joined, next] = [0, 0];
  for (const { start, end: over } of episodes) {
    while (next < after.length && ((after[next] as Stood).resolvedAt ?? end) < start) next += 1;
    const first = after[next];
    if (first === undefined || first.firedAt > over) missed.push(over - start);
    else if (first.firedAt < start) joined += 1;
    else later.push(first.firedAt - start);
  }
  later.sort((a, b) => a - b);
  return {
    alerts: after.length,
    spared: before.length === 0 ? 0 : (before.length - after.length) / before.length,
    laterMedianMs: later[Math.ceil(later.length / 2) - 1] ?? null,
    laterMaxMs: later.at(-1) ?? null,
    missed: missed.length,
    longestMissedMs: Math.max(0, ...missed),
    joined,
  };
}

export type Tried = { readonly candidate: Candidate; readonly effect: TuningEffect };

/** Less is not worth a change. */
export const SPARED_MIN = 0.5;
/** What spares nearly as many as the best is as good. */
export const NEARLY = 0.9;

/**
 * A rule of thumb: of the changes that spare at least half of the alerts and join no episodes, those that spare nearly as many as the
 * best of them; of these the one that does least harm: a deadband before an off-delay before an on-delay, and the least of its kind.
 */
export function suggestionOf(tried: readonly Tried[]): Tried | undefined {
  const worthwhile = tried.filter(({ effect }) => effect.spared >= SPARED_MIN && effect.joined === 0);
  const best = Math.max(...worthwhile.map(({ effect }) => effect.spared));
  const rank = ({ candidate }: Tried): number => candidateKinds.indexOf(candidate.kind);
  return worthwhile
    .filter(({ effect }) => effect.spared >= NEARLY * best)
    .sort((a, b) => rank(a) - rank(b) || a.candidate.amount - b.candidate.amount)
    .at(0);
}
