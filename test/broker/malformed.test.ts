// Packets that MQTT 3.1.1 forbids, byte by byte: each ends its connection without any effect [MQTT-4.8.0-1], or gets the return code that the
// standard names. And the QoS flows, where packets come late, twice, or for nothing.

import { describe, expect, it } from "vitest";
import { connectPeer, openPeer, type Peer } from "./conformance-client.ts";
import { eventually, runBroker } from "./running-broker.ts";

/** A UTF-8 string as MQTT writes it. */
const text = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
const packet = (header: number, ...parts: (number | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : part)));
  return Buffer.concat([Buffer.from([header, body.length]), body]);
};
const id = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const connectBytes = (options: { name?: string; level?: number; flags?: number; rest?: Buffer[] } = {}): Buffer => {
  const { name = "MQTT", level = 4, flags = 2, rest = [text("id")] } = options;
  return packet(0x10, text(name), level, flags, 0, 0, ...rest);
};
const surrogate = Buffer.from([0x61, 0xed, 0xa0, 0x80]);
const broken = Buffer.from([0x61, 0xff]);
const zero = "a\u0000b";

describe("CONNECT", () => {
  it.each([
    ["another protocol name [MQTT-3.1.2-1]", connectBytes({ name: "hj" })],
    ["the reserved flag [MQTT-3.1.2-3]", connectBytes({ flags: 3 })],
    ["a will of QoS 3 [MQTT-3.1.2-14]", connectBytes({ flags: 0x1e, rest: [text("id"), text("w"), text("x")] })],
    ["a will QoS without a will [MQTT-3.1.2-13]", connectBytes({ flags: 0x0a })],
    ["will retain without a will [MQTT-3.1.2-15]", connectBytes({ flags: 0x22 })],
    ["a will without its fields [MQTT-3.1.2-9]", connectBytes({ flags: 0x06 })],
    ["a will to a wildcard [MQTT-4.7.1-1]", connectBytes({ flags: 0x06, rest: [text("id"), text("a/#"), text("x")] })],
    ["a will to nothing [MQTT-4.7.3-1]", connectBytes({ flags: 0x06, rest: [text("id"), text(""), text("x")] })],
    ["a password without a user name [MQTT-3.1.2-22]", connectBytes({ flags: 0x42, rest: [text("id"), text("secret")] })],
    ["a user name that is missing [MQTT-3.1.2-19]", connectBytes({ flags: 0x82 })],
    ["a user name that was not announced [MQTT-3.1.2-18]", connectBytes({ rest: [text("id"), text("user")] })],
    ["no client id [MQTT-3.1.3-3]", connectBytes({ rest: [] })],
    ["a client id that is no UTF-8 [MQTT-1.5.3-1]", connectBytes({ rest: [text(broken)] })],
    ["a client id with U+0000 [MQTT-1.5.3-2]", connectBytes({ rest: [text(zero)] })],
    ["a client id of 2,000 characters", Buffer.concat([Buffer.from([0x10, 0xdc, 0x0f]), connectBytes({ rest: [text("x".repeat(2_000))] }).subarray(2)])],
    ["flags in its header [MQTT-2.2.2-2]", Buffer.concat([Buffer.from([0x11]), connectBytes().subarray(1)])],
  ])("with %s ends the connection without an answer", async (_, bytes) => {
    const { port } = await runBroker();
    const peer = await openPeer(port);
    peer.bytes(bytes);
    await peer.closed();
    expect(peer.received).toEqual([]);
  });

  it.each([
    ["MQTT", 0],
    ["MQTT", 3],
    ["MQTT", 5],
    ["MQTT", 6],
    ["MQIsdp", 4],
  ])("%s of level %i is answered with return code 1 [MQTT-3.1.2-2]", async (name, level) => {
    const { port } = await runBroker();
    const peer = await openPeer(port);
    peer.bytes(connectBytes({ name, level, rest: level === 5 ? [Buffer.from([0]), text("id")] : [text("id")] }));
    await peer.closed();
    expect(peer.received).toMatchObject([{ cmd: "connack", returnCode: 1, sessionPresent: false }]);
  });

  it.each([
    ["level 3, as MQTT 3.1 has it", connectBytes({ name: "MQIsdp", level: 3 })],
    ["an empty client id and a clean session [MQTT-3.1.3-6]", connectBytes({ rest: [text("")] })],
    ["a long client id, a BOM and other planes [MQTT-1.5.3-3]", connectBytes({ rest: [text("\uFEFFgrün-😀-\uFFFD-0123456789012345678901234567890")] })],
    ["a user name without a password", connectBytes({ flags: 0x82, rest: [text("id"), text("user")] })],
  ])("with %s is taken", async (_, bytes) => {
    const { port } = await runBroker();
    const peer = await openPeer(port);
    peer.bytes(bytes);
    expect(await peer.next("connack")).toMatchObject({ returnCode: 0 });
  });

  it("an empty client id without a clean session is answered with return code 2 [MQTT-3.1.3-8]", async () => {
    const { port } = await runBroker();
    const peer = await openPeer(port);
    peer.bytes(connectBytes({ flags: 0, rest: [text("")] }));
    await peer.closed();
    expect(peer.received).toMatchObject([{ cmd: "connack", returnCode: 2 }]);
  });

  it.each([
    ["PUBLISH", packet(0x30, text("sensors/d/t"), Buffer.from("1"))],
    ["SUBSCRIBE", packet(0x82, id(1), text("a"), 0)],
    ["PINGREQ", packet(0xc0)],
    ["DISCONNECT", packet(0xe0)],
  ])("must be first: %s before it ends the connection [MQTT-3.1.0-1]", async (_, bytes) => {
    const { port, inbox } = await runBroker();
    const peer = await openPeer(port);
    peer.bytes(bytes);
    await peer.closed();
    expect([peer.received, inbox.added]).toEqual([[], []]);
  });
});

describe("a connected client that sends", () => {
  it.each([
    ["PUBLISH with QoS 3 [MQTT-3.3.1-4]", packet(0x36, text("sensors/d/t"), id(1), Buffer.from("1"))],
    ["PUBLISH with DUP and QoS 0 [MQTT-3.3.1-2]", packet(0x38, text("sensors/d/t"), Buffer.from("1"))],
    ["PUBLISH to # [MQTT-3.3.2-2]", packet(0x32, text("sensors/#"), id(1), Buffer.from("1"))],
    ["PUBLISH to + [MQTT-3.3.2-2]", packet(0x30, text("sensors/+/t"), Buffer.from("1"))],
    ["PUBLISH to nothing [MQTT-4.7.3-1]", packet(0x30, text(""), Buffer.from("1"))],
    ["PUBLISH to U+0000 [MQTT-4.7.3-2]", packet(0x30, text(zero), Buffer.from("1"))],
    ["PUBLISH to what is no UTF-8 [MQTT-3.3.2-1]", packet(0x30, text(broken), Buffer.from("1"))],
    ["PUBLISH to a surrogate [MQTT-1.5.3-1]", packet(0x30, text(surrogate), Buffer.from("1"))],
    ["PUBLISH with packet id 0 [MQTT-2.3.1-1]", packet(0x32, text("sensors/d/t"), id(0), Buffer.from("1"))],
    ["PUBLISH without a packet id", packet(0x32, text("sensors/d/t"))],
    ["PUBLISH shorter than its topic", packet(0x30, id(40), Buffer.from("a"))],
    ["a length of five bytes [MQTT-2.2.3]", Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
    ["SUBSCRIBE with other flags [MQTT-3.8.1-1]", packet(0x80, id(1), text("a"), 0)],
    ["SUBSCRIBE without a filter [MQTT-3.8.3-3]", packet(0x82, id(1))],
    ["SUBSCRIBE with QoS 3 [MQTT-3-8.3-4]", packet(0x82, id(1), text("a"), 3)],
    ["SUBSCRIBE with reserved bits [MQTT-3-8.3-4]", packet(0x82, id(1), text("a"), 0x41)],
    ["SUBSCRIBE without a QoS", packet(0x82, id(1), text("a"))],
    ["SUBSCRIBE with packet id 0 [MQTT-2.3.1-1]", packet(0x82, id(0), text("a"), 0)],
    ["SUBSCRIBE to nothing [MQTT-4.7.3-1]", packet(0x82, id(1), text(""), 0)],
    ["SUBSCRIBE to U+0000 [MQTT-4.7.3-2]", packet(0x82, id(1), text(zero), 0)],
    ["SUBSCRIBE to what is no UTF-8 [MQTT-3.8.3-1]", packet(0x82, id(1), text(broken), 0)],
    ...["a#", "#/a", "a/#/b", "a+", "+a", "a/b+", "a/+b", "a/b#"].map((filter) => [
      `SUBSCRIBE to ${filter} [MQTT-4.7.1-2, 4.7.1-3]`,
      packet(0x82, id(1), text(filter), 0),
    ]),
    ["UNSUBSCRIBE with other flags [MQTT-3.10.1-1]", packet(0xa0, id(1), text("a"))],
    ["UNSUBSCRIBE without a filter [MQTT-3.10.3-2]", packet(0xa2, id(1))],
    ["UNSUBSCRIBE with packet id 0 [MQTT-2.3.1-1]", packet(0xa2, id(0), text("a"))],
    ["PUBREL with other flags [MQTT-3.6.1-1]", packet(0x60, id(1))],
    ["PUBACK without a packet id", packet(0x40)],
    ["DISCONNECT with flags [MQTT-3.14.1-1]", packet(0xe1)],
    ["DISCONNECT with a body", packet(0xe0, 0)],
    ["PINGREQ with a body", packet(0xc0, 0)],
    ["what only servers send", packet(0x20, 0, 0)],
    ["a packet of type 0", packet(0x00)],
    ["a packet of type 15", packet(0xf0)],
  ] as [string, Buffer][])("%s is gone, with its will published and nothing else", async (_, bytes) => {
    const { port, inbox } = await runBroker();
    const watcher = await connectPeer(port);
    await watcher.subscribe(["#", 1]);
    const peer = await connectPeer(port, { will: { topic: "will", payload: Buffer.from("x"), qos: 1, retain: false } });
    peer.bytes(bytes);
    await peer.closed();
    expect(await watcher.messages(1)).toEqual(["will x 1"]);
    expect([peer.received, inbox.added]).toEqual([[], []]);
  });

  it("a topic of 1,000 characters, levels without a name, spaces and U+FFFD gets it through [MQTT-4.7.3-3]", async () => {
    const { port } = await runBroker();
    const peer = await connectPeer(port);
    const topics = [`long/${"x".repeat(995)}`, "/", "//", "/a/", "a b/ c", "\uFFFD/😀"];
    await peer.subscribe(...topics.map((topic) => [topic, 1] as [string, 1]));
    for (const topic of topics) await peer.deliver(topic, "x", 1);
    expect(await peer.messages(topics.length)).toEqual(topics.map((topic) => `${topic} x 1`));
  });
});

describe("QoS", () => {
  it("2 is taken once, however often it is sent before its PUBREL [MQTT-4.3.3-2]", async () => {
    const { port, inbox } = await runBroker();
    const [peer, reader] = [await connectPeer(port), await connectPeer(port)];
    await reader.subscribe(["sensors/#", 2]);
    for (const dup of [false, true, true]) {
      peer.publish("sensors/d/t", "1", 2, { dup });
      await peer.next("pubrec");
    }
    for (let times = 0; times < 2; times++) {
      peer.send({ cmd: "pubrel", messageId: 5 });
      await peer.next("pubcomp");
    }
    await peer.deliver("sensors/d/t", "2", 2);
    expect(inbox.added.map(({ value }) => value)).toEqual([1, 2]);
    expect(await reader.messages(2)).toEqual(["sensors/d/t 1 2", "sensors/d/t 2 2"]);
  });

  it("2: the same id in a new connection of the same session is the same message [MQTT-4.4.0-1]", async () => {
    const { port, inbox } = await runBroker();
    const first = await connectPeer(port, { clientId: "d", clean: false });
    first.publish("sensors/d/t", "1", 2);
    await first.next("pubrec");
    await first.drop();
    const again = await connectPeer(port, { clientId: "d", clean: false });
    await again.deliver("sensors/d/t", "1", 2, { dup: true });
    expect(inbox.added.length).toBe(1);
  });

  it("a PUBREL that nobody waits for gets its PUBCOMP, and a PUBREC its PUBREL; other late answers are nothing", async () => {
    const { port } = await runBroker();
    for (const clean of [true, false]) {
      const peer = await connectPeer(port, { clientId: "late", clean });
      peer.send({ cmd: "pubrel", messageId: 1234 });
      expect(await peer.next("pubcomp")).toMatchObject({ messageId: 1234 });
      peer.send({ cmd: "pubrec", messageId: 1235 });
      expect(await peer.next("pubrel")).toMatchObject({ messageId: 1235 });
      peer.send({ cmd: "puback", messageId: 1 });
      peer.send({ cmd: "pubcomp", messageId: 2 });
      await peer.quiet();
      expect(peer.received).toEqual([]);
    }
  });

  it("packet ids up to 65,535 come back as they are", async () => {
    const { port } = await runBroker();
    const peer = await connectPeer(port);
    for (const messageId of [1, 256, 65_535]) await peer.deliver("a", "x", 2, { messageId });
    peer.publish("a", "x", 1, { messageId: 65_535 });
    expect(await peer.next("puback")).toMatchObject({ messageId: 65_535 });
  });

  it("acknowledgements and messages keep their order, to clients that listen and to one that was away [MQTT-4.6.0-2, 4.6.0-6]", async () => {
    const { port } = await runBroker();
    const [device, live, away] = [await connectPeer(port), await connectPeer(port), await connectPeer(port, { clientId: "s", clean: false })];
    await live.subscribe(["a", 2]);
    await away.subscribe(["a", 1]);
    await away.drop();
    const ids = Array.from({ length: 400 }, (_, index) => index + 1);
    for (const messageId of ids) device.publish("a", String(messageId), 1, { messageId });
    await eventually(() => device.received.length === ids.length);
    expect(device.received.map(({ cmd, messageId }) => `${cmd} ${messageId}`)).toEqual(ids.map((messageId) => `puback ${messageId}`));
    const expected = ids.map((messageId) => `a ${messageId} 1`);
    expect(await live.messages(ids.length)).toEqual(expected);
    const again = await connectPeer(port, { clientId: "s", clean: false });
    // What is published meanwhile does not overtake.
    device.publish("a", "401", 1, { messageId: 401 });
    expect(await again.messages(ids.length + 1)).toEqual([...expected, "a 401 1"]);
  });

  it("1 and 2 that were not acknowledged come again in order, with DUP and their ids; PUBREL alone when PUBREC had come [MQTT-4.4.0-1, 3.3.1-1]", async () => {
    const { port } = await runBroker();
    const device = await connectPeer(port);
    const first = await connectPeer(port, { clientId: "s", clean: false });
    await first.subscribe(["a/#", 2]);
    await device.deliver("a/1", "one", 1);
    await device.deliver("a/2", "two", 2);
    await device.deliver("a/3", "three", 2);
    const ids = [await first.next("publish"), await first.next("publish"), await first.next("publish")].map(({ messageId }) => messageId as number);
    first.send({ cmd: "pubrec", messageId: ids[1] as number });
    expect(await first.next("pubrel")).toMatchObject({ messageId: ids[1] });
    await first.drop();
    for (let round = 0; round < 2; round++) {
      const again = await connectPeer(port, { clientId: "s", clean: false });
      await eventually(() => again.received.length === 3);
      expect(again.received).toMatchObject([
        { cmd: "publish", topic: "a/1", qos: 1, dup: true, messageId: ids[0] },
        { cmd: "pubrel", messageId: ids[1] },
        { cmd: "publish", topic: "a/3", qos: 2, dup: true, messageId: ids[2] },
      ]);
      await again.drop();
    }
    const last = await connectPeer(port, { clientId: "s", clean: false });
    expect(await last.messages(2)).toEqual(["a/1 one 1 dup", "a/3 three 2 dup"]);
    await last.drop();
    expect(await (await connectPeer(port, { clientId: "s", clean: false })).messages(0)).toEqual([]);
  });

  it("a packet id is not used again while its message is not acknowledged, by any connection of a session [MQTT-2.3.1-4]", async () => {
    const { port } = await runBroker();
    const device = await connectPeer(port);
    const unanswered = async (peer: Peer, count: number): Promise<number[]> => {
      await eventually(() => peer.received.length >= count);
      return peer.received.map(({ messageId }) => messageId as number);
    };
    let reader: Peer = await connectPeer(port, { clientId: "s", clean: false });
    await reader.subscribe(["a", 1]);
    for (let round = 1; round <= 4; round++) {
      for (let index = 0; index < 10; index++) await device.deliver("a", "x", 1);
      const ids = await unanswered(reader, round * 10);
      expect(new Set(ids).size).toBe(round * 10);
      await reader.drop();
      reader = await connectPeer(port, { clientId: "s", clean: false });
    }
  });

  it("a client that acknowledges nothing gets no more than a window of its queue, and the rest when it does", async () => {
    const { port } = await runBroker();
    const device = await connectPeer(port);
    const reader = await connectPeer(port, { clientId: "s", clean: false });
    await reader.subscribe(["a", 1]);
    for (let messageId = 1; messageId <= 600; messageId++) device.publish("a", String(messageId), 1, { messageId });
    await eventually(() => device.received.length === 600);
    await reader.quiet();
    expect(reader.received.length).toBe(256);
    expect((await reader.messages(600)).length).toBe(600);
  });
});
