// How often something may happen: tokens come back with the time, and one second's worth of them may be spent at once.
// Holds no clock: whoever asks says what time it is, in monotonic ms.

export type TokenBucket = {
  readonly perSecond: number;
  /** Below zero after more was spent than there was. */
  tokens: number;
  at: number;
};

/** @param perSecond 0 means without a limit */
export function createTokenBucket(perSecond: number, now: number): TokenBucket {
  const rate = perSecond === 0 ? Number.MAX_SAFE_INTEGER : perSecond;
  return { perSecond: rate, tokens: rate, at: now };
}

export function refill(bucket: TokenBucket, now: number): void {
  bucket.tokens = Math.min(bucket.perSecond, bucket.tokens + ((now - bucket.at) * bucket.perSecond) / 1_000);
  bucket.at = now;
}

/** Takes one token. @returns false when there is none */
export function takeToken(bucket: TokenBucket, now: number): boolean {
  refill(bucket, now);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

/** @returns ms until there is something to spend again; 0 when there is */
export function waitOf({ tokens, perSecond }: TokenBucket): number {
  return tokens > 0 ? 0 : Math.ceil(((1 - tokens) * 1_000) / perSecond);
}
