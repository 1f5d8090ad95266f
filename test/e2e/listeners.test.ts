// A gateway with every kind of listener, from outside: readings by each, a certificate that is renewed by SIGHUP, and starts that are refused.

import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, it } from "vitest";
import { createAuthority, createPemFolder, KEY } from "../broker/certificates.ts";
import { connectClient, createFolder, highwater, startHighwater, waitFor, writeConfig } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const authority = createAuthority("Highwater test CA");

function createFiles() {
  const pem = createPemFolder();
  cleanUp.push(() => pem.remove());
  const tls = { cert: pem.write("server.pem", authority.server()), key: pem.write("server.key", KEY), client_ca: pem.write("ca.pem", authority.cert) };
  const folder = createFolder("listeners");
  cleanUp.push(() => folder.remove());
  return { pem, tls, folder };
}

const serialAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: "127.0.0.1", ca: authority.cert }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });

it("takes readings by each listener, and a new certificate by SIGHUP while clients stay connected", async () => {
  const { pem, tls, folder } = createFiles();
  const local = { host: "127.0.0.1", port: 0 };
  const gateway = await startHighwater(folder.path, {
    mqtt: { listeners: [local, { ...local, tls }, { ...local, websocket: true }, { ...local, websocket: true, tls }] },
    sources: [{ topic: "mine/{metric}", codec: "json", labels: { device: "{username}" } }],
  });
  cleanUp.push(() => gateway.stop());
  const ports = (gateway.log.find(({ msg }) => msg === "ready") as unknown as { mqtt: { port: number }[] }).mqtt.map(({ port }) => port);
  const own = (name: string) => ({ ca: authority.cert, cert: authority.client({ name }), key: KEY });
  const clients = await Promise.all([
    connectClient(`mqtt://127.0.0.1:${ports[0]}`, { username: "by-tcp" }),
    connectClient(`mqtts://127.0.0.1:${ports[1]}`, { ...own("by-tls"), username: "somebody" }),
    connectClient(`ws://127.0.0.1:${ports[2]}/mqtt`, { username: "by-ws" }),
    connectClient(`wss://127.0.0.1:${ports[3]}/mqtt`, own("by-wss")),
  ]);
  cleanUp.push(() => clients.map((client) => client.end(true)));
  for (const client of clients) await client.publishAsync("mine/t", "1", { qos: 1 });
  const { series } = await gateway.get<{ series: { labels: { device: string } }[] }>("/api/v1/series");
  expect(series.map(({ labels }) => labels.device).sort()).toEqual(["by-tcp", "by-tls", "by-ws", "by-wss"]);

  const before = await serialAt(ports[1] as number);
  pem.write("server.pem", authority.server());
  gateway.hangUp();
  await waitFor("the new certificate", () => gateway.log.some(({ msg }) => msg === "new certificate"));
  const renewed = await serialAt(ports[1] as number);
  expect(renewed).not.toBe(before);

  pem.write("server.pem", "no certificate any more");
  gateway.hangUp();
  await waitFor("the complaint", () => gateway.log.some(({ msg }) => msg === "the config is not valid; the old one stays in force"));
  expect(await serialAt(ports[1] as number)).toBe(renewed);
  for (const client of clients) await client.publishAsync("mine/t", "2", { qos: 1 });
  expect((await gateway.status()).readings).toMatchObject({ received: 8, accepted: 8 });
  expect(await gateway.text("/metrics")).toContain('highwater_broker_tls_failures_total{reason="no_certificate"}');
  expect(await gateway.stop()).toBe(0);
});

it("does not start off loopback without knowing its clients, nor with files that are missing", async () => {
  const { tls, folder } = createFiles();
  const { client_ca: _, ...oneWay } = tls;
  for (const [listener, complaint] of [
    [{ host: "0.0.0.0", port: 0, tls: oneWay }, /0\.0\.0\.0 is not on loopback/],
    [{ host: "0.0.0.0", port: 0, websocket: true }, /0\.0\.0\.0 is not on loopback/],
    [
      { host: "127.0.0.1", port: 0, tls: { ...oneWay, key: join(folder.path, "none.key") } },
      /highwater\.yaml:\d+:\d+: .*none\.key cannot be read: no such file/,
    ],
  ] as const) {
    const file = writeConfig(folder.path, { mqtt: { listeners: [listener] } });
    for (const verb of ["run", "check"]) {
      const { code, stdout, stderr } = await highwater(verb, "--config", file);
      expect([verb, code]).toEqual([verb, 2]);
      expect(stdout + stderr).toMatch(complaint);
    }
  }
});
