// Branded numbers: a duration is not an instant, and an instant of the wall clock is not one of the listening clock.
// Adding two instants does not compile. All are whole milliseconds.

declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]?: Name };

/** Milliseconds since 1970-01-01T00:00:00Z, UTC. Event time and arrival time both are this. */
export type EpochMs = Branded<"EpochMs">;
/** Milliseconds for which the gateway has been listening, over all its runs; stands still while it takes no readings. */
export type UptimeMs = Branded<"UptimeMs">;
/** A length of time in milliseconds. */
export type DurationMs = Branded<"DurationMs">;
/** The dense number of a series, from 0; given by the broker's registry, the same for the life of a data directory. */
export type SeriesId = Branded<"SeriesId">;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const durationPattern = /^(?:\d+(?:ms|[smhdw]))+$/;

/**
 * Reads a duration such as `500ms`, `90s`, `1h30m`, `2w`.
 * @returns milliseconds, or undefined when `text` is not a duration.
 */
export function parseDuration(text: string): DurationMs | undefined {
  if (!durationPattern.test(text)) return undefined;
  let total = 0;
  for (const [, digits, name] of text.matchAll(/(\d+)(ms|[smhdw])/g)) total += Number(digits) * unitMs[name as keyof typeof unitMs];
  return Number.isSafeInteger(total) ? total : undefined;
}

/** Writes a duration the way people write it: `1h30m`, `90s` becomes `1m30s`, 0 is `0s`. */
export function formatDuration(ms: DurationMs): string {
  let rest = Math.max(0, Math.round(ms));
  if (rest === 0) return "0s";
  let text = "";
  for (const name of ["d", "h", "m", "s", "ms"] as const) {
    const count = Math.floor(rest / unitMs[name]);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unitMs[name];
  }
  return text;
}

/** Remainder that is never negative, so that windows before 1970 are as wide as those after. */
export function floorMod(value: number, size: number): number {
  const rest = value % size;
  return rest < 0 ? rest + size : rest;
}
