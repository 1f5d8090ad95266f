// One bridge: a client of another broker (mqtt.js) whose messages enter as those of devices do. Invariant: a PUBACK is sent only after
// the commit. mqtt.js would hand over the next message only when this one is acknowledged; so each message is answered at once
// with an error, upon which it sends no PUBACK and goes on, and the PUBACKs are written to the connection from here.
// A broker that is away is tried again for ever, with back-off. What comes is not passed on to the gateway's own clients.

import type { IClientOptions, IConnackPacket, IPublishPacket, MqttClient } from "mqtt";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { createBridgeAcks } from "./bridge-acks.ts";
import { clientOptions, refusesVersion, retryMs, wordsOf } from "./bridge-connection.ts";
import type { BridgeSettings } from "./bridge-schema.ts";
import { createFrameGuard } from "./frame-guard.ts";

/** What mqtt.js answers to with no PUBACK. */
const notYet = new Error("acknowledged after the commit");
/** A connection that held at least so long was a good one: the next back-off begins anew. */
const GOOD_MS = 10_000;
const END_MS = 1_000;

export type BridgeMessage = { readonly topic: string; readonly payload: Uint8Array; readonly isRetained: boolean };
export type BridgeDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly take: (message: BridgeMessage) => void;
  /** Calls back once what was taken so far is on disk, or with an error when it never will be. */
  readonly hold: (release: (error?: Error) => void) => void;
};

/** In the words of the API. */
export type BridgeStatus = {
  readonly url: string;
  readonly client_id: string;
  readonly state: "connecting" | "connected" | "down" | "closed";
  /** Since when it is so. */
  readonly since: string;
  readonly last_error: string | null;
  readonly mqtt: "5" | "3.1.1";
  /** Whether the broker divides the messages among the group. */
  readonly shared: boolean;
  /** Topics whose subscription it refused. */
  readonly refused: readonly string[];
  readonly messages: number;
  /** Of them, those that it sent again though they are stored. */
  readonly known: number;
  readonly reconnects: number;
  readonly waiting: number;
};

export type Bridge = ReturnType<typeof createBridge>;

/** @param options.packetBytes longest packet that is taken */
export function createBridge(deps: BridgeDeps, settings: BridgeSettings, options: { clientId: string; packetBytes: number }) {
  const { clientId } = options;
  const log = deps.log.child({ bridge: settings.url });
  const counts = { messages: 0, known: 0, reconnects: 0 };
  let client: MqttClient | undefined;
  let state: BridgeStatus["state"] = "connecting";
  let since = deps.clock.now();
  let lastError: string | null = null;
  let said: string | undefined;
  let refused: readonly string[] = [];
  let isShared = false;
  let isSubscribed = false;
  let isStopped = false;
  let [attempts, connectedAt] = [0, 0];
  let retry: NodeJS.Timeout | undefined;
  /** mqtt.js waits for these before it reads on. */
  const readOn: (() => void)[] = [];

  const acks = createBridgeAcks(
    {
      hold: deps.hold,
      room: () => {
        for (const go of readOn.splice(0)) go();
      },
    },
    { waitingMax: settings.unacknowledged },
  );

  const become = (next: BridgeStatus["state"]): void => {
    if (next !== state) since = deps.clock.now();
    state = next;
  };

  /** Said once per change, not per attempt. */
  const failed = (reason: string): void => {
    lastError = reason;
    if (said === reason) return;
    said = reason;
    log.warn({ reason }, "the bridge is down; it is tried again");
  };

  const handleMessage = (packet: IPublishPacket, callback: (error?: Error) => void): void => {
    const go = (): void => callback(notYet);
    // Never acknowledged, so the broker sends it again.
    if (isStopped || client === undefined) return go();
    const { topic, retain, qos, dup, messageId } = packet;
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    counts.messages += 1;
    const take = (): void => deps.take({ topic, payload, isRetained: retain });
    const isKnown = acks.arrived({ id: qos === 0 ? undefined : messageId, dup, topic, payload }, client.stream, take);
    if (isKnown) counts.known += 1;
    if (acks.isFull()) readOn.push(go);
    else go();
  };

  const subscribe = (to: MqttClient, { isNewSession }: { isNewSession: boolean }): void => {
    const topics = settings.topics.map((topic) => (isShared ? `$share/${settings.shared_group}/${topic}` : topic));
    // Where the session knows the subscription, what is retained is not asked for again (MQTT 5).
    const wanted = Object.fromEntries(topics.map((topic) => [topic, { qos: 1 as const, rh: isNewSession ? 0 : 1 }]));
    to.subscribe(wanted, (error, _granted, packet) => {
      const codes = packet?.granted;
      if (codes === undefined) {
        if (error) failed(wordsOf(error));
        return;
      }
      refused = settings.topics.filter((_, index) => Number(codes[index]) >= 0x80);
      isSubscribed = refused.length === 0;
      if (refused.length > 0) lastError = "the broker refuses subscriptions";
      if (refused.length > 0) log.error({ topics: refused }, "the broker refuses to send these topics; is the account allowed to read them?");
    });
  };

  const connected = (to: MqttClient, { sessionPresent, properties }: IConnackPacket): void => {
    become("connected");
    connectedAt = deps.clock.monotonic();
    const mqtt = versionOf(to.options);
    const offersSharing = mqtt === "5" ? properties?.sharedSubscriptionAvailable !== false : settings.version === "3.1.1";
    isShared = settings.shared_group !== undefined && offersSharing;
    if (settings.shared_group !== undefined && !isShared)
      log.warn("the broker does not say that it divides messages among a group: all of them are taken, by each gateway");
    lastError = null;
    said = undefined;
    log.info({ mqtt, session: sessionPresent ? "resumed" : "new", shared: isShared }, "the bridge is connected");
    if (!sessionPresent) acks.forget();
    if (!sessionPresent || !isSubscribed) subscribe(to, { isNewSession: !sessionPresent });
  };

  const closed = (to: MqttClient): void => {
    if (isStopped) return;
    const wasConnected = state === "connected";
    if (wasConnected && deps.clock.monotonic() - connectedAt >= GOOD_MS) attempts = 0;
    become("down");
    failed(lastError ?? "the broker closed the connection");
    to.options.reconnectPeriod = retryMs(attempts + 1);
  };

  const listen = (to: MqttClient): void => {
    to.handleMessage = handleMessage;
    to.on("connect", (packet) => connected(to, packet));
    to.on("error", (error) => {
      lastError = wordsOf(error);
      if (settings.version !== "auto" || !refusesVersion(error) || to.options.protocolVersion === 4) return;
      to.options.protocolVersion = 4;
      delete to.options.properties;
      log.info("the broker does not speak MQTT 5: 3.1.1 is tried");
    });
    to.on("disconnect", ({ reasonCode, properties }) => {
      lastError = `the broker ended the connection: ${properties?.reasonString ?? `reason ${reasonCode ?? 0}`}`;
    });
    // Before mqtt.js' own listener, which begins to wait for the next attempt.
    to.prependListener("close", () => closed(to));
    to.on("reconnect", () => {
      attempts += 1;
      counts.reconnects += 1;
    });
    // The first packet of each connection, before anything of it is read.
    to.on("packetsend", ({ cmd }) => void (cmd === "connect" && guard(to)));
  };

  const guard = ({ stream }: MqttClient): void => {
    const publishesOf = createFrameGuard(options.packetBytes);
    stream.on("data", (chunk: Uint8Array) => {
      if (publishesOf(chunk) >= 0 || stream.destroyed) return;
      stream.destroy();
      lastError = `a packet of more than ${options.packetBytes} bytes came: raise mqtt.limits.packet_bytes, or leave its topic out`;
    });
  };

  const open = async (): Promise<void> => {
    try {
      const clientSettings = clientOptions(settings, clientId, options.packetBytes);
      // Loaded with the first bridge: most gateways have none.
      const { connect } = await import("mqtt");
      if (isStopped) return;
      client = connect(settings.url, { ...clientSettings, manualConnect: true });
      listen(client);
      client.connect();
    } catch (error) {
      // A TLS file that cannot be read now.
      become("down");
      failed(wordsOf(error as Error));
      attempts += 1;
      retry = setTimeout(() => void open(), retryMs(attempts));
    }
  };

  return {
    clientId,
    settings,
    open,
    status: (): BridgeStatus => ({
      url: settings.url,
      client_id: clientId,
      state,
      since: new Date(since).toISOString(),
      last_error: lastError,
      mqtt: client === undefined ? versionOf(settings.version === "3.1.1" ? { protocolVersion: 4 } : {}) : versionOf(client.options),
      shared: isShared,
      refused,
      ...counts,
      waiting: acks.waiting(),
    }),
    /** Takes nothing more; what was taken is still acknowledged when it is committed. */
    stop(): void {
      isStopped = true;
    },
    /**
     * Ends the connection; what the broker has for us waits there for the next one.
     * @param leaving topics that are not wanted any more; all of them end the session too
     */
    async close(leaving: readonly string[] = []): Promise<void> {
      isStopped = true;
      clearTimeout(retry);
      acks.flush();
      if (client !== undefined) await end(client, { leaving: leaving.map((topic) => (isShared ? `$share/${settings.shared_group}/${topic}` : topic)) });
      become("closed");
    },
  };

  async function end(to: MqttClient, { leaving }: { leaving: readonly string[] }): Promise<void> {
    const isGone = leaving.length === settings.topics.length && versionOf(to.options) === "5";
    const parting = async (): Promise<void> => {
      if (to.connected && leaving.length > 0) await to.unsubscribeAsync([...leaving]);
      await to.endAsync(false, isGone ? { properties: { sessionExpiryInterval: 0 } } : {});
    };
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_MS);
    await Promise.race([parting().catch(() => undefined), late]);
    clearTimeout(timer);
    to.end(true);
    to.stream?.destroy();
  }
}

const versionOf = ({ protocolVersion = 5 }: IClientOptions): "5" | "3.1.1" => (protocolVersion === 5 ? "5" : "3.1.1");
