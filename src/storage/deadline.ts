// The limit on the time of one answer. Queries are synchronous and cannot be interrupted from outside, so that their loops ask.

import type { Clock } from "../clock.ts";
import type { DurationMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";

export type Deadline = {
  /** Milliseconds left; negative when it is over. */
  left(): DurationMs;
  /** @throws GatewayError `query_too_long` */
  check(): void;
};

export function createDeadline(clock: Clock, timeMs: DurationMs): Deadline {
  const end = clock.monotonic() + timeMs;
  const left = () => end - clock.monotonic();
  return {
    left,
    check() {
      if (left() >= 0) return;
      throw new GatewayError("query_too_long", `the query took longer than ${timeMs} ms`, { hint: "ask for fewer series, a shorter time or a larger step" });
    },
  };
}

/** For work that may take as long as it takes. */
export const noDeadline: Deadline = { left: () => Number.POSITIVE_INFINITY, check: () => undefined };
