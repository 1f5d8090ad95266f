// Percentiles of hopping windows. Few readings are gathered from the panes; of many there is one sketch, into which panes are put as
// they come and from which they are taken out, exactly, as they go: the work at a close does not depend on how many panes there are.

import { BUFFERED_MAX } from "../aggregates/pane-aggregate.ts";
import { percentilesOf, percentilesOfSketch, type Ranks } from "../aggregates/ranks.ts";
import { Sketch } from "../sketch.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";
import type { Combiner } from "./combiner.ts";
import { LONG_AGO, type PaneList } from "./pane-list.ts";

export class PaneRanks implements Combiner<Ranks, WindowAggregate> {
  /** Of the panes that lie before `through`, but for restricted ones; undefined while they hold few readings. */
  #sketch: Sketch | undefined;
  #count = 0;
  #through: EpochMs = LONG_AGO;
  #level = 0;

  get level(): number {
    return this.#sketch?.level ?? this.#level;
  }

  set level(level: number) {
    this.#level = level;
  }

  combine(panes: PaneList<Ranks>, count: number, end: EpochMs): WindowAggregate {
    this.#advance(panes, count, end);
    if (this.#count <= BUFFERED_MAX) {
      this.#sketch = undefined;
      this.#level = 0;
    } else if (panes.restricted === 0) {
      this.#sketch ??= sketchOf(heldIn(panes, count, NEVER), this.#level);
      return percentilesOfSketch(this.#sketch);
    }
    const held = heldIn(panes, count, end);
    const total = held.reduce((sum, ranks) => sum + ranks.count, 0);
    const isExact = total <= BUFFERED_MAX && held.every(({ buffered, count: all }) => buffered === all);
    if (!isExact) return percentilesOfSketch(sketchOf(held, 0));
    return percentilesOf(total, (into) => void held.reduce((at, ranks) => at + ranks.copyTo(into, at), 0));
  }

  touch(panes: PaneList<Ranks>, index: number, value: number): void {
    if (!this.#hasTaken(panes, index)) return;
    this.#count += 1;
    this.#sketch?.add(value);
  }

  drop(panes: PaneList<Ranks>): void {
    if (!this.#hasTaken(panes, 0)) return;
    this.#count -= panes.sum(0).count;
    if (this.#sketch !== undefined) panes.sum(0).leave(this.#sketch);
  }

  #hasTaken(panes: PaneList<Ranks>, index: number): boolean {
    return panes.start(index) < this.#through && panes.openFrom(index) === LONG_AGO;
  }

  /** Takes in the panes that have come since the last window. */
  #advance(panes: PaneList<Ranks>, count: number, end: EpochMs): void {
    for (let index = count - 1; index >= 0 && panes.start(index) >= this.#through; index--) {
      if (panes.openFrom(index) !== LONG_AGO) continue;
      const ranks = panes.sum(index);
      this.#count += ranks.count;
      if (this.#sketch !== undefined) ranks.enter(this.#sketch);
    }
    this.#through = end;
  }
}

const NEVER = Number.POSITIVE_INFINITY;

/** Of the first panes those that the window which ends at `end` holds. */
function heldIn(panes: PaneList<Ranks>, count: number, end: EpochMs): Ranks[] {
  const held: Ranks[] = [];
  for (let index = 0; index < count; index++) if (panes.openFrom(index) < end) held.push(panes.sum(index));
  return held;
}

function sketchOf(held: readonly Ranks[], level: number): Sketch {
  const sketch = new Sketch(level);
  for (const ranks of held) ranks.enter(sketch);
  return sketch;
}
