// Users of MQTT, in Mosquitto's password file format, so that people bring theirs: a line `name:$7$iterations$salt$hash` each
// (PBKDF2 with SHA-512, salt and hash in base64), or the older `name:$6$salt$hash` (SHA-512 of password and salt). Only hashes are kept.

import { createHash, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

export type Credential =
  | { readonly kind: "pbkdf2"; readonly iterations: number; readonly salt: Buffer; readonly hash: Buffer }
  | { readonly kind: "sha512"; readonly salt: Buffer; readonly hash: Buffer };
export type Users = ReadonlyMap<string, Credential>;
/** `line` and `column` count from 1. */
export type PasswordFlaw = { readonly line: number; readonly column: number; readonly message: string; readonly hint: string };

const USERS_MAX = 100_000;
const NAME_CHARS_MAX = 255;
/** A million takes about half a second of one core; more would be an attack on ourselves. */
const ITERATIONS_MAX = 1_000_000;
/** Of new entries. Mosquitto takes 101; a fleet of a thousand that comes back at once costs us a few seconds of a core with this. */
const ITERATIONS = 10_000;
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/** @returns the users, and what could not be read; of a name that stands twice the last entry counts, as in Mosquitto */
export function parsePasswordFile(text: string): { readonly users: Users; readonly flaws: readonly PasswordFlaw[] } {
  const users = new Map<string, Credential>();
  const flaws: PasswordFlaw[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const flaw = (column: number, message: string, hint: string): void => void flaws.push({ line: index + 1, column, message, hint });
    if (colon <= 0) flaw(1, "not a user: a line is NAME:HASH", "write it with `highwater user add NAME --mqtt`, or with mosquitto_passwd");
    else if (colon > NAME_CHARS_MAX) flaw(1, `a name of ${colon} characters; the limit is ${NAME_CHARS_MAX}`, "choose a shorter one");
    else if (users.size >= USERS_MAX) return { users, flaws: [...flaws, { line: index + 1, column: 1, ...tooMany }] };
    else {
      const credential = credentialOf(line.slice(colon + 1));
      if (typeof credential === "string") flaw(colon + 2, credential, "write it anew with `highwater user add NAME --mqtt`, or with mosquitto_passwd");
      else users.set(line.slice(0, colon), credential);
    }
  }
  return { users, flaws };
}

const tooMany = { message: `more than ${USERS_MAX} users`, hint: "let devices share a user, or give them certificates" };

/** @returns what is wrong with it, if it is no hash */
function credentialOf(text: string): Credential | string {
  const [empty, kind, ...fields] = text.split("$");
  if (empty !== "" || kind === undefined) return "the password is not hashed";
  if (kind === "argon2id") return "argon2id is not known here: PBKDF2 ($7$) and SHA-512 ($6$) are";
  const [first = "", second = "", third = ""] = fields;
  if (kind === "6" && fields.length === 2) return complete({ kind: "sha512", salt: Buffer.from(first, "base64"), hash: Buffer.from(second, "base64") });
  if (kind !== "7" || fields.length !== 3) return "not a hash of Mosquitto's: those begin with $7$ or $6$";
  const iterations = Number(first);
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > ITERATIONS_MAX) return `${first} is no number of iterations from 1 to ${ITERATIONS_MAX}`;
  return complete({ kind: "pbkdf2", iterations, salt: Buffer.from(second, "base64"), hash: Buffer.from(third, "base64") });
}

const complete = (credential: Credential): Credential | string =>
  credential.salt.length > 0 && credential.hash.length === HASH_BYTES ? credential : "the hash is cut: 64 bytes in base64 belong there";

/** For a name that nobody has: telling it from a wrong password must not be possible by the time it takes. */
const nobody: Credential = { kind: "pbkdf2", iterations: ITERATIONS, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };

/**
 * Whether it is the user's password; the work is done off the calling thread.
 * @param credential undefined: there is no such user
 * @param decoy takes the user's place then
 */
export async function isPassword(credential: Credential | undefined, password: Uint8Array, decoy = nobody): Promise<boolean> {
  const { salt, hash, ...rest } = credential ?? decoy;
  const given =
    rest.kind === "sha512" ? createHash("sha512").update(password).update(salt).digest() : await derive(password, salt, rest.iterations, HASH_BYTES, "sha512");
  return timingSafeEqual(given, hash) && credential !== undefined;
}

/** A line of the file. @param name without a colon or a line break */
export async function passwordLine(name: string, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, ITERATIONS, HASH_BYTES, "sha512");
  return `${name}:$7$${ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** What is wrong with a name, if anything. */
export function nameFlaw(name: string): string | undefined {
  if (name === "" || name.length > NAME_CHARS_MAX) return `a name has 1 to ${NAME_CHARS_MAX} characters`;
  if (name.startsWith("#")) return "a line that begins with # is a comment";
  return /[:\x00-\x1f\x7f]/.test(name) ? "a name holds no colon and no control characters" : undefined;
}

/** The file with this line in place of the user's, or behind all others. */
export function withUser(text: string, line: string): string {
  const name = line.slice(0, line.indexOf(":"));
  const lines = linesOf(text);
  const index = lines.findLastIndex((each) => each.startsWith(`${name}:`));
  return joined(index < 0 ? [...lines, line] : lines.with(index, line));
}

/** @returns undefined when there is no such user */
export function withoutUser(text: string, name: string): string | undefined {
  const lines = linesOf(text);
  const left = lines.filter((each) => !each.startsWith(`${name}:`));
  return left.length === lines.length ? undefined : joined(left);
}

const linesOf = (text: string): string[] =>
  text
    .replace(/\n$/, "")
    .split("\n")
    .filter((line, index, all) => line !== "" || index < all.length - 1);
const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");
