// A window of the last `count` readings in event-time order, after every `slide` of them once there are so many; late readings do
// not enter. It ends at the time of its last reading. Where windows overlap, the readings are kept in a ring of `count`.

import { BUFFERED_MAX, type PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { percentilesOf, percentilesOfSketch } from "../aggregates/ranks.ts";
import { Sketch } from "../sketch.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { Window, WindowAggregate, WindowResult } from "../window.ts";
import { AlignedTree } from "./aligned-tree.ts";

/** `isRanks`: percentiles are asked for, so readings are chosen from and not merged. */
export type CountSettings = {
  readonly spec: Extract<Window["spec"], { kind: "count" }>;
  readonly sharing: string;
  readonly empty: () => PaneAggregate;
  readonly isRanks: boolean;
};

export class CountWindow implements Window {
  readonly spec: CountSettings["spec"];
  readonly sharing: string;
  readonly born: number;
  /** Windows that overlap are made of it; the one window that follows the other is kept in `#whole` alone. */
  readonly #ring: Ring | undefined;
  readonly #whole: PaneAggregate;
  /** Readings so far. */
  #seen = 0;
  #start: EpochMs = Number.NaN;
  result: WindowResult | undefined;

  constructor({ spec, sharing, empty, isRanks }: CountSettings, born: number) {
    this.spec = spec;
    this.sharing = sharing;
    this.born = born;
    this.#whole = empty();
    if (spec.slide < spec.count) this.#ring = isRanks ? new RankRing(spec.count) : new MergeRing(spec.count, this.#whole, empty);
  }

  get lag(): 0 {
    return 0;
  }

  /** Only a reading closes it. */
  get nextEnd(): EpochMs {
    return Number.POSITIVE_INFINITY;
  }

  add(ts: EpochMs, value: number): void {
    const { count, slide } = this.spec;
    if (this.#ring !== undefined) this.#ring.put(this.#seen, ts, value);
    else this.#addToWhole(ts, value);
    this.#seen += 1;
    if (this.#seen < count || (this.#seen - count) % slide !== 0) return;
    if (this.#ring === undefined) this.result = { start: this.#start, end: ts, aggregate: this.#whole };
    else this.result = { start: this.#ring.oldestTs(this.#seen), end: ts, aggregate: this.#ring.last(this.#seen) };
  }

  addLate(): void {}

  close(): void {}

  save(to: StateWriter): void {
    for (const value of [this.born, this.#seen, this.#start]) to.number(value);
    if (this.#ring !== undefined) this.#ring.save(this.#seen, to);
    else this.#whole.save(to);
  }

  static restore(settings: CountSettings, from: StateReader): CountWindow {
    const window = new CountWindow(settings, from.number());
    window.#seen = from.number();
    window.#start = from.number();
    if (window.#ring !== undefined) window.#ring.load(window.#seen, from);
    else window.#whole.load(from);
    return window;
  }

  #addToWhole(ts: EpochMs, value: number): void {
    if (this.#seen % this.spec.count === 0) {
      this.#whole.reset();
      this.#start = ts;
    }
    this.#whole.add(ts, value);
  }
}

/** The readings of the last `count`, each at its number modulo `count`. */
abstract class Ring {
  protected readonly count: number;
  protected readonly ts: Float64Array;
  protected readonly values: Float64Array;

  constructor(count: number) {
    this.count = count;
    this.ts = new Float64Array(count);
    this.values = new Float64Array(count);
  }

  put(number: number, ts: EpochMs, value: number): void {
    this.ts[number % this.count] = ts;
    this.values[number % this.count] = value;
  }

  /** @param seen how many readings there were so far, at least `count` */
  oldestTs(seen: number): EpochMs {
    return this.ts[seen % this.count] as number;
  }

  /** The last `count` readings as one. */
  abstract last(seen: number): WindowAggregate;

  save(seen: number, to: StateWriter): void {
    const length = Math.min(seen, this.count);
    to.all(this.ts.subarray(0, length));
    to.all(this.values.subarray(0, length));
  }

  load(seen: number, from: StateReader): void {
    const length = Math.min(seen, this.count);
    this.ts.set(from.all(length));
    this.values.set(from.all(length));
  }
}

class MergeRing extends Ring {
  readonly #whole: PaneAggregate;
  readonly #tree: AlignedTree<PaneAggregate>;

  constructor(count: number, whole: PaneAggregate, empty: () => PaneAggregate) {
    super(count);
    this.#whole = whole;
    this.#tree = new AlignedTree(count, empty, (into, low, high) => {
      for (let number = low; number < high; number++) into.add(this.ts[number % count] as number, this.values[number % count] as number);
    });
  }

  override last(seen: number): WindowAggregate {
    this.#whole.reset();
    this.#tree.gather(this.#whole, seen - this.count, seen);
    return this.#whole;
  }
}

/** Of many readings there is a sketch, which each enters when it comes and leaves when it goes. */
class RankRing extends Ring {
  #sketch: Sketch | undefined;

  constructor(count: number) {
    super(count);
    if (count > BUFFERED_MAX) this.#sketch = new Sketch();
  }

  override put(number: number, ts: EpochMs, value: number): void {
    if (number >= this.count) this.#sketch?.remove(this.values[number % this.count] as number);
    this.#sketch?.add(value);
    super.put(number, ts, value);
  }

  override last(): WindowAggregate {
    return this.#sketch === undefined ? percentilesOf(this.count, (into) => into.set(this.values)) : percentilesOfSketch(this.#sketch);
  }

  override save(seen: number, to: StateWriter): void {
    super.save(seen, to);
    to.number(this.#sketch?.level ?? 0);
  }

  override load(seen: number, from: StateReader): void {
    super.load(seen, from);
    const level = from.number();
    if (this.#sketch === undefined) return;
    this.#sketch = new Sketch(level);
    for (const value of this.values.subarray(0, Math.min(seen, this.count))) this.#sketch.add(value);
  }
}
