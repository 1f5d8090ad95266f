// What every codec owes, run over each one that broker/codecs/index.ts lists: it never throws, each value is finite or refused with a
// reason, an empty payload is nothing and any other at least one entry in the books, and no payload reaches a prototype.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, type Decoded, defaultCodecLimits } from "../../src/broker/codecs/codec.ts";
import { codecs } from "../../src/broker/codecs/index.ts";
import { rejectReasons } from "../../src/engine/reading.ts";
import { zoneTable } from "../../src/zone.ts";

const at = Date.UTC(2026, 10, 22);
const zone = zoneTable("Europe/Oslo");
const limits = { depth: 4, values_per_message: 20 };

const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  fc.json({ maxDepth: 6 }),
  fc.double().map(String),
  fc.tuple(fc.double(), fc.constantFrom("", " ", " °C", "%", ",5", "e999", "NaN")).map((parts) => parts.join("")),
  fc.constantFrom("nan", "None", "null", "unavailable", "ON", "[]", "{}", "[[[[[[1]]]]]]", '{"value":NaN}', '{"ts":"2024-03-31T02:30:00","value":1}'),
);
const payload = fc.oneof(
  bytes,
  text.map((one) => new Uint8Array(Buffer.from(one))),
);
const metric = fc.option(fc.string({ maxLength: 5 }), { nil: undefined });

function problemsOf(decoded: Decoded, length: number): string[] {
  const problems: string[] = [];
  const entries = decoded.readings.length + decoded.rejected.length;
  if (length === 0 && entries > 0) problems.push("something from an empty payload");
  if (length > 0 && entries === 0) problems.push("a payload that leaves nothing in the books");
  if (entries > limits.values_per_message) problems.push(`${entries} entries`);
  for (const reading of decoded.readings) {
    if (!Number.isFinite(reading.value)) problems.push(`value ${reading.value}`);
    if (reading.ts !== undefined && !Number.isSafeInteger(reading.ts)) problems.push(`ts ${reading.ts}`);
    if (Object.values(reading).some((one) => one === undefined)) problems.push("a key without a value");
  }
  for (const { reason, detail } of decoded.rejected) {
    if (!rejectReasons.includes(reason)) problems.push(`reason ${reason}`);
    if (detail === "" || detail.length > 300) problems.push(`a detail of ${detail.length} characters`);
  }
  return problems;
}

describe.each(codecs.map((codec): [string, Codec<unknown>] => [codec.name, codec]))("codec %s", (_name, codec) => {
  const settings = codec.schema.parse({});

  it("needs no settings, and refuses unknown ones", () => {
    expect(codec.schema.safeParse({ no_such_key: 1 }).success).toBe(false);
    expect(codec.name).toMatch(/^[a-z][a-z0-9-]*$/);
  });

  it("keeps the books on arbitrary bytes", () => {
    const decode = codec.open(settings, zone, limits);
    fc.assert(
      fc.property(payload, metric, (one, name) => {
        expect(problemsOf(decode(one, "a/b/c", { at, ...(name !== undefined && { metric: name }) }), one.length)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives the same for the same payload, and does not change it", () => {
    const decode = codec.open(settings, zone, limits);
    fc.assert(
      fc.property(payload, (one) => {
        const before = one.slice();
        const first = decode(one, "t", { at });
        expect(decode(one, "t", { at })).toEqual(first);
        expect(one).toEqual(before);
      }),
    );
  });

  it("works without limits of its own, without a zone and on a view of a larger buffer", () => {
    const decode = codec.open(settings, undefined);
    const large = Buffer.from("xx21.5xx");
    const view = new Uint8Array(large.buffer, large.byteOffset + 2, 4);
    expect(decode(view, "t", { at }).readings.map(({ value }) => value)).toEqual([21.5]);
    expect(defaultCodecLimits.depth).toBeGreaterThan(0);
  });

  it.each(["nan", "NaN", "null", "None", "unavailable", "Infinity", "-inf"])("%s is bad quality, never a number", (word) => {
    const decoded = codec.open(settings, zone)(Buffer.from(word), "t", { at });
    expect(decoded.readings).toEqual([]);
    expect(decoded.rejected.map(({ reason }) => reason)).toEqual(["bad_quality"]);
  });

  it("does not reach into a prototype", () => {
    const decode = codec.open(settings, zone);
    for (const one of [
      '{"__proto__":{"polluted":1},"value":2}',
      '{"constructor":{"prototype":{"polluted":1}}}',
      '[{"__proto__":{"value":1}}]',
      "__proto__",
      "constructor",
    ])
      decode(Buffer.from(one), "__proto__", { at, metric: "__proto__", username: "__proto__" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("is linear in the length of what it cannot read", () => {
    const decode = codec.open(settings, zone);
    for (const one of [
      '"\\'.repeat(100_000),
      '{"a":'.repeat(50_000),
      "[".repeat(200_000),
      " ".repeat(200_000),
      "9".repeat(200_000),
      `1${" ".repeat(100_000)}x`,
      "NaN".repeat(60_000),
    ]) {
      const decoded = decode(Buffer.from(one), "t", { at });
      expect(decoded.readings.length + decoded.rejected.length).toBe(1);
    }
  });
});
