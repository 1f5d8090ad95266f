// "Did you mean": the nearest of the known words, by the fewest slips of the keyboard (insert, leave out, replace, swap two).

/** @returns the nearest of `known`, or the one that begins with the word; undefined when none is near: at most a third of the word's letters, and at most 3, may differ */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const words = [...known];
  const [begun, ...others] = word.length < 3 ? [] : words.filter((candidate) => candidate.startsWith(word));
  if (begun !== undefined && others.length === 0) return begun;
  let best: string | undefined;
  let least = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1;
  for (const candidate of words) {
    const slips = slipsBetween(word.toLowerCase().replaceAll("-", "_"), candidate.toLowerCase().replaceAll("-", "_"), least);
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

/** Optimal string alignment distance; gives up with `most` when the lengths alone differ by as much. */
function slipsBetween(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((previous[j] as number) + 1, (row[j - 1] as number) + 1, (previous[j - 1] as number) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (before[j - 2] as number) + 1);
      row.push(cost);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length] as number;
}
