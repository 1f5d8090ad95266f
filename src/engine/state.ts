// How state leaves and enters the engine: a list of numbers and a list of texts, written and read in the same order.
// Numbers come back bit for bit; how they become bytes is the store's business.

/** A saved piece of state. */
export type Saved = { readonly numbers: Float64Array; readonly texts: readonly string[] };

export class StateWriter {
  readonly #numbers: number[] = [];
  readonly #texts: string[] = [];

  number(value: number): void {
    this.#numbers.push(value);
  }

  text(value: string): void {
    this.#texts.push(value);
  }

  /** Appends what another writer saved. */
  append(saved: Saved): void {
    for (const value of saved.numbers) this.#numbers.push(value);
    this.#texts.push(...saved.texts);
  }

  saved(): Saved {
    return { numbers: Float64Array.from(this.#numbers), texts: this.#texts };
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

  text(): string {
    const value = this.#saved.texts[this.#text++];
    if (value === undefined) throw new Error("saved state ends too early");
    return value;
  }
}
