// Passwords: what is stored says how it was made and holds for the one password only, whatever a keyboard composes its letters of.

import { scryptSync } from "node:crypto";
import { expect, test } from "vitest";
import { hashPassword, isPassword, isPasswordHash } from "../src/password.ts";

test("the password that was hashed, and no other", async () => {
  const [first, second] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")]);
  expect(first).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(first).not.toBe(second);
  expect(await isPassword("correct horse", first)).toBe(true);
  expect(await isPassword("correct horse", second)).toBe(true);
  expect(await isPassword("correct Horse", first)).toBe(false);
  expect(await isPassword("", first)).toBe(false);
});

test("composed and decomposed letters are the same", async () => {
  const stored = await hashPassword("Tromsø Å".normalize("NFD"));
  expect(await isPassword("Tromsø Å".normalize("NFC"), stored)).toBe(true);
});

test("other costs are those that stand in the text", async () => {
  const salt = Buffer.alloc(16, 7);
  const text = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");
  const cheap = `$scrypt$ln=4,r=2,p=3$${text(salt)}$${text(scryptSync("x", salt, 24, { N: 16, r: 2, p: 3 }))}`;
  expect(isPasswordHash(cheap)).toBe(true);
  expect(await isPassword("x", cheap)).toBe(true);
  expect(await isPassword("y", cheap)).toBe(false);
});

test.each([
  "",
  "plain",
  "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
  "$scrypt$ln=15,r=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
])("%j is no hash and no password fits it", async (text) => {
  expect(isPasswordHash(text)).toBe(false);
  expect(await isPassword(text, text)).toBe(false);
  expect(await isPassword(text, undefined)).toBe(false);
});
