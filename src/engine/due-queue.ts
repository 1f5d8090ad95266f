// What falls due, in order of (up, event time, order): a binary heap. Entries may be earlier than what they announce;
// whoever takes one asks the actor again.

import type { Actor } from "./agenda.ts";
import type { EpochMs, UptimeMs } from "./units.ts";

type DueEntry = { readonly up: UptimeMs; readonly event: EpochMs; readonly actor: Actor };

function isBefore(a: DueEntry, b: DueEntry): boolean {
  if (a.up !== b.up) return a.up < b.up;
  return a.event !== b.event ? a.event < b.event : a.actor.order < b.actor.order;
}

export class DueQueue {
  readonly #heap: DueEntry[] = [];

  get first(): DueEntry | undefined {
    return this.#heap[0];
  }

  push(entry: DueEntry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent] as DueEntry)) break;
      heap[index] = heap[parent] as DueEntry;
      index = parent;
    }
    heap[index] = entry;
  }

  /** Takes the first entry away. */
  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as DueEntry, heap[child] as DueEntry)) child += 1;
      if (!isBefore(heap[child] as DueEntry, last)) break;
      heap[index] = heap[child] as DueEntry;
      index = child;
    }
    heap[index] = last;
  }
}
