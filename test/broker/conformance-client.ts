// A raw client for the conformance tests: it says exactly what it is told, as packets or bytes, and can prove that nothing more came.

import type { Packet } from "mqtt-packet";
import { connectRaw, eventually } from "./running-broker.ts";

export type Connect = Partial<Extract<Packet, { cmd: "connect" }>>;
export type Peer = Awaited<ReturnType<typeof openPeer>>;
type Published = Extract<Packet, { cmd: "publish" }>;

/** Without CONNECT when `connect` is undefined. */
export async function openPeer(port: number, connect?: Connect) {
  const raw = await connectRaw(port, "no CONNECT");
  const { received, socket, send } = raw;
  const peer = {
    received,
    socket,
    send,
    isClosed: raw.isClosed,
    bytes: (...bytes: (number | string | Buffer)[]): void =>
      void socket.write(Buffer.concat(bytes.map((one) => (typeof one === "number" ? Buffer.from([one]) : Buffer.from(one as string))))),
    closed: () => eventually(raw.isClosed),
    /** Waits for the next packet of this command that was not asked for yet. */
    async next<Command extends Packet["cmd"]>(cmd: Command): Promise<Extract<Packet, { cmd: Command }>> {
      const find = () => received.findIndex((one) => one.cmd === cmd);
      await eventually(() => find() >= 0 || raw.isClosed());
      const at = find();
      if (at < 0) throw new Error(`closed instead of ${cmd}`);
      return received.splice(at, 1)[0] as Extract<Packet, { cmd: Command }>;
    },
    async subscribe(...filters: [topic: string, qos: 0 | 1 | 2][]): Promise<readonly unknown[]> {
      send({ cmd: "subscribe", messageId: 9, subscriptions: filters.map(([topic, qos]) => ({ topic, qos })) });
      return (await peer.next("suback")).granted;
    },
    publish: (topic: string, payload: string, qos: 0 | 1 | 2 = 0, more: Partial<Published> = {}): void =>
      send({ cmd: "publish", topic, payload, qos, dup: false, retain: false, ...(qos > 0 && { messageId: 5 }), ...more }),
    /** Publishes and finishes the handshake. */
    async deliver(topic: string, payload: string, qos: 0 | 1 | 2 = 0, more: Partial<Published> = {}): Promise<void> {
      peer.publish(topic, payload, qos, more);
      const messageId = more.messageId ?? 5;
      if (qos === 1) await peer.next("puback");
      if (qos === 0) return peer.quiet();
      if (qos === 1) return;
      await peer.next("pubrec");
      send({ cmd: "pubrel", messageId });
      await peer.next("pubcomp");
    },
    /** Answers what came, until so many messages are here and nothing is owed. @returns them, oldest first, as `topic payload qos flags` */
    async messages(count: number): Promise<string[]> {
      const got: string[] = [];
      let settled = 0;
      const owed = new Set<number>();
      await eventually(() => {
        for (; settled < received.length; settled++) {
          const packet = received[settled] as Packet;
          if (packet.cmd === "pubrel") {
            send({ cmd: "pubcomp", messageId: packet.messageId as number });
            owed.delete(packet.messageId as number);
          }
          if (packet.cmd !== "publish") continue;
          got.push(textOf(packet));
          if (packet.qos === 1) send({ cmd: "puback", messageId: packet.messageId as number });
          if (packet.qos === 2) send({ cmd: "pubrec", messageId: packet.messageId as number });
          if (packet.qos === 2) owed.add(packet.messageId as number);
        }
        return (got.length >= count && owed.size === 0) || raw.isClosed();
      });
      await peer.quiet();
      for (const packet of received.splice(settled)) if (packet.cmd === "publish") got.push(textOf(packet));
      received.splice(0);
      return got;
    },
    /** What was on its way has come, for the broker has answered a PING since; twice, as deliveries take a turn of its loop. */
    async quiet(): Promise<void> {
      for (let round = 0; round < 3; round++) {
        send({ cmd: "pingreq" });
        await peer.next("pingresp");
      }
    },
    async disconnect(): Promise<void> {
      send({ cmd: "disconnect" });
      await peer.closed();
    },
    async drop(): Promise<void> {
      socket.destroy();
      await peer.closed();
    },
  };
  if (connect !== undefined) send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId: "", clean: true, keepalive: 0, ...connect });
  return peer;
}

/** @returns a client with its CONNACK taken */
export async function connectPeer(port: number, connect: Connect = {}): Promise<Peer & { readonly sessionPresent: boolean }> {
  const peer = await openPeer(port, connect);
  const { returnCode, sessionPresent } = await peer.next("connack");
  if (returnCode !== 0) throw new Error(`CONNACK ${returnCode}`);
  return { ...peer, sessionPresent };
}

const textOf = ({ topic, payload, qos, retain, dup }: Published): string =>
  `${topic} ${String(payload)} ${qos}${retain ? " retained" : ""}${dup ? " dup" : ""}`;
