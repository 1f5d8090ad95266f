// Passwords by scrypt, as text that says how it was made: `$scrypt$ln=15,r=8,p=1$SALT$KEY`, base64 without padding. The work
// is done by Node's thread pool, 32 MiB and some 100 ms each; whoever lets strangers ask bounds how many are asked at once.

import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** log2 of N, r and p: N = 2^15 needs 128·N·r = 32 MiB. */
const COST = { ln: 15, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

type Cost = { readonly ln: number; readonly r: number; readonly p: number };
type Parts = { readonly cost: Cost; readonly salt: Buffer; readonly key: Buffer };

/** @returns text to be stored */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST, KEY_BYTES);
  return `$scrypt$ln=${COST.ln},r=${COST.r},p=${COST.p}$${base64(salt)}$${base64(key)}`;
}

/**
 * Compares in constant time.
 * @param stored of `hashPassword`; undefined does the same work and answers false, so that nobody learns which names exist
 */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const parts = stored === undefined ? undefined : parse(stored);
  const { cost, salt, key } = parts ?? nobody;
  const given = await derive(password, salt, cost, key.length);
  return timingSafeEqual(given, key) && parts !== undefined;
}

/** Whether a text is one of `hashPassword`. */
export const isPasswordHash = (text: string): boolean => parse(text) !== undefined;

const nobody: Parts = { cost: COST, salt: randomBytes(SALT_BYTES), key: randomBytes(KEY_BYTES) };

function parse(text: string): Parts | undefined {
  const [, ln, r, p, salt, key] = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,})\$([A-Za-z0-9+/]{22,})$/.exec(text) ?? [];
  if (salt === undefined || key === undefined) return undefined;
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  if (cost.ln < 1 || cost.ln > 20 || cost.r < 1 || cost.p < 1) return undefined;
  return { cost, salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
}

/** The same letters are the same password, however a keyboard composes them. */
function derive(password: string, salt: Buffer, { ln, r, p }: Cost, length: number): Promise<Buffer> {
  const [N, maxmem] = [2 ** ln, 256 * 2 ** ln * r];
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, length, { N, r, p, maxmem }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

const base64 = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
