// Who falls due when, by the listening clock. An entry may be earlier than what it announces: whoever comes up is asked again.
// What falls due is done in the order of (up, event time, order), however often the agenda is looked at.

import type { Dispatcher } from "./dispatch.ts";
import { DueQueue } from "./due-queue.ts";
import type { Due } from "./evaluation.ts";
import type { StateWriter } from "./state.ts";
import type { EpochMs, UptimeMs } from "./units.ts";

/** What can fall due by itself: a series, a group, a series that is expected. */
export type Actor = {
  /** Before whom it comes at the same instant; its own. */
  readonly order: number;
  /** The canonical text of its labels, for messages. */
  readonly key: string;
  /** `up` of its valid entry on the agenda; Infinity: it has none. */
  queuedUp: UptimeMs;
  /** The step that touched it last. */
  touchedAt: number;
  /** What falls due next if no reading comes; `up` is Infinity when nothing does. */
  nextDue(): Due;
  /** Does what falls due at exactly this `up`. */
  elapse(due: Due, into: Dispatcher): void;
  save(to: StateWriter): void;
};

export class Agenda {
  readonly #queue = new DueQueue();

  get first(): UptimeMs | undefined {
    return this.#queue.up;
  }

  /** Looks at an actor at `up`, or before if it is to be looked at earlier anyway. */
  expect(actor: Actor, up: UptimeMs): void {
    if (up < actor.queuedUp) this.#enqueue(actor, up, Number.NEGATIVE_INFINITY);
  }

  /** Looks at an actor at `up`, whatever was said before. */
  remind(actor: Actor, up: UptimeMs): void {
    this.#enqueue(actor, up, Number.NEGATIVE_INFINITY);
  }

  /** Does what falls due by `up`, each at its own time. @param touch to be called before an actor changes */
  advance(up: UptimeMs, touch: (actor: Actor) => void, into: Dispatcher): void {
    for (let firstUp = this.#queue.up; firstUp !== undefined && firstUp <= up; firstUp = this.#queue.up) {
      const { actor, event } = this.#queue;
      this.#queue.pop();
      if (firstUp !== actor.queuedUp) continue;
      actor.queuedUp = Number.POSITIVE_INFINITY;
      const due = actor.nextDue();
      if (due.up === Number.POSITIVE_INFINITY) continue;
      const dueUp = Math.max(due.up, firstUp);
      if (dueUp > firstUp || due.event !== event) {
        this.#enqueue(actor, dueUp, due.event);
        continue;
      }
      touch(actor);
      actor.elapse(due, into);
      const next = actor.nextDue();
      if (next.up === due.up && next.event === due.event) throw new Error(`${actor.key} makes no progress at ${due.event}`);
      this.#enqueue(actor, firstUp, Number.NEGATIVE_INFINITY);
    }
  }

  #enqueue(actor: Actor, up: UptimeMs, event: EpochMs): void {
    actor.queuedUp = up;
    this.#queue.push(up, event, actor);
  }
}
