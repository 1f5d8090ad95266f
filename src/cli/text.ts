// How the verbs write counts and times for people, and lines for machines.

import type { EpochMs } from "../engine/units.ts";
import { rfc3339 } from "../reasons/format.ts";

/** `1 reading`, `2 readings`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** `2026-01-31 04:15:00Z`, with milliseconds where there are some. */
export const timeText = (ts: EpochMs): string => rfc3339(ts).replace("T", " ").replace(".000Z", "Z");

/** One line of NDJSON. */
export const printLine = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
