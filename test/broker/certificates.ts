// Certificates made for one test: a CA, and what it signs. One key serves them all, since making keys is what takes time.

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import forge from "node-forge";

const DAY_MS = 86_400_000;
const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const keys = { privateKey: forge.pki.privateKeyFromPem(pem.privateKey), publicKey: forge.pki.publicKeyFromPem(pem.publicKey) };
/** The private key of every certificate made here. */
export const KEY = pem.privateKey;
/** A key that belongs to none of them. */
export const otherKey = (): string => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;

let serial = 1;

type Signed = { name?: string | readonly string[]; days?: readonly [from: number, to: number] };

/** A CA of its own, unlike every other also in its serial numbers. */
export function createAuthority(name: string) {
  const subject = [{ name: "commonName", value: name }];
  const issue = (own: forge.pki.CertificateField[], days: readonly [number, number], extensions: object[]): string => {
    const certificate = forge.pki.createCertificate();
    certificate.publicKey = keys.publicKey;
    certificate.serialNumber = `01${(serial++).toString(16).padStart(6, "0")}`;
    certificate.validity.notBefore = new Date(Date.now() + days[0] * DAY_MS);
    certificate.validity.notAfter = new Date(Date.now() + days[1] * DAY_MS);
    certificate.setSubject(own);
    certificate.setIssuer(subject);
    certificate.setExtensions(extensions);
    certificate.sign(keys.privateKey, forge.md.sha256.create());
    return forge.pki.certificateToPem(certificate);
  };
  return {
    cert: issue(
      subject,
      [-1000, 1000],
      [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, critical: true },
      ],
    ),
    /** For 127.0.0.1 and localhost. */
    server: ({ days = [-1, 100] }: Signed = {}): string =>
      issue([{ name: "commonName", value: "localhost" }], days, [
        {
          name: "subjectAltName",
          altNames: [
            { type: 2, value: "localhost" },
            { type: 7, ip: "127.0.0.1" },
          ],
        },
      ]),
    client: ({ name: own = "freezer-7", days = [-1, 100] }: Signed = {}): string =>
      issue(
        [own].flat().map((value) => ({ name: "commonName", value: value as string })),
        days,
        [{ name: "extKeyUsage", clientAuth: true }],
      ),
  };
}

/** A folder for PEM files. */
export function createPemFolder() {
  const path = mkdtempSync(join(tmpdir(), "highwater-pem-"));
  return {
    path,
    write(name: string, text: string): string {
      const file = join(path, name);
      writeFileSync(file, text);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
