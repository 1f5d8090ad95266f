// The files of TLS as `highwater check` sees them, and which listeners strangers could use.

import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createAuthority, KEY, otherKey } from "../broker/certificates.ts";
import { createFolder } from "./folder.ts";

const { complaints, config, path, write } = createFolder();
const authority = createAuthority("Highwater test CA");
write("tls/cert.pem", authority.server());
write("tls/chain.pem", authority.server() + authority.cert);
write("tls/old.pem", authority.server({ days: [-10, -1] }));
write("tls/key.pem", KEY);
write("tls/other.key", otherKey());
write("tls/locked.key", createPrivateKey(KEY).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }) as string);
write("tls/ca.pem", authority.cert);
write("tls/text.pem", "nothing of the kind\n");
write("tls/torn.pem", authority.cert.replace(/\n[^\n]+\n-----END/, "\n-----END"));
write("tls/large.pem", "x".repeat(1_100_000));

const listener = (tls: string, more = "") => `mqtt:\n  listeners:\n    - port: 8883${more}\n      tls:\n${tls.replace(/^/gm, "        ")}\n`;

describe("the files of TLS", () => {
  it.each([
    ["that are right", "cert: tls/cert.pem\nkey: tls/key.pem"],
    ["with a chain", "cert: tls/chain.pem\nkey: tls/key.pem\nclient_ca: tls/ca.pem"],
    ["that have expired: the start warns of it", "cert: tls/old.pem\nkey: tls/key.pem"],
  ])("%s are no mistake", (_what, tls) => {
    expect(complaints(listener(tls))).toEqual([]);
  });

  const mistakes: [tls: string, complaint: string][] = [
    ["cert: tls/none.pem\nkey: tls/key.pem", "5:15: tls/none.pem cannot be read: no such file (relative paths start at the config's folder)"],
    ["cert: tls\nkey: tls/key.pem", "5:15: tls cannot be read: it is a folder (relative paths start at the config's folder)"],
    ["cert: tls/text.pem\nkey: tls/key.pem", "5:15: tls/text.pem holds no certificate (it must be PEM: a text with -----BEGIN CERTIFICATE-----)"],
    ["cert: tls/torn.pem\nkey: tls/key.pem", "5:15: tls/torn.pem holds a certificate that cannot be read (is the file whole?)"],
    ["cert: tls/large.pem\nkey: tls/key.pem", "5:15: tls/large.pem is too large for PEM (it may have 1 MB)"],
    ["cert: tls/cert.pem\nkey: tls/cert.pem", "6:14: tls/cert.pem holds no private key (it must be PEM: a text with -----BEGIN PRIVATE KEY-----)"],
    [
      "cert: tls/cert.pem\nkey: tls/other.key",
      "6:14: tls/other.key is not the key of tls/cert.pem (the certificate of the server comes first in its file, then its chain)",
    ],
    ["cert: tls/cert.pem\nkey: tls/locked.key", "6:14: tls/locked.key is encrypted (give the key without a password: openssl pkey -in KEY -out PLAIN)"],
    [
      "cert: tls/cert.pem\nkey: tls/key.pem\nclient_ca: tls/none.pem",
      "7:20: tls/none.pem cannot be read: no such file (relative paths start at the config's folder)",
    ],
    [
      "cert: tls/cert.pem\nkey: tls/key.pem\nclient_ca: tls/key.pem",
      "7:20: tls/key.pem holds no certificate (it must be PEM: a text with -----BEGIN CERTIFICATE-----)",
    ],
  ];
  it.each(mistakes.map(([tls, complaint]) => [complaint, tls] as const))("%s", (complaint, tls) => {
    expect(complaints(listener(tls))).toEqual([complaint]);
  });

  it("have absolute paths in the config as it is run", () => {
    const [found] = config(listener("cert: tls/cert.pem\nkey: tls/key.pem\nclient_ca: tls/ca.pem", "\n      websocket: true")).mqtt.listeners;
    expect(found).toEqual({
      ...{ host: "127.0.0.1", port: 8883, websocket: true },
      tls: { cert: join(path, "tls/cert.pem"), key: join(path, "tls/key.pem"), client_ca: join(path, "tls/ca.pem") },
    });
  });
});

describe("a listener off loopback", () => {
  const one = "cert: tls/cert.pem, key: tls/key.pem";
  const kinds = [
    ["TCP", "", false],
    ["WebSocket", "websocket: true", false],
    ["TLS", `tls: { ${one} }`, false],
    ["TLS and WebSocket", `websocket: true, tls: { ${one} }`, false],
    ["mutual TLS", `tls: { ${one}, client_ca: tls/ca.pem }`, true],
    ["mutual TLS and WebSocket", `websocket: true, tls: { ${one}, client_ca: tls/ca.pem }`, true],
  ] as const;

  it.each(kinds)("with %s is refused unless it knows its clients, or is said to be unsafe", (_kind, more, knowsItsClients) => {
    const written = (host: string, rest = "") => `mqtt: { ${rest}listeners: [{ host: "${host}", port: 1, ${more} }] }`;
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "gateway.example.org"]) {
      expect(complaints(written(host)).map((text) => /is not on loopback: anyone on the network could publish/.test(text))).toEqual(
        knowsItsClients ? [] : [true],
      );
      expect(complaints(written(host, "anonymous: unsafe, "))).toEqual([]);
    }
    expect(complaints(written("127.0.0.1"))).toEqual([]);
  });

  it("is not excused by another one with certificates", () => {
    expect(complaints(`mqtt: { listeners: [{ host: 0.0.0.0, port: 1, tls: { ${one}, client_ca: tls/ca.pem } }, { host: 0.0.0.0, port: 2 }] }`)).toHaveLength(1);
  });
});
