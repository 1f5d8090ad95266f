// What can be said of a log: the oracle says it from its own reading of the design, the test says the same of the engine.

export type Told = {
  to: string;
  reason: string;
  ts: number;
  /** Instant of the occurrence. */
  occurrence: number;
  value: number;
  severity: string;
};

export type Opinion = {
  verdicts: string[];
  /** By series and rule. */
  transitions: Record<string, Told[]>;
  /** By series and rule: since when, or null when nothing is pending any more. */
  pending: Record<string, (number | null)[]>;
  /** By series: closed minutes. */
  buckets: Record<number, { start: number; count: number; sum: number; min: number; max: number }[]>;
  /** By series: minutes that got a reading when they were closed already, once per reading, ascending. */
  dirty: Record<number, number[]>;
};

export const emptyOpinion = (): Opinion => ({ verdicts: [], transitions: {}, pending: {}, buckets: {}, dirty: {} });

/** So that sums in another order are the same figure; 0 has no sign. */
export const roundFigure = (figure: number): number => Math.round(figure * 1e6) / 1e6 + 0;

export const NEVER = Number.POSITIVE_INFINITY;
export const LONG_AGO = Number.NEGATIVE_INFINITY;
export const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), NEVER);
export const greatest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), LONG_AGO);
