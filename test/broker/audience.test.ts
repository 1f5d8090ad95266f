// Never a no where MQTT would deliver.

import fc from "fast-check";
import { expect, it } from "vitest";
import { createAudience } from "../../src/broker/audience.ts";

it.each([
  ["a/b", "a/b", true],
  ["a/+", "a/b", true],
  ["a/+", "a", false],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["#", "a", true],
  ["+", "a/b", false],
  ["a/b", "a/b/c", false],
  ["a/b/c", "a/b", false],
  ["+/b", "/b", true],
  ["A/b", "a/b", false],
])("%s on %s: %s", (filter, topic, listens) => {
  const audience = createAudience(100);
  expect(audience.listens(topic)).toBe(false);
  audience.grant("other/filter");
  expect(audience.listens(topic)).toBe(false);
  audience.grant(filter);
  expect(audience.listens(topic)).toBe(listens);
  expect(audience.listens(topic)).toBe(listens);
});

it("says yes to everything rather than forget a filter", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 50 }), (asked) => {
      const audience = createAudience(16);
      for (let filter = 0; filter < 2_000; filter++) audience.grant(`f/${filter}`);
      for (const topic of asked) expect(audience.listens(`f/${topic}`)).toBe(true);
    }),
    { numRuns: 10 },
  );
});
