// Accepted readings of one series or group that wait for their turn, in the order of their event times.

import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./units.ts";

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
  /** The series that sent it: in a group, one of its members. */
  readonly member: SeriesId;
};

/** Puts a reading where it belongs; most belong at the end. */
export function hold(held: Held[], reading: Held): void {
  let index = held.length;
  while (index > 0 && isAfter(held[index - 1] as Held, reading)) index--;
  if (index === held.length) held.push(reading);
  else held.splice(index, 0, reading);
}

/** Two members of a group may send at the same time; then their order decides. */
const isAfter = (left: Held, right: Held): boolean => left.ts > right.ts || (left.ts === right.ts && left.member > right.member);

export function saveHeld(held: readonly Held[], to: StateWriter): void {
  to.number(held.length);
  for (const { ts, value, at, up, ordinal, isSampled, member } of held) {
    for (const figure of [ts, value, at, up, ordinal, isSampled ? 1 : 0, member]) to.number(figure);
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
    member: from.number(),
  }));
}
