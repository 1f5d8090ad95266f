// Predicates by their table in docs/reference/rules.md: breached, cleared, or between the two.

import type { Judgement } from "./relay.ts";

type Settings = Readonly<Record<string, unknown>>;
export type DeviceLimits = Readonly<Record<string, number>>;

/** @returns the same settings with each limit.NAME as a number; undefined when the device has no such limit */
export function boundTo<Any>(settings: Any, limits: DeviceLimits): Any | undefined {
  let isMissing = false;
  const text = JSON.stringify(settings, (_, value: unknown) => {
    if (typeof value !== "string" || !value.startsWith("limit.")) return value;
    const limit = limits[value.slice("limit.".length)];
    isMissing ||= limit === undefined;
    return limit;
  });
  return isMissing ? undefined : (JSON.parse(text) as Any);
}

export function judgementOf(settings: object, value: number): Judgement {
  const { above, below, outside, inside, clear_below, clear_above, clear_inside, clear_outside } = settings as Settings;
  const pick = (isBreached: boolean, isClear: boolean): Judgement => (isBreached ? "breach" : isClear ? "clear" : "between");
  const beyond = ([low, high]: [number, number]): boolean => value < low || value > high;
  const within = ([low, high]: [number, number]): boolean => low < value && value < high;
  if (typeof above === "number") return pick(value > above, clear_below === undefined ? value <= above : value < (clear_below as number));
  if (typeof below === "number") return pick(value < below, clear_above === undefined ? value >= below : value > (clear_above as number));
  if (outside !== undefined) return pick(beyond(outside as [number, number]), clear_inside === undefined || within(clear_inside as [number, number]));
  return pick(within(inside as [number, number]), clear_outside === undefined || beyond(clear_outside as [number, number]));
}
