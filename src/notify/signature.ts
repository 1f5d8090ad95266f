// Standard Webhooks 1.0.0 signatures: HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, base64, as `v1,…`.
// The id holds no dot, so that what is signed reads in one way only. Asymmetric keys (whsk_) are not done.

import { createHmac, timingSafeEqual } from "node:crypto";

const PREFIX = "whsec_";
const KEY_BYTES_MIN = 24;
const KEY_BYTES_MAX = 64;

/**
 * The key inside a secret: `whsec_` and the base64 of 24 to 64 bytes; the prefix may be absent.
 * @returns undefined when the text is no such secret
 */
export function keyOf(secret: string): Buffer | undefined {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, "base64");
  return key.length >= KEY_BYTES_MIN && key.length <= KEY_BYTES_MAX ? key : undefined;
}

/**
 * @param id the notification's, the same for each attempt
 * @param timestamp seconds since the epoch, of the attempt
 * @param body exactly the bytes that are sent
 * @returns the `webhook-signature` header
 * @throws Error when `secret` is not one; the channel's schema has seen to that
 */
export function sign(secret: string, id: string, timestamp: number, body: string): string {
  const key = keyOf(secret);
  if (key === undefined) throw new Error("not a webhook secret");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

/** Whether one of the space-separated signatures of a header fits; for receivers in tests and simulators. */
export function verifies(secret: string, id: string, timestamp: number, body: string, header: string): boolean {
  const expected = Buffer.from(sign(secret, id, timestamp, body));
  return header.split(" ").some((text) => {
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
