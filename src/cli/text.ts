// How the verbs write counts and times for people, and lines for machines.

import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { rfc3339 } from "../reasons/format.ts";
import { screenOf, wrap } from "./problems.ts";

/** `1 reading`, `2 readings`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** `2026-01-31 04:15:00Z`, with milliseconds where there are some. */
export const timeText = (ts: EpochMs): string => rfc3339(ts).replace("T", " ").replace(".000Z", "Z");

/** Without the milliseconds: of what people did. */
export const secondText = (ts: EpochMs): string => timeText(Math.floor(ts / 1000) * 1000);

/** What was written down came from outside: nothing of it may move the cursor or colour the terminal. */
export const printable = (text: string): string => text.replace(/\p{C}/gu, "·");

/** Of an alert what it is about: `device=fz-7 metric=temperature`. */
export const subjectText = ({ labels }: { readonly labels: Labels }): string =>
  Object.entries(labels)
    .filter(([name]) => name !== "alertname" && name !== "severity")
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

/** Lines of at most 80 columns; all but the first are indented. */
export function block([first = "", ...rest]: readonly string[], indent: string): string {
  const columns = Math.min(screenOf(process.stdout).columns ?? COLUMNS, COLUMNS);
  const indented = rest.map((line) => `${indent}${wrap(printable(line), columns - indent.length, `  ${indent}`)}`);
  return [wrap(printable(first), columns), ...indented].join("\n");
}
const COLUMNS = 80;

/** One line of NDJSON. */
export const printLine = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
