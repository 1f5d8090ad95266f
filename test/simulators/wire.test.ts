// The generator's bytes against mqtt-packet, and its reader against every way of cutting a stream.

import fc from "fast-check";
import { parser as createParser, generate, type Packet } from "mqtt-packet";
import { expect, test } from "vitest";
import { createPacketReader, disconnectPacket, encodeConnect, encodePublish, writePublish } from "../../simulators/load/wire.ts";

function parse(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  const parser = createParser({ protocolVersion: 4 });
  parser.on("packet", (packet) => packets.push(packet));
  parser.on("error", (error) => {
    throw error;
  });
  parser.parse(bytes);
  return packets;
}

test("CONNECT and DISCONNECT are what mqtt-packet writes", () => {
  const connect = { cmd: "connect", clientId: "load-7", protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 0 } as const;
  expect(encodeConnect("load-7")).toEqual(generate(connect));
  const login = { username: "lädt", password: "x" };
  expect(encodeConnect("load-7", login)).toEqual(generate({ ...connect, username: login.username, password: Buffer.from(login.password) }));
  expect(disconnectPacket).toEqual(generate({ cmd: "disconnect" }));
});

test("PUBLISH is read back by mqtt-packet with its topic, id, ts and value", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 200 }).filter((topic) => !/[+#\0]/.test(topic) && topic.isWellFormed()),
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 1_000_000_000_000, max: 9_999_999_999_999 }),
      fc.integer({ min: 10_000, max: 99_999 }),
      (topic, packetId, ts, milli) => {
        const template = encodePublish(topic);
        const target = Buffer.alloc(template.bytes.length + 10);
        const end = writePublish(template, target, 10, packetId, ts, milli);
        const [packet] = parse(target.subarray(10, end));
        expect(packet).toMatchObject({ cmd: "publish", topic, messageId: packetId, qos: 1, dup: false, retain: false });
        expect(JSON.parse(String((packet as { payload: Buffer }).payload))).toEqual({ ts, value: milli / 1000 });
      },
    ),
  );
});

test("the reader finds each packet once however the stream is cut", () => {
  const publish = (length: number) => generate({ cmd: "publish", topic: "t", payload: Buffer.alloc(length), qos: 0, dup: false, retain: false });
  const acks = [1, 258, 65_535].map((messageId) => generate({ cmd: "puback", messageId }));
  const stream = Buffer.concat([generate({ cmd: "connack", returnCode: 0, sessionPresent: false }), ...acks, publish(300), publish(3)]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }), (lengths) => {
      const found: [number, number][] = [];
      const read = createPacketReader((type, _flags, bytes, bodyAt, endAt) => found.push([type, type === 4 ? bytes.readUInt16BE(bodyAt) : endAt - bodyAt]));
      let at = 0;
      for (const length of lengths) {
        read(stream.subarray(at, at + length));
        at = Math.min(stream.length, at + length);
      }
      if (at < stream.length) read(stream.subarray(at));
      expect(found).toEqual([
        [2, 2],
        [4, 1],
        [4, 258],
        [4, 65_535],
        [3, 303],
        [3, 6],
      ]);
    }),
  );
});
