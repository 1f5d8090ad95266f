// The embedded MQTT broker (aedes, MQTT 3.1 and 3.1.1). Invariant: a publish is acknowledged, and passed on, only after the commit
// that holds its readings. What a device sends never closes its connection; what breaks a limit or a reserved topic does, since
// MQTT 3 has no other way to say no. No accounts and no TLS yet.

import { setImmediate as turnOfLoop } from "node:timers/promises";
import { Aedes, type AedesPublishPacket, type Client } from "aedes";
import { writeToStream } from "mqtt-packet";
import type { Clock } from "../clock.ts";
import type { ZoneTable } from "../engine/calendar.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { StoredMqtt } from "../storage/mqtt-rows.ts";
import { createAdmission } from "./admission.ts";
import { createAudience } from "./audience.ts";
import { createBrokerCounters, type RefusalReason } from "./broker-counters.ts";
import type { ChangesInbox } from "./changes.ts";
import { type AedesClient, createConnections } from "./connections.ts";
import { createHold } from "./hold.ts";
import { createHoldWatch } from "./hold-watch.ts";
import { createIngest, type IngestInbox, type IngestSource } from "./ingest.ts";
import type { BrokerLimits } from "./limits.ts";
import { type Address, createListeners } from "./listeners.ts";
import type { MemoryPersistence } from "./persistence.ts";
import { createPublishing, type Done, type Publish } from "./publishing.ts";
import { createReceivedOnce, type IncomingPackets } from "./received-once.ts";
import { INCOMING_MAX } from "./session-store.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { beStrict } from "./strict.ts";
import type { UnmatchedTopic } from "./unmatched.ts";

/** mqtt-packet would keep a buffer for each of the 65,536 packet ids, 7 MB, to save making one of two bytes for each packet. */
writeToStream.cacheNumbers = false;

/** What a client sends behind its CONNECT waits; bounded anyway, since nothing more is read before the CONNACK. */
const packetsBeforeConnack = 65_536;

export type BrokerInbox = IngestInbox & ChangesInbox;

export type BrokerOptions = {
  readonly listeners: readonly Address[];
  readonly sources: readonly IngestSource[];
  readonly limits: BrokerLimits;
  /** Time zones by name, for the sources that have one. */
  readonly zones: Readonly<Record<string, ZoneTable>>;
  /** The gateway's own zone, for suggestions. */
  readonly timezone?: string;
  /** What was kept of the last run; nothing when absent. */
  readonly stored?: StoredMqtt;
  /** Milliseconds for which a session is kept after its connection ended. */
  readonly sessionExpiry: number;
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

export type Broker = ReturnType<typeof createBroker>;

export function createBroker(deps: { inbox: BrokerInbox; clock: Clock; log: Log; metrics: Metrics }, options: BrokerOptions) {
  const { limits } = options;
  const { clock, log } = deps;
  let draining = false;
  const refuse = (reason: RefusalReason): void => {
    counters.refused[reason]++;
  };
  const count = (qos: 0 | 1 | 2): void => void counters.messages[qos]++;
  const passOn = (packet: Publish, client: Client): void => (aedes as unknown as { publish: PassOn }).publish(packet, client, () => undefined);
  const refusing = (): string | undefined => {
    const takes = options.takesConnections();
    return draining ? "the gateway is stopping" : (holdWatch.refusing() ?? (takes === true ? undefined : takes));
  };

  const ingest = createIngest(deps, options);
  const hold = createHold({ committed: (callback) => deps.inbox.committed(callback), clock });
  const holdWatch = createHoldWatch({ hold, log, refuse }, limits);
  const receivedOnce = createReceivedOnce(() => aedes.persistence);
  const audience = createAudience(limits.topics);
  const sessions = createSessions(
    {
      ...deps,
      refuse,
      hold: (client, done) => hold.add(connections.of(client as Client), done),
      forward: (client, packet) => Boolean(aedes.authorizeForward(client, packet as AedesPublishPacket)),
    },
    { limits, expiryMs: options.sessionExpiry, stored: options.stored ?? { sessions: [], retained: [] } },
  );
  const connections = createConnections({ handle: (socket) => sessions.adopt(beStrict(aedes.handle(socket))), paused: () => draining, refuse }, limits);
  const listeners = createListeners(connections.accept);
  const counters = createBrokerCounters(deps.metrics, { connections: connections.size, held: hold.size, unmatched: ingest.unmatchedMessages });
  const aedes = new Aedes({
    ...boundsOf(limits),
    preConnect: createAdmission(
      { refusing, refuse, admitted: (client, { username }) => connections.named(client, username), sessions: sessions.known },
      limits,
    ),
    authorizePublish: createPublishing(
      { ingest, hold, clock, receivedOnce, sessions, connectionOf: connections.of, count, refuse, stopping: () => draining, passOn },
      limits,
    ),
    authorizeSubscribe: (client, subscription, done) => {
      if (sessions.isMarker(subscription)) return done(null, null);
      const reason = whyNotSubscribe(client, subscription.topic, sessions, limits);
      if (reason === undefined) {
        audience.grant(subscription.topic);
        sessions.grant(subscription);
      } else {
        sessions.deny(client, subscription.topic);
        refuse(reason);
      }
      done(null, reason === undefined ? subscription : null);
    },
    // A subscriber that does not keep up misses QoS 0 messages, and holds nobody up.
    authorizeForward: (client, packet) => {
      if (packet.qos > 0 || !client.conn.writableNeedDrain) return packet;
      refuse("slow_subscriber");
      return null;
    },
  }) as Aedes & { persistence: MemoryPersistence & IncomingPackets };

  /** Closes every connection. It is not the devices' absence, so no will is published. */
  const close = async (): Promise<void> => {
    draining = true;
    holdWatch.close();
    // What was released in this turn is written in the next one.
    await turnOfLoop();
    await turnOfLoop();
    await new Promise<void>((resolve) => aedes.close(resolve));
    connections.destroyAll();
    sessions.close();
    await listeners.close();
  };

  return {
    /**
     * Opens the listeners.
     * @returns the addresses that were bound; port 0 has become a real one
     * @throws GatewayError `address_in_use`, `address_denied` or `listen_failed`
     */
    async start(): Promise<Address[]> {
      await aedes.listen();
      await sessions.start(aedes.persistence);
      aedes.on("clientDisconnect", sessions.disconnected);
      aedes.on("clientError", (client, error) => log.debug({ client: client.id, error: error.message }, "connection ended"));
      aedes.on("connectionError", (_client, error) => log.debug({ error: error.message }, "connection ended before CONNECT"));
      // The event is missing in aedes' types.
      (aedes as NodeJS.EventEmitter).on("error", (error: Error) => log.error({ error: error.message }, "broker"));
      passOnOnlyToListeners(aedes, audience.listens);
      holdWatch.start();
      try {
        return await listeners.open(options.listeners);
      } catch (error) {
        await close();
        throw error;
      }
    },
    /** All that may fail comes first: on an error the old sources stay. */
    reload: (sources: readonly IngestSource[], zones: Readonly<Record<string, ZoneTable>>): void => ingest.reload(sources, zones),
    /** Publishes for the gateway itself, with QoS 1; it does not come back as a reading. Nothing happens before start and after close. */
    publish(topic: string, payload: string | Uint8Array, { retain }: { retain: boolean }): void {
      if (aedes.closed) return;
      const packet = { cmd: "publish" as const, topic, payload: Buffer.from(payload as Uint8Array), qos: 1 as const, retain, dup: false };
      const release = sessions.take(packet);
      if (release !== undefined) deps.inbox.committed((error) => error === undefined && release());
      aedes.publish(packet, (error) => error && log.warn({ topic, error: error.message }, "not published"));
    },
    status(): BrokerStatus {
      return {
        connections: connections.size(),
        held: hold.size(),
        refusing: refusing() ?? null,
        unmatchedMessages: ingest.unmatchedMessages(),
        unmatched: ingest.unmatched(),
      };
    },
    /** No new connection and no new publish; what is held is still acknowledged when it is committed. */
    stopAccepting(): void {
      draining = true;
      listeners.stop();
    },
    close,
  };
}

const boundsOf = (limits: BrokerLimits) => ({
  drainTimeout: limits.drain,
  maxTopicLevels: limits.topic_levels,
  queueLimit: packetsBeforeConnack,
  maxInflightInbound: INCOMING_MAX,
});

/** aedes would grant a shared subscription and then deliver nothing. */
function whyNotSubscribe(client: AedesClient, topic: string, sessions: Sessions, limits: BrokerLimits): RefusalReason | undefined {
  if (topic.startsWith("$share/")) return "shared_subscription";
  if (topic.length > limits.topic_bytes) return "topic_bytes";
  const filters = new Set([...Object.keys(client.subscriptions ?? {}), ...sessions.filtersOf(client)]);
  return filters.size >= limits.subscriptions && !filters.has(topic) ? "subscriptions" : undefined;
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
