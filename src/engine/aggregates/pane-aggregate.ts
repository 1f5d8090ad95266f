// What a window keeps of readings: of all of them, of those in one pane, or of those in one session. Constant or bounded size.
// Readings come in order of time but for late ones; at one instant (in a group) the one heard later counts as the later one.

import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";

export type PaneAggregate = WindowAggregate & {
  /** Time of the newest reading; -Infinity when there is none. */
  readonly lastTs: EpochMs;
  /** How many readings it keeps one by one, to tell late ones their place or percentiles exactly. */
  readonly buffered?: number;
  /** Makes figures of the readings that are kept one by one; from then on a late one has no place among them. */
  condense?(): void;
  /** As new. */
  reset(): void;
  add(ts: EpochMs, value: number): void;
  /** Takes what another keeps of readings none of which is older than the newest of these; does not keep them one by one. */
  append(other: PaneAggregate): void;
  /** Takes what another keeps of any other readings, one by one where it does. */
  mingle(other: PaneAggregate): void;
  /** All numbers of the state; `load` takes them back bit for bit. */
  save(to: StateWriter): void;
  load(from: StateReader): void;
};

/**
 * How many readings of one window are kept one by one at most. Percentiles of a window of so many are exact, and a late reading finds its
 * place among the newest half of so many at least. 1,000 values take 8 kB, less than a sketch may, and choosing among them a tenth of
 * the time of sorting them.
 */
export const BUFFERED_MAX = 1000;
