// The guard in front of the parser agrees with a real encoder about where packets begin, however the bytes are cut.

import fc from "fast-check";
import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createFrameGuard } from "../../src/broker/frame-guard.ts";

function publish(bytes: number): Buffer {
  return generate({ cmd: "publish", topic: "a/b", payload: Buffer.alloc(bytes, 0xff), qos: 1, messageId: 7, retain: false, dup: false });
}

/** Length of the packet without its fixed header. */
const overhead = 2 + 3 + 2;

describe("the guard", () => {
  it("lets packets within the limit pass and no other, in chunks of any size", () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(118, 119, 120, 121, 122, 16_376, 16_377, 16_378)), {
      minLength: 1,
      maxLength: 8,
    });
    const cuts = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(sizes, cuts, fc.integer({ min: 10, max: 17_000 }), (payloads, lengths, limit) => {
        const stream = Buffer.concat(payloads.map(publish));
        const fits = createFrameGuard(limit);
        let passed = true;
        let published = 0;
        for (let at = 0, cut = 0; at < stream.length && passed; cut++) {
          const length = lengths[cut % lengths.length] as number;
          const found = fits(stream.subarray(at, at + length));
          passed = found >= 0;
          published += found;
          at += length;
        }
        expect(passed).toBe(payloads.every((bytes) => bytes + overhead <= limit));
        if (passed) expect(published).toBe(payloads.length);
      }),
    );
  });

  it("counts no other packet as a PUBLISH", () => {
    expect(createFrameGuard(1_000)(Buffer.concat([generate({ cmd: "pingreq" }), publish(0), generate({ cmd: "puback", messageId: 3 })]))).toBe(1);
  });

  it("refuses a length of more than four bytes", () => {
    expect(createFrameGuard(268_435_455)(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]))).toBe(-1);
    expect(createFrameGuard(268_435_455)(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]))).toBe(1);
  });
});
