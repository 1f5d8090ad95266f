// The embedded MQTT broker (aedes, MQTT 3.1 and 3.1.1). Invariant: a publish is acknowledged, and passed on, only after the commit
// that holds its readings. What a device sends never closes its connection; what breaks a limit or a reserved topic does, since
// MQTT 3 has no other way to say no. No accounts and no TLS yet; sessions and retained messages live in memory.

import { setImmediate as turnOfLoop } from "node:timers/promises";
import { Aedes, type AedesOptions, type Client } from "aedes";
import type { Clock } from "../clock.ts";
import type { ZoneTable } from "../engine/calendar.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { createAudience } from "./audience.ts";
import { createBrokerCounters, type RefusalReason } from "./broker-counters.ts";
import { type AedesClient, type Connection, createConnections } from "./connections.ts";
import { createHold } from "./hold.ts";
import { createIngest, type IngestInbox, type IngestSource } from "./ingest.ts";
import type { BrokerLimits } from "./limits.ts";
import { type Address, createListeners } from "./listeners.ts";
import { createReceivedOnce, type IncomingPackets } from "./received-once.ts";
import { boundSessions, type Persistence } from "./sessions.ts";
import type { UnmatchedTopic } from "./unmatched.ts";

export type BrokerInbox = IngestInbox & {
  /** Calls back once all that was added so far is on disk, or with an error when the gateway closes without that. */
  committed(callback: (error?: Error) => void): void;
};

export type BrokerOptions = {
  readonly listeners: readonly Address[];
  readonly sources: readonly IngestSource[];
  readonly limits: BrokerLimits;
  /** Time zones by name, for the sources that have one. */
  readonly zones: Readonly<Record<string, ZoneTable>>;
  /** The gateway's own zone, for suggestions. */
  readonly timezone?: string;
  /** True, or the reason why CONNECT is refused now. */
  readonly takesConnections: () => true | string;
};

export type BrokerStatus = {
  readonly connections: number;
  /** Publishes that wait for their commit. */
  readonly held: number;
  /** Why CONNECT is refused now; null when it is not. */
  readonly refusing: string | null;
  readonly unmatchedMessages: number;
  readonly unmatched: readonly UnmatchedTopic[];
};

/** Reserved for the gateway's own messages. */
const ownTopics = "highwater/";
/** A will within this time of a hold's begin is the device's own doing. */
const willGraceMs = 1_000;
const watchEveryMs = 250;

type Publish = Parameters<NonNullable<AedesOptions["authorizePublish"]>>[1];
type Done = (error?: Error | null) => void;

export type Broker = ReturnType<typeof createBroker>;

export function createBroker(deps: { inbox: BrokerInbox; clock: Clock; log: Log; metrics: Metrics }, options: BrokerOptions) {
  const { limits } = options;
  const ingest = createIngest(deps, options);
  const hold = createHold({ committed: (callback) => deps.inbox.committed(callback), clock: deps.clock });
  const aedes = new Aedes({
    drainTimeout: limits.drain,
    maxTopicLevels: limits.topic_levels,
    preConnect: (client, packet, callback) => preConnect(client, packet, callback),
    authorizePublish: (client, packet, done) => (isWill(client, packet) ? takeWill(client, packet, done) : takePublish(client as Client, packet, done)),
    authorizeSubscribe: (client, subscription, done) => done(null, maySubscribe(client, subscription.topic) ? subscription : null),
    authorizeForward: (client, packet) => (mayForward(client, packet.qos) ? packet : null),
  }) as Aedes & { persistence: Persistence & IncomingPackets };
  const connections = createConnections({ handle: (socket) => aedes.handle(socket), paused: () => draining, refuse: (reason) => refuse(reason) }, limits);
  const listeners = createListeners(connections.accept);
  const counters = createBrokerCounters(deps.metrics, { connections: connections.size, held: hold.size, unmatched: () => ingest.unmatched().messages });
  const audience = createAudience(limits.topics);
  const receivedOnce = createReceivedOnce(() => aedes.persistence);
  /** Client ids whose session outlives the connection. */
  const sessions = new Set<string>();
  let draining = false;
  let closing = false;
  let stalled = false;
  let watch: NodeJS.Timeout | undefined;

  const refuse = (reason: RefusalReason): void => {
    counters.refused[reason]++;
  };

  const refusing = (): string | undefined => {
    if (draining) return "the gateway is stopping";
    if (stalled) return `publishes have waited more than ${limits.hold} ms for their commit`;
    const takes = options.takesConnections();
    return takes === true ? undefined : takes;
  };

  const preConnect: NonNullable<AedesOptions["preConnect"]> = (client, packet, callback) => {
    const reason = refusing();
    if (reason !== undefined) {
      refuse("not_taking_connections");
      return refuseConnect(client, 3, reason, callback);
    }
    // A session that goes on needs a name [MQTT-3.1.3-8].
    if (packet.clientId === "" && packet.clean === false) {
      refuse("client_id");
      return refuseConnect(client, 2, "an empty client id needs a clean session", callback);
    }
    if (packet.clean === false && !sessions.has(packet.clientId) && sessions.size >= limits.sessions) {
      refuse("sessions");
      return refuseConnect(client, 3, "there may be no more sessions that outlive their connection", callback);
    }
    if (packet.clean === false) sessions.add(packet.clientId);
    else sessions.delete(packet.clientId);
    const connection = connections.of(client);
    if (connection !== undefined) connection.username = packet.username;
    callback(null, true);
  };

  const takePublish = (client: Client, packet: Publish, done: Done): void => {
    const breach = breachOf(packet.topic, limits);
    if (breach !== undefined) {
      refuse(breach.reason);
      return done(breach.error);
    }
    counters.messages[packet.qos]++;
    if (packet.qos === 2) return takeOnce(client, packet, done);
    take(connections.of(client), packet, done);
  };

  const take = (connection: Connection | undefined, packet: Publish, done: Done): void => {
    if (draining) return; // never acknowledged, so the device sends it again
    ingest.take(packet.topic, bytesOf(packet.payload), connection?.username);
    hold.add(connection, done);
  };

  const takeOnce = (client: Client, packet: Publish, done: Done): void => {
    const connection = connections.of(client);
    void receivedOnce.see(client, packet).then((seen) => {
      if (seen === "stored") return done();
      // Behind the first one: by the next turn of the loop aedes has stored it and answers with PUBREC alone.
      if (seen === "pending") return hold.add(connection, (error) => void setImmediate(done, error));
      take(connection, packet, (error) => {
        // Of a clean session that is gone nothing may be stored under its client id.
        if (!(client.clean && client.closed)) done(error);
        setImmediate(() => receivedOnce.settled(client, packet));
      });
    });
  };

  /** `done(error)` only means that the will is not published. */
  const takeWill = (client: Client | null, packet: Publish, done: Done): void => {
    const connection = connections.of(client);
    if (closing || draining) return done(new Error("the gateway is stopping, not the device"));
    if (connection !== undefined && causedByHold(connection, deps.clock.monotonic())) {
      refuse("will_of_hold");
      return done(new Error("the connection ended because of a hold"));
    }
    const breach = breachOf(packet.topic, limits);
    if (breach !== undefined) {
      refuse(breach.reason);
      return done(breach.error);
    }
    ingest.take(packet.topic, bytesOf(packet.payload), connection?.username);
    hold.add(undefined, done);
  };

  const maySubscribe = (client: AedesClient, topic: string): boolean => {
    // aedes would grant a shared subscription and then deliver nothing.
    const reason = topic.startsWith("$share/")
      ? "shared_subscription"
      : topic.length > limits.topic_bytes
        ? "topic_bytes"
        : Object.keys(client.subscriptions ?? {}).length >= limits.subscriptions
          ? "subscriptions"
          : undefined;
    if (reason !== undefined) refuse(reason);
    else audience.grant(topic);
    return reason === undefined;
  };

  /** A subscriber that does not keep up misses QoS 0 messages, and holds nobody up. */
  const mayForward = (client: Client, qos: number): boolean => {
    if (qos > 0 || !client.conn.writableNeedDrain) return true;
    refuse("slow_subscriber");
    return false;
  };

  /** While a publish is held aedes reads no PINGREQ of its connection: the wait is ours, so it does not count. */
  const watchHolds = (): void => {
    for (const holder of hold.holders()) (holder as Connection).client?._keepaliveTimer?.refresh();
    if (hold.longestMs() <= limits.hold) {
      if (stalled) deps.log.info("commits go on: connections are taken again");
      stalled = false;
      return;
    }
    if (!stalled) deps.log.error({ held: hold.size() }, `publishes have waited more than ${limits.hold} ms for their commit: their connections are closed`);
    stalled = true;
    for (const holder of hold.holders()) evict(holder as Connection);
  };

  const evict = (connection: Connection): void => {
    if (connection.evicted) return;
    connection.evicted = true;
    refuse("held_too_long");
    connection.socket.destroy();
  };

  return {
    /**
     * Opens the listeners.
     * @returns the addresses that were bound; port 0 has become a real one
     * @throws GatewayError `address_in_use`, `address_denied` or `listen_failed`
     */
    async start(): Promise<Address[]> {
      await aedes.listen();
      boundSessions(aedes.persistence, limits, refuse, (topic) => topic.startsWith(ownTopics));
      aedes.on("clientError", (client, error) => deps.log.debug({ client: client.id, error: error.message }, "connection ended"));
      aedes.on("connectionError", (_client, error) => deps.log.debug({ error: error.message }, "connection ended before CONNECT"));
      // oxlint-disable-next-line no-explicit-any -- the event is missing in aedes' types
      (aedes as NodeJS.EventEmitter).on("error", (error: Error) => deps.log.error({ error: error.message }, "broker"));
      passOnOnlyToListeners(aedes, audience.listens);
      watch = setInterval(watchHolds, watchEveryMs).unref();
      return await listeners.open(options.listeners);
    },
    /** All that may fail comes first: on an error the old sources stay. */
    reload: (sources: readonly IngestSource[], zones: Readonly<Record<string, ZoneTable>>): void => ingest.reload(sources, zones),
    /** Publishes for the gateway itself, with QoS 1; it does not come back as a reading. Nothing happens before start and after close. */
    publish(topic: string, payload: string | Uint8Array, { retain }: { retain: boolean }): void {
      if (aedes.closed) return;
      const packet = { cmd: "publish" as const, topic, payload: Buffer.from(payload as Uint8Array), qos: 1 as const, retain, dup: false };
      aedes.publish(packet, (error) => error && deps.log.warn({ topic, error: error.message }, "not published"));
    },
    status(): BrokerStatus {
      const { messages, topics } = ingest.unmatched();
      return { connections: connections.size(), held: hold.size(), refusing: refusing() ?? null, unmatchedMessages: messages, unmatched: topics };
    },
    /** No new connection and no new publish; what is held is still acknowledged when it is committed. */
    stopAccepting(): void {
      draining = true;
      listeners.stop();
    },
    /** Closes every connection. It is not the devices' absence, so no will is published. */
    async close(): Promise<void> {
      if (closing) return;
      draining = true;
      closing = true;
      clearInterval(watch);
      // What was released in this turn is written in the next one.
      await turnOfLoop();
      await turnOfLoop();
      await new Promise<void>((resolve) => aedes.close(resolve));
      connections.destroyAll();
      await listeners.close();
    },
  };
}

type PassOn = (packet: Publish, client: Client | null, done: Done) => void;

/** What nobody listens to is done with once it is stored. */
function passOnOnlyToListeners(aedes: object, listens: (topic: string) => boolean): void {
  const broker = aedes as { publish: PassOn };
  const publish = broker.publish.bind(broker);
  broker.publish = (packet, client, done) => {
    if (client !== null && typeof client === "object" && !packet.retain && !listens(packet.topic)) done(null);
    else publish(packet, client, done);
  };
}

function isWill(client: Client | null, packet: Publish): boolean {
  return client === null || (client as AedesClient).will === packet;
}

function causedByHold(connection: Connection, now: number): boolean {
  return connection.evicted || (connection.held > 0 && now - connection.heldSince >= willGraceMs);
}

function breachOf(topic: string, limits: BrokerLimits): { reason: RefusalReason; error: Error } | undefined {
  if (topic.startsWith(ownTopics) || topic.startsWith("$SYS/")) return { reason: "reserved_topic", error: new Error(`${topic} is reserved`) };
  if (topic.length > limits.topic_bytes)
    return { reason: "topic_bytes", error: new Error(`a topic of ${topic.length} characters; the limit is ${limits.topic_bytes}`) };
  return undefined;
}

function bytesOf(payload: string | Buffer): Uint8Array {
  return typeof payload === "string" ? Buffer.from(payload) : payload;
}

/** CONNACK with a return code [MQTT-3.2.2-5], then the end; aedes itself would only close. */
function refuseConnect(client: Client, code: 2 | 3, reason: string, callback: (error: Error | null, success: boolean) => void): void {
  client.conn.end(Buffer.from([0x20, 2, 0, code]), () => callback(new Error(reason), false));
}
