// Percentiles of hopping windows. Few readings are gathered from the panes; of many there is one sketch, into which panes are put as
// they come and from which they are taken out, exactly, as they go: the work at a close does not depend on how many panes there are.

import { BUFFERED_MAX } from "../aggregates/pane-aggregate.ts";
import { percentilesOf, percentilesOfSketch, type Ranks } from "../aggregates/ranks.ts";
import { Sketch } from "../sketch.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";
import { type Combiner, LONG_AGO, type Pane } from "./pane.ts";

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

  combine(panes: readonly Pane<Ranks>[], count: number, end: EpochMs, hasRestricted: boolean): WindowAggregate {
    this.#advance(panes, count, end);
    if (this.#count <= BUFFERED_MAX) {
      this.#sketch = undefined;
      this.#level = 0;
    } else if (!hasRestricted) {
      this.#sketch ??= sketchOf(panes.slice(0, count), this.#level);
      return percentilesOfSketch(this.#sketch);
    }
    const held = panes.slice(0, count).filter(({ openFrom }) => openFrom < end);
    const total = held.reduce((sum, { aggregate }) => sum + aggregate.count, 0);
    const isExact = total <= BUFFERED_MAX && held.every(({ aggregate }) => aggregate.buffered === aggregate.count);
    if (!isExact) return percentilesOfSketch(sketchOf(held, 0));
    return percentilesOf(total, (into) => void held.reduce((at, { aggregate }) => at + aggregate.copyTo(into, at), 0));
  }

  touch({ start, openFrom }: Pane<Ranks>, value: number): void {
    if (start >= this.#through || openFrom !== LONG_AGO) return;
    this.#count += 1;
    this.#sketch?.add(value);
  }

  drop({ start, openFrom, aggregate }: Pane<Ranks>): void {
    if (start >= this.#through || openFrom !== LONG_AGO) return;
    this.#count -= aggregate.count;
    if (this.#sketch !== undefined) aggregate.leave(this.#sketch);
  }

  /** Takes in the panes that have come since the last window. */
  #advance(panes: readonly Pane<Ranks>[], count: number, end: EpochMs): void {
    for (let index = count - 1; index >= 0 && (panes[index] as Pane<Ranks>).start >= this.#through; index--) {
      const { openFrom, aggregate } = panes[index] as Pane<Ranks>;
      if (openFrom !== LONG_AGO) continue;
      this.#count += aggregate.count;
      if (this.#sketch !== undefined) aggregate.enter(this.#sketch);
    }
    this.#through = end;
  }
}

function sketchOf(panes: readonly Pane<Ranks>[], level: number): Sketch {
  const sketch = new Sketch(level);
  for (const { aggregate } of panes) aggregate.enter(sketch);
  return sketch;
}
