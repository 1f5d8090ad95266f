// How much one connection may send: messages and bytes a second. What has arrived is never dropped; a connection that is over its
// limit is not read until it has tokens again, so that TCP holds its client back. Costs a few operations per chunk of bytes.

import type { Clock } from "../clock.ts";
import type { BrokerLimits } from "./limits.ts";
import { createTokenBucket, refill, waitOf } from "./token-bucket.ts";

export type Throttle = ReturnType<typeof createThrottle>;

export function createThrottle(clock: Clock, limits: Pick<BrokerLimits, "messages_per_second" | "bytes_per_second">) {
  const start = clock.monotonic();
  const messages = createTokenBucket(limits.messages_per_second, start);
  const bytes = createTokenBucket(limits.bytes_per_second, start);
  return {
    /** What was read; it may be more than there was, and is then paid by waiting. */
    spend(messageCount: number, byteCount: number): void {
      const now = clock.monotonic();
      refill(messages, now);
      refill(bytes, now);
      messages.tokens -= messageCount;
      bytes.tokens -= byteCount;
    },
    /** @returns ms until it may be read again; 0 when it may */
    waitMs(): number {
      if (messages.tokens > 0 && bytes.tokens > 0) return 0;
      const now = clock.monotonic();
      refill(messages, now);
      refill(bytes, now);
      return Math.max(waitOf(messages), waitOf(bytes));
    },
  };
}
