// Standard Webhooks signatures against the specification's vector and an independent computation.

import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { keyOf, sign, verifies } from "../../src/notify/signature.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";

test("the specification's vector", () => {
  expect(sign(secret, id, 1_614_265_330, '{"test": 2432232314}')).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("signs the bytes of the body, beyond ASCII too, with or without the prefix of the secret", () => {
  const key = Buffer.from(secret.slice(6), "base64");
  const expected = createHmac("sha256", key)
    .update(Buffer.from(`${id}.1.{"value":"−12.4 °C"}`))
    .digest("base64");
  expect(sign(secret, id, 1, '{"value":"−12.4 °C"}')).toBe(`v1,${expected}`);
  expect(sign(secret.slice(6), id, 1, '{"value":"−12.4 °C"}')).toBe(`v1,${expected}`);
});

test("verifies any of several signatures, and no changed body, id or time", () => {
  const header = `v1,AAAA v1a,BBBB ${sign(secret, id, 7, "body")}`;
  expect(verifies(secret, id, 7, "body", header)).toBe(true);
  expect(verifies(secret, id, 8, "body", header)).toBe(false);
  expect(verifies(secret, `${id}x`, 7, "body", header)).toBe(false);
  expect(verifies(secret, id, 7, "Body", header)).toBe(false);
  expect(verifies(secret, id, 7, "body", "")).toBe(false);
});

test.each([
  ["whsec_", false],
  ["whsec_c2hvcnQ=", false],
  ["hello world, hello world, hello world", false],
  [`whsec_${Buffer.alloc(24, 7).toString("base64")}`, true],
  [`whsec_${Buffer.alloc(64, 7).toString("base64")}`, true],
  [`whsec_${Buffer.alloc(65, 7).toString("base64")}`, false],
])("%s is a secret: %s", (text, isOne) => {
  expect(keyOf(text) !== undefined).toBe(isOne);
});
