// How state leaves and enters the engine: a list of numbers and a list of texts, written and read in the same order.
// Numbers come back bit for bit; how they become bytes is the store's business.

/** A saved piece of state. */
export type Saved = { readonly numbers: Float64Array<ArrayBuffer>; readonly texts: readonly string[] };

/** What is always the same number of numbers. */
export type Packable = {
  readonly width: number;
  pack(into: number[], at: number): void;
  /** Takes them back, bit for bit. */
  unpack(from: readonly number[], at: number): void;
};

/**
 * Room for so many numbers, as NaN. A plain array of doubles, which V8 keeps unboxed from the first number on, as NaN is one; a typed array
 * of a few numbers takes 300 bytes more than they do.
 */
export const roomFor = (count: number): number[] => Array<number>(count).fill(Number.NaN);

/** The widest that there is. */
const WIDTH_MAX = 16;
const scratch = roomFor(WIDTH_MAX);

/** How far a writer has come. */
export type Place = { readonly numbers: number; readonly texts: number; readonly loans: number };

/** Numbers that a writer did not copy: until the loan is over, their owner changes a copy of its own. */
export type Loan = { isOut: boolean; readonly at: number; readonly count: number; readonly list: readonly number[] };

export class StateWriter {
  #numbers: Float64Array<ArrayBuffer>;
  #count = 0;
  #texts: string[] = [];
  readonly #borrows: boolean;
  #loans: Loan[] = [];

  /**
   * @param room for so many numbers to begin with
   * @param borrows whether it takes numbers on loan; what it wrote can then only be appended to another, once
   */
  constructor(room = 256, borrows = false) {
    this.#numbers = new Float64Array(room);
    this.#borrows = borrows;
  }

  get place(): Place {
    return { numbers: this.#count, texts: this.#texts.length, loans: this.#loans.length };
  }

  number(value: number): void {
    if (this.#count === this.#numbers.length) this.#grow(1);
    this.#numbers[this.#count++] = value;
  }

  /** Many numbers at once. */
  all(values: Float64Array): void {
    if (this.#count + values.length > this.#numbers.length) this.#grow(values.length);
    this.#numbers.set(values, this.#count);
    this.#count += values.length;
  }

  /** So many numbers of a list, from one on. */
  some(count: number, values: readonly number[], from = 0): void {
    if (this.#count + count > this.#numbers.length) this.#grow(count);
    for (let index = 0; index < count; index++) this.#numbers[this.#count + index] = values[from + index] as number;
    this.#count += count;
  }

  /** So many numbers of a list, which its owner may lend. @returns the loan; undefined when they were copied */
  lent(count: number, list: readonly number[]): Loan | undefined {
    if (!this.#borrows) {
      this.some(count, list);
      return undefined;
    }
    const loan = { isOut: true, at: this.#count, count, list };
    this.#loans.push(loan);
    return loan;
  }

  packed(state: Packable): void {
    state.pack(scratch, 0);
    this.some(state.width, scratch);
  }

  text(value: string): void {
    this.#texts.push(value);
  }

  /** Appends what another writer wrote between two places; its loans there are over. */
  append(other: StateWriter, from: Place, to: Place): void {
    let next = from.numbers;
    for (const loan of other.#loans.slice(from.loans, to.loans)) {
      this.all(other.#numbers.subarray(next, loan.at));
      this.some(loan.count, loan.list);
      loan.isOut = false;
      next = loan.at;
    }
    this.all(other.#numbers.subarray(next, to.numbers));
    for (let index = from.texts; index < to.texts; index++) this.#texts.push(other.#texts[index] as string);
  }

  saved(): Saved {
    return { numbers: this.#numbers.slice(0, this.#count), texts: this.#texts };
  }

  /** Gives its room back at once, rather than when the garbage is collected; nothing may be written any more. */
  release(): void {
    this.#numbers.buffer.transfer(0);
  }

  /** Begins anew; what was saved before stands. */
  clear(): void {
    this.#count = 0;
    this.#texts = [];
    this.#loans = [];
  }

  #grow(more: number): void {
    const grown = new Float64Array(Math.max(this.#numbers.length * 2, this.#count + more));
    grown.set(this.#numbers.subarray(0, this.#count));
    this.#numbers = grown;
  }
}

export class StateReader {
  readonly #saved: Saved;
  #number = 0;
  #text = 0;

  constructor(saved: Saved) {
    this.#saved = saved;
  }

  get done(): boolean {
    return this.#number >= this.#saved.numbers.length;
  }

  number(): number {
    const value = this.#saved.numbers[this.#number++];
    if (value === undefined) throw new Error("saved state ends too early");
    return value;
  }

  /** Many numbers at once; a view that must not be changed. */
  all(count: number): Float64Array {
    this.#number += count;
    if (this.#number > this.#saved.numbers.length) throw new Error("saved state ends too early");
    return this.#saved.numbers.subarray(this.#number - count, this.#number);
  }

  packed(state: Packable): void {
    for (let index = 0; index < state.width; index++) scratch[index] = this.number();
    state.unpack(scratch, 0);
  }

  text(): string {
    const value = this.#saved.texts[this.#text++];
    if (value === undefined) throw new Error("saved state ends too early");
    return value;
  }
}
