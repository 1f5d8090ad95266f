// A snapshot of the engine as of one step, saved a part at a time while later steps go on: what a step is about to change and
// is not saved yet is saved first. Part 0 holds what is not of one series or group; the others hold PART_ACTORS of them each.

import type { Actor } from "./agenda.ts";
import { type Place, type Saved, StateWriter } from "./state.ts";

const PART_ACTORS = 32;
/** Parts of series are numbered from 1, those of groups from here, so that a part keeps its number when series are added. */
const LIST_PARTS = 2 ** 24;
/** What dispatch keeps comes last; so many things of it go into a part. */
const KEPT_PARTS = 3 * LIST_PARTS;
const PART_KEPT = 64;

/** Whether a part holds what dispatch keeps, as one text. */
export const isKeptPart = (part: number): boolean => part >= KEPT_PARTS;

/** What is fixed as a snapshot begins: what is not of one series or group, and the values that dispatch keeps, which never change. */
type Fixed = { readonly global: Saved; readonly kept: readonly unknown[] };

/** `saved: undefined`: the part is as it was in the snapshot before. `early`: how many actors were saved early and wait for their part. */
export type EnginePart = { readonly part: number; readonly saved: Saved | undefined; readonly early: number; readonly isLast: boolean };

/** Numbers that one store has room for; half of it is used, so that the last actor in it fits. */
const STORE_NUMBERS = 2 ** 15;

type PartActors = { readonly part: number; readonly actors: readonly Actor[] };
/** Takes the state of many actors in a row: a buffer for each would cost ten times the saving. `waiting`: of how many still. */
type Store = { readonly writer: StateWriter; waiting: number };
/** Where the state of an actor lies that was saved before it changed. */
type Early = { readonly store: Store; readonly from: Place; readonly to: Place };

export class SnapshotRun {
  readonly #places: readonly PartActors[];
  readonly #changed: (actor: Actor) => boolean;
  readonly #fixed: Fixed;
  /** Those that are not saved yet. */
  readonly #waiting: Set<Actor>;
  readonly #early = new Map<Actor, Early>();
  #store: Store = newStore();
  /** Those that nobody waits for any more, to be filled again. */
  readonly #spare: Store[] = [];
  /** Used again for each part. */
  readonly #writer = new StateWriter();
  #next = -1;

  /**
   * @param lists series, then groups
   * @param changed whether one differs from the snapshot before, or was touched since this one began
   */
  constructor(lists: readonly (readonly Actor[])[], changed: (actor: Actor) => boolean, fixed: Fixed) {
    this.#places = lists.flatMap((list, index) => placesOf(list, index * LIST_PARTS + 1));
    this.#waiting = new Set(lists.flat());
    this.#changed = changed;
    this.#fixed = fixed;
  }

  /** To be called before one is changed. */
  preserve(actor: Actor): void {
    if (!this.#waiting.has(actor) || this.#early.has(actor)) return;
    if (this.#store.writer.place.numbers > STORE_NUMBERS / 2) this.#store = this.#spare.pop() ?? newStore();
    const { writer } = this.#store;
    const from = writer.place;
    actor.save(writer);
    this.#store.waiting += 1;
    this.#early.set(actor, { store: this.#store, from, to: writer.place });
  }

  next(): EnginePart {
    const index = this.#next++;
    const place = this.#places[index];
    const isLast = this.#next >= this.#places.length + Math.ceil(this.#fixed.kept.length / PART_KEPT);
    if (index < 0) return { part: 0, saved: this.#fixed.global, early: this.#early.size, isLast };
    if (place === undefined) return { part: KEPT_PARTS + index - this.#places.length, saved: this.#keptPart(index - this.#places.length), early: 0, isLast };
    const { part, actors } = place;
    const isChanged = actors.some(this.#changed);
    this.#writer.clear();
    for (const actor of actors) {
      if (isChanged) this.#append(actor);
      this.#waiting.delete(actor);
    }
    if (this.#next === this.#places.length) for (const store of [this.#store, ...this.#spare]) store.writer.release();
    return { part, saved: isChanged ? this.#writer.saved() : undefined, early: this.#early.size, isLast };
  }

  #keptPart(index: number): Saved {
    return { numbers: new Float64Array(0), texts: [JSON.stringify(this.#fixed.kept.slice(index * PART_KEPT, (index + 1) * PART_KEPT))] };
  }

  #append(actor: Actor): void {
    const early = this.#early.get(actor);
    if (early === undefined) return actor.save(this.#writer);
    const { store, from, to } = early;
    this.#writer.append(store.writer, from, to);
    this.#early.delete(actor);
    store.waiting -= 1;
    if (store.waiting > 0 || store === this.#store) return;
    store.writer.clear();
    this.#spare.push(store);
  }
}

const newStore = (): Store => ({ writer: new StateWriter(STORE_NUMBERS, true), waiting: 0 });

function placesOf(list: readonly Actor[], firstPart: number): PartActors[] {
  const count = Math.ceil(list.length / PART_ACTORS);
  return Array.from({ length: count }, (_, index) => ({ part: firstPart + index, actors: list.slice(index * PART_ACTORS, (index + 1) * PART_ACTORS) }));
}
