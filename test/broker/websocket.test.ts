// MQTT over WebSocket by mqtt.js and by a bare WebSocket that sends exactly what the test says, with TLS and without.

import { once } from "node:events";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { createAuthority, createPemFolder, KEY } from "./certificates.ts";
import { eventually, pause, runBroker } from "./running-broker.ts";

const folder = createPemFolder();
afterAll(() => folder.remove());
const authority = createAuthority("Highwater test CA");
const tls = { cert: folder.write("server.pem", authority.server()), key: folder.write("key.pem", KEY), client_ca: folder.write("ca.pem", authority.cert) };

async function enter(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options }, false);
  client.on("error", () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

/** @returns an open WebSocket, what the broker sent on it, and how it ended; or the status of the refusal */
async function bare(port: number, options: ClientOptions & { path?: string; protocols?: string[] } = {}) {
  const { path = "/mqtt", protocols = ["mqtt"], ...rest } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, rest);
  onTestFinished(() => socket.terminate());
  const received: Packet[] = [];
  const frames: Buffer[] = [];
  const state = { closed: undefined as number | undefined };
  const parse = parser();
  parse.on("packet", (packet) => received.push(packet));
  socket.on("message", (bytes: Buffer) => {
    frames.push(bytes);
    parse.parse(bytes);
  });
  socket.on("close", (code) => {
    state.closed = code;
  });
  const outcome = await new Promise<number | undefined>((resolve) => {
    socket.once("open", () => resolve(undefined));
    socket.once("unexpected-response", (_request, response) => resolve(response.statusCode));
    socket.on("error", () => resolve(-1));
  });
  return { socket, received, frames, state, status: outcome };
}

const hello = (clientId: string, keepalive = 0): Buffer =>
  generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId, clean: true, keepalive });
const reading = (messageId: number, payload: string): Buffer =>
  generate({ cmd: "publish", topic: "sensors/d/t", payload, qos: 1, messageId, dup: false, retain: false });
const refused = 'highwater_broker_refused_total{reason="websocket"}';

describe("MQTT over WebSocket", () => {
  it("brings readings in and messages out", async () => {
    const { port, inbox, broker } = await runBroker({ listener: { websocket: true } });
    const [device, subscriber] = [await enter(`ws://127.0.0.1:${port}/mqtt`), await enter(`ws://127.0.0.1:${port}`)];
    const got: string[] = [];
    subscriber.on("message", (topic, payload) => got.push(`${topic} ${payload.length}`));
    await subscriber.subscribeAsync("sensors/#", { qos: 1 });
    for (const qos of [0, 1, 2] as const) await device.publishAsync("sensors/d/t", `${qos}`, { qos });
    await device.publishAsync("sensors/d/x", Buffer.alloc(300_000, "1"), { qos: 1 });
    await eventually(() => got.length === 4);
    expect(got[3]).toBe("sensors/d/x 300000");
    expect(inbox.added.map(({ value }) => value)).toEqual([0, 1, 2]);
    await Promise.all([device.endAsync(), subscriber.endAsync()]);
    await eventually(() => broker.status().connections === 0);
  });

  it("takes packets that are cut anywhere, and answers each in one frame", async () => {
    const { port, inbox } = await runBroker({ listener: { websocket: true } });
    const { socket, received, frames } = await bare(port);
    const bytes = Buffer.concat([hello("cut"), reading(1, "1"), reading(2, "2")]);
    for (const byte of bytes) socket.send(Buffer.from([byte]));
    await eventually(() => received.length === 3);
    expect(received.map(({ cmd }) => cmd)).toEqual(["connack", "puback", "puback"]);
    expect(frames.length).toBeLessThanOrEqual(3);
    expect(inbox.added.map(({ value }) => value)).toEqual([1, 2]);
  });

  it("answers pings, but keeps no answers for a client that does not read", async () => {
    const { port, broker } = await runBroker({ listener: { websocket: true } });
    const { socket, received } = await bare(port);
    socket.ping("are you there");
    expect(String((await once(socket, "pong"))[0])).toBe("are you there");
    socket.send(hello("pings"));
    await eventually(() => received.length === 1);
    let pongs = 0;
    socket.on("pong", () => pongs++);
    socket.pause();
    const pings = 150_000;
    for (let sent = 0; sent < pings; sent += 1_000) {
      for (let count = 0; count < 1_000; count++) socket.ping(Buffer.alloc(125));
      await eventually(() => socket.bufferedAmount === 0);
    }
    socket.resume();
    let last = false;
    socket.on("pong", (data) => {
      last ||= String(data) === "last";
    });
    await eventually(() => {
      socket.ping("last");
      return last;
    });
    expect(pongs).toBeLessThan(pings);
    expect(broker.status().connections).toBe(1);
  });

  it("agrees on the subprotocol, the newer one first", async () => {
    const { port } = await runBroker({ listener: { websocket: true } });
    expect((await bare(port, { protocols: ["mqttv3.1", "mqtt"] })).socket.protocol).toBe("mqtt");
    expect((await bare(port, { protocols: ["mqttv3.1"], path: "/?x=1" })).socket.protocol).toBe("mqttv3.1");
  });

  it.each<[string, Parameters<typeof bare>[1], number]>([
    ["another path", { path: "/live" }, 404],
    ["no subprotocol", { protocols: [] }, 400],
    ["another subprotocol", { protocols: ["chat"] }, 400],
    ["a page of another host", { origin: "https://evil.example" }, 403],
    ["a page whose host was made to lead here", { origin: "http://evil.example", headers: { host: "evil.example" } }, 403],
    ["a page that has no host", { origin: "null" }, 403],
  ])("refuses %s and counts it", async (_what, options, status) => {
    const { port, metric } = await runBroker({ listener: { websocket: true } });
    expect((await bare(port, options)).status).toBe(status);
    expect(await metric(refused)).toBe(1);
  });

  it("takes a page of the same host, and with origins those and no other", async () => {
    const open = await runBroker({ listener: { websocket: true } });
    expect((await bare(open.port, { origin: "http://127.0.0.1:8080" })).status).toBeUndefined();
    const listed = await runBroker({ listener: { websocket: true, origins: ["https://page.example"] } });
    expect((await bare(listed.port, { origin: "https://page.example" })).status).toBeUndefined();
    expect((await bare(listed.port, { origin: "http://127.0.0.1:8080" })).status).toBe(403);
  });

  it("answers plain HTTP with 426, and bytes that are no HTTP not at all", async () => {
    const { port, raw, metric } = await runBroker({ listener: { websocket: true } });
    expect((await fetch(`http://127.0.0.1:${port}/mqtt`)).status).toBe(426);
    const odd = await raw("no CONNECT");
    odd.socket.write(hello("tcp"));
    await eventually(odd.isClosed);
    expect(await metric(refused)).toBe(2);
  });

  it("text ends the connection, and none of it is read", async () => {
    const { port, inbox, metric } = await runBroker({ listener: { websocket: true } });
    const { socket, state, received } = await bare(port);
    socket.send(hello("text"));
    await eventually(() => received.length === 1);
    socket.send(reading(1, "1").toString("latin1"), { binary: false });
    await eventually(() => state.closed !== undefined);
    expect([inbox.added, inbox.rejected]).toEqual([[], []]);
    expect(await metric(refused)).toBe(1);
  });

  it.each([
    [
      "a packet over the limit, in small frames",
      (bytes: Buffer) => [bytes.subarray(0, 100), bytes.subarray(100, 200)],
      'highwater_broker_refused_total{reason="packet_bytes"}',
    ],
    ["a frame over the limit", (bytes: Buffer) => [bytes], 'highwater_broker_refused_total{reason="packet_bytes"}'],
  ])("ends a connection with %s", async (_what, cut, line) => {
    const { port, metric, inbox } = await runBroker({ listener: { websocket: true }, limits: { packet_bytes: 2_000 } });
    const { socket, state, received } = await bare(port);
    socket.send(hello("big"));
    await eventually(() => received.length === 1);
    for (const part of cut(reading(1, "1".repeat(3_000)))) socket.send(part);
    await eventually(() => state.closed !== undefined);
    expect(await metric(line)).toBe(1);
    expect(inbox.rejected).toEqual([]);
  });

  it("is not read while its publishes wait for their commit, and goes on after it", async () => {
    const { port, inbox } = await runBroker({ listener: { websocket: true }, commits: "when told", limits: { unacknowledged: 2 } });
    const { socket, received } = await bare(port);
    socket.send(hello("held"));
    await eventually(() => received.length === 1);
    for (let id = 1; id <= 20; id++) {
      socket.send(reading(id, String(id)));
      await pause(2);
    }
    await pause(50);
    expect(inbox.added.length).toBeLessThan(20);
    await eventually(() => {
      inbox.commit();
      return received.length === 21;
    });
    expect(inbox.added.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("what was sent right before the end is taken", async () => {
    const { port, inbox, broker } = await runBroker({ listener: { websocket: true } });
    const { socket, received } = await bare(port);
    socket.send(hello("last words"));
    await eventually(() => received.length === 1);
    socket.send(reading(1, "7"));
    socket.close();
    await once(socket, "close");
    await eventually(() => broker.status().connections === 0);
    expect(inbox.added.map(({ value }) => value)).toEqual([7]);
  });

  it("a CONNECT that is refused is told why", async () => {
    const { port, broker } = await runBroker({ listener: { websocket: true }, takesConnections: () => "the clock is wrong" });
    const { socket, received, state } = await bare(port);
    socket.send(hello("early"));
    await eventually(() => state.closed !== undefined);
    expect(received).toMatchObject([{ cmd: "connack", returnCode: 3 }]);
    await eventually(() => broker.status().connections === 0);
  });

  it("a reader that takes nothing is cut", async () => {
    const { port, metric } = await runBroker({ listener: { websocket: true }, limits: { drain: 200 } });
    const slow = await bare(port);
    slow.socket.send(hello("slow"));
    await eventually(() => slow.received.length === 1);
    slow.socket.send(generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 1 }] }));
    await eventually(() => slow.received.length === 2);
    slow.socket.pause();
    const device = await enter(`ws://127.0.0.1:${port}`);
    const payload = Buffer.alloc(200_000);
    await eventually(async () => {
      await device.publishAsync("other/topic", payload, { qos: 1 });
      return (await metric('highwater_broker_refused_total{reason="drain"}')) === 1;
    });
  });
});

describe("wss", () => {
  it("is TLS below, with the certificate's name as the user name", async () => {
    const source = { topic: "mine/{metric}", codec: "json", settings: {}, labels: { device: "{username}" } };
    const { port, inbox } = await runBroker({ listener: { websocket: true, tls }, sources: [source] });
    const trust = { ca: authority.cert, cert: authority.client({ name: "pump-3" }), key: KEY };
    const client = await enter(`wss://127.0.0.1:${port}/mqtt`, trust);
    await client.publishAsync("mine/t", "5", { qos: 1 });
    expect(inbox.added).toMatchObject([{ series: '{device="pump-3",metric="t"}', value: 5 }]);
    await expect(enter(`wss://127.0.0.1:${port}/mqtt`, { ca: authority.cert })).rejects.toThrow();
    await expect(enter(`wss://127.0.0.1:${port}/mqtt`, { ...trust, ca: createAuthority("another").cert })).rejects.toThrow();
  });
});
