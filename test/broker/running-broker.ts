// A broker on a free port with a recording inbox, and two kinds of clients: mqtt.js, and a raw socket that sends exactly what the test says.

import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { generate, type Packet, parser } from "mqtt-packet";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import type { AccessOptions } from "../../src/broker/access.ts";
import { createBroker } from "../../src/broker/broker.ts";
import type { IngestSource } from "../../src/broker/ingest.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import type { Listener } from "../../src/broker/listeners.ts";
import { systemClock } from "../../src/clock.ts";
import { createLog, type Log } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import type { StoredMqtt } from "../../src/storage/mqtt-rows.ts";
import { createRecordingInbox } from "./recording-inbox.ts";

export const byTopic: IngestSource = { topic: "sensors/{device}/{metric}", codec: "json", settings: {}, labels: {} };

export type Options = {
  stored?: StoredMqtt;
  sessionExpiry?: number;
  commits?: "at once" | "when told";
  limits?: Record<string, number>;
  takesConnections?: () => true | string;
  access?: AccessOptions;
  /** Beside host and port, which are 127.0.0.1 and free. */
  listener?: Omit<Listener, "host" | "port">;
  sources?: readonly IngestSource[];
  certificatesEveryMs?: number;
  /** Gets the log's lines. */
  logged?: (line: { level: string; msg: string; [field: string]: unknown }) => void;
};

export async function runBroker(options: Options = {}) {
  const inbox = createRecordingInbox(options.commits === undefined ? {} : { commits: options.commits });
  const metrics = createMetrics();
  const broker = createBroker(
    { inbox, clock: systemClock, log: logOf(options), metrics },
    {
      listeners: [{ host: "127.0.0.1", port: 0, ...options.listener }],
      ...(options.certificatesEveryMs !== undefined && { certificatesEveryMs: options.certificatesEveryMs }),
      sources: options.sources ?? [byTopic],
      limits: limitsSchema.parse(options.limits ?? {}),
      access: options.access ?? { anonymous: true },
      zones: {},
      sessionExpiry: options.sessionExpiry ?? 3_600_000,
      ...(options.stored !== undefined && { stored: options.stored }),
      takesConnections: options.takesConnections ?? (() => true),
    },
  );
  onTestFinished(() => broker.close());
  const [address] = await broker.start();
  const port = address?.port ?? 0;
  return {
    broker,
    inbox,
    port,
    metric: async (line: string): Promise<number> => {
      const found = (await metrics.text()).split("\n").find((one) => one.startsWith(`${line} `));
      return Number(found?.slice(line.length + 1));
    },
    /** @param heard gets every message, from the first one after CONNACK on */
    async client(more: IClientOptions = {}, heard: (payload: string) => void = () => {}): Promise<MqttClient> {
      const client: MqttClient = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...more });
      client.on("error", () => {});
      client.on("message", (_topic, payload) => heard(String(payload)));
      onTestFinished(() => void client.end(true));
      await eventually(() => client.connected);
      return client;
    },
    raw: (more?: Parameters<typeof connectRaw>[1], from?: string) => connectRaw(port, more, from),
  };
}

/** Like the gateway's own, but its lines go to the test. */
function logOf({ logged }: Options): Log {
  if (logged === undefined) return createLog({ level: "silent", name: "test" });
  const lines = { write: (line: string) => logged(JSON.parse(line)) };
  return pino({ level: "debug", formatters: { level: (level) => ({ level }) } }, lines);
}

export type RawClient = Awaited<ReturnType<typeof connectRaw>>;

/** @returns a connected client; `received` grows by every packet, `closed` says whether the broker ended it */
export async function connectRaw(
  port: number,
  session: { clientId?: string; clean?: boolean; keepalive?: number; will?: { topic: string; payload: string } } | "no CONNECT" = {},
  from = "127.0.0.1",
) {
  const socket: Socket = connectSocket({ port, host: "127.0.0.1", localAddress: from });
  const received: Packet[] = [];
  const state = { closed: false };
  const parse = parser();
  parse.on("packet", (packet) => received.push(packet));
  socket.on("data", (bytes) => parse.parse(bytes));
  socket.on("error", () => {});
  socket.on("close", () => {
    state.closed = true;
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.setNoDelay(true);
  const client = {
    socket,
    received,
    isClosed: () => state.closed,
    send: (packet: Packet): void => void socket.write(generate(packet)),
    publish: (topic: string, payload: string, qos: 0 | 1 | 2, messageId: number, dup = false): void =>
      client.send({ cmd: "publish", topic, payload, qos, messageId, dup, retain: false }),
    commands: () => received.map(({ cmd, messageId }) => (messageId === undefined ? cmd : `${cmd} ${messageId}`)),
  };
  if (session === "no CONNECT") return client;
  const { clientId = `raw-${Math.random()}`, clean = true, keepalive = 0, will } = session;
  client.send({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId,
    clean,
    keepalive,
    ...(will !== undefined && { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 0 as const, retain: false } }),
  });
  await eventually(() => received.length > 0 || state.closed);
  return client;
}

/** Waits for something that must come; the test's own time limit is the only one. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5);
}

/** Long enough for what must not come to have come, were it on its way. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
