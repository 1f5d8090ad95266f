// How long rules remember: how long before a range the engine must hear readings, so that windows, delays and absences stand when it begins.

import type { RulePlan } from "./rule.ts";
import type { DurationMs } from "./units.ts";

/** Of conditions and windows whose settings do not say how long they remember, by `type` and `kind`. */
const LEAD_MS: Readonly<Record<string, DurationMs>> = { deviation: 14 * 86_400_000, consecutive: 86_400_000, count: 86_400_000, day: 25 * 3_600_000 };
const LEAD_MS_MIN = 3_600_000;

/** Keys of a condition that hold how long it remembers. */
const leadKeys = new Set(["after", "size", "gap", "over", "stale_after"]);

/** How long before the range the engine must hear readings, so that windows, delays and absences stand when it begins. */
export function leadOf({ rules }: Pick<RulePlan, "rules">): DurationMs {
  return Math.max(LEAD_MS_MIN, ...rules.map((rule) => rule.forMs + rule.keepFiringForMs + (rule.staleAfterMs ?? 0) + longestOf(rule.condition)));
}

function longestOf(settings: unknown): DurationMs {
  if (typeof settings !== "object" || settings === null) return 0;
  const { type, kind } = settings as { type?: unknown; kind?: unknown };
  const own = LEAD_MS[String(type)] ?? LEAD_MS[String(kind)] ?? 0;
  const parts = Object.entries(settings).map(([key, value]) => (typeof value === "number" ? (leadKeys.has(key) ? value : 0) : longestOf(value)));
  return Math.max(own, ...parts);
}
