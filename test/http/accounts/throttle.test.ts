// The throttle on a clock of its own: some failures are free, then each costs more time, by address and by name; whoever succeeds
// is forgiven the name, and memory is bounded.

import { expect, test } from "vitest";
import { createThrottle, throttleLimits } from "../../../src/http/accounts/throttle.ts";
import { networkOf } from "../../../src/network.ts";

function createClocked(limits = {}) {
  const clock = { at: 0, monotonic: () => clock.at };
  const throttle = createThrottle(clock, { ...throttleLimits, ...limits });
  /** @returns milliseconds to wait, 0: it went through */
  const fail = (address: string, name: string): number => {
    const attempt = throttle.begin(address, name);
    return attempt.kind === "wait" ? attempt.ms : 0;
  };
  return { clock, throttle, fail };
}

test("five failures are free; then the wait doubles up to fifteen minutes and is forgotten after half an hour", () => {
  const { clock, fail } = createClocked();
  const waits: number[] = [];
  for (let count = 0; count < 4; count += 1) expect(fail("198.51.100.7", "ada")).toBe(0);
  for (let count = 0; count < 10; count += 1) {
    expect(fail("198.51.100.7", "ada")).toBe(0);
    const wait = fail("198.51.100.7", "ada");
    waits.push(wait / 1000);
    // Asking while one has to wait makes it no longer.
    expect(fail("198.51.100.7", "ada")).toBe(wait);
    clock.at += wait;
  }
  expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
  clock.at += 1_800_001;
  expect(fail("198.51.100.7", "ada")).toBe(0);
});

test("a name waits wherever the guesses come from, an address whatever the name", () => {
  const { fail } = createClocked();
  for (let host = 1; host <= 5; host += 1) expect(fail(`203.0.113.${host}`, "ada")).toBe(0);
  expect(fail("203.0.113.99", "ada")).toBe(5000);
  expect(fail("203.0.113.99", "bob")).toBe(0);
  for (const name of ["a", "b", "c", "d"]) expect(fail("203.0.113.99", name)).toBe(0);
  expect(fail("203.0.113.99", "e")).toBe(5000);
});

test("many at once count before any of them is answered", () => {
  const { throttle } = createClocked();
  const attempts = Array.from({ length: 50 }, () => throttle.begin("203.0.113.1", "ada"));
  expect(attempts.filter(({ kind }) => kind === "go")).toHaveLength(5);
});

test("of each wait the first who has to is news", () => {
  const { clock, throttle } = createClocked();
  const news = (): boolean | "go" => {
    const attempt = throttle.begin("203.0.113.1", "ada");
    return attempt.kind === "wait" ? attempt.isNews : "go";
  };
  expect(Array.from({ length: 8 }, news)).toEqual(["go", "go", "go", "go", "go", true, false, false]);
  clock.at += 5000;
  expect([news(), news(), news()]).toEqual(["go", true, false]);
});

test("a success forgives the name, and of the address only itself", () => {
  const { throttle, fail } = createClocked();
  for (let count = 0; count < 3; count += 1) fail("203.0.113.1", "ada");
  for (let count = 0; count < 20; count += 1) {
    const attempt = throttle.begin("203.0.113.1", "ada");
    if (attempt.kind === "go") attempt.succeeded();
    expect(attempt.kind).toBe("go");
  }
  fail("203.0.113.1", "bob");
  fail("203.0.113.1", "bob");
  expect(fail("203.0.113.1", "bob")).toBe(5000);
  expect(fail("203.0.113.2", "ada")).toBe(0);
});

test("no more is remembered than the limit; the oldest goes", () => {
  const { fail } = createClocked({ entriesMax: 10, free: 1 });
  fail("203.0.113.1", "first");
  expect(fail("203.0.113.1", "x")).toBe(5000);
  for (let host = 2; host <= 11; host += 1) fail(`203.0.113.${host}`, `n${host}`);
  expect(fail("203.0.113.1", "y")).toBe(0);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("%s belongs to %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
