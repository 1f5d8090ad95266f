// All occurrences and groups of which anything stands, with what is looked up of them: who is in a group, who owes it something, what
// hides whom. The indexes follow from the occurrences and are made anew when those are restored.

import type { Group, Line, Occurrence, Place } from "./occurrence.ts";
import { placeOf, placeText } from "./occurrence.ts";

/** Sets by key, in the order in which they were filled; empty ones are gone. */
class Sets {
  readonly #sets = new Map<string, Set<string>>();

  add(key: string, item: string): void {
    const set = this.#sets.get(key);
    if (set === undefined) this.#sets.set(key, new Set([item]));
    else set.add(item);
  }

  delete(key: string, item: string): void {
    const set = this.#sets.get(key);
    if (set?.delete(item) === true && set.size === 0) this.#sets.delete(key);
  }

  of(key: string): readonly string[] {
    return [...(this.#sets.get(key) ?? [])];
  }

  /** Sorted, so that it does not matter which was filled first. */
  keys(): readonly string[] {
    return [...this.#sets.keys()].sort();
  }

  has(key: string): boolean {
    return this.#sets.has(key);
  }

  size(key: string): number {
    return this.#sets.get(key)?.size ?? 0;
  }
}

export class Standing {
  readonly #occurrences = new Map<string, Occurrence>();
  readonly #groups = new Map<string, Group>();
  readonly #open = new Map<string, string>();
  readonly #members = new Sets();
  readonly #owing = new Sets();
  readonly #hidden = new Sets();
  readonly #keys = new Sets();
  /** Occurrences so far. */
  numbered = 0;

  occurrence(id: string): Occurrence | undefined {
    return this.#occurrences.get(id);
  }

  /** There is one. */
  the(id: string): Occurrence {
    return this.#occurrences.get(id) as Occurrence;
  }

  get occurrences(): IterableIterator<Occurrence> {
    return this.#occurrences.values();
  }

  get groups(): IterableIterator<Group> {
    return this.#groups.values();
  }

  group(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  /** Puts an occurrence in the place of the one of its id. */
  put(occurrence: Occurrence): void {
    const { id } = occurrence.record;
    const before = this.#occurrences.get(id);
    this.#occurrences.set(id, occurrence);
    if (before === undefined) this.#keys.add(occurrence.key, id);
    occurrence.lines.forEach((line, number) => this.#index({ alert: id, line: number }, before?.lines[number], line));
  }

  drop(id: string): void {
    const { lines, key } = this.the(id);
    lines.forEach((line, number) => this.#index({ alert: id, line: number }, line, undefined));
    this.#keys.delete(key, id);
    this.#occurrences.delete(id);
  }

  line({ alert, line }: Place): Line {
    return this.the(alert).lines[line] as Line;
  }

  change({ alert, line }: Place, by: Partial<Line>): void {
    const occurrence = this.the(alert);
    this.put({ ...occurrence, lines: occurrence.lines.map((each, number) => (number === line ? { ...each, ...by } : each)) });
  }

  /** The group of this name that alerts join now: its id is the name and when it began. */
  openGroup(name: string): Group | undefined {
    return this.#groups.get(this.#open.get(name) ?? "");
  }

  putGroup(group: Group): void {
    this.#groups.set(group.id, group);
    if (group.kind === "shared") this.#open.set(nameOf(group.id), group.id);
  }

  dropGroup(id: string): void {
    this.#groups.delete(id);
    if (this.#open.get(nameOf(id)) === id) this.#open.delete(nameOf(id));
  }

  /** Places of the lines in a group, oldest first. */
  members(group: string): Place[] {
    return this.#inOrder(this.#members.of(group));
  }

  memberCount(group: string): number {
    return this.#members.size(group);
  }

  /** Places of the lines of a group that owe something. */
  owing(group: string): Place[] {
    return this.#inOrder(this.#owing.of(group));
  }

  /** Places of the lines that a cause hides. */
  hiddenBy(cause: string): Place[] {
    return this.#inOrder(this.#hidden.of(cause));
  }

  /** Whether any line of a group owes something. */
  owes(group: string): boolean {
    return this.#owing.has(group);
  }

  /** All that hides anything now. */
  causes(): readonly string[] {
    return this.#hidden.keys();
  }

  hides(cause: string): boolean {
    return this.#hidden.has(cause);
  }

  /** Ids of the occurrences of a rule on a subject. */
  ofKey(key: string): readonly string[] {
    return this.#keys.of(key);
  }

  /** By when they fired, whatever order they came into a set: a restored engine decides alike. */
  #inOrder(texts: readonly string[]): Place[] {
    const numbered = texts.map(placeOf).map((place) => ({ place, number: this.the(place.alert).number }));
    return numbered.sort((a, b) => a.number - b.number || a.place.line - b.place.line).map(({ place }) => place);
  }

  #index(place: Place, before: Line | undefined, after: Line | undefined): void {
    const text = placeText(place);
    if (before?.group !== after?.group) {
      if (before !== undefined) {
        this.#members.delete(before.group, text);
        this.#owing.delete(before.group, text);
      }
      if (after !== undefined) this.#members.add(after.group, text);
    }
    if (after !== undefined && after.held.length > 0) this.#owing.add(after.group, text);
    else if (before !== undefined) this.#owing.delete(before.group, text);
    if (before?.hidden === after?.hidden) return;
    if (before?.hidden != null) this.#hidden.delete(before.hidden, text);
    if (after?.hidden != null) this.#hidden.add(after.hidden, text);
  }
}

const nameOf = (group: string): string => group.slice(0, group.lastIndexOf("@"));
