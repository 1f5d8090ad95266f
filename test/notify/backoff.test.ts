// The schedule of retries: dense at first, capped, bounded by 72 hours, the same for the same seed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTEMPTS_MIN, nextRetry, parseRetryAfter, RETRY_AFTER_MAX_MS, RETRY_FOR_MS, RETRY_SCHEDULE_MS } from "../../src/notify/backoff.ts";

const afterOf = (...call: Parameters<typeof nextRetry>): number => {
  const retry = nextRetry(...call);
  return retry.kind === "retry" ? retry.afterMs : Number.NaN;
};

test("waits 2 s, 5 s, 15 s, 1 min, 2 min, 5 min, then 15 min, each within a tenth", () => {
  for (let attempts = 1; attempts <= 12; attempts++) {
    const nominal = RETRY_SCHEDULE_MS[Math.min(attempts, RETRY_SCHEDULE_MS.length) - 1] ?? 0;
    const after = afterOf(attempts, 0, "a1");
    expect(after).toBeGreaterThanOrEqual(nominal * 0.9);
    expect(after).toBeLessThanOrEqual(nominal * 1.1);
  }
  expect(RETRY_SCHEDULE_MS).toEqual([2_000, 5_000, 15_000, 60_000, 120_000, 300_000, 900_000]);
});

test("the same notification and attempt wait the same; different ones are spread", () => {
  expect(afterOf(7, 0, "a1")).toBe(afterOf(7, 0, "a1"));
  const waits = new Set(Array.from({ length: 100 }, (_, index) => afterOf(7, 0, `a${index}`)));
  expect(waits.size).toBeGreaterThan(90);
});

test("tries a last time at 72 hours, and is dead after that, but not before the head of the schedule was tried", () => {
  expect(afterOf(200, RETRY_FOR_MS - 1_000, "a1")).toBe(1_000);
  expect(nextRetry(200, RETRY_FOR_MS, "a1")).toEqual({ kind: "dead" });
  expect(nextRetry(ATTEMPTS_MIN - 1, 2 * RETRY_FOR_MS, "a1").kind).toBe("retry");
  expect(nextRetry(ATTEMPTS_MIN, 2 * RETRY_FOR_MS, "a1")).toEqual({ kind: "dead" });
});

test("never waits less than a receiver asks, up to an hour, nor much more", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 1e9 }), fc.string(), (attempts, asked, seed) => {
      const after = afterOf(attempts, 0, seed, asked);
      const bounded = Math.min(asked, RETRY_AFTER_MAX_MS);
      expect(after).toBeGreaterThanOrEqual(bounded);
      expect(after).toBeLessThanOrEqual(Math.max(bounded, 60_000) * 1.1);
    }),
  );
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 10, 22, 12, 0, 0);
  test.each([
    ["120", 120_000],
    ["0", 0],
    [" 5 ", 5_000],
    ["Sun, 22 Nov 2026 12:00:30 GMT", 30_000],
    ["Sunday, 22-Nov-26 12:01:00 GMT", 60_000],
    ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["", undefined],
    [null, undefined],
    ["2026-11-22T12:00:30Z", undefined],
  ])("%o is %o ms", (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  test("whatever a receiver says is a number of 0 or more, or nothing", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const after = parseRetryAfter(header, now);
        expect(after === undefined || (after >= 0 && Number.isFinite(after))).toBe(true);
      }),
    );
  });
});
