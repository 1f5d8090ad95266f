// A bridge to a real Mosquitto: what it acknowledges and when, what it does when the connection or the broker goes, and how
// several share the load. Mosquitto's own log says what was acknowledged to it.

import { once } from "node:events";
import { createServer, connect as openSocket, type Socket } from "node:net";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../simulators/gateway.ts";
import { bridgeSchema } from "../../src/broker/bridge-schema.ts";
import { createBroker } from "../../src/broker/broker.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { account, certificates, hasMosquitto, type Mosquitto, startMosquitto, wordy } from "./mosquitto.ts";
import { createRecordingInbox } from "./recording-inbox.ts";
import { byTopic, eventually, pause } from "./running-broker.ts";

const open = "allow_anonymous true";
const reading = (value: number): string => JSON.stringify({ ts: 1_763_800_000_000 + value, value });

async function mosquitto(...lines: readonly string[]): Promise<Mosquitto> {
  const started = await startMosquitto(() => [...lines]);
  onTestFinished(() => started.remove());
  return started;
}

type Bridge = { url: string } & Record<string, unknown>;
const settingsOf = (bridge: Bridge) => bridgeSchema.parse({ topics: ["sensors/#"], ...bridge });

async function gateway(bridges: readonly Bridge[], { commits = "at once" as "at once" | "when told", identity = "one", limits = {} } = {}) {
  const inbox = createRecordingInbox({ commits });
  const metrics = createMetrics();
  const broker = createBroker(
    { inbox, clock: systemClock, log: createLog({ level: "silent", name: "test" }), metrics },
    {
      listeners: [{ host: "127.0.0.1", port: 0 }],
      sources: [byTopic],
      limits: limitsSchema.parse(limits),
      access: { anonymous: true },
      sessionExpiry: 86_400_000,
      bridges: { identity, list: bridges.map(settingsOf) },
      zones: {},
      takesConnections: () => true,
    },
  );
  onTestFinished(() => broker.close());
  const [address] = await broker.start();
  return {
    broker,
    inbox,
    port: address?.port ?? 0,
    status: (index = 0) => broker.status().bridges[index],
    values: () => inbox.added.map(({ value }) => value),
    reload: (next: readonly Bridge[]) => broker.reload([byTopic], {}, { anonymous: true, bridges: next.map(settingsOf) }),
    metrics: () => metrics.text(),
  };
}

/** Subscribed, as Mosquitto itself says. */
const connected = (running: Awaited<ReturnType<typeof gateway>>, index = 0) => eventually(() => running.status(index)?.state === "connected");

async function publisher(url: string, options = {}): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
  client.on("error", () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

/** What Mosquitto's log says that bridges have acknowledged: `client id`, packet id. */
const acknowledged = ({ log }: Mosquitto): number[] =>
  log.flatMap((line) => /Received PUBACK from highwater-\w+ \(Mid: (\d+)/.exec(line)?.[1] ?? []).map(Number);
const sent = ({ log }: Mosquitto): number => log.filter((line) => line.includes("Sending PUBLISH to highwater-")).length;

/** A relay in front of a broker, whose connections can be cut, and whose bytes from the client can be withheld. */
async function relayTo(port: number) {
  const sockets = new Set<Socket>();
  let isDeaf = false;
  const server = createServer((near) => {
    const far = openSocket(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    near.on("data", (bytes) => void (isDeaf || far.write(bytes)));
    far.on("data", (bytes) => near.write(bytes));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    isDeaf = false;
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    url: `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    cut,
    /** What the client sends from now on is lost, until the cut. */
    deafen: (): void => {
      isDeaf = true;
    },
  };
}

// Skipped where Debian's mosquitto is not installed: it is the foreign broker of these tests.
describe.skipIf(!hasMosquitto)("a bridge to Mosquitto", () => {
  it.each(["5", "3.1.1"])("acknowledges after the commit, in order, and takes more meanwhile (MQTT %s)", async (version) => {
    const other = await mosquitto(open, ...wordy);
    const here = await gateway([{ url: other.url, version }], { commits: "when told" });
    await connected(here);
    await eventually(() => other.log.some((line) => line.includes("Sending SUBACK to highwater-")));
    const device = await publisher(other.url);
    await Promise.all(Array.from({ length: 50 }, (_, value) => device.publishAsync("sensors/d1/t", reading(value), { qos: 1 })));
    await eventually(() => here.values().length === 50);
    await pause(50);
    expect(acknowledged(other)).toEqual([]);
    expect(here.status()).toMatchObject({ mqtt: version, messages: 50, waiting: 50 });
    here.inbox.commit();
    await eventually(() => acknowledged(other).length === 50);
    expect(acknowledged(other)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(here.values()).toEqual(Array.from({ length: 50 }, (_, value) => value));
    expect(here.status()?.waiting).toBe(0);
  });

  it.each(["5", "3.1.1"])("lets no more than `unacknowledged` wait, and goes on when they are committed (MQTT %s)", async (version) => {
    const other = await mosquitto(open);
    const here = await gateway([{ url: other.url, version, unacknowledged: 10 }], { commits: "when told" });
    await connected(here);
    const device = await publisher(other.url);
    await eventually(async () => {
      await device.publishAsync("sensors/d1/t", reading(-1), { qos: 1 });
      return here.values().length > 0;
    });
    // QoS 0 needs no PUBACK, and waits like the rest.
    for (let value = 0; value < 40; value++) await device.publishAsync("sensors/d2/t", reading(value), { qos: value % 2 === 0 ? 0 : 1 });
    const ofD2 = () => here.inbox.added.filter(({ series }) => series.includes("d2")).map(({ value }) => value);
    await pause(100);
    expect(here.status()?.waiting).toBeLessThanOrEqual(10);
    expect(ofD2().length).toBeLessThan(20);
    await eventually(() => {
      here.inbox.commit();
      return ofD2().length === 40;
    });
    expect(ofD2().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, value) => value));
  });

  it("takes what it had not acknowledged again after a cut, and what is stored only once, though it has no time of its own", async () => {
    const other = await mosquitto(open, ...wordy);
    const relay = await relayTo(other.port);
    const here = await gateway([{ url: relay.url }], { commits: "when told" });
    await connected(here);
    await eventually(() => other.log.some((line) => line.includes("Sending SUBACK to highwater-")));
    const device = await publisher(other.url);
    for (let value = 0; value < 5; value++) await device.publishAsync("sensors/d1/t", String(value), { qos: 1 });
    await eventually(() => here.values().length === 5);
    // These five are committed, but their PUBACKs get lost.
    relay.deafen();
    here.inbox.commit();
    await eventually(() => here.status()?.waiting === 0);
    for (let value = 5; value < 10; value++) await device.publishAsync("sensors/d1/t", String(value), { qos: 1 });
    await eventually(() => here.values().length === 10);
    // These five wait for their commit when the connection goes.
    relay.cut();
    const before = sent(other);
    await eventually(() => sent(other) === before + 10);
    await eventually(() => here.status()?.known === 10);
    expect(acknowledged(other)).toEqual([]);
    here.inbox.commit();
    await eventually(() => acknowledged(other).length === 10);
    expect(here.values()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(here.status()).toMatchObject({ state: "connected", messages: 20, known: 10 });
    expect(here.status()?.reconnects).toBeGreaterThan(0);
  });

  it("takes a retained message as old news with its time, and not at all without", async () => {
    const other = await mosquitto(open);
    const device = await publisher(other.url);
    await device.publishAsync("sensors/d1/t", reading(1), { qos: 1, retain: true });
    await device.publishAsync("sensors/d2/t", "21.5", { qos: 1, retain: true });
    const here = await gateway([{ url: other.url }]);
    await eventually(() => here.inbox.added.length + here.inbox.rejected.length === 2);
    expect(here.inbox.added).toMatchObject([{ value: 1, isRetained: true }]);
    expect(here.inbox.rejected).toMatchObject([{ reason: "retained", topic: "sensors/d2/t" }]);
    // Heard live, the same device counts.
    await device.publishAsync("sensors/d2/t", "22.5", { qos: 1, retain: true });
    await eventually(() => here.inbox.added.length === 2);
    expect(here.inbox.added[1]).toMatchObject({ value: 22.5 });
    expect(here.inbox.added[1]).not.toHaveProperty("isRetained");
  });

  it("is told once of what waited while it was away, and resumes its session", async () => {
    const other = await mosquitto(open);
    const first = await gateway([{ url: other.url }]);
    await connected(first);
    const device = await publisher(other.url);
    await eventually(async () => {
      await device.publishAsync("sensors/d1/t", reading(0), { qos: 1 });
      return first.values().length > 0;
    });
    await first.broker.close();
    await device.publishAsync("sensors/d1/t", reading(1), { qos: 1 });
    await device.publishAsync("sensors/d1/t", reading(2), { qos: 1 });
    const second = await gateway([{ url: other.url }]);
    await eventually(() => second.values().length >= 2);
    expect(second.values()).toEqual([1, 2]);
  });

  it("starts without its broker, says why, and is there when the broker is", async () => {
    const port = await freePort();
    const here = await gateway([{ url: `mqtt://127.0.0.1:${port}` }]);
    await eventually(() => here.status()?.state === "down");
    expect(here.status()?.last_error).toContain("ECONNREFUSED");
    expect(await here.metrics()).toContain(`highwater_bridge_connected{bridge="mqtt://127.0.0.1:${port}",client_id="${here.status()?.client_id}"} 0`);
  });

  it("comes back to a broker that was killed, and subscribes anew when that has forgotten it", async () => {
    const other = await mosquitto(open);
    const here = await gateway([{ url: other.url }]);
    await connected(here);
    await other.kill();
    await eventually(() => here.status()?.state === "down");
    await other.start();
    await connected(here);
    const device = await publisher(other.url);
    await eventually(async () => {
      await device.publishAsync("sensors/d1/t", reading(7), { qos: 1 });
      return here.values().includes(7);
    });
    expect(here.status()?.last_error).toBeNull();
  });

  it("divides the messages of a group among its gateways", async () => {
    const other = await mosquitto(open, ...wordy);
    const bridge = { url: other.url, shared_group: "highwater" };
    const gateways = [await gateway([bridge], { identity: "one" }), await gateway([bridge], { identity: "two" })] as const;
    for (const each of gateways) await connected(each);
    await eventually(() => other.log.filter((line) => line.includes("Sending SUBACK to highwater-")).length === 2);
    const device = await publisher(other.url);
    await Promise.all(Array.from({ length: 100 }, (_, value) => device.publishAsync("sensors/d1/t", reading(value), { qos: 1 })));
    await eventually(() => gateways[0].values().length + gateways[1].values().length >= 100);
    const all = gateways.flatMap((each) => each.values());
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, value) => value));
    for (const each of gateways) {
      expect(each.values().length).toBeGreaterThan(20);
      expect(each.status()).toMatchObject({ shared: true });
    }
  });

  it("logs on with its account, and says when it is refused", async () => {
    const other = await startMosquitto((folder) => ["allow_anonymous false", `password_file ${folder}/passwords`], account);
    onTestFinished(() => other.remove());
    const wrong = await gateway([{ url: other.url, username: "gateway", password: "guessed" }], { identity: "wrong" });
    await eventually(() => wrong.status()?.state === "down");
    expect(wrong.status()?.last_error).toMatch(/not authorized/i);
    const right = await gateway([{ url: other.url, username: "gateway", password: "open sesame" }]);
    await connected(right);
    expect(JSON.stringify(right.status())).not.toContain("sesame");
  });

  it("speaks TLS, with a certificate of its own, to whom it can verify", async () => {
    const other = await startMosquitto(
      (folder) => [open, `cafile ${folder}/ca.pem`, `certfile ${folder}/broker.pem`, `keyfile ${folder}/broker.key`, "require_certificate true"],
      certificates,
    );
    onTestFinished(() => other.remove());
    const url = `mqtts://127.0.0.1:${other.port}`;
    const file = (name: string): string => join(other.folder, name);
    const own = { cert: file("gateway.pem"), key: file("gateway.key") };
    const [trusting, wary, careless, nameless] = [
      await gateway([{ url, tls: { ca: file("ca.pem"), ...own } }], { identity: "trusting" }),
      await gateway([{ url, tls: own }], { identity: "wary" }),
      await gateway([{ url, tls: { ...own, insecure: true } }], { identity: "careless" }),
      await gateway([{ url, tls: { ca: file("ca.pem") } }], { identity: "nameless" }),
    ];
    await connected(trusting);
    await connected(careless);
    await eventually(() => wary.status()?.state === "down" && nameless.status()?.state === "down");
    expect(wary.status()?.last_error).toMatch(/certificate/);
  });

  it("does not take a packet beyond the limit: MQTT 5 keeps it back, 3.1.1 is told why the bridge is down", async () => {
    const other = await mosquitto(open);
    const limits = { packet_bytes: 2_048 };
    const newer = await gateway([{ url: other.url }], { limits, identity: "newer" });
    const older = await gateway([{ url: other.url, version: "3.1.1" }], { limits, identity: "older" });
    const device = await publisher(other.url);
    for (const each of [newer, older]) {
      await connected(each);
      await eventually(async () => {
        await device.publishAsync("sensors/d1/t", reading(1), { qos: 1 });
        return each.values().length > 0;
      });
    }
    await device.publishAsync("sensors/d1/t", JSON.stringify({ ts: 1, value: 2, more: "x".repeat(3_000) }), { qos: 1 });
    await eventually(() => older.status()?.state === "down");
    expect(older.status()?.last_error).toContain("packet_bytes");
    await device.publishAsync("sensors/d1/t", reading(3), { qos: 1 });
    await eventually(() => newer.values().includes(3));
    expect(newer.values()).not.toContain(2);
    expect(newer.status()?.reconnects).toBe(0);
  });

  it("follows a reload: what changed is opened anew, what is the same stays, and what left is not sent any more", async () => {
    const [one, two] = [await mosquitto(open), await mosquitto(open)];
    const here = await gateway([{ url: one.url, topics: ["sensors/a/+", "sensors/b/+"] }, { url: two.url }]);
    await connected(here, 0);
    await connected(here, 1);
    const since = here.status(1)?.since;
    const device = await publisher(one.url);
    await eventually(async () => {
      await device.publishAsync("sensors/a/t", reading(0), { qos: 1 });
      return here.values().length > 0;
    });
    here.reload([{ url: one.url, topics: ["sensors/b/+", "sensors/c/+"] }, { url: two.url }]);
    await eventually(async () => {
      await device.publishAsync("sensors/c/t", reading(1), { qos: 1 });
      return here.values().includes(1);
    });
    await device.publishAsync("sensors/a/t", reading(2), { qos: 1 });
    await device.publishAsync("sensors/b/t", reading(3), { qos: 1 });
    await eventually(() => here.values().includes(3));
    expect(here.values()).not.toContain(2);
    expect(here.status(1)).toMatchObject({ state: "connected", since });
    here.reload([]);
    expect(here.broker.status().bridges).toEqual([]);
  });
});

describe("a bridge to a broker of MQTT 3.1.1 alone", () => {
  it("falls back to 3.1.1, and takes all where nothing is shared", async () => {
    const other = await gateway([], { identity: "other" });
    const url = `mqtt://127.0.0.1:${other.port}`;
    const here = await gateway([{ url, shared_group: "highwater" }]);
    await connected(here);
    const device = await publisher(url);
    await eventually(async () => {
      await device.publishAsync("sensors/d1/t", reading(4), { qos: 1 });
      return here.values().length > 0;
    });
    expect(here.status()).toMatchObject({ mqtt: "3.1.1", shared: false });
  });

  it("shows the subscriptions that are refused", async () => {
    const other = await gateway([], { identity: "other" });
    const here = await gateway([{ url: `mqtt://127.0.0.1:${other.port}`, version: "3.1.1", shared_group: "highwater" }]);
    await eventually(() => (here.status()?.refused.length ?? 0) > 0);
    expect(here.status()).toMatchObject({ state: "connected", refused: ["sensors/#"] });
  });
});
