// The embedded MQTT broker (aedes, MQTT 3.1 and 3.1.1). Invariant: a publish is acknowledged, and passed on, only after the commit
// that holds its readings. What a device sends never closes its connection; what breaks a limit or a reserved topic does, since
// MQTT 3 has no other way to say no.

import { setImmediate as turnOfLoop } from "node:timers/promises";
import { Aedes, type AedesPublishPacket, type Client } from "aedes";
import { writeToStream } from "mqtt-packet";
import type { Clock } from "../clock.ts";
import type { ZoneTable } from "../engine/calendar.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { StoredMqtt } from "../storage/mqtt-rows.ts";
import { type AccessOptions, createAccess } from "./access.ts";
import { createAdmission } from "./admission.ts";
import { createAudience } from "./audience.ts";
import { createAuthorizing } from "./authorizing.ts";
import { createBreaches } from "./breaches.ts";
import type { BridgeMessage, BridgeStatus } from "./bridge.ts";
import type { BridgeSettings } from "./bridge-schema.ts";
import { createBridges } from "./bridges.ts";
import { createBrokerCounters, type RefusalReason } from "./broker-counters.ts";
import type { ChangesInbox } from "./changes.ts";
import type { Connection } from "./connections.ts";
import { createDoors } from "./doors.ts";
import { createHold, type Hold, type Release } from "./hold.ts";
import { createHoldWatch } from "./hold-watch.ts";
import { createIngest, type Ingest, type IngestInbox, type IngestSource } from "./ingest.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Address, Listener } from "./listeners.ts";
import type { MemoryPersistence } from "./persistence.ts";
import { createPublishing, type Done, type Publish } from "./publishing.ts";
import { createReceivedOnce, type IncomingPackets } from "./received-once.ts";
import { INCOMING_MAX } from "./session-store.ts";
import { createSessions } from "./sessions.ts";
import { beStrict } from "./strict.ts";
import type { UnmatchedTopic } from "./unmatched.ts";

/** mqtt-packet would keep a buffer for each of the 65,536 packet ids, 7 MB, to save making one of two bytes for each packet. */
writeToStream.cacheNumbers = false;

/** What a client sends behind its CONNECT waits; bounded anyway, since nothing more is read before the CONNACK. */
const packetsBeforeConnack = 65_536;

export type BrokerInbox = IngestInbox & ChangesInbox;

export type BrokerOptions = {
  readonly listeners: readonly Listener[];
  /** How often the files of certificates are looked at; a minute when absent. */
  readonly certificatesEveryMs?: number;
  readonly sources: readonly IngestSource[];
  readonly limits: BrokerLimits;
  readonly access: AccessOptions;
  /** Other brokers; client ids there are made from the identity of the data directory. */
  readonly bridges?: { readonly identity: string; readonly list: readonly BridgeSettings[] };
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
  readonly bridges: readonly BridgeStatus[];
};

export type Broker = ReturnType<typeof createBroker>;

export function createBroker(deps: { inbox: BrokerInbox; clock: Clock; log: Log; metrics: Metrics }, options: BrokerOptions) {
  const { limits } = options;
  const { clock, log } = deps;
  let draining = false;
  const refuse = (reason: RefusalReason): void => void counters.refused[reason]++;
  const count = (qos: 0 | 1 | 2): void => void counters.messages[qos]++;
  const passOn = (packet: Publish, client: Client): void => (aedes as unknown as { publish: PassOn }).publish(packet, client, () => undefined);
  const refusing = (): string | undefined => (draining ? "the gateway is stopping" : (holdWatch.refusing() ?? reasonIn(options.takesConnections())));

  const ingest = createIngest({ ...deps, refuse }, options);
  const access = createAccess(options.access);
  const breaches = createBreaches(deps);
  const hold = createHold({ committed: (callback) => deps.inbox.committed(callback), clock });
  const holdWatch = createHoldWatch({ hold, log, refuse }, limits);
  const receivedOnce = createReceivedOnce(() => aedes.persistence);
  const audience = createAudience(limits.topics);
  const sessions = sessionsFor({ ...deps, refuse }, options, { hold, connectionOf: (client) => connections.of(client), aedes: () => aedes });
  const { gate, connections, listeners } = createDoors(
    {
      ...{ clock, log, refuse, closed: access.leave, paused: () => draining },
      handle: (socket) => sessions.adopt(beStrict(aedes.handle(socket))),
      throttled: () => counters.throttled++,
      handshakeFailed: (reason) => counters.handshakes[reason]++,
    },
    limits,
    options.certificatesEveryMs,
  );
  const ofBridges = { take: bridgedInto(ingest, refuse, limits), hold: (release: Release) => hold.add(undefined, release) };
  const bridges = createBridges({ ...deps, ...ofBridges }, { identity: options.bridges?.identity ?? "", packetBytes: limits.packet_bytes });
  const counters = createBrokerCounters(deps.metrics, {
    ...{ connections: connections.size, held: hold.size, unmatched: ingest.unmatchedMessages, certificates: listeners.certificates },
  });
  const aedes = new Aedes({
    ...boundsOf(limits),
    ...createAuthorizing(
      { access, audience, sessions, breaches, connectionOf: connections.of, clientOf: (id) => clientsOf(aedes)[id] ?? null, refuse },
      limits,
    ),
    preConnect: createAdmission({ refusing, refuse, admitted: connections.named, sessions: sessions.known }, limits),
    authorizePublish: createPublishing(
      { ingest, access, breaches, hold, clock, receivedOnce, sessions, connectionOf: connections.of, count, refuse, stopping: () => draining, passOn },
      limits,
    ),
  }) as Aedes & { persistence: MemoryPersistence & IncomingPackets };

  /** Closes every connection. It is not the devices' absence, so no will is published. */
  const close = async (): Promise<void> => {
    draining = true;
    holdWatch.close();
    // What was released in this turn is written in the next one.
    await turnOfLoop();
    await turnOfLoop();
    await bridges.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
    connections.destroyAll();
    gate.destroyAll();
    sessions.close();
    await listeners.close();
  };

  return {
    /**
     * Opens the listeners.
     * @returns the addresses that were bound; port 0 has become a real one
     * @throws GatewayError `address_in_use`, `address_denied`, `listen_failed` or `bad_certificate`
     */
    async start(): Promise<Address[]> {
      await aedes.listen();
      await sessions.start(aedes.persistence);
      aedes.on("clientDisconnect", sessions.disconnected);
      countEnds(aedes, { refuse, log });
      passOnOnlyToListeners(aedes, audience.listens);
      holdWatch.start();
      try {
        const bound = await listeners.open(options.listeners);
        if (options.takesConnections() === true) bridges.use(options.bridges?.list ?? []);
        return bound;
      } catch (error) {
        await close();
        throw error;
      }
    },
    /** All that may fail comes first: on an error the old sources stay. Certificates are read again too; bad ones leave the old. */
    reload(
      sources: readonly IngestSource[],
      zones: Readonly<Record<string, ZoneTable>>,
      { bridges: list = [], ...entrants }: AccessOptions & { readonly bridges?: readonly BridgeSettings[] },
    ): void {
      ingest.reload(sources, zones);
      listeners.refresh();
      if (options.takesConnections() === true) bridges.use(list);
      for (const client of access.reload(entrants)) {
        refuse("revoked");
        connections.of(client)?.socket.destroy();
      }
    },
    /** Publishes for the gateway itself, with QoS 1; it does not come back as a reading. Nothing happens before start and after close. */
    publish(topic: string, payload: string | Uint8Array, { retain }: { retain: boolean }): void {
      if (aedes.closed) return;
      const packet = ownPacket(topic, payload, retain);
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
        bridges: bridges.status(),
      };
    },
    /** No new connection and no new publish; what is held is still acknowledged when it is committed. */
    stopAccepting(): void {
      draining = true;
      bridges.stop();
      listeners.stop();
    },
    close,
  };
}

/** @param around what is made after them */
function sessionsFor(
  deps: { inbox: BrokerInbox; clock: Clock; metrics: Metrics; refuse: (reason: RefusalReason) => void },
  { limits, sessionExpiry, stored = { sessions: [], retained: [] } }: BrokerOptions,
  around: { hold: Hold; connectionOf: (client: Client) => Connection | undefined; aedes: () => Aedes },
) {
  return createSessions(
    {
      ...deps,
      hold: (client, done) => around.hold.add(around.connectionOf(client as Client), done),
      ownerOf: (client) => around.connectionOf(client)?.username ?? "",
      forward: (client, packet) => Boolean(around.aedes().authorizeForward(client, packet as AedesPublishPacket)),
    },
    { limits, expiryMs: sessionExpiry, stored },
  );
}

/** Those that are connected, by client id; aedes' types do not name them. */
const clientsOf = (aedes: Aedes): Readonly<Record<string, Client>> => (aedes as unknown as { clients: Record<string, Client> }).clients;

const ownPacket = (topic: string, payload: string | Uint8Array, retain: boolean) =>
  ({ cmd: "publish", topic, payload: Buffer.from(payload as Uint8Array), qos: 1, retain, dup: false }) as const;

const reasonIn = (takes: true | string): string | undefined => (takes === true ? undefined : takes);

/** Messages of bridges come in as those of devices do, but for no client. */
const bridgedInto =
  (ingest: Ingest, refuse: (reason: RefusalReason) => void, limits: BrokerLimits) =>
  ({ topic, payload, isRetained }: BridgeMessage): void => {
    if (topic.length > limits.topic_bytes) refuse("topic_bytes");
    else ingest.take(topic, payload, undefined, undefined, isRetained);
  };

const boundsOf = (limits: BrokerLimits) => ({
  drainTimeout: limits.drain,
  maxTopicLevels: limits.topic_levels,
  queueLimit: packetsBeforeConnack,
  maxInflightInbound: INCOMING_MAX,
  // The gate's own time is shorter: it begins before TLS.
  connectTimeout: 2 * limits.connect_timeout,
});

/** Says in the log, and where a limit of aedes' own is the reason in the counters, why a connection ended. */
function countEnds(aedes: Aedes, { refuse, log }: { refuse: (reason: RefusalReason) => void; log: Log }): void {
  // One slow subscriber gives an error for each message that waits for it.
  const ended = new WeakSet<Client>();
  aedes.on("clientError", (client, error) => {
    if (ended.has(client)) return;
    ended.add(client);
    const reason = refusalIn(error);
    if (reason !== undefined) refuse(reason);
    log.debug({ client: client.id, error: error.message }, "connection ended");
  });
  aedes.on("keepaliveTimeout", () => refuse("keepalive"));
  aedes.on("connectionError", (_client, error) => log.debug({ error: error.message }, "connection ended before CONNECT"));
  // The event is missing in aedes' types.
  (aedes as NodeJS.EventEmitter).on("error", (error: Error) => log.error({ error: error.message }, "broker"));
}

/** Limits that aedes keeps itself: it ends the connection and says why in words only. */
function refusalIn({ message }: Error): RefusalReason | undefined {
  if (message === "drain timeout") return "drain";
  if (message.startsWith("maxInflightInbound")) return "inflight";
  return message === "topic has too many levels" ? "topic_levels" : undefined;
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
