// Predicates over one number: above, below, outside, inside, each strict, each with an optional deadband.
// A predicate judges; what a judgement does to an alert is the business of alert.ts.

import { z } from "zod";

/** A number, or `limit.NAME`, which is looked up in the device's entry under `devices:`. */
export type Operand = number | `limit.${string}`;

export const operandSchema = z
  .union([z.number(), z.templateLiteral(["limit.", z.string()])], { error: "write a number, or limit.NAME from the device's entry" })
  .meta({ description: "A number, or limit.NAME from the device's entry" });
const rangeSchema = z.tuple([operandSchema, operandSchema]);

/** The keys that a condition with a predicate adds to its own; spread into the condition's object schema. */
export const predicateShape = {
  above: operandSchema.meta({ description: "Breached by value > above" }).exactOptional(),
  clear_below: operandSchema.meta({ description: "Deadband of above: clears at < clear_below" }).exactOptional(),
  below: operandSchema.meta({ description: "Breached by value < below" }).exactOptional(),
  clear_above: operandSchema.meta({ description: "Deadband of below: clears at > clear_above" }).exactOptional(),
  outside: rangeSchema.meta({ description: "[lo, hi]: breached by value < lo or value > hi" }).exactOptional(),
  clear_inside: rangeSchema.meta({ description: "Deadband of outside: clears when lo < value < hi" }).exactOptional(),
  inside: rangeSchema.meta({ description: "[lo, hi]: breached by lo < value < hi" }).exactOptional(),
  clear_outside: rangeSchema.meta({ description: "Deadband of inside: clears at value < lo or value > hi" }).exactOptional(),
} as const;

export type PredicateSettings = {
  above?: Operand;
  clear_below?: Operand;
  below?: Operand;
  clear_above?: Operand;
  outside?: [Operand, Operand];
  clear_inside?: [Operand, Operand];
  inside?: [Operand, Operand];
  clear_outside?: [Operand, Operand];
};

const deadbandOf = { above: "clear_below", below: "clear_above", outside: "clear_inside", inside: "clear_outside" } as const;
type Kind = keyof typeof deadbandOf;
const kinds = Object.keys(deadbandOf) as Kind[];

/** What `refinePredicate` checks, for editors: goes into `.meta` beside it. The order of limits cannot be said in JSON Schema. */
export const predicateMeta = {
  oneOf: kinds.map((kind) => ({ required: [kind] })),
  dependentRequired: Object.fromEntries(kinds.map((kind) => [deadbandOf[kind], [kind]])),
};

/** What the shape alone cannot say: exactly one predicate, its own deadband, limits in order. For `superRefine`. */
export function refinePredicate(settings: PredicateSettings, context: z.RefinementCtx): void {
  const given = kinds.filter((kind) => settings[kind] !== undefined);
  const [kind] = given;
  if (given.length !== 1 || kind === undefined) {
    const found = given.length === 0 ? "none is given" : `${given.join(" and ")} are given`;
    context.addIssue({
      code: "custom",
      path: given.length > 1 ? [given[1] as string] : [],
      message: `exactly one of above, below, outside, inside is needed; ${found}`,
    });
    return;
  }
  for (const other of kinds) {
    const deadband = deadbandOf[other];
    if (other !== kind && settings[deadband] !== undefined)
      context.addIssue({ code: "custom", path: [deadband], message: `${deadband} belongs to ${other}; for ${kind} write ${deadbandOf[kind]}` });
  }
  const problem = orderProblem(kind, settings);
  if (problem !== undefined) context.addIssue({ code: "custom", path: [problem.key], message: problem.message });
}

function orderProblem(kind: Kind, settings: PredicateSettings): { key: string; message: string } | undefined {
  const { above, clear_below, below, clear_above } = settings;
  if (kind === "above" && isAfter(clear_below, above)) return { key: "clear_below", message: "clear_below lies above the limit; it must be at or below it" };
  if (kind === "below" && isAfter(below, clear_above)) return { key: "clear_above", message: "clear_above lies below the limit; it must be at or above it" };
  if (kind === "above" || kind === "below") return undefined;
  const range = settings[kind];
  const inner = settings[deadbandOf[kind]];
  if (range !== undefined && isAfter(range[0], range[1])) return { key: kind, message: `${kind} needs [low, high]; the first is larger than the second` };
  if (inner === undefined || range === undefined) return undefined;
  if (isAfter(inner[0], inner[1])) return { key: deadbandOf[kind], message: `${deadbandOf[kind]} needs [low, high]; the first is larger than the second` };
  const [outer, nested] = kind === "outside" ? [range, inner] : [inner, range];
  if (isAfter(outer[0], nested[0]) || isAfter(nested[1], outer[1]))
    return { key: deadbandOf[kind], message: `${deadbandOf[kind]} must lie ${kind === "outside" ? "within" : "around"} ${kind}` };
  return undefined;
}

const isAfter = (left: Operand | undefined, right: Operand | undefined): boolean => typeof left === "number" && typeof right === "number" && left > right;

/** BREACH raises, CLEAR lowers, BETWEEN (the deadband) leaves a firing or recovering alert as it is. */
export const BREACH = 1;
export const BETWEEN = 0;
export const CLEAR = -1;
export type Judgement = typeof BREACH | typeof BETWEEN | typeof CLEAR;

/** A criterion as plain JSON, from which it can be made again (rejudge.ts): a predicate whose operands are numbers, or a bound that itself breaches. */
export type PlainTest = PredicateSettings | { readonly at_least: number } | { readonly at_most: number };
/** The same of a whole condition: also silence for longer than so many ms, and combinations of tests. */
export type Test = PlainTest | { readonly silent_for: number } | { readonly all: readonly Test[] } | { readonly any: readonly Test[] };

/** What judges a measure. Most are a Predicate; a condition with a question of its own may bring another. */
export type Criterion = {
  /** In words, for evidence and messages. */
  readonly text: string;
  /** The one limit, where there is one. */
  readonly limit: number | null;
  readonly test: PlainTest;
  judge(measure: number): Judgement;
  /** How far into the breach a measure lies; the peak of an occurrence is the one with the largest depth. */
  depth(measure: number): number;
  /** The unit of the measure, given that of the readings. Absent: it is the same. */
  readonly unitOf?: (unit: string | null) => string | null;
};

/** A predicate whose operands are numbers. One class for all kinds keeps the per-reading call monomorphic. */
export class Predicate implements Criterion {
  readonly kind: Kind;
  /** The predicate in words, for evidence and messages. */
  readonly text: string;
  readonly #low: number;
  readonly #high: number;
  readonly #clearLow: number;
  readonly #clearHigh: number;
  readonly #hasDeadband: boolean;

  constructor(kind: Kind, range: readonly [number, number], clear: readonly [number, number] | undefined, text: string) {
    this.kind = kind;
    this.text = text;
    [this.#low, this.#high] = range;
    [this.#clearLow, this.#clearHigh] = clear ?? range;
    this.#hasDeadband = clear !== undefined;
  }

  judge(value: number): Judgement {
    const isInside = this.kind === "inside";
    const breached = isInside ? value > this.#low && value < this.#high : value > this.#high || value < this.#low;
    if (breached) return BREACH;
    if (!this.#hasDeadband) return CLEAR;
    const cleared = isInside ? value < this.#clearLow || value > this.#clearHigh : value > this.#clearLow && value < this.#clearHigh;
    return cleared ? CLEAR : BETWEEN;
  }

  /** How far into the breach a value lies; the peak of an occurrence is the value with the largest depth. */
  depth(value: number): number {
    const overHigh = value - this.#high;
    const underLow = this.#low - value;
    return this.kind === "inside" ? Math.min(-overHigh, -underLow) : Math.max(overHigh, underLow);
  }

  /** The measures from one that is no breach on, down and up, that are none either; both ends inclusive. */
  calmAround(measure: number): readonly [number, number] {
    if (this.kind !== "inside") return [this.#low, this.#high];
    return measure <= this.#low ? [Number.NEGATIVE_INFINITY, this.#low] : [this.#high, Number.POSITIVE_INFINITY];
  }

  get test(): PlainTest {
    const { kind } = this;
    const operand = (low: number, high: number): Operand | [number, number] => (kind === "above" ? high : kind === "below" ? low : [low, high]);
    const deadband = this.#hasDeadband ? { [deadbandOf[kind]]: operand(this.#clearLow, this.#clearHigh) } : {};
    return { [kind]: operand(this.#low, this.#high), ...deadband };
  }

  /** The one limit, where there is one: of `above` and `below`. */
  get limit(): number | null {
    if (this.kind === "above") return this.#high;
    return this.kind === "below" ? this.#low : null;
  }
}

/**
 * Binds settings to numbers.
 * @param limits the device's named limits
 * @returns undefined when the device lacks a limit that is named: the rule does not apply to it
 */
export function bindPredicate(settings: PredicateSettings, limits: Readonly<Record<string, number>>): Predicate | undefined {
  const number = (operand: Operand): number => (typeof operand === "number" ? operand : (limits[operand.slice("limit.".length)] ?? Number.NaN));
  const range = (kind: Kind, operand: Operand | [Operand, Operand]): [number, number] => {
    if (Array.isArray(operand)) return [number(operand[0]), number(operand[1])];
    return kind === "above" ? [Number.NEGATIVE_INFINITY, number(operand)] : [number(operand), Number.POSITIVE_INFINITY];
  };
  const kind = kinds.find((name) => settings[name] !== undefined);
  const main = kind === undefined ? undefined : settings[kind];
  if (kind === undefined || main === undefined) return undefined;
  const deadband = settings[deadbandOf[kind]];
  const bound = range(kind, main);
  const clear = deadband === undefined ? undefined : range(kind, deadband);
  if ([...bound, ...(clear ?? [])].some(Number.isNaN)) return undefined;
  const words = deadband === undefined ? "" : `, clears ${deadbandOf[kind].slice("clear_".length)} ${numbers(clear as [number, number])}`;
  return new Predicate(kind, bound, clear, `${kind} ${numbers(bound)}${words}`);
}

const numbers = (range: readonly number[]): string => {
  const finite = range.filter(Number.isFinite);
  return finite.length === 1 ? String(finite[0]) : `[${finite.join(", ")}]`;
};
