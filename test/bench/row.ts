// The contract of a benchmark row: it runs within its time, keeps its own books, and says figures beside budgets.

export type BenchOptions = {
  /** Runs of each contestant, interleaved; the median counts. */
  readonly runs: number;
  /** Measured seconds of each run. */
  readonly seconds: number;
  /** How many readings the rows of the store are about; undefined: each row's own number. */
  readonly readings?: number;
  /** A folder of recordings, CSV files with the columns `timestamp,value`, for the row `bytes`. */
  readonly recordings?: string;
  /** Where data directories are made. */
  readonly folder: string;
  /** Node options for the gateway, such as --cpu-prof. */
  readonly nodeOptions: readonly string[];
  /** One line while it runs. */
  say(line: string): void;
};

/** One figure. With a budget it passes or fails; without one it is told for comparison. */
export type Figure = {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly budget?: { readonly sense: "at least" | "at most"; readonly limit: number; readonly aim: number };
  /** Fails for a reason that no number shows, such as books that do not balance. */
  readonly problem?: string;
};

export type Row = {
  /** The name on the command line. */
  readonly name: string;
  readonly title: string;
  run(options: BenchOptions): Promise<readonly Figure[]>;
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** @returns "met", "aim met", "MISSED", or "" for a figure without budget and problem */
export function verdictOf(figure: Figure): string {
  if (figure.problem !== undefined) return "MISSED";
  if (figure.budget === undefined) return "";
  const { sense, limit, aim } = figure.budget;
  const isWithin = (bound: number) => (sense === "at least" ? figure.value >= bound : figure.value <= bound);
  if (isWithin(aim)) return "aim met";
  return isWithin(limit) ? "met" : "MISSED";
}
