// The reading of a rank among many, without sorting them: Hoare's selection, pivot by the median of three. What is handed in is
// rearranged. Where the pivots are bad the rest is sorted instead, so the work has a bound.

/** Of a percentile by nearest rank: from 1, the smallest rank that at least so many percent of `count` are not above. */
export const rankOf = (count: number, percent: number): number => Math.ceil((count * percent) / 100);

/**
 * @param values finite numbers; rearranged so that those before `rank` are not larger
 * @param count how many of them, from the first
 * @param rank from 1, in ascending order
 */
export function select(values: Float64Array, count: number, rank: number): number {
  const target = rank - 1;
  let low = 0;
  let high = count - 1;
  // Good pivots halve what is left; three times as many rounds are bad luck.
  for (let rounds = 3 * (32 - Math.clz32(count)); low < high; rounds--) {
    if (rounds === 0) {
      values.subarray(low, high + 1).sort();
      break;
    }
    const pivot = medianOfThree(values[low] as number, values[(low + high) >> 1] as number, values[high] as number);
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = swapped;
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else break;
  }
  return values[target] as number;
}

const medianOfThree = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
