// `--from DAY --to DAY` of the verbs that work on days: both or neither, in order, dates of the calendar.

import { type Day, isDay } from "../engine/calendar.ts";
import { EXIT_USAGE } from "./command.ts";

export type DayRange = { readonly from?: string | undefined; readonly to?: string | undefined };
export type Days = { readonly from: Day; readonly to: Day };

/** @returns the days named; undefined when none are; a text says what is wrong */
export function daysOf({ from, to }: DayRange): Days | undefined | string {
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined || to === undefined) return "--from and --to need each other";
  const wrong = [from, to].find((each) => !isDay(each));
  if (wrong !== undefined) return `${wrong} is no day (write YYYY-MM-DD)`;
  return from > to ? `--from ${from} is after --to ${to}` : { from, to };
}

export function refuse(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = EXIT_USAGE;
}
