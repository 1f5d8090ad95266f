// The devices' connections: QoS 1 over sockets of their own, many messages in flight, and a ledger of what was handed over and what was acknowledged.
// A connection that breaks leaves open whether what waited for its PUBACK was taken; most devices send it again, before anything newer, some
// forget it. The ledger's order of one series is the order in which its one connection sent.

import { connect } from "node:net";
import { CONNACK, createPacketReader, disconnectPacket, encodeConnect, PUBACK } from "../../simulators/load/wire.ts";
import type { Draw } from "./gateway-process.ts";
import type { Device, Message, Sending } from "./week-devices.ts";

const WINDOW = 1000;
const PUBLISH_QOS1 = 0x32;
const DUP = 0x08;

/** One try to hand a value over. */
export type Attempt = { readonly value: number; isAcknowledged: boolean };
/** Values by kind. `acknowledged` of a message is said once for each time that it was sent. */
export type Ledger = {
  /** By series and instant, in the order of sending; of readings that are not of the future. */
  readonly readings: Map<string, Map<number, Attempt[]>>;
  readonly counts: Record<Message["kind"], { sent: number; acknowledged: number }>;
};

function createLedger(): Ledger {
  const none = () => ({ sent: 0, acknowledged: 0 });
  return { readings: new Map(), counts: { reading: none(), future: none(), rejected: none() } };
}

/** @returns what to call when it is acknowledged */
function enter({ readings, counts }: Ledger, { kind, values }: Message): () => void {
  const size = kind === "rejected" ? 1 : values.length;
  counts[kind].sent += size;
  const attempts = kind === "reading" ? values.map(({ series, ts, value }) => attemptOf(readings, series, ts, value)) : [];
  return () => {
    counts[kind].acknowledged += size;
    for (const attempt of attempts) attempt.isAcknowledged = true;
  };
}

function attemptOf(readings: Ledger["readings"], series: string, ts: number, value: number): Attempt {
  const attempt = { value, isAcknowledged: false };
  const ofSeries = readings.get(series) ?? new Map<number, Attempt[]>();
  readings.set(series, ofSeries);
  const attempts = ofSeries.get(ts);
  if (attempts === undefined) ofSeries.set(ts, [attempt]);
  else attempts.push(attempt);
  return attempt;
}

type Queue = { readonly name: string; readonly script: readonly Sending[]; next: number; again: Message[] };

/** @param connections over which the devices are spread */
export function createFleet(devices: readonly Device[], connections: number, draw: Draw) {
  const ledger = createLedger();
  const queues = Array.from({ length: connections }, (_, index): Queue => {
    const script = devices.filter((_device, place) => place % connections === index).flatMap(({ sendings }) => sendings);
    return { name: `week-${index}`, script: script.sort((a, b) => a.at - b.at), next: 0, again: [] };
  });
  const isForgotten = (): boolean => draw.whole(0, 4) === 0;
  return {
    ledger,
    /** Everything up to a moment of the week. @returns false when a connection broke; what is left is sent by the next call */
    async send(mqttUrl: string, until: number, onAcknowledged: () => void = () => {}): Promise<boolean> {
      const ends = await Promise.all(queues.map((queue) => sendQueue(mqttUrl, queue, takerOf(queue, until), { ledger, note: onAcknowledged, isForgotten })));
      return ends.every(Boolean);
    },
    /** Messages beside the scripts, over one connection. */
    async sendMore(mqttUrl: string, messages: readonly Message[]): Promise<boolean> {
      const queue: Queue = { name: "week-more", script: messages.map((message) => ({ at: 0, message })), next: 0, again: [] };
      return sendQueue(mqttUrl, queue, takerOf(queue, 1), { ledger, note: () => {}, isForgotten });
    },
  };
}

type Take = () => { readonly message: Message; readonly isRepeated: boolean } | undefined;

/** What is to be sent again comes first. */
function takerOf(queue: Queue, until: number): Take {
  return () => {
    const repeated = queue.again.shift();
    if (repeated !== undefined) return { message: repeated, isRepeated: true };
    const next = queue.script[queue.next];
    if (next === undefined || next.at >= until) return undefined;
    queue.next += 1;
    return { message: next.message, isRepeated: false };
  };
}

type InFlight = { readonly message: Message; readonly acknowledge: () => void };
type Said = { readonly ledger: Ledger; readonly note: () => void; readonly isForgotten: () => boolean };

/** @returns false when the connection broke before all was acknowledged */
function sendQueue(mqttUrl: string, queue: Queue, take: Take, { ledger, note, isForgotten }: Said): Promise<boolean> {
  const { hostname, port } = new URL(mqttUrl);
  const inFlight = new Map<number, InFlight>();
  const free = Array.from({ length: WINDOW }, (_, index) => WINDOW - index);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let isDone = false;
    const fill = (): void => {
      const packets: Buffer[] = [];
      while (free.length > 0) {
        const next = take();
        if (next === undefined) break;
        const id = free.pop() as number;
        inFlight.set(id, { message: next.message, acknowledge: enter(ledger, next.message) });
        packets.push(encode(next.message, id, next.isRepeated));
      }
      if (packets.length > 0) socket.write(Buffer.concat(packets));
      else if (inFlight.size === 0) {
        isDone = true;
        socket.end(disconnectPacket);
      }
    };
    const acknowledge = (id: number): void => {
      const waiting = inFlight.get(id);
      if (waiting === undefined) throw new Error(`${queue.name}: PUBACK for packet ${id}, which waits for none`);
      inFlight.delete(id);
      free.push(id);
      waiting.acknowledge();
      note();
    };
    const read = createPacketReader((type, _flags, bytes, bodyAt) => {
      if (type === PUBACK) acknowledge(((bytes[bodyAt] as number) << 8) | (bytes[bodyAt + 1] as number));
      else if (type !== CONNACK || bytes[bodyAt + 1] !== 0) socket.destroy(new Error(`${queue.name}: refused`));
    });
    socket.on("connect", () => socket.write(encodeConnect(queue.name)));
    socket.on("data", (chunk: Buffer) => {
      read(chunk);
      if (!isDone) fill();
    });
    // What breaks is told by "close".
    socket.on("error", () => {});
    socket.on("close", () => {
      // A device that forgets loses all that was on its way.
      if (!isForgotten()) queue.again.unshift(...[...inFlight.values()].map(({ message }) => message));
      resolve(isDone);
    });
  });
}

function encode({ topic, payload }: Message, id: number, isRepeated: boolean): Buffer {
  const [name, body] = [Buffer.from(topic), Buffer.from(payload)];
  const length = 2 + name.length + 2 + body.length;
  const lengthBytes = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]; // below 16,384
  const head = Buffer.from([PUBLISH_QOS1 | (isRepeated ? DUP : 0), ...lengthBytes, name.length >> 8, name.length & 0xff]);
  return Buffer.concat([head, name, Buffer.from([id >> 8, id & 0xff]), body]);
}
