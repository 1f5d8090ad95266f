// Accepted readings of one series that wait for their turn, in the order of their event times; no two have the same.

import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, UptimeMs } from "./units.ts";

/** An accepted reading that waits for its turn. */
export type Held = {
  readonly ts: EpochMs;
  readonly value: number;
  readonly at: EpochMs;
  readonly up: UptimeMs;
  /** Its number among the accepted readings of the series, from 1. */
  readonly ordinal: number;
  /** Whether its bucket was closed when it came, and took it at once. */
  readonly isSampled: boolean;
};

/** Puts a reading where it belongs; most belong at the end. */
export function hold(held: Held[], reading: Held): void {
  let index = held.length;
  while (index > 0 && (held[index - 1] as Held).ts > reading.ts) index--;
  if (index === held.length) held.push(reading);
  else held.splice(index, 0, reading);
}

export function saveHeld(held: readonly Held[], to: StateWriter): void {
  to.number(held.length);
  for (const { ts, value, at, up, ordinal, isSampled } of held) {
    for (const figure of [ts, value, at, up, ordinal, isSampled ? 1 : 0]) to.number(figure);
  }
}

export function restoreHeld(from: StateReader): Held[] {
  return Array.from({ length: from.number() }, () => ({
    ts: from.number(),
    value: from.number(),
    at: from.number(),
    up: from.number(),
    ordinal: from.number(),
    isSampled: from.number() === 1,
  }));
}
