// Timers of dispatch by name, on the wall clock: one instant for each name. What falls due comes in order of (instant, name), so that
// the order does not depend on when it was set. A binary heap of entries, of which those that were overruled are skipped.

import type { DurationMs, EpochMs } from "../units.ts";

/**
 * A timer's name is its kind, a colon and of what it is. `runs`: a while from an event, so that it keeps what is left of it when the wall
 * clock is set, or until a time of that clock. `asleep`: what fell due while the gateway was down is done one after another, or all at its
 * end.
 */
const timerKinds = {
  flush: { runs: "from_event", asleep: "put_off" },
  repeat: { runs: "from_event", asleep: "put_off" },
  step: { runs: "from_event", asleep: "put_off" },
  nobody: { runs: "from_event", asleep: "put_off" },
  attend: { runs: "from_event", asleep: "done" },
  uninhibit: { runs: "from_event", asleep: "done" },
  flap: { runs: "from_event", asleep: "done" },
  storm: { runs: "from_event", asleep: "done" },
  shelf: { runs: "until_time", asleep: "done" },
  interval: { runs: "until_time", asleep: "done" },
  silence: { runs: "until_time", asleep: "done" },
  override: { runs: "until_time", asleep: "done" },
} as const;

export type TimerKind = keyof typeof timerKinds;
type TimerTraits = (typeof timerKinds)[TimerKind];

export function parseTimer(name: string): TimerTraits & { readonly kind: TimerKind; readonly of: string } {
  const colon = name.indexOf(":");
  const kind = name.slice(0, colon) as TimerKind;
  return { ...timerKinds[kind], kind, of: name.slice(colon + 1) };
}

type Entry = readonly [at: EpochMs, name: string];

/** Entries that were overruled and may stay, whatever else there is. */
const OVERRULED_FREE = 1_000;

const isBefore = (a: Entry, b: Entry): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

export class Timers {
  readonly #at = new Map<string, EpochMs>();
  #heap: Entry[] = [];

  get(name: string): EpochMs | undefined {
    return this.#at.get(name);
  }

  set(name: string, at: EpochMs): void {
    if (this.#at.get(name) === at) return;
    this.#at.set(name, at);
    this.#push([at, name]);
    // What is overruled again and again, far ahead, would fill the heap.
    if (this.#heap.length > 2 * this.#at.size + OVERRULED_FREE) this.restore(this.save());
  }

  clear(name: string): void {
    this.#at.delete(name);
  }

  /** When the first falls due; undefined: none. */
  get first(): EpochMs | undefined {
    for (let [top] = this.#heap; top !== undefined; [top] = this.#heap) {
      if (this.#at.get(top[1]) === top[0]) return top[0];
      this.#pop();
    }
    return undefined;
  }

  /** Takes the first away; there is one. @returns its name */
  take(): string {
    const [, name] = this.#heap[0] as Entry;
    this.#pop();
    this.#at.delete(name);
    return name;
  }

  /** The wall clock was set: those keep what was left of them. */
  shift(by: DurationMs, isShifted: (timer: TimerTraits) => boolean): void {
    const entries = [...this.#at].map(([name, at]): [string, EpochMs] => [name, isShifted(parseTimer(name)) ? at + by : at]);
    this.restore(entries);
  }

  /** Entries, also those that were overruled. */
  get room(): number {
    return this.#heap.length;
  }

  save(): [string, EpochMs][] {
    return [...this.#at];
  }

  restore(entries: readonly (readonly [string, EpochMs])[]): void {
    this.#at.clear();
    this.#heap = [];
    for (const [name, at] of entries) this.set(name, at);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}
