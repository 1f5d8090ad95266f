// What falls due, in order of (up, event time, order): a binary heap. Entries may be earlier than what they announce;
// whoever takes one asks the actor again. Kept as columns: each reading puts an entry in, and as objects they would all be garbage
// that has grown old.

import type { Actor } from "./agenda.ts";
import type { EpochMs, UptimeMs } from "./units.ts";

export class DueQueue {
  readonly #ups: UptimeMs[] = [];
  readonly #events: EpochMs[] = [];
  readonly #actors: Actor[] = [];

  /** Of the first entry; undefined when there is none. */
  get up(): UptimeMs | undefined {
    return this.#ups[0];
  }

  get event(): EpochMs {
    return this.#events[0] as EpochMs;
  }

  get actor(): Actor {
    return this.#actors[0] as Actor;
  }

  push(up: UptimeMs, event: EpochMs, actor: Actor): void {
    let index = this.#ups.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(up, event, actor, parent)) break;
      this.#put(index, this.#ups[parent] as UptimeMs, this.#events[parent] as EpochMs, this.#actors[parent] as Actor);
      index = parent;
    }
    this.#put(index, up, event, actor);
  }

  /** Takes the first entry away; there is one. */
  pop(): void {
    const [up, event, actor] = [this.#ups.pop() as UptimeMs, this.#events.pop() as EpochMs, this.#actors.pop() as Actor];
    const length = this.#ups.length;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#isSooner(child + 1, child)) child += 1;
      if (this.#isBefore(up, event, actor, child)) break;
      this.#put(index, this.#ups[child] as UptimeMs, this.#events[child] as EpochMs, this.#actors[child] as Actor);
      index = child;
    }
    this.#put(index, up, event, actor);
  }

  #put(index: number, up: UptimeMs, event: EpochMs, actor: Actor): void {
    this.#ups[index] = up;
    this.#events[index] = event;
    this.#actors[index] = actor;
  }

  #isSooner(index: number, other: number): boolean {
    return this.#isBefore(this.#ups[index] as UptimeMs, this.#events[index] as EpochMs, this.#actors[index] as Actor, other);
  }

  #isBefore(up: UptimeMs, event: EpochMs, actor: Actor, other: number): boolean {
    const otherUp = this.#ups[other] as UptimeMs;
    if (up !== otherUp) return up < otherUp;
    const otherEvent = this.#events[other] as EpochMs;
    return event !== otherEvent ? event < otherEvent : actor.order < (this.#actors[other] as Actor).order;
  }
}
