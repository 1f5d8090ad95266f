// The broker from outside, by real clients on real sockets: what is taken, what is passed on, what is refused.

import { describe, expect, it } from "vitest";
import { createBroker } from "../../src/broker/broker.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import { systemClock } from "../../src/clock.ts";
import { GatewayError } from "../../src/error.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createRecordingInbox } from "./recording-inbox.ts";
import { eventually, pause, runBroker } from "./running-broker.ts";

describe("readings", () => {
  it.each([0, 1, 2] as const)("come once each with QoS %i, in order", async (qos) => {
    const { inbox, client, metric } = await runBroker();
    const device = await client();
    await Promise.all(
      Array.from({ length: 50 }, (_, value) => device.publishAsync("sensors/d/t", JSON.stringify({ ts: 1763800000000 + value, value }), { qos })),
    );
    await eventually(() => inbox.added.length >= 50);
    expect(inbox.added.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, value) => value));
    expect(inbox.added[0]).toMatchObject({ series: '{device="d",metric="t"}', ts: 1763800000000 });
    expect(await metric(`highwater_broker_messages_total{qos="${qos}"}`)).toBe(50);
  });

  it("that are retained are readings like any other, and retained", async () => {
    const { inbox, client } = await runBroker();
    const device = await client();
    await device.publishAsync("sensors/d/t", "21", { qos: 1, retain: true });
    expect(inbox.added.map(({ value }) => value)).toEqual([21]);
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (topic, payload, packet) => got.push(`${topic} ${payload} ${packet.retain}`));
    await subscriber.subscribeAsync("sensors/#");
    await eventually(() => got.length > 0);
    expect(got).toEqual(["sensors/d/t 21 true"]);
  });

  it("that make no sense are counted and never close the connection", async () => {
    const { inbox, client } = await runBroker();
    const device = await client();
    for (const payload of ["garbage", "nan", '{"value":', Buffer.from([0xff, 0xfe, 0x00]), "[[[[", ""])
      await device.publishAsync("sensors/d/t", payload, { qos: 1 });
    await device.publishAsync("sensors/d/t", "1", { qos: 1 });
    expect(inbox.rejected.map(({ reason }) => reason)).toEqual(["undecodable", "bad_quality", "undecodable", "undecodable", "undecodable"]);
    expect(inbox.added.map(({ value }) => value)).toEqual([1]);
    expect(device.connected).toBe(true);
  });

  it("on topics of no source are acknowledged and listed", async () => {
    const { broker, inbox, client, metric } = await runBroker();
    const device = await client();
    await device.publishAsync("home/hall/temperature", "21", { qos: 1 });
    expect([inbox.added, inbox.rejected]).toEqual([[], []]);
    expect(broker.status()).toMatchObject({
      unmatchedMessages: 1,
      unmatched: [{ topic: "home/hall/temperature", count: 1, sample: "21", suggestion: '- { topic: "home/{device}/{metric}", codec: plain }' }],
    });
    expect(await metric("highwater_broker_unmatched_total")).toBe(1);
    broker.reload([{ topic: "home/{device}/{metric}", codec: "plain", settings: {}, labels: {} }], {}, { anonymous: true });
    await device.publishAsync("home/hall/temperature", "22", { qos: 1 });
    expect(inbox.added.map(({ value }) => value)).toEqual([22]);
    expect(broker.status().unmatched).toEqual([]);
  });

  it("of a last will are readings too", async () => {
    const { inbox, raw, client } = await runBroker();
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (topic, payload) => got.push(`${topic} ${payload}`));
    await subscriber.subscribeAsync("sensors/#", { qos: 1 });
    const device = await raw({ will: { topic: "sensors/d/alive", payload: "false" } });
    device.socket.destroy();
    await eventually(() => got.length > 0);
    expect(got).toEqual(["sensors/d/alive false"]);
    expect(inbox.added.map(({ value }) => value)).toEqual([0]);
  });
});

describe("passing on", () => {
  it("reaches subscribers that came before and after the topic was first heard, and ends with their subscription", async () => {
    const { client, inbox } = await runBroker();
    const [device, early, late] = [await client(), await client(), await client()];
    const got: string[] = [];
    early.on("message", (_, payload) => got.push(`early ${payload}`));
    late.on("message", (_, payload) => got.push(`late ${payload}`));
    await device.publishAsync("sensors/d/t", "1", { qos: 1 });
    await early.subscribeAsync("sensors/+/t", { qos: 1 });
    await device.publishAsync("sensors/d/t", "2", { qos: 1 });
    await late.subscribeAsync("#", { qos: 0 });
    await device.publishAsync("sensors/d/t", "3", { qos: 2 });
    await eventually(() => got.length >= 3);
    await early.unsubscribeAsync("sensors/+/t");
    await device.publishAsync("sensors/d/t", "4", { qos: 0 });
    await eventually(() => got.length >= 4);
    expect(got.sort()).toEqual(["early 2", "early 3", "late 3", "late 4"]);
    expect(inbox.added.length).toBe(4);
  });

  it("waits for a session that is away", async () => {
    const { client, broker } = await runBroker({ limits: { queued: 3 } });
    const subscriber = await client({ clientId: "s", clean: false });
    await subscriber.subscribeAsync("sensors/#", { qos: 1 });
    await subscriber.endAsync();
    const device = await client();
    for (const value of [1, 2, 3, 4]) await device.publishAsync("sensors/d/t", String(value), { qos: 1 });
    const got: string[] = [];
    await client({ clientId: "s", clean: false }, (payload) => got.push(payload));
    await eventually(() => got.length >= 3);
    await pause(50);
    expect(got).toEqual(["1", "2", "3"]);
    expect(broker.status().connections).toBe(2);
  });

  it("brings the gateway's own messages, now and later, and not to its readings", async () => {
    const { broker, client, inbox } = await runBroker();
    const got: string[] = [];
    const [now, later] = [await client(), await client()];
    for (const [name, subscriber] of Object.entries({ now, later })) subscriber.on("message", (topic, payload) => got.push(`${name} ${topic} ${payload}`));
    await now.subscribeAsync("highwater/#", { qos: 1 });
    broker.publish("highwater/status", "ok", { retain: true });
    await eventually(() => got.length > 0);
    await later.subscribeAsync("highwater/#", { qos: 1 });
    await eventually(() => got.length > 1);
    expect(got).toEqual(["now highwater/status ok", "later highwater/status ok"]);
    expect([inbox.added, broker.status().unmatched]).toEqual([[], []]);
  });
});

describe("refusals", () => {
  it.each([
    ["highwater/status", "reserved_topic"],
    ["$SYS/x", "reserved_topic"],
    [`sensors/${"x".repeat(2_000)}`, "topic_bytes"],
  ])("a publish to %.20s closes the connection and no other", async (topic, reason) => {
    const { inbox, raw, client, metric } = await runBroker();
    const other = await client();
    const device = await raw();
    device.publish(topic, "1", 1, 1);
    await eventually(device.isClosed);
    expect(device.commands()).toEqual(["connack"]);
    await other.publishAsync("sensors/d/t", "1", { qos: 1 });
    expect(inbox.added.length).toBe(1);
    expect(await metric(`highwater_broker_refused_total{reason="${reason}"}`)).toBe(1);
  });

  it("a topic of too many levels closes the connection", async () => {
    const { inbox, raw, metric } = await runBroker({ limits: { topic_levels: 3 } });
    const device = await raw();
    device.publish("sensors/a/b/c", "1", 1, 1);
    await eventually(device.isClosed);
    expect(inbox.added).toEqual([]);
    expect(await metric('highwater_broker_refused_total{reason="topic_levels"}')).toBe(1);
  });

  it("a client that leaves more than 1,000 publishes of QoS 2 without its PUBREL is closed", async () => {
    const { raw, metric } = await runBroker();
    const device = await raw();
    for (let id = 1; id <= 1_001; id++) device.publish("sensors/d/t", "1", 2, id);
    await eventually(device.isClosed);
    expect(await metric('highwater_broker_refused_total{reason="inflight"}')).toBe(1);
  });

  it("a will to a reserved topic is dropped", async () => {
    const { broker, client, raw, metric } = await runBroker();
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (topic) => got.push(topic));
    await subscriber.subscribeAsync("#");
    const device = await raw({ will: { topic: "highwater/status", payload: "down" } });
    device.socket.destroy();
    await eventually(() => broker.status().connections === 1);
    await pause(50);
    expect(got).toEqual([]);
    expect(await metric('highwater_broker_refused_total{reason="reserved_topic"}')).toBe(1);
  });

  it("a packet over the limit closes the connection before it is read", async () => {
    const { raw, metric } = await runBroker({ limits: { packet_bytes: 2_000 } });
    const device = await raw();
    device.socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1]));
    await eventually(device.isClosed);
    expect(await metric('highwater_broker_refused_total{reason="packet_bytes"}')).toBe(1);
  });

  it("a payload over the limit is acknowledged and rejected", async () => {
    const { inbox, client } = await runBroker({ limits: { payload_bytes: 100 } });
    const device = await client();
    await device.publishAsync("sensors/d/t", "1".repeat(101), { qos: 1 });
    expect(inbox.rejected.map(({ reason }) => reason)).toEqual(["too_large"]);
  });

  it("shared subscriptions and subscriptions over the limit are answered with failure", async () => {
    const { raw, metric } = await runBroker({ limits: { subscriptions: 1 } });
    const client = await raw();
    for (const [messageId, topic] of [
      [1, "$share/g/a"],
      [2, "a"],
      [3, "b"],
    ] as const) {
      client.send({ cmd: "subscribe", messageId, subscriptions: [{ topic, qos: 1 }] });
      await eventually(() => client.received.length > messageId);
    }
    expect(client.received.slice(1)).toMatchObject([{ granted: [128] }, { granted: [1] }, { granted: [128] }]);
    expect(await metric('highwater_broker_refused_total{reason="shared_subscription"}')).toBe(1);
    expect(await metric('highwater_broker_refused_total{reason="subscriptions"}')).toBe(1);
  });

  it("an empty client id needs a clean session", async () => {
    const { raw } = await runBroker();
    const refused = await raw("no CONNECT");
    refused.socket.write(Buffer.from([0x10, 12, 0, 4, ...Buffer.from("MQTT"), 4, 0, 0, 0, 0, 0]));
    await eventually(refused.isClosed);
    expect(refused.received).toMatchObject([{ cmd: "connack", returnCode: 2 }]);
    const taken = await raw({ clientId: "", clean: true });
    expect(taken.received).toMatchObject([{ cmd: "connack", returnCode: 0 }]);
  });

  it("CONNECT is refused while the gateway takes none, and it says why", async () => {
    let takes: true | string = "the clock is behind the journal";
    const { broker, raw } = await runBroker({ takesConnections: () => takes });
    const refused = await raw();
    await eventually(refused.isClosed);
    expect(refused.received).toMatchObject([{ cmd: "connack", returnCode: 3 }]);
    expect(broker.status().refusing).toBe("the clock is behind the journal");
    takes = true;
    expect((await raw()).received).toMatchObject([{ returnCode: 0 }]);
  });

  it("sessions over the limit are refused; a known one goes on, a clean one always", async () => {
    const { raw, metric } = await runBroker({ limits: { sessions: 1 } });
    const codes: unknown[] = [];
    for (const [clientId, clean] of [
      ["a", false],
      ["b", false],
      ["b", true],
      ["a", false],
      ["a", true],
      ["b", false],
    ] as const) {
      const { received, socket } = await raw({ clientId, clean });
      const [connack] = received;
      codes.push(connack?.cmd === "connack" ? connack.returnCode : connack);
      socket.destroy();
    }
    expect(codes).toEqual([0, 3, 0, 0, 0, 0]);
    expect(await metric('highwater_broker_refused_total{reason="sessions"}')).toBe(1);
  });

  it("MQTT 5 is answered with the code for an unknown version", async () => {
    const { raw } = await runBroker();
    const client = await raw("no CONNECT");
    client.send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 5, clientId: "five", clean: true, keepalive: 0 });
    await eventually(client.isClosed);
    expect(client.received).toMatchObject([{ cmd: "connack", returnCode: 1 }]);
  });

  it("connections over the limit are closed at once", async () => {
    const { broker, raw, metric } = await runBroker({ limits: { connections: 2 } });
    const [first, , third] = [await raw(), await raw(), await raw()];
    expect(third.isClosed()).toBe(true);
    expect(await metric('highwater_broker_refused_total{reason="connections"}')).toBe(1);
    first.socket.destroy();
    await eventually(() => broker.status().connections === 1);
    expect((await raw()).received).toMatchObject([{ returnCode: 0 }]);
  });

  it("retained messages over the limit are passed on, not retained", async () => {
    const { client, metric } = await runBroker({ limits: { retained: 1 } });
    const device = await client();
    for (const topic of ["sensors/a/t", "sensors/b/t"]) await device.publishAsync(topic, "1", { qos: 1, retain: true });
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (topic) => got.push(topic));
    await subscriber.subscribeAsync("#");
    await eventually(() => got.length > 0);
    await pause(50);
    expect(got).toEqual(["sensors/a/t"]);
    expect(await metric('highwater_broker_refused_total{reason="retained"}')).toBe(1);
  });

  it("bytes that are no MQTT do nobody else any harm", async () => {
    const { inbox, client, raw } = await runBroker();
    const other = await client();
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "\x10\xff\xff\xff\xff", "\x30\x02\x00\x00", "\x00\x00\x00"])
      (await raw("no CONNECT")).socket.write(bytes, "latin1");
    await other.publishAsync("sensors/d/t", "1", { qos: 1 });
    expect(inbox.added.length).toBe(1);
  });
});

it("a port that is taken is an error with a hint, and no other listener stays open", async () => {
  const { port } = await runBroker();
  const broker = createBroker(
    { inbox: createRecordingInbox(), clock: systemClock, log: createLog({ level: "silent", name: "test" }), metrics: createMetrics() },
    {
      listeners: [
        { host: "127.0.0.1", port: 0 },
        { host: "127.0.0.1", port },
      ],
      sources: [],
      limits: limitsSchema.parse({}),
      access: { anonymous: true },
      zones: {},
      sessionExpiry: 1_000,
      takesConnections: () => true,
    },
  );
  const error = await broker.start().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: "address_in_use", message: `MQTT cannot listen on 127.0.0.1:${port}: it is taken`, hint: expect.any(String) });
  await broker.close();
});
