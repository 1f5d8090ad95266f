// MQTT 3.1.1 bytes for the load generator: packets encoded once and patched in place, and a reader that finds packets in a stream.
// Only what the generator needs: CONNECT, PUBLISH at QoS 1, DISCONNECT; not a general codec (tests compare it with mqtt-packet).

const CONNECT = 0x10;
const PUBLISH_QOS1 = 0x32;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;

/** DISCONNECT, whole. */
export const disconnectPacket: Buffer = Buffer.from([0xe0, 0]);

export type Login = { readonly username: string; readonly password: string };

/** A CONNECT with a clean session and no keep-alive: the generator never falls silent on purpose. */
export function encodeConnect(clientId: string, login?: Login): Buffer {
  const texts = [clientId, ...(login === undefined ? [] : [login.username, login.password])].map((text) => Buffer.from(text, "utf8"));
  const flags = login === undefined ? 0x02 : 0xc2;
  const fields = texts.map((bytes) => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]));
  const body = Buffer.concat([Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 0]), ...fields]);
  return Buffer.concat([Buffer.from([CONNECT, ...remainingLength(body.length)]), body]);
}

/** A PUBLISH at QoS 1 with the payload `{"ts":…,"value":…}`, and where in it the fields lie that change from reading to reading. */
export type PublishTemplate = { readonly bytes: Buffer; readonly packetIdAt: number; readonly tsAt: number; readonly valueAt: number };

/** @param topic the series' own topic; no wildcard */
export function encodePublish(topic: string): PublishTemplate {
  const name = Buffer.from(topic, "utf8");
  const before = Buffer.from('{"ts":');
  const between = Buffer.from(',"value":');
  const payloadLength = before.length + 13 + between.length + 6 + 1;
  const head = [PUBLISH_QOS1, ...remainingLength(2 + name.length + 2 + payloadLength), name.length >> 8, name.length & 0xff];
  const packetIdAt = head.length + name.length;
  const tsAt = packetIdAt + 2 + before.length;
  const bytes = Buffer.concat([Buffer.from(head), name, Buffer.alloc(2), before, Buffer.alloc(13, "0"), between, Buffer.from("00.000"), Buffer.from("}")]);
  return { bytes, packetIdAt, tsAt, valueAt: tsAt + 13 + between.length };
}

/**
 * Writes one packet into `target` at `at`.
 * @param ts epoch ms, of 13 digits (2001 to 2286)
 * @param milli the value in thousandths, 10,000 to 99,999, so that it always takes six characters
 * @returns the offset after the packet
 */
export function writePublish(template: PublishTemplate, target: Buffer, at: number, packetId: number, ts: number, milli: number): number {
  target.set(template.bytes, at);
  target[at + template.packetIdAt] = packetId >> 8;
  target[at + template.packetIdAt + 1] = packetId & 0xff;
  const high = Math.floor(ts / 1_000_000);
  writeDigits(target, at + template.tsAt, high, 7);
  writeDigits(target, at + template.tsAt + 7, ts - high * 1_000_000, 6);
  const whole = Math.floor(milli / 1000);
  writeDigits(target, at + template.valueAt, whole, 2);
  writeDigits(target, at + template.valueAt + 3, milli - whole * 1000, 3);
  return at + template.bytes.length;
}

/** Called for each whole packet: its type (the upper four bits), its flags, and where its body lies in `bytes`. */
export type PacketHandler = (type: number, flags: number, bytes: Buffer, bodyAt: number, endAt: number) => void;

/** Cuts a stream of chunks into packets; what is incomplete is kept for the next chunk. */
export function createPacketReader(onPacket: PacketHandler): (chunk: Buffer) => void {
  let rest: Buffer | undefined;
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + 1 < bytes.length) {
      const first = bytes[at] as number;
      let bodyAt = at + 1;
      let length = 0;
      let digit = 0x80;
      for (let shift = 0; digit & 0x80 && bodyAt < bytes.length; shift += 7) {
        digit = bytes[bodyAt++] as number;
        length |= (digit & 0x7f) << shift;
      }
      if (digit & 0x80 || bodyAt + length > bytes.length) break;
      onPacket(first >> 4, first & 0x0f, bytes, bodyAt, bodyAt + length);
      at = bodyAt + length;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
  };
}

function writeDigits(target: Buffer, at: number, value: number, width: number): void {
  let left = value;
  for (let index = at + width - 1; index >= at; index--) {
    const next = (left / 10) | 0;
    target[index] = 0x30 + left - next * 10;
    left = next;
  }
}

function remainingLength(length: number): number[] {
  const digits: number[] = [];
  let left = length;
  do {
    const digit = left % 128;
    left = Math.floor(left / 128);
    digits.push(left > 0 ? digit | 0x80 : digit);
  } while (left > 0);
  return digits;
}
