// When a notification that failed is tried again: a dense head, because an alarm must not wait for a long back-off,
// then every quarter of an hour, for 72 hours. Pure: the same id, attempt and age give the same answer.

import type { DurationMs, EpochMs } from "../engine/units.ts";

/** After how many milliseconds the 1st, 2nd, … failure is tried again; the last repeats. */
export const RETRY_SCHEDULE_MS: readonly DurationMs[] = [2_000, 5_000, 15_000, 60_000, 120_000, 300_000, 900_000];
/** A notification older than this that has failed once more is a dead letter. */
export const RETRY_FOR_MS: DurationMs = 72 * 3_600_000;
/** But not before this many failures: a gateway that was down for days still tries the whole head. */
export const ATTEMPTS_MIN = RETRY_SCHEDULE_MS.length;
/** The longest wait that a `Retry-After` may impose. */
export const RETRY_AFTER_MAX_MS: DurationMs = 3_600_000;
/** Waits are spread by this share, up and down. */
const JITTER = 0.1;

export type Retry = { readonly kind: "retry"; readonly afterMs: DurationMs } | { readonly kind: "dead" };

/**
 * @param attempts failures so far, the newest included: 1, 2, …
 * @param ageMs since the notification was made
 * @param seed anything that differs between notifications, such as the id
 * @param retryAfterMs what the receiver asked for; never less than it (up to RETRY_AFTER_MAX_MS) is waited, and not
 * much more: a receiver that names a time is believed over the schedule, once a minute at most
 */
export function nextRetry(attempts: number, ageMs: DurationMs, seed: string, retryAfterMs?: DurationMs): Retry {
  const isOver = ageMs >= RETRY_FOR_MS && attempts >= ATTEMPTS_MIN;
  if (isOver) return { kind: "dead" };
  const scheduled = RETRY_SCHEDULE_MS[Math.min(attempts, RETRY_SCHEDULE_MS.length) - 1] ?? 0;
  const spread = fraction(`${seed}/${attempts}`);
  if (retryAfterMs !== undefined) {
    const asked = Math.min(Math.max(retryAfterMs, 0), RETRY_AFTER_MAX_MS);
    return { kind: "retry", afterMs: Math.round(Math.max(asked, Math.min(scheduled, 60_000)) * (1 + JITTER * spread)) };
  }
  const waited = Math.round(scheduled * (1 - JITTER + 2 * JITTER * spread));
  const left = RETRY_FOR_MS - ageMs;
  return { kind: "retry", afterMs: left > 0 ? Math.min(waited, left) : waited };
}

/**
 * Reads a `Retry-After` header: seconds or an HTTP date (RFC 9110 §10.2.3).
 * @returns milliseconds from `now`, 0 for a date gone by, undefined when it is neither
 */
export function parseRetryAfter(header: string | null | undefined, now: EpochMs): DurationMs | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  if (!/[a-z]{3},? /i.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** A number in [0, 1) from a text (FNV-1a with a final mix): jitter that a test can foresee. */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
