// Random draws of the distributions that the synthetic recordings need, from one seeded stream.

export type Draw = {
  /** In [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  gaussian(): number;
  /** Positive, with this mean. */
  exponential(mean: number): number;
  /** Pareto from 1 with this exponent. */
  pareto(exponent: number): number;
  /** A count with this mean: Poisson, by its normal approximation from 50 up. */
  count(mean: number): number;
  pick<T>(choices: readonly T[]): T;
};

export function createDraw(random: () => number): Draw {
  const uniform = random;
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    gaussian,
    exponential: (mean) => -mean * Math.log(1 - uniform()),
    pareto: (exponent) => (1 - uniform()) ** (-1 / exponent),
    count(mean) {
      if (mean >= 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian()));
      let [count, product] = [0, uniform()];
      for (const limit = Math.exp(-mean); product > limit; product *= uniform()) count++;
      return count;
    },
    pick(choices) {
      const choice = choices[Math.floor(uniform() * choices.length)];
      if (choice === undefined) throw new Error("nothing to pick from");
      return choice;
    },
  };
}
