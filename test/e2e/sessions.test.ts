// What MQTT clients may rely on when the gateway is killed: sessions, what waits in them, handshakes that were half done, retained messages.
// Each promise is tried against a real process that ends by SIGKILL, at the moment when the client has its acknowledgement.

import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterEach, expect, it } from "vitest";
import { type Config, connectClient, createFolder, type RunningGateway, startHighwater, waitFor } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const TIMEOUT = { timeout: 60_000 };

/** A gateway that can be killed and started again on the same data. */
async function createGateway(config: Config = {}) {
  const folder = createFolder("sessions");
  cleanUp.push(() => folder.remove());
  let running: RunningGateway = await startHighwater(folder.path, config);
  cleanUp.push(() => running.stop());
  const start = async (): Promise<void> => {
    running = await startHighwater(folder.path);
  };
  return {
    url: () => running.mqttUrl,
    text: (path: string) => running.text(path),
    async killAndStart(): Promise<void> {
      await running.kill();
      await start();
    },
    async stopAndStart(): Promise<void> {
      await running.stop();
      await start();
    },
    /** A client that sends and answers only what the test says. */
    async raw(clientId: string, { clean = false } = {}) {
      const socket = connectSocket(Number(new URL(running.mqttUrl).port), "127.0.0.1");
      const received: Packet[] = [];
      const parse = parser();
      parse.on("packet", (packet) => received.push(packet));
      socket.on("data", (bytes) => parse.parse(bytes)).on("error", () => undefined);
      cleanUp.push(() => socket.destroy());
      await once(socket, "connect");
      const client = {
        received,
        destroy: () => socket.destroy(),
        send: (packet: Packet): void => void socket.write(generate(packet)),
        /** Waits for the packet of this command and id. */
        next: (cmd: Packet["cmd"], messageId?: number): Promise<Packet> =>
          waitFor(`${cmd} ${messageId ?? ""}`, () => received.find((one) => one.cmd === cmd && (messageId === undefined || one.messageId === messageId))),
      };
      client.send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId, clean, keepalive: 0 });
      await client.next("connack");
      return client;
    },
  };
}

const published = (packets: readonly Packet[]): string[] =>
  packets.flatMap((packet) => (packet.cmd === "publish" ? [`${packet.topic} ${String(packet.payload)} ${packet.qos}${packet.dup ? " dup" : ""}`] : []));

it("a session that was away gets what was acknowledged before the kill, once and in order", TIMEOUT, async () => {
  const gateway = await createGateway();
  const subscriber = await gateway.raw("away");
  subscriber.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "sensors/#", qos: 2 }] });
  await subscriber.next("suback", 1);
  subscriber.destroy();
  const device = await connectClient(gateway.url());
  const sent = Array.from({ length: 300 }, (_, index) => index);
  await Promise.all(sent.map((index) => device.publishAsync("sensors/lab/d/t", String(index), { qos: index % 3 === 0 ? 2 : 1 })));
  await gateway.killAndStart();

  const again = await gateway.raw("away");
  expect(again.received[0]).toMatchObject({ cmd: "connack", returnCode: 0, sessionPresent: true });
  let answered = 0;
  await waitFor("all messages", () => {
    const packets = again.received.filter((packet) => packet.cmd === "publish");
    for (const { qos, messageId } of packets.slice(answered)) again.send({ cmd: qos === 2 ? "pubrec" : "puback", messageId: messageId as number });
    answered = packets.length;
    return answered >= sent.length;
  });
  await waitFor("all are released", () => again.received.filter(({ cmd }) => cmd === "pubrel").length === 100);
  for (const { cmd, messageId } of [...again.received]) if (cmd === "pubrel") again.send({ cmd: "pubcomp", messageId: messageId as number });
  // In the order of each QoS [MQTT-4.6.0-6].
  const got = published(again.received);
  expect(got.length).toBe(sent.length);
  for (const qos of [1, 2]) {
    const ofQos = sent.filter((index) => (index % 3 === 0 ? 2 : 1) === qos).map((index) => `sensors/lab/d/t ${index} ${qos}`);
    expect(got.filter((line) => line.endsWith(` ${qos}`))).toEqual(ofQos);
  }
  await waitFor("nothing is kept", async () => /^highwater_broker_queued 0$/m.test(await gateway.text("/metrics")));
  again.destroy();

  await gateway.stopAndStart();
  const last = await gateway.raw("away");
  last.send({ cmd: "pingreq" });
  await last.next("pingresp");
  expect(last.received.map(({ cmd }) => cmd)).toEqual(["connack", "pingresp"]);
});

it("what was sent and not acknowledged comes again with DUP and its packet id, before what is new", TIMEOUT, async () => {
  const gateway = await createGateway();
  const subscriber = await gateway.raw("s");
  subscriber.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a/#", qos: 2 }] });
  await subscriber.next("suback");
  const device = await connectClient(gateway.url());
  await device.publishAsync("a/1", "one", { qos: 1 });
  await device.publishAsync("a/2", "two", { qos: 2 });
  const [first, second] = await waitFor("both", () => {
    const packets = subscriber.received.filter(({ cmd }) => cmd === "publish");
    return packets.length === 2 && packets;
  });
  // That they were sent goes with the next commit.
  await device.publishAsync("b", "x", { qos: 1 });
  await gateway.killAndStart();
  const other = await connectClient(gateway.url());
  await other.publishAsync("a/3", "three", { qos: 1 });
  const again = await gateway.raw("s");
  await waitFor("all three", () => published(again.received).length === 3);
  expect(published(again.received)).toEqual(["a/1 one 1 dup", "a/2 two 2 dup", "a/3 three 1"]);
  const ids = again.received.slice(1).map(({ messageId }) => messageId);
  expect(ids.slice(0, 2)).toEqual([first?.messageId, second?.messageId]);
  expect(new Set(ids).size).toBe(3);
});

it("a QoS 2 message that the subscriber has is only released", TIMEOUT, async () => {
  const gateway = await createGateway();
  const subscriber = await gateway.raw("s");
  subscriber.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 2 }] });
  await subscriber.next("suback");
  const device = await connectClient(gateway.url());
  await device.publishAsync("a", "once", { qos: 2 });
  const { messageId } = await subscriber.next("publish");
  subscriber.send({ cmd: "pubrec", messageId: messageId as number });
  await subscriber.next("pubrel");
  await gateway.killAndStart();
  const again = await gateway.raw("s");
  await again.next("pubrel", messageId);
  again.send({ cmd: "pubcomp", messageId: messageId as number });
  again.send({ cmd: "pingreq" });
  await again.next("pingresp");
  expect(again.received.map(({ cmd }) => cmd)).toEqual(["connack", "pubrel", "pingresp"]);
});

it("a QoS 2 publish is taken once, though its handshake is finished after the kill; its packet id is free then", TIMEOUT, async () => {
  const gateway = await createGateway();
  const subscriber = await gateway.raw("s");
  subscriber.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "sensors/#", qos: 1 }] });
  await subscriber.next("suback");
  subscriber.destroy();
  const publish = (payload: string, dup: boolean): Packet => ({ cmd: "publish", topic: "sensors/lab/d/t", payload, qos: 2, messageId: 7, dup, retain: false });
  const device = await gateway.raw("device");
  device.send(publish("1", false));
  await device.next("pubrec", 7);
  await gateway.killAndStart();

  const again = await gateway.raw("device");
  expect(again.received[0]).toMatchObject({ sessionPresent: true });
  again.send(publish("1", true));
  await again.next("pubrec", 7);
  again.send({ cmd: "pubrel", messageId: 7 });
  await again.next("pubcomp", 7);
  await gateway.killAndStart();

  const last = await gateway.raw("device");
  last.send(publish("2", false));
  await last.next("pubrec", 7);
  const listener = await gateway.raw("s");
  await waitFor("both", () => published(listener.received).length >= 2);
  listener.send({ cmd: "pingreq" });
  await listener.next("pingresp");
  expect(published(listener.received)).toEqual(["sensors/lab/d/t 1 1", "sensors/lab/d/t 2 1"]);
  const { readings } = JSON.parse(await gateway.text("/api/v1/status")) as { readings: { received: number } };
  expect(readings.received).toBe(2);
});

it("retained messages come back, deleted ones do not, and the gateway's own are its newest", TIMEOUT, async () => {
  const gateway = await createGateway();
  const device = await connectClient(gateway.url());
  await device.publishAsync("r/1", "old", { qos: 1, retain: true });
  await device.publishAsync("r/2", "gone", { qos: 1, retain: true });
  await device.publishAsync("r/3", "kept", { qos: 1, retain: true });
  await device.publishAsync("r/1", "new", { qos: 2, retain: true });
  await device.publishAsync("r/2", "", { qos: 1, retain: true });
  await gateway.killAndStart();
  const reader = await gateway.raw("reader", { clean: true });
  reader.send({
    cmd: "subscribe",
    messageId: 1,
    subscriptions: [
      { topic: "r/+", qos: 2 },
      { topic: "highwater/status", qos: 0 },
    ],
  });
  await waitFor("three", () => published(reader.received).length >= 3);
  reader.send({ cmd: "pingreq" });
  await reader.next("pingresp");
  const got = published(reader.received);
  expect(got.filter((line) => line.startsWith("r/")).sort()).toEqual(["r/1 new 2", "r/3 kept 1"]);
  expect(got.filter((line) => line.startsWith("highwater/status")).length).toBe(1);
  expect(reader.received.every((packet) => packet.cmd !== "publish" || packet.retain)).toBe(true);
});

it("subscriptions that ended and sessions that were made clean stay away; one without subscriptions is still a session", TIMEOUT, async () => {
  const gateway = await createGateway();
  for (const id of ["left", "cleaned"]) {
    const client = await gateway.raw(id);
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "a", qos: 1 }] });
    await client.next("suback");
    if (id === "left") {
      client.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["a"] });
      await client.next("unsuback");
    }
    client.destroy();
  }
  (await gateway.raw("cleaned", { clean: true })).destroy();
  await gateway.killAndStart();
  const device = await connectClient(gateway.url());
  await device.publishAsync("a", "1", { qos: 1 });
  for (const [id, sessionPresent] of [
    ["left", true],
    ["cleaned", false],
  ] as const) {
    const client = await gateway.raw(id);
    client.send({ cmd: "pingreq" });
    await client.next("pingresp");
    expect([id, client.received.map(({ cmd }) => cmd)]).toEqual([id, ["connack", "pingresp"]]);
    expect(client.received[0]).toMatchObject({ sessionPresent });
  }
});

it("sessions over the cap are refused after a restart as well, until one has been away too long", TIMEOUT, async () => {
  const gateway = await createGateway({ mqtt: { session_expiry: "1s", limits: { sessions: 1 } } });
  (await gateway.raw("first")).destroy();
  await waitFor("it is away", async () => /^highwater_broker_connections 0$/m.test(await gateway.text("/metrics")));
  const refused = await gateway.raw("second");
  expect(refused.received[0]).toMatchObject({ returnCode: 3 });
  await gateway.stopAndStart();
  // Starting takes longer than the session lasts, or not: either way its end is counted from when the client went.
  await waitFor("its time is over", async () => {
    await gateway.stopAndStart();
    const client = await gateway.raw("second");
    const [connack] = client.received;
    client.destroy();
    return connack?.cmd === "connack" && connack.returnCode === 0;
  });
});
