// Percentiles of one bucket while it fills: exact as long as all of it came as readings, and they are few enough; of sketches else. A part
// of which only sums are known makes them unknown.

import { Sketch } from "../engine/sketch.ts";
import type { Percentile } from "./query.ts";

/** Readings of a bucket that are kept one by one. */
const EXACT_MAX = 100_000;

const percents: Readonly<Record<Percentile, number>> = { p50: 50, p95: 95, p99: 99 };

export type Ranked = { [Name in Percentile]?: number | null };

export class Percentiles {
  readonly #names: readonly Percentile[];
  #values: number[] = [];
  /** In place of the values, once there is one. */
  #sketch: Sketch | undefined;
  #isKnown = true;

  constructor(names: readonly Percentile[]) {
    this.#names = names;
  }

  add(value: number): void {
    if (this.#sketch !== undefined) return this.#sketch.add(value);
    this.#values.push(value);
    if (this.#values.length > EXACT_MAX) this.#sketched();
  }

  /** @param sketch undefined: of these readings there is none */
  merge(sketch: Sketch | undefined): void {
    if (sketch === undefined) this.#isKnown = false;
    else this.#sketched().merge(sketch);
  }

  figures(): Ranked {
    const at = this.#isKnown ? this.#ranks() : () => null;
    return Object.fromEntries(this.#names.map((name) => [name, at(percents[name])]));
  }

  #ranks(): (percent: number) => number {
    const sketch = this.#sketch;
    if (sketch !== undefined) return (percent) => sketch.valueAt(Math.ceil((sketch.count * percent) / 100));
    const values = Float64Array.from(this.#values).sort();
    return (percent) => values[Math.ceil((values.length * percent) / 100) - 1] as number;
  }

  #sketched(): Sketch {
    if (this.#sketch !== undefined) return this.#sketch;
    const sketch = new Sketch();
    for (const value of this.#values) sketch.add(value);
    this.#values = [];
    this.#sketch = sketch;
    return sketch;
  }
}
