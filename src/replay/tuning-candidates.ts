// What may be changed in a rule that alarms too often: a deadband as wide as the noise of its series, an off-delay, an on-delay; each
// with the rule that it makes and the lines to write. Pure. Starting points by kind of process (temperature, pressure …) are not
// used: how far a series jumps from one reading to the next is measured instead. Nothing narrower than what the rule has is tried.

import { metricsOf } from "../engine/conditions/index.ts";
import type { Rule } from "../engine/rule.ts";
import { type DurationMs, formatDuration } from "../engine/units.ts";

export const candidateKinds = ["deadband", "keep_firing_for", "for"] as const;
export type CandidateKind = (typeof candidateKinds)[number];

export type Candidate = {
  readonly kind: CandidateKind;
  /** Of a deadband its width, of a delay milliseconds. */
  readonly amount: number;
  /** As it is written: `clear_below: 4.1`. */
  readonly text: string;
  /** The keys to set in the rule, as YAML, indented from the rule's own keys. */
  readonly lines: readonly string[];
  readonly rule: Rule;
};

/** Widths of deadbands, in steps of the series from one reading to the next (median). */
const WIDTHS = [0.5, 1, 2, 3];
const DELAYS: readonly DurationMs[] = [30_000, 60_000, 120_000, 300_000, 600_000];
/** The longest delay that is tried; alerts that are nearer to each other belong together. */
export const DELAY_MS_MAX = 600_000;

const tunable = new Set(["threshold", "window", "rate", "consecutive", "flatline"]);

/** @returns why nothing can be suggested for a rule; undefined where something can */
export function untunable({ condition, groupBy }: Rule): string | undefined {
  if (groupBy !== null) return "it judges a group of series together, and stored readings are tried one series at a time";
  if (metricsOf(condition) !== undefined) return "it compares several metrics of a device, and stored readings are tried one series at a time";
  if ("levels" in condition && condition.levels !== undefined)
    return "it has levels: each comes and goes by itself, and one deadband or delay would not fit them all";
  if (condition.type === "absence") return "an absence has its own delay: try a longer `after`";
  if (!tunable.has(condition.type)) return `a condition of type ${condition.type} is not tried: what it decides hangs on more than one deadband or delay`;
  return undefined;
}

/**
 * @param limits the device's named limits
 * @param noise the median step from one reading of the series to the next; 0: no deadband is tried
 */
export function candidatesOf(rule: Rule, limits: Readonly<Record<string, number>>, noise: number): Candidate[] {
  const longer = (present: DurationMs): DurationMs[] => DELAYS.filter((delay) => delay > present);
  const made: Omit<Candidate, "rule">[] = [];
  const rules: Rule[] = [];
  const add = (candidate: Omit<Candidate, "rule">, changed: Partial<Rule>): void => {
    made.push(candidate);
    rules.push({ ...rule, ...changed });
  };
  for (const band of deadbandsOf(rule, limits, noise)) {
    const condition = { ...rule.condition, [band.key]: band.clear } as Rule["condition"];
    const text = `${band.key}: ${Array.isArray(band.clear) ? `[${band.clear.join(", ")}]` : band.clear}`;
    add({ kind: "deadband", amount: band.width, text, lines: ["condition:", `  ${text}`] }, { condition });
  }
  for (const ms of longer(rule.keepFiringForMs)) add(delay("keep_firing_for", ms), { keepFiringForMs: ms });
  for (const ms of longer(rule.forMs)) add(delay("for", ms), { forMs: ms });
  return made.map((candidate, index) => ({ ...candidate, rule: rules[index] as Rule }));
}

function delay(kind: "keep_firing_for" | "for", ms: DurationMs): Omit<Candidate, "rule"> {
  const text = `${kind}: ${formatDuration(ms)}`;
  return { kind, amount: ms, text, lines: [text] };
}

type Range = readonly [number, number];
type Band = { readonly key: string; readonly width: number; readonly clear: number | Range };

/** Which way a predicate is cleared: its key, and by how much its low and its high end move per width. */
const clearing = {
  above: { key: "clear_below", low: 0, high: -1 },
  below: { key: "clear_above", low: 1, high: 0 },
  outside: { key: "clear_inside", low: 1, high: -1 },
  inside: { key: "clear_outside", low: -1, high: 1 },
} as const;

function deadbandsOf({ condition }: Rule, limits: Readonly<Record<string, number>>, noise: number): Band[] {
  if (condition.type !== "threshold" || noise <= 0) return [];
  const kind = (Object.keys(clearing) as (keyof typeof clearing)[]).find((name) => condition[name] !== undefined);
  if (kind === undefined) return [];
  const { key, low, high } = clearing[kind];
  const main = numbers(condition[kind], limits);
  const present = numbers(condition[key], limits);
  const own = Math.max(0, ...present.map((value, index) => Math.abs(value - (main[index] as number))));
  const [first = Number.NaN, second] = main;
  return [...new Set(WIDTHS.map((times) => roundedUp(noise * times)))]
    .filter((width) => width > own)
    .flatMap((width): Band[] => {
      // Of one limit only the end moves that it is.
      if (second === undefined) return Number.isNaN(first) ? [] : [{ key, width, clear: plain(first + width * (low + high)) }];
      const clear: Range = [plain(first + width * low), plain(second + width * high)];
      return clear[0] < clear[1] ? [{ key, width, clear }] : [];
    });
}

/** Numbers of an operand or a range; a limit by name is that of the device. */
function numbers(operands: unknown, limits: Readonly<Record<string, number>>): number[] {
  return [operands].flat().flatMap((operand) => {
    if (typeof operand === "number") return [operand];
    return typeof operand === "string" ? [limits[operand.slice("limit.".length)] ?? Number.NaN] : [];
  });
}

/** Two significant digits: more would say that the noise is known better than it is. */
function roundedUp(width: number): number {
  const unit = 10 ** (Math.floor(Math.log10(width)) - 1);
  return plain(Math.ceil(width / unit - 1e-9) * unit);
}

/** Without what binary fractions add. */
const plain = (value: number): number => Number(value.toPrecision(12));
