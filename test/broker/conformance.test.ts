// What MQTT 3.1.1 asks of a server, by its clauses, said by raw clients to our real broker. What the packets must look like: malformed.test.ts;
// what outlives a killed process: test/e2e/sessions.test.ts; what clients of others make of it: test/e2e/peers.test.ts.

import { describe, expect, it } from "vitest";
import { connectPeer, openPeer } from "./conformance-client.ts";
import { eventually, runBroker } from "./running-broker.ts";

const subscriber = { clientId: "s", clean: false };

describe("connect", () => {
  it("a second CONNECT ends the connection [MQTT-3.1.0-2]", async () => {
    const { port } = await runBroker();
    const peer = await connectPeer(port, { clientId: "a" });
    peer.send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId: "a", clean: true, keepalive: 0 });
    await peer.closed();
    expect(peer.received).toEqual([]);
  });

  it("the session is present only when there was one, also without subscriptions [MQTT-3.2.2-1, 3.2.2-2, 3.2.2-3]", async () => {
    const { port } = await runBroker();
    const present: boolean[] = [];
    for (const clean of [false, false, true, false, false]) {
      const peer = await connectPeer(port, { clientId: "a", clean });
      present.push(peer.sessionPresent);
      await peer.disconnect();
    }
    expect(present).toEqual([false, true, false, false, true]);
  });

  it("a clean session forgets the old one [MQTT-3.1.2-6]", async () => {
    const { port } = await runBroker();
    const first = await connectPeer(port, subscriber);
    await first.subscribe(["a", 1]);
    await first.drop();
    const device = await connectPeer(port);
    await device.deliver("a", "old", 1);
    await (await connectPeer(port, { ...subscriber, clean: true })).drop();
    const again = await connectPeer(port, subscriber);
    await device.deliver("a", "new", 1);
    expect([again.sessionPresent, await again.messages(0)]).toEqual([false, []]);
  });

  it("a clean session ends with its connection [MQTT-3.1.2-6]", async () => {
    const { port } = await runBroker();
    const first = await connectPeer(port, { clientId: "c" });
    await first.subscribe(["a", 1]);
    await first.drop();
    const again = await connectPeer(port, { clientId: "c", clean: false });
    await (await connectPeer(port)).deliver("a", "x", 1);
    expect([again.sessionPresent, await again.messages(0)]).toEqual([false, []]);
  });

  it("a client id that comes again ends the old connection, with its will [MQTT-3.1.4-2]", async () => {
    const { port } = await runBroker();
    const watcher = await connectPeer(port);
    await watcher.subscribe(["will", 1]);
    const old = await connectPeer(port, { ...subscriber, will: { topic: "will", payload: Buffer.from("taken over"), qos: 1, retain: false } });
    await old.subscribe(["a", 1]);
    const next = await connectPeer(port, subscriber);
    await old.closed();
    expect(next.sessionPresent).toBe(true);
    await (await connectPeer(port)).deliver("a", "x", 1);
    expect(await next.messages(1)).toEqual(["a x 1"]);
    expect(await watcher.messages(1)).toEqual(["will taken over 1"]);
  });

  it("packets right behind CONNECT are taken, however many [MQTT-3.1.4-5]", async () => {
    const { port, inbox } = await runBroker();
    const peer = await openPeer(port, { clientId: "eager" });
    for (let value = 0; value < 200; value++) peer.publish("sensors/d/t", String(value), 1, { messageId: value + 1 });
    await eventually(() => peer.received.length === 201);
    expect(peer.received.map(({ cmd }) => cmd)).toEqual(["connack", ...Array.from({ length: 200 }, () => "puback")]);
    expect(inbox.added.map(({ value }) => value)).toEqual(Array.from({ length: 200 }, (_, value) => value));
  });

  it.each([0, 1, 2] as const)("a publish of QoS %i right before DISCONNECT reaches its subscribers, and no will does [MQTT-3.14.4-1]", async (qos) => {
    const { port } = await runBroker();
    const [live, away] = [await connectPeer(port), await connectPeer(port, subscriber)];
    await live.subscribe(["#", 2]);
    await away.subscribe(["#", 2]);
    await away.drop();
    const device = await connectPeer(port, { will: { topic: "will", payload: Buffer.from("x"), qos: 1, retain: false } });
    device.socket.cork();
    device.publish("a", "last words", qos);
    device.send({ cmd: "disconnect" });
    device.socket.uncork();
    expect(await live.messages(1)).toEqual([`a last words ${qos}`]);
    expect(await (await connectPeer(port, subscriber)).messages(qos > 0 ? 1 : 0)).toEqual(qos > 0 ? [`a last words ${qos}`] : []);
  });

  it("silence beyond one and a half keep-alives ends the connection, with its will; PINGREQ keeps it [MQTT-3.1.2-24, 3.12.4-1]", {
    timeout: 15_000,
  }, async () => {
    const { port } = await runBroker();
    const watcher = await connectPeer(port);
    await watcher.subscribe(["will/+", 2]);
    const will = (topic: string) => ({ will: { topic, payload: Buffer.from("gone"), qos: 2 as const, retain: false } });
    const silent = await connectPeer(port, { keepalive: 1, ...will("will/silent") });
    const alive = await connectPeer(port, { keepalive: 1, ...will("will/alive") });
    const timer = setInterval(() => alive.send({ cmd: "pingreq" }), 300);
    await silent.closed();
    clearInterval(timer);
    expect(alive.isClosed()).toBe(false);
    expect(await watcher.messages(1)).toEqual(["will/silent gone 2"]);
  });
});

describe("wills", () => {
  it.each([
    [0, false],
    [1, false],
    [2, true],
  ] as const)("are published with QoS %i and retain %s when the connection breaks [MQTT-3.1.2-8, 3.1.2-16, 3.1.2-17]", async (qos, retain) => {
    const { port } = await runBroker();
    const watcher = await connectPeer(port);
    await watcher.subscribe(["will", 2]);
    const device = await connectPeer(port, { will: { topic: "will", payload: Buffer.from("x"), qos, retain } });
    await device.drop();
    expect(await watcher.messages(1)).toEqual([`will x ${qos}`]);
    const late = await connectPeer(port);
    await late.subscribe(["will", 2]);
    expect(await late.messages(retain ? 1 : 0)).toEqual(retain ? [`will x ${qos} retained`] : []);
  });

  it("are discarded by DISCONNECT [MQTT-3.1.2-10, 3.14.4-3]", async () => {
    const { port, broker } = await runBroker();
    const watcher = await connectPeer(port);
    await watcher.subscribe(["will", 1]);
    const device = await connectPeer(port, { will: { topic: "will", payload: Buffer.from("x"), qos: 1, retain: false } });
    await device.disconnect();
    await eventually(() => broker.status().connections === 1);
    expect(await watcher.messages(0)).toEqual([]);
  });
});

describe("retained messages", () => {
  it("come to new subscriptions with the flag, to old ones without; the last one only [MQTT-3.3.1-5, 3.3.1-6, 3.3.1-8, 3.3.1-9]", async () => {
    const { port } = await runBroker();
    const [device, live] = [await connectPeer(port), await connectPeer(port)];
    await live.subscribe(["r/#", 2]);
    await device.deliver("r/a", "1", 1, { retain: true });
    await device.deliver("r/a", "2", 0, { retain: true });
    await device.deliver("r/b", "3", 2, { retain: true });
    expect((await live.messages(3)).sort()).toEqual(["r/a 1 1", "r/a 2 0", "r/b 3 2"]);
    const late = await connectPeer(port);
    await late.subscribe(["r/+", 2]);
    expect((await late.messages(2)).sort()).toEqual(["r/a 2 0 retained", "r/b 3 2 retained"]);
  });

  it("are deleted by an empty one, which comes like any other message and is not kept [MQTT-3.3.1-10, 3.3.1-11]", async () => {
    const { port } = await runBroker();
    const [device, live] = [await connectPeer(port), await connectPeer(port)];
    await device.deliver("r", "1", 1, { retain: true });
    await live.subscribe(["r", 1]);
    await device.deliver("r", "", 1, { retain: true });
    expect(await live.messages(2)).toEqual(["r 1 1 retained", "r  1"]);
    const late = await connectPeer(port);
    await late.subscribe(["r", 1]);
    expect(await late.messages(0)).toEqual([]);
  });

  it("are not replaced by one without the flag [MQTT-3.3.1-12]", async () => {
    const { port } = await runBroker();
    const device = await connectPeer(port);
    await device.deliver("r", "kept", 1, { retain: true });
    await device.deliver("r", "passing", 1);
    const late = await connectPeer(port);
    await late.subscribe(["r", 0]);
    expect(await late.messages(1)).toEqual(["r kept 0 retained"]);
  });

  it("come again with a subscription that is repeated, which takes its new QoS [MQTT-3.8.4-3]", async () => {
    const { port } = await runBroker();
    const [device, reader] = [await connectPeer(port), await connectPeer(port)];
    await device.deliver("r", "x", 2, { retain: true });
    expect(await reader.subscribe(["r", 0])).toEqual([0]);
    expect(await reader.messages(1)).toEqual(["r x 0 retained"]);
    expect(await reader.subscribe(["r", 2])).toEqual([2]);
    expect(await reader.messages(1)).toEqual(["r x 2 retained"]);
    await device.deliver("r", "y", 2);
    expect(await reader.messages(1)).toEqual(["r y 2"]);
  });

  it("of a session are sent again until they are acknowledged [MQTT-4.4.0-1]", async () => {
    const { port } = await runBroker();
    await (await connectPeer(port)).deliver("r", "x", 1, { retain: true });
    const reader = await connectPeer(port, subscriber);
    await reader.subscribe(["r", 1]);
    const { messageId } = await reader.next("publish");
    await reader.drop();
    const again = await connectPeer(port, subscriber);
    const packet = await again.next("publish");
    expect(packet).toMatchObject({ topic: "r", qos: 1, dup: true, retain: true, messageId });
  });
});

describe("subscriptions", () => {
  it.each([
    [0, 2, 0],
    [1, 2, 1],
    [2, 2, 2],
    [2, 1, 1],
    [2, 0, 0],
  ] as const)("of QoS %i get a message of QoS %i with QoS %i, by wildcards too, live and later [MQTT-3.8.4-6]", async (granted, sent, got) => {
    const { port } = await runBroker();
    const [live, away] = [await connectPeer(port), await connectPeer(port, subscriber)];
    await live.subscribe(["a/+", granted]);
    await away.subscribe(["a/#", granted]);
    await away.drop();
    await (await connectPeer(port)).deliver("a/b", "x", sent);
    expect(await live.messages(1)).toEqual([`a/b x ${got}`]);
    expect(await (await connectPeer(port, subscriber)).messages(got === 0 ? 0 : 1)).toEqual(got === 0 ? [] : [`a/b x ${got}`]);
  });

  it.each([
    ["a clean session", { clientId: "s", clean: true }],
    ["a session that goes on", subscriber],
  ])("that overlap bring one message with the highest QoS to %s (aedes#543) [MQTT-3.3.5-1]", async (_, connect) => {
    const { port } = await runBroker();
    const reader = await connectPeer(port, connect);
    await reader.subscribe(["TopicA/#", 2], ["TopicA/+", 1], ["#", 0], ["TopicA/C", 0]);
    const device = await connectPeer(port);
    for (const qos of [2, 1, 0] as const) {
      await device.deliver("TopicA/C", `qos ${qos}`, qos);
      expect(await reader.messages(1)).toEqual([`TopicA/C qos ${qos} ${qos}`]);
    }
    expect(reader.isClosed()).toBe(false);
  });

  it("that overlap bring one message to a client that was away", async () => {
    const { port } = await runBroker();
    const reader = await connectPeer(port, subscriber);
    await reader.subscribe(["a/#", 1], ["a/+", 2], ["+/b", 0]);
    await reader.drop();
    await (await connectPeer(port)).deliver("a/b", "x", 2);
    expect(await (await connectPeer(port, subscriber)).messages(1)).toEqual(["a/b x 2"]);
  });

  it("are answered each in its place, also what is refused; and what is refused is not kept [MQTT-3.8.4-5, 3.9.3-1]", async () => {
    const { port } = await runBroker();
    const reader = await connectPeer(port, subscriber);
    expect(await reader.subscribe(["a", 0], ["$share/g/b", 1], ["c", 2], ["d", 1])).toEqual([0, 128, 2, 1]);
    const device = await connectPeer(port);
    for (const topic of ["b", "c", "$share/g/b"]) await device.deliver(topic, "x", 1);
    expect(await reader.messages(1)).toEqual(["c x 1"]);
  });

  it("of one packet count towards the limit one by one, and a repeated one not at all", async () => {
    const { port } = await runBroker({ limits: { subscriptions: 2 } });
    for (const clean of [true, false]) {
      const reader = await connectPeer(port, { clientId: "many", clean });
      expect(await reader.subscribe(["a", 1], ["b", 1], ["c", 1])).toEqual([1, 1, 128]);
      expect(await reader.subscribe(["a", 2])).toEqual([2]);
      await reader.drop();
    }
  });

  it("end with UNSUBACK; what is unknown is answered too, and takes effect exactly [MQTT-3.10.4-1, 3.10.4-4, 3.10.4-5]", async () => {
    const { port } = await runBroker();
    const [device, reader] = [await connectPeer(port), await connectPeer(port, subscriber)];
    await reader.subscribe(["a", 1], ["a/#", 1], ["b", 1]);
    reader.send({ cmd: "unsubscribe", messageId: 77, unsubscriptions: ["a/#", "never"] });
    expect(await reader.next("unsuback")).toMatchObject({ messageId: 77 });
    await device.deliver("a/x", "no", 1);
    await device.deliver("a", "yes", 1);
    expect(await reader.messages(1)).toEqual(["a yes 1"]);
  });

  it.each(["#", "+/x", "+/+", "+/#"])("to %s bring no topic that begins with $, live, retained or later [MQTT-4.7.2-1]", async (filter) => {
    const { port } = await runBroker();
    const [device, away] = [await connectPeer(port), await connectPeer(port, subscriber)];
    await away.subscribe([filter, 1]);
    await away.drop();
    const live = await connectPeer(port);
    await live.subscribe([filter, 1], ["$own/x", 1]);
    await device.deliver("$own/x", "1", 1, { retain: true });
    expect(await live.messages(1)).toEqual(["$own/x 1 1"]);
    const late = await connectPeer(port);
    await late.subscribe([filter, 1]);
    await late.quiet();
    expect(await late.messages(0)).toEqual([]);
    expect(await (await connectPeer(port, subscriber)).messages(0)).toEqual([]);
  });

  it("to wildcards leave the gateway's own topics out; by name they come", async () => {
    const { broker, port } = await runBroker();
    const wild = await connectPeer(port);
    await wild.subscribe(["#", 1], ["+/+", 1]);
    const named = await connectPeer(port, subscriber);
    await named.subscribe(["highwater/+", 1]);
    broker.publish("highwater/status", "up", { retain: true });
    expect(await named.messages(1)).toEqual(["highwater/status up 1"]);
    expect(await wild.messages(0)).toEqual([]);
    await wild.subscribe(["+/status", 1]);
    expect(await wild.messages(0)).toEqual([]);
  });
});
