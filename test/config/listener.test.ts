// Hosts of listeners, and the nearest word.

import { describe, expect, test } from "vitest";
import { overlap, urlOf } from "../../src/config/listener.ts";
import { nearest } from "../../src/config/suggest.ts";
import { isLoopback } from "../../src/http/host.ts";

test.each([
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.example.org", false],
  ["localhost.example.org", false],
])("%s is on loopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each<[string, number, string, number, boolean]>([
  ["127.0.0.1", 1883, "127.0.0.1", 1883, true],
  ["127.0.0.1", 1883, "127.0.0.1", 1884, false],
  ["127.0.0.1", 0, "127.0.0.1", 0, false],
  ["127.0.0.1", 1883, "10.0.0.1", 1883, false],
  ["127.0.0.1", 1883, "127.0.0.2", 1883, false],
  ["localhost", 1883, "127.0.0.1", 1883, true],
  ["0.0.0.0", 1883, "10.0.0.1", 1883, true],
  ["::", 1883, "127.0.0.1", 1883, true],
  ["Gateway.local", 1883, "gateway.local", 1883, true],
])("%s:%d and %s:%d want the same port: %s", (host, port, other, otherPort, expected) => {
  expect(overlap({ host, port }, { host: other, port: otherPort })).toBe(expected);
  expect(overlap({ host: other, port: otherPort }, { host, port })).toBe(expected);
});

test("a page is reached by a name that a browser can open", () => {
  expect(urlOf({ host: "127.0.0.1", port: 80 })).toBe("http://127.0.0.1:80");
  expect(urlOf({ host: "0.0.0.0", port: 80 })).toBe("http://localhost:80");
  expect(urlOf({ host: "::1", port: 80 })).toBe("http://[::1]:80");
});

describe("did you mean", () => {
  const keys = ["above", "below", "outside", "out_of_orderness", "max_future", "for"];
  test.each([
    ["abvoe", "above"],
    ["abov", "above"],
    ["aboove", "above"],
    ["ABOVE", "above"],
    ["out-of-orderness", "out_of_orderness"],
    ["out_of_order", "out_of_orderness"],
    ["ou", undefined],
    ["out", undefined],
    ["outsider", "outside"],
    ["fro", "for"],
    ["zzz", undefined],
    ["", undefined],
  ])("%s → %s", (word, expected) => {
    expect(nearest(word, keys)).toBe(expected);
  });
});
