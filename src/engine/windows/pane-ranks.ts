// Percentiles of hopping windows. Few readings are gathered from the panes; of many there is one sketch, into which panes are put as
// they come and from which they are taken out, exactly, as they go: the work at a close does not depend on how many panes there are.

import { BUFFERED_MAX } from "../aggregates/pane-aggregate.ts";
import { type Percentiles, percentilesOf, percentilesOfSketch, type Ranks } from "../aggregates/ranks.ts";
import { Sketch } from "../sketch.ts";
import type { EpochMs } from "../units.ts";
import { type Combiner, LONG_AGO, type Pane } from "./pane.ts";

export class PaneRanks implements Combiner<Ranks, Percentiles> {
  /** Of the panes that lie before `through`, but for restricted ones. */
  #sketch: Sketch | undefined;
  #count = 0;
  #through: EpochMs = LONG_AGO;
  level = 0;

  combine(panes: readonly Pane<Ranks>[], count: number, end: EpochMs): Percentiles {
    this.#advance(panes, count, end);
    const held = panes.slice(0, this.#needsEach(panes, count) ? count : 0).filter(({ openFrom }) => openFrom < end);
    const total = held.reduce((sum, { aggregate }) => sum + aggregate.count, 0);
    if (this.#count <= BUFFERED_MAX) this.#forget();
    if (held.length === 0) return percentilesOfSketch(this.#whole(panes, count));
    if (total <= BUFFERED_MAX && held.every(({ aggregate }) => aggregate.buffered === aggregate.count)) return gathered(held, total);
    const sketch = new Sketch();
    for (const { aggregate } of held) aggregate.enter(sketch);
    return percentilesOfSketch(sketch);
  }

  touch({ openFrom }: Pane<Ranks>, value: number): void {
    if (openFrom !== LONG_AGO) return;
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
    if (this.#sketch !== undefined) this.level = this.#sketch.level;
  }
}
