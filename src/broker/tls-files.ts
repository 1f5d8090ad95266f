// The files of a TLS listener: a certificate with its chain, its key, and the CA of the clients when they must have certificates too.
// Reads and checks them whole, so that what passes here can be served; says of what does not which file is wrong, and what mends it.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import type { EpochMs } from "../engine/units.ts";
import { reasonOf } from "../error.ts";

/** Paths of PEM files. With `client_ca` a client needs a certificate that it has signed. */
export type TlsFiles = { readonly cert: string; readonly key: string; readonly client_ca?: string };

export type TlsMaterial = {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly validFrom: EpochMs;
  readonly validTo: EpochMs;
};
export type TlsRead =
  | { readonly kind: "ok"; readonly material: TlsMaterial }
  | { readonly kind: "failed"; readonly file: keyof TlsFiles; readonly message: string; readonly hint: string };

export const MIN_VERSION = "TLSv1.2";
const FILE_BYTES_MAX = 1_048_576;
const SOON_MS = 14 * 86_400_000;

class Unfit extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** @param folder where relative paths start */
export function readTls(files: TlsFiles, folder = "/"): TlsRead {
  let file: keyof TlsFiles = "cert";
  try {
    const cert = textOf(files.cert, folder);
    const [leaf] = certificatesOf(cert, files.cert);
    file = "key";
    const key = textOf(files.key, folder);
    checkKey(leaf, key, files);
    file = "client_ca";
    const ca = files.client_ca === undefined ? undefined : textOf(files.client_ca, folder);
    if (files.client_ca !== undefined) certificatesOf(ca as string, files.client_ca);
    file = "cert";
    checkUsable(cert, key, ca);
    return { kind: "ok", material: { cert, key, ca, validFrom: leaf.validFromDate.getTime() as EpochMs, validTo: leaf.validToDate.getTime() as EpochMs } };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    return { kind: "failed", file, message: error.message, hint: error.hint };
  }
}

/** What is to be said of a certificate that is served nevertheless; undefined when there is nothing. */
export function remarkOf({ validFrom, validTo }: TlsMaterial, now: EpochMs): string | undefined {
  const on = (at: EpochMs) => new Date(at).toISOString().slice(0, 10);
  if (validTo < now) return `the certificate expired on ${on(validTo)}: clients will refuse it`;
  if (validFrom > now) return `the certificate is not valid before ${on(validFrom)}: clients will refuse it`;
  return validTo < now + SOON_MS ? `the certificate expires on ${on(validTo)}` : undefined;
}

function textOf(path: string, folder: string): string {
  const file = resolve(folder, path);
  try {
    if (statSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, "utf8");
  } catch (error) {
    throw new Unfit(`${path} cannot be read: ${reasonOf(error)}`, "relative paths start at the config's folder");
  }
  throw new Unfit(`${path} is too large for PEM`, "it may have 1 MB");
}

/** @returns at least one; the first is the server's own, or a CA's */
function certificatesOf(text: string, path: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const [first, ...others] = blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Unfit(`${path} holds a certificate that cannot be read`, "is the file whole?");
    }
  });
  if (first === undefined) throw new Unfit(`${path} holds no certificate`, "it must be PEM: a text with -----BEGIN CERTIFICATE-----");
  return [first, ...others];
}

function checkKey(leaf: X509Certificate, text: string, files: TlsFiles): void {
  const fits = (): boolean => {
    try {
      return leaf.checkPrivateKey(createPrivateKey(text));
    } catch {
      if (text.includes("ENCRYPTED")) throw new Unfit(`${files.key} is encrypted`, "give the key without a password: openssl pkey -in KEY -out PLAIN");
      throw new Unfit(`${files.key} holds no private key`, "it must be PEM: a text with -----BEGIN PRIVATE KEY-----");
    }
  };
  if (!fits()) throw new Unfit(`${files.key} is not the key of ${files.cert}`, "the certificate of the server comes first in its file, then its chain");
}

/** What OpenSSL itself refuses, such as a key that is too short. */
function checkUsable(cert: string, key: string, ca: string | undefined): void {
  try {
    createSecureContext({ cert, key, ca, minVersion: MIN_VERSION });
  } catch (error) {
    throw new Unfit(`TLS does not take these files: ${(error as Error).message}`, "make them anew: docs/reference/listeners.md shows how");
  }
}
