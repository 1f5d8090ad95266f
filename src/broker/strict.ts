// What the standard forbids and mqtt-packet and aedes let pass. It stands between the parser and aedes, sees every packet before it has any
// effect, and ends the connection of one that breaks a rule [MQTT-4.8.0-1]. A wrong protocol level gets its return code first.

import { isUtf8 } from "node:buffer";
import type { Client } from "aedes";
import type { Packet } from "mqtt-packet";
import { FILTER } from "./filter.ts";

/** The parts of mqtt-packet's parser that its types leave out; test/broker/conformance.test.ts notices when they change. */
type Parser = NodeJS.EventEmitter & {
  /** Position in `_list`, which begins with the packet's body. */
  _pos: number;
  readonly _list: { slice(start: number, end: number): Buffer };
  _parseString(): string | null;
};
type Internals = Client & { readonly _parser: Parser };

const CLIENT_ID_MAX = 1_024;
const replacement = "\uFFFD";
const refusedLevel = Buffer.from([0x20, 2, 0, 1]);

/** Puts the rules in front of an aedes client that has not read anything yet. */
export function beStrict(handled: Client): Client {
  const client = handled as Internals;
  const parser = client._parser;
  const fail = (error: Error): void => void client.emit("error", error);

  const parseString = parser._parseString.bind(parser);
  parser._parseString = () => {
    const start = parser._pos + 2;
    const text = parseString();
    return text === null || isText(text, () => parser._list.slice(start, parser._pos)) ? text : null;
  };

  const [take] = parser.listeners("packet") as ((packet: Packet) => void)[];
  parser.removeAllListeners("packet");
  parser.on("packet", (packet: Packet & { readonly length: number }) => {
    if (packet.cmd === "connect" && isWrongLevel(packet)) return refuseLevel();
    const breach = breachOf(packet, packet.length - parser._pos);
    if (breach === undefined) take?.call(parser, packet);
    else fail(new Error(breach));
  });

  const refuseLevel = (): void => {
    client.conn.end(refusedLevel, () => fail(new Error("unacceptable protocol level")));
  };
  parser.removeAllListeners("error");
  parser.on("error", (error: Error) => {
    // Of CONNECT only, since nothing else has one [MQTT-3.1.2-2].
    if (error.message === "Invalid protocol version") refuseLevel();
    else fail(error);
  });
  return client;
}

/** Well-formed UTF-8 without U+0000 [MQTT-1.5.3-1, 1.5.3-2]; the parser has put U+FFFD for what is no UTF-8. */
function isText(text: string, bytes: () => Buffer): boolean {
  return !text.includes("\u0000") && (!text.includes(replacement) || isUtf8(bytes()));
}

type Connect = Extract<Packet, { cmd: "connect" }>;

/** Level 5 is aedes' business, which refuses it likewise. */
function isWrongLevel({ protocolId, protocolVersion }: Connect): boolean {
  return (protocolId === "MQTT") !== (protocolVersion === 4 || protocolVersion === 5);
}

/** @param rest bytes of the packet that the parser did not use */
function breachOf(packet: Packet & { readonly length: number }, rest: number): string | undefined {
  switch (packet.cmd) {
    case "connect":
      return rest === 0 ? breachOfConnect(packet) : "CONNECT has another length than its fields";
    case "publish":
      if (rest < 0) return "PUBLISH is cut short";
      if (packet.qos === 0) return packet.dup ? "DUP with QoS 0 [MQTT-3.3.1-2]" : undefined;
      return isPacketId(packet.messageId) ? undefined : "packet id 0 [MQTT-2.3.1-1]";
    case "subscribe":
      return breachOfFilters(
        packet.messageId,
        packet.subscriptions.map(({ topic }) => topic),
        rest,
      );
    case "unsubscribe":
      return breachOfFilters(packet.messageId, packet.unsubscriptions, rest);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return packet.length === 2 && isPacketId(packet.messageId) ? undefined : `${packet.cmd} without a packet id`;
    case "pingreq":
    case "disconnect":
      return packet.length === 0 ? undefined : `${packet.cmd} with a body`;
    default:
      // What only a server sends: aedes ends the connection.
      return undefined;
  }
}

function breachOfConnect({ clientId, username, password, will }: Connect): string | undefined {
  if (password !== undefined && username === undefined) return "a password without a user name [MQTT-3.1.2-22]";
  if (clientId.length > CLIENT_ID_MAX) return `a client id of ${clientId.length} characters; the limit is ${CLIENT_ID_MAX}`;
  if (will === undefined) return undefined;
  if ((will.qos ?? 0) > 2) return "a will of QoS 3 [MQTT-3.1.2-14]";
  return will.topic === "" || /[+#]/.test(will.topic) ? "the will's topic is none [MQTT-4.7.1-1]" : undefined;
}

function breachOfFilters(messageId: number | undefined, filters: readonly string[], rest: number): string | undefined {
  if (!isPacketId(messageId)) return "packet id 0 [MQTT-2.3.1-1]";
  if (rest !== 0) return "a packet of another length than its fields";
  if (filters.length === 0) return "no topic filter [MQTT-3.8.3-3, 3.10.3-2]";
  const wrong = filters.find((filter) => !FILTER.test(filter));
  return wrong === undefined ? undefined : `${JSON.stringify(wrong.slice(0, 100))} is no topic filter [MQTT-4.7.1-2, 4.7.1-3]`;
}

const isPacketId = (id: number | undefined): boolean => id !== undefined && id > 0;
