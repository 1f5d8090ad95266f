// Secrets that a machine makes: 256 random bits, so that a plain SHA-256 of them may be stored and looked up.

import { hash, randomBytes } from "node:crypto";

/** What an API token begins with, so that a leaked one is recognised. */
export const TOKEN_PREFIX = "hw_";

export const newSecret = (): string => randomBytes(32).toString("base64url");

/** Hex. */
export const hashOf = (secret: string): string => hash("sha256", secret);

/** A short name for people to tell tokens apart; no secret. */
export const newId = (): string => randomBytes(5).toString("hex");
