// What alarm performance is measured against, and whether it is met. Every target is a bound that counts as met when it is
// reached exactly, and every one is configurable: no standard is claimed as a limit. Of what there is nothing to judge by, a
// verdict says null, neither met nor missed.

import type { AlarmFigures } from "./alarm-figures.ts";
import type { Severity } from "./severity.ts";
import type { DurationMs } from "./units.ts";

export type AlarmTargets = {
  /** Alerts in ten minutes, on average. */
  readonly perTenMinutes: number;
  /** More alerts than this within ten minutes begin a flood … */
  readonly floodPerTenMinutes: number;
  /** … which ends when ten minutes hold fewer than this; at most `floodPerTenMinutes`. */
  readonly floodEndPerTenMinutes: number;
  readonly perHour: number;
  readonly peakPerHour: number;
  /** Share of the time, 0 to 1. */
  readonly timeInFlood: number;
  /** Share of all alerts that the ten most frequent ones make, 0 to 1. */
  readonly topTenShare: number;
  readonly stale: number;
  /** Shares of all alerts: of critical and warning at most, of info at least. */
  readonly mix: Readonly<Record<Severity, number>>;
  readonly acknowledgeMs: DurationMs;
  /** An alert chatters that fires so many times within less than so long. */
  readonly chattering: { readonly firings: number; readonly withinMs: DurationMs };
};

/**
 * Rates, flood and mix as EEMUA-191 has them: one alert in ten minutes is manageable, ten in ten minutes a flood, five an hour on
 * average, fifteen at the peak, 80/15/5 % by priority. The end of a flood, the time in flood, the top ten and the stale ones are
 * what is commonly quoted; the time to acknowledge is our own.
 */
export const defaultTargets: AlarmTargets = {
  perTenMinutes: 1,
  floodPerTenMinutes: 10,
  floodEndPerTenMinutes: 5,
  perHour: 5,
  peakPerHour: 15,
  timeInFlood: 0.01,
  topTenShare: 0.05,
  stale: 5,
  mix: { critical: 0.05, warning: 0.15, info: 0.8 },
  acknowledgeMs: 600_000,
  chattering: { firings: 3, withinMs: 60_000 },
};

/** By the keys that targets have in the config. */
export const targetNames = [
  "per_10_min",
  "per_hour",
  "flood_per_10_min",
  "peak_per_hour",
  "time_in_flood",
  "top_ten_share",
  "stale",
  "acknowledge",
  "mix.critical",
  "mix.warning",
  "mix.info",
] as const;
export type TargetName = (typeof targetNames)[number];

export type Verdict = {
  readonly name: TargetName;
  readonly bound: "at_most" | "at_least";
  /** Null when there is nothing to judge by. */
  readonly value: number | null;
  readonly target: number;
  readonly met: boolean | null;
};

/** In the order of `targetNames`. */
export function judge({ rate, flood, topTen, stale, acknowledge, mix }: AlarmFigures, targets: AlarmTargets): Verdict[] {
  return [
    atMost("per_10_min", rate.perTenMinutes, targets.perTenMinutes),
    atMost("per_hour", rate.perHour, targets.perHour),
    atMost("flood_per_10_min", rate.peakTenMinutes.count, targets.floodPerTenMinutes),
    atMost("peak_per_hour", rate.peakHour.count, targets.peakPerHour),
    atMost("time_in_flood", flood.share, targets.timeInFlood),
    // Of ten or fewer the top ten are all.
    atMost("top_ten_share", topTen.of > topTen.actors.length ? topTen.share : null, targets.topTenShare),
    atMost("stale", stale.count, targets.stale),
    atMost("acknowledge", acknowledge.medianMs, targets.acknowledgeMs),
    atMost("mix.critical", mix.critical.share, targets.mix.critical),
    atMost("mix.warning", mix.warning.share, targets.mix.warning),
    { ...verdict("mix.info", mix.info.share, targets.mix.info, (value, target) => value >= target), bound: "at_least" },
  ];
}

const atMost = (name: TargetName, value: number | null, target: number): Verdict => ({
  ...verdict(name, value, target, (one, other) => one <= other),
  bound: "at_most",
});

const verdict = (name: TargetName, value: number | null, target: number, isMet: (value: number, target: number) => boolean) => ({
  name,
  value,
  target,
  met: value === null ? null : isMet(value, target),
});
