// A snapshot of the engine as of one step, saved a part at a time while later steps go on: what a step is about to change and
// is not saved yet is saved first. Part 0 holds what is not of one series; the others hold PART_SERIES series each.

import type { Series } from "./series.ts";
import { type Saved, StateWriter } from "./state.ts";

export const PART_SERIES = 32;

/** `saved: undefined`: the part is as it was in the snapshot before. */
export type EnginePart = { readonly part: number; readonly saved: Saved | undefined; readonly isLast: boolean };

export class SnapshotRun {
  readonly #series: readonly Series[];
  readonly #count: number;
  readonly #changed: (id: number) => boolean;
  readonly #global: Saved;
  readonly #early = new Map<number, Saved>();
  /** Used again for each series and part: a snapshot of many series should not be garbage twice over. */
  readonly #writer = new StateWriter();
  #part = 0;

  /** @param changed whether a series differs from the snapshot before; asked with its state as of now */
  constructor(series: readonly Series[], changed: (id: number) => boolean, global: Saved) {
    this.#series = series;
    this.#count = series.length;
    this.#changed = changed;
    this.#global = global;
  }

  /** To be called before a series is changed. */
  preserve(series: Series): void {
    if (series.id >= this.#count || series.id < (this.#part - 1) * PART_SERIES || this.#early.has(series.id)) return;
    this.#writer.clear();
    series.save(this.#writer);
    this.#early.set(series.id, this.#writer.saved());
  }

  next(): EnginePart {
    const part = this.#part++;
    const isLast = part * PART_SERIES >= this.#count;
    if (part === 0) return { part, saved: this.#global, isLast };
    const from = (part - 1) * PART_SERIES;
    const to = Math.min(from + PART_SERIES, this.#count);
    const ids = Array.from({ length: to - from }, (_, index) => from + index);
    if (!ids.some(this.#changed)) return { part, saved: undefined, isLast };
    this.#writer.clear();
    for (const id of ids) this.#append(id);
    return { part, saved: this.#writer.saved(), isLast };
  }

  #append(id: number): void {
    const early = this.#early.get(id);
    if (early === undefined) (this.#series[id] as Series).save(this.#writer);
    else this.#writer.append(early);
    this.#early.delete(id);
  }
}
