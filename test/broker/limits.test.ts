// Limits on real sockets: how many may come, how fast they may send, how long they may be silent. Each refusal is counted.

import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { partyOf } from "../../src/broker/gate.ts";
import type { IngestSource } from "../../src/broker/ingest.ts";
import { createTokenBucket, takeToken, waitOf } from "../../src/broker/token-bucket.ts";
import { createAuthority, createPemFolder, KEY } from "./certificates.ts";
import { byTopic, eventually, pause, runBroker } from "./running-broker.ts";

const refused = (reason: string): string => `highwater_broker_refused_total{reason="${reason}"}`;
/** Not 127.0.0.1, so it has the limits of an address. */
const STRANGER = "127.0.0.2";

describe("who may connect", () => {
  it("one address has so many connections, and 127.0.0.1 any number", async () => {
    const { raw, metric } = await runBroker({ limits: { connections_per_address: 2 } });
    const [first, , third] = [await raw({}, STRANGER), await raw({}, STRANGER), await raw({}, STRANGER)];
    expect(third.isClosed()).toBe(true);
    expect(await metric(refused("connections_per_address"))).toBe(1);
    for (const other of [await raw({}, "127.0.0.3"), await raw(), await raw(), await raw()]) expect(other.received).toMatchObject([{ returnCode: 0 }]);
    first.socket.destroy();
    await eventually(async () => (await raw({}, STRANGER)).received.length === 1);
  });

  it("one address comes so often in a second, and leaves the others their turn", async () => {
    const { raw, metric } = await runBroker({ limits: { connects_per_second_per_address: 3 } });
    const taken = await Promise.all(Array.from({ length: 10 }, () => raw({}, STRANGER)));
    expect(taken.filter(({ isClosed }) => !isClosed()).length).toBeLessThan(10);
    expect(await metric(refused("connect_rate_per_address"))).toBe(taken.filter(({ isClosed }) => isClosed()).length);
    expect((await raw({}, "127.0.0.3")).received).toMatchObject([{ returnCode: 0 }]);
    await eventually(async () => (await raw({}, STRANGER)).received.length === 1);
  });

  it("all together come so often in a second", async () => {
    const { raw, metric } = await runBroker({ limits: { connects_per_second: 3 } });
    const taken = await Promise.all(Array.from({ length: 10 }, () => raw()));
    const closed = taken.filter(({ isClosed }) => isClosed()).length;
    expect(closed).toBeGreaterThan(0);
    expect(await metric(refused("connect_rate"))).toBe(closed);
    await eventually(async () => (await raw()).received.length === 1);
  });

  it("a socket without a CONNECT is closed, and one with it stays", async () => {
    const { raw, metric } = await runBroker({ limits: { connect_timeout: 100 } });
    const [silent, half, client] = [await raw("no CONNECT"), await raw("no CONNECT"), await raw()];
    half.socket.write(Buffer.from([0x10, 30, 0]));
    await eventually(() => silent.isClosed() && half.isClosed());
    await pause(300);
    expect(client.isClosed()).toBe(false);
    expect(await metric(refused("connect_timeout"))).toBe(2);
  });

  it.each(["TLS", "WebSocket"])("so is a socket that never gets as far as %s", async (kind) => {
    const folder = createPemFolder();
    onTestFinished(() => folder.remove());
    const tls = { cert: folder.write("cert.pem", createAuthority("CA").server()), key: folder.write("key.pem", KEY) };
    const { raw, metric, broker } = await runBroker({ limits: { connect_timeout: 100 }, listener: kind === "TLS" ? { tls } : { websocket: true } });
    const silent = await raw("no CONNECT");
    silent.socket.write(kind === "TLS" ? Buffer.from([0x16, 3, 1]) : "GET /mqtt HTTP/1.1\r\nHost: a\r\n");
    await eventually(silent.isClosed);
    const counted = (await metric(refused("connect_timeout"))) + (await metric('highwater_broker_tls_failures_total{reason="timeout"}'));
    expect(counted).toBeGreaterThanOrEqual(1);
    expect(broker.status().connections).toBe(0);
  });

  it("closing the broker ends sockets that are in their handshake too", async () => {
    const { raw, broker } = await runBroker({ listener: { websocket: true } });
    const silent = await raw("no CONNECT");
    await broker.close();
    await eventually(silent.isClosed);
  });

  it.each([
    ["127.0.0.1", ""],
    ["::ffff:127.0.0.1", ""],
    ["::1", ""],
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("%s counts as %s", (address, party) => {
    expect(partyOf(address)).toBe(party);
  });
});

describe("how fast a client may send", () => {
  it.each([
    ["messages", { messages_per_second: 30 }],
    ["bytes", { bytes_per_second: 700 }],
  ])("beyond its %s it is read more slowly, and nothing is lost", async (_what, limits) => {
    const { raw, client, inbox, metric } = await runBroker({ limits });
    const [fast, other] = [await raw({ keepalive: 1 }), await client()];
    for (let id = 1; id <= 100; id++) fast.publish("sensors/d/t", String(id), 1, id);
    await eventually(async () => (await metric("highwater_broker_throttled_total")) > 0 || inbox.added.length === 100);
    for (let id = 101; id <= 150; id++) fast.publish("sensors/d/t", String(id), 1, id);
    await other.publishAsync("sensors/e/t", "0", { qos: 1 });
    const before = inbox.added.length;
    expect(before).toBeLessThan(151);
    await eventually(() => fast.received.length === 151);
    expect(inbox.added.filter(({ series }) => series.includes('"d"')).map(({ value }) => value)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1));
    expect(await metric("highwater_broker_throttled_total")).toBeGreaterThan(0);
    expect(fast.isClosed()).toBe(false);
  });

  it("without a limit nobody waits", async () => {
    const { raw, metric } = await runBroker({ limits: { messages_per_second: 0, bytes_per_second: 0 } });
    const fast = await raw();
    for (let id = 1; id <= 500; id++) fast.publish("sensors/d/t", String(id), 1, id);
    await eventually(() => fast.received.length === 501);
    expect(await metric("highwater_broker_throttled_total")).toBe(0);
  });

  it("a bucket gives one second's worth at once, and pays debts by waiting", () => {
    const bucket = createTokenBucket(2, 1_000);
    expect([takeToken(bucket, 1_000), takeToken(bucket, 1_000), takeToken(bucket, 1_000)]).toEqual([true, true, false]);
    expect([takeToken(bucket, 1_499), takeToken(bucket, 1_500), takeToken(bucket, 1_500)]).toEqual([false, true, false]);
    bucket.tokens = -3;
    expect(waitOf(bucket)).toBe(2_000);
    expect([takeToken(bucket, 9_000_000), takeToken(bucket, 9_000_000), takeToken(bucket, 9_000_000)]).toEqual([true, true, false]);
  });
});

describe("keep-alive", () => {
  it("a client that is silent for 1.5 times of it is closed and counted, one that pings is not", async () => {
    const { raw, metric } = await runBroker();
    const [silent, alive] = [await raw({ keepalive: 1 }), await raw({ keepalive: 1 })];
    const pings = setInterval(() => alive.send({ cmd: "pingreq" }), 300);
    onTestFinished(() => clearInterval(pings));
    await eventually(silent.isClosed);
    expect(alive.isClosed()).toBe(false);
    expect(await metric(refused("keepalive"))).toBe(1);
  });

  it.each([0, 60_000])("of %i seconds becomes the limit", async (keepalive) => {
    const { raw, metric } = await runBroker({ limits: { keepalive_max: 1 } });
    const silent = await raw({ keepalive });
    await eventually(silent.isClosed);
    expect(await metric(refused("keepalive"))).toBe(1);
  });
});

describe("series of one client", () => {
  const publishAll = async (client: { publishAsync(topic: string, payload: string, options: { qos: 1 }): Promise<unknown> }, devices: string) => {
    for (const device of devices) await client.publishAsync(`sensors/${device}/t`, "1", { qos: 1 });
  };

  it("new ones beyond the limit are acknowledged and rejected; known ones and other clients go on", async () => {
    const { client, inbox, metric } = await runBroker({ limits: { series_per_client: 2 } });
    const [first, second] = [await client({ clientId: "first" }), await client({ clientId: "second" })];
    await publishAll(first, "abcab");
    expect(inbox.added.map(({ series }) => series)).toEqual(["a", "b", "a", "b"].map((device) => `{device="${device}",metric="t"}`));
    expect(inbox.rejected).toMatchObject([{ reason: "series_limit", topic: "sensors/c/t", detail: "the client first may bring no more series" }]);
    expect(await metric(refused("series_per_client"))).toBe(1);
    await publishAll(second, "cabd");
    expect(inbox.rejected.length).toBe(1);
    await publishAll(first, "c");
    expect(inbox.rejected.length).toBe(1);
  });

  it("are those of its user name, whatever client id it takes", async () => {
    const { client, inbox } = await runBroker({ limits: { series_per_client: 1 } });
    for (const clientId of ["1", "2"]) await publishAll(await client({ clientId, username: "pump" }), clientId === "1" ? "a" : "b");
    expect(inbox.rejected).toMatchObject([{ detail: "the client pump may bring no more series" }]);
  });
});

describe("the user name as the device", () => {
  const byUser: IngestSource = { ...byTopic, topic: "mine/{metric}", labels: { device: "{username}", site: "oslo" } };

  it("tells clients on one topic apart; without one there is no series", async () => {
    const { client, inbox } = await runBroker({ sources: [byUser] });
    for (const username of ["pump-1", "pump-2", "pump-1"]) await (await client({ username })).publishAsync("mine/t", "1", { qos: 1 });
    await (await client()).publishAsync("mine/t", "1", { qos: 1 });
    expect(inbox.added.map(({ series }) => series)).toEqual(["1", "2", "1"].map((pump) => `{device="pump-${pump}",metric="t",site="oslo"}`));
    expect(inbox.rejected).toMatchObject([{ reason: "no_series", detail: "no device: the client has no user name" }]);
  });

  it("gives way to a device in the topic, as every fixed label does", async () => {
    const { client, inbox } = await runBroker({ sources: [{ ...byUser, topic: "sensors/{device}/{metric}" }] });
    await (await client({ username: "pump" })).publishAsync("sensors/d/t", "1", { qos: 1 });
    expect(inbox.added).toMatchObject([{ series: '{device="d",metric="t",site="oslo"}' }]);
  });
});

it("a socket that is reset at once does no harm", async () => {
  const { port, client } = await runBroker();
  for (let count = 0; count < 20; count++) {
    const socket = connect(port, "127.0.0.1", () => socket.resetAndDestroy());
    socket.on("error", () => {});
  }
  expect((await client()).connected).toBe(true);
});
