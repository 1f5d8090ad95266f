// Chance from one number: the same seed draws the same, and each part of the world draws from a stream of its own, so that
// taking one part away leaves the others as they were.

import { createRandom as createNumbers } from "../../simulators/signals.ts";

export type Random = {
  /** In [0, 1). */
  next(): number;
  chance(share: number): boolean;
  /** A whole number, both ends included. */
  whole(least: number, most: number): number;
  between(least: number, most: number): number;
  /** Between two positive numbers, small ones as likely as large ones. */
  spread(least: number, most: number): number;
  /** Times between events that come at random. */
  waiting(mean: number): number;
  pick<Item>(items: readonly Item[]): Item;
  some<Item>(items: readonly Item[], share: number): Item[];
  /** A stream of its own; the same name gives the same. */
  stream(name: string): Random;
};

export function createRandom(seed: string): Random {
  const next = createNumbers(hash(seed));
  const between = (least: number, most: number): number => least + next() * (most - least);
  return {
    next,
    chance: (share) => next() < share,
    whole: (least, most) => Math.floor(between(least, most + 1)),
    between,
    spread: (least, most) => Math.exp(between(Math.log(least), Math.log(most))),
    waiting: (mean) => -Math.log(1 - next()) * mean,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
    some: (items, share) => items.filter(() => next() < share),
    stream: (name) => createRandom(`${seed}/${name}`),
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return value ^ (value >>> 13);
}
