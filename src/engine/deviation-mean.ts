// The two small sums that the anomaly detector's running means are made of.
// Both are plain arithmetic on finite numbers; the mean's count is the caller's.

/** @returns `value`, or the nearer end of −reach to reach */
export function clip(value: number, reach: number): number {
  return Math.max(-reach, Math.min(reach, value));
}

/**
 * A mean that is plain at first, where what it starts from counts as one value, and fades with this memory later.
 * @param memory time constant, in values
 * @param seen how many values the mean has taken, this one included
 */
export function toward(mean: number, value: number, memory: number, seen: number): number {
  return mean + (value - mean) * Math.max(1 / memory, 1 / (seen + 1));
}
