// TLS and mutual TLS by real clients: whom a listener lets in, whom it does not and why, and certificates that change while it runs.

import { once } from "node:events";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { IngestSource } from "../../src/broker/ingest.ts";
import { handshakeReason } from "../../src/broker/tls-listener.ts";
import { runToEnd } from "../e2e/gateway-process.ts";
import { createAuthority, createPemFolder, KEY } from "./certificates.ts";
import { eventually, type Options, runBroker } from "./running-broker.ts";

const folder = createPemFolder();
afterAll(() => folder.remove());
const authority = createAuthority("Highwater test CA");
const stranger = createAuthority("Some other CA");
const pem = {
  ca: folder.write("ca.pem", authority.cert),
  otherCa: folder.write("other-ca.pem", stranger.cert),
  server: folder.write("server.pem", authority.server()),
  key: folder.write("key.pem", KEY),
  client: folder.write("client.pem", authority.client()),
  expired: folder.write("expired.pem", authority.client({ days: [-10, -1] })),
  foreign: folder.write("foreign.pem", stranger.client()),
};
const oneWay = { cert: pem.server, key: pem.key };
const mutual = { ...oneWay, client_ca: pem.ca };
const byName: IngestSource = { topic: "mine/{metric}", codec: "json", settings: {}, labels: { device: "{username}" } };

type Entry = Pick<ConnectionOptions, "ca" | "cert" | "key" | "minVersion" | "maxVersion" | "ciphers" | "session"> & { username?: string };

/** @returns the client, or the code of the error that kept it out */
async function enter(port: number, options: Entry): Promise<MqttClient | string> {
  try {
    const client = await connectAsync(`mqtts://127.0.0.1:${port}`, { reconnectPeriod: 0, ca: authority.cert, ...options } as IClientOptions, false);
    client.on("error", () => {});
    onTestFinished(() => void client.end(true));
    return client;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

const failures = (metric: (line: string) => Promise<number>, reason: string) => metric(`highwater_broker_tls_failures_total{reason="${reason}"}`);

/** The certificate that a new connection gets. */
async function servedBy(port: number): Promise<{ serial: string; socket: TLSSocket }> {
  const socket = connectTls({ port, host: "127.0.0.1", ca: authority.cert });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return { serial: socket.getPeerCertificate().serialNumber, socket };
}

describe("TLS", () => {
  it("carries readings, with the password and the user name of CONNECT", async () => {
    const { port, inbox } = await runBroker({ listener: { tls: oneWay }, sources: [byName] });
    const client = (await enter(port, { username: "pump" })) as MqttClient;
    await client.publishAsync("mine/t", "21.5", { qos: 1 });
    expect(inbox.added).toMatchObject([{ series: '{device="pump",metric="t"}', value: 21.5 }]);
  });

  it("keeps out a client that trusts another CA, and one that speaks plain TCP, and serves on", async () => {
    const lines: string[] = [];
    const { port, metric, raw } = await runBroker({
      listener: { tls: oneWay },
      logged: ({ level, msg, reason }) => lines.push(`${level} ${msg} ${String(reason)}`),
    });
    expect(await enter(port, { ca: stranger.cert })).toMatch(/UNABLE_TO|SELF_SIGNED/);
    await eventually(async () => (await failures(metric, "refused_by_client")) + (await failures(metric, "ended")) === 1);
    const plain = await raw("no CONNECT");
    plain.socket.write("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00");
    await eventually(plain.isClosed);
    await eventually(async () => (await failures(metric, "no_tls")) === 1);
    expect(lines).toContain("debug TLS handshake failed no_tls");
    expect(await enter(port, {})).toMatchObject({ connected: true });
  });

  it("refuses versions before 1.2", async () => {
    const { port, metric } = await runBroker({ listener: { tls: oneWay } });
    expect(await enter(port, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })).toEqual(expect.any(String));
    await eventually(async () => (await failures(metric, "version")) === 1);
  });

  it("warns of an expired certificate and starts all the same", async () => {
    const lines: string[] = [];
    const cert = folder.write("old.pem", authority.server({ days: [-10, -1] }));
    const { port } = await runBroker({ listener: { tls: { cert, key: pem.key } }, logged: ({ level, msg }) => lines.push(`${level} ${msg}`) });
    expect(lines).toEqual([expect.stringMatching(/^warn the certificate expired on \d{4}-\d\d-\d\d: clients will refuse it$/)]);
    expect(await enter(port, {})).toBe("CERT_HAS_EXPIRED");
  });
});

describe("mutual TLS", () => {
  const client = (cert: string): Entry => ({ cert, key: KEY });

  it("the certificate's name is the user name, whatever CONNECT says, and may be the device", async () => {
    const { port, inbox } = await runBroker({ listener: { tls: mutual }, sources: [byName] });
    const device = (await enter(port, { ...client(authority.client({ name: "Fryser Ø 7" })), username: "somebody-else" })) as MqttClient;
    await device.publishAsync("mine/t", "-18", { qos: 1 });
    expect(inbox.added).toMatchObject([{ series: '{device="Fryser Ø 7",metric="t"}', value: -18 }]);
  });

  it.each([
    ["no certificate", {}, "no_certificate"],
    ["a certificate of another CA", client(stranger.client()), "untrusted_certificate"],
    ["an expired certificate", client(authority.client({ days: [-10, -1] })), "expired_certificate"],
  ] as const)("keeps out %s, and says so in a metric", async (_what, options, reason) => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const { port, metric } = await runBroker({ listener: { tls: mutual } });
      expect(await enter(port, { ...options, maxVersion })).toEqual(expect.any(String));
      await eventually(async () => (await failures(metric, reason)) === 1);
      expect(await enter(port, client(authority.client()))).toMatchObject({ connected: true });
    }
  });

  it.each([
    ["two names", ["a", "b"]],
    ["an empty name", ""],
    ["a name with a line break", "a\nb"],
  ])("keeps out a certificate with %s", async (_what, name) => {
    const { port, metric } = await runBroker({ listener: { tls: mutual } });
    expect(await enter(port, client(authority.client({ name })))).toEqual(expect.any(String));
    await eventually(async () => (await metric('highwater_broker_refused_total{reason="certificate_name"}')) === 1);
  });
});

describe("certificates that change", () => {
  async function running(options: Options = {}) {
    const lines: string[] = [];
    const files = createPemFolder();
    onTestFinished(() => files.remove());
    const tls = { cert: files.write("cert.pem", authority.server()), key: files.write("key.pem", KEY), client_ca: files.write("ca.pem", authority.cert) };
    const logged = ({ level, msg, problem }: { level: string; msg: string; problem?: unknown }) =>
      level !== "debug" && lines.push(`${level} ${msg}${problem === undefined ? "" : ` ${String(problem)}`}`);
    return { ...(await runBroker({ ...options, listener: { tls }, logged })), files, lines };
  }

  it("are taken on a reload, and connections that are open stay", async () => {
    const { port, broker, files, inbox, metric } = await running();
    const before = await servedBy(port);
    const device = (await enter(port, { cert: authority.client(), key: KEY })) as MqttClient;
    files.write("cert.pem", authority.server({ days: [-1, 300] }));
    expect((await servedBy(port)).serial).toBe(before.serial);
    const expires = `highwater_broker_certificate_expires_seconds{cert="${files.path}/cert.pem"}`;
    const earlier = await metric(expires);
    broker.reload([byName], {}, { anonymous: true });
    expect((await metric(expires)) - earlier).toBeCloseTo(200 * 86_400, -2);
    expect((await servedBy(port)).serial).not.toBe(before.serial);
    await device.publishAsync("mine/t", "1", { qos: 1 });
    expect(inbox.added).toMatchObject([{ series: '{device="freezer-7",metric="t"}' }]);
  });

  it("are found without being told", async () => {
    const { port, files, lines } = await running({ certificatesEveryMs: 20 });
    const before = await servedBy(port);
    files.write("cert.pem", authority.server());
    await eventually(() => lines.length > 0);
    expect(lines).toEqual(["info new certificate"]);
    expect((await servedBy(port)).serial).not.toBe(before.serial);
  });

  it("and are no good leave the old one in place, which is said once", async () => {
    const { port, broker, files, lines } = await running();
    const before = await servedBy(port);
    files.write("cert.pem", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
    broker.reload([byName], {}, { anonymous: true });
    broker.reload([byName], {}, { anonymous: true });
    expect(lines).toEqual([`error the new certificate is not taken; the old one stays ${files.path}/cert.pem holds a certificate that cannot be read`]);
    expect((await servedBy(port)).serial).toBe(before.serial);
    files.write("cert.pem", authority.server());
    broker.reload([byName], {}, { anonymous: true });
    expect(lines[1]).toBe("info new certificate");
  });

  it("of the clients' CA shut out those of the old CA from then on, also with a session of TLS that they had", async () => {
    const { port, broker, files } = await running();
    const mine = { cert: authority.client(), key: KEY };
    const socket = connectTls({ port, host: "127.0.0.1", ca: authority.cert, ...mine });
    onTestFinished(() => void socket.destroy());
    const [session] = (await once(socket, "session")) as [Buffer];
    files.write("ca.pem", stranger.cert);
    broker.reload([byName], {}, { anonymous: true });
    expect(await enter(port, { ...mine, session })).toEqual(expect.any(String));
    expect(await enter(port, { cert: stranger.client(), key: KEY })).toMatchObject({ connected: true });
  });
});

const { code: mosquittoPub } = await runToEnd("mosquitto_pub", ["--help"]);

describe("mosquitto_pub", () => {
  const publish = (port: number, ...more: string[]) =>
    runToEnd("mosquitto_pub", ["-h", "127.0.0.1", "-p", String(port), "-t", "mine/t", "-m", "4", "-q", "1", ...more]);

  // Skipped where Debian's mosquitto-clients are not installed: mosquitto_pub is the foreign peer of this test.
  it.skipIf(mosquittoPub === 127)("comes in with the right CA and certificate, and with nothing else", async () => {
    const { port, inbox } = await runBroker({ listener: { tls: mutual }, sources: [byName] });
    const own = (cert: string) => ["--cert", cert, "--key", pem.key];
    expect(await publish(port, "--cafile", pem.ca, ...own(pem.client))).toMatchObject({ code: 0 });
    expect(inbox.added).toMatchObject([{ series: '{device="freezer-7",metric="t"}', value: 4 }]);
    for (const refused of [
      ["--cafile", pem.otherCa, ...own(pem.client)],
      ["--cafile", pem.ca, ...own(pem.expired)],
      ["--cafile", pem.ca, ...own(pem.foreign)],
      ["--cafile", pem.ca],
    ])
      expect((await publish(port, ...refused)).code).not.toBe(0);
    expect(inbox.added.length).toBe(1);
  });
});

it.each([
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "no_certificate"],
  ["CERT_HAS_EXPIRED", "expired_certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "untrusted_certificate"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "refused_by_client"],
  ["ERR_TLS_HANDSHAKE_TIMEOUT", "timeout"],
  ["ECONNRESET", "ended"],
  ["", "other"],
])("the code %s is counted as %s", (code, reason) => {
  expect(handshakeReason(code)).toBe(reason);
});
