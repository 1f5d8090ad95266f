// What becomes of a publish and of a last will: refused, or taken and held until its commit. A payload is never a reason to refuse.

import type { AedesOptions, Client } from "aedes";
import type { Clock } from "../clock.ts";
import type { Access } from "./access.ts";
import type { Breaches } from "./breaches.ts";
import type { RefusalReason } from "./broker-counters.ts";
import type { AedesClient, Connection } from "./connections.ts";
import { ownTopics } from "./filter.ts";
import type { Hold } from "./hold.ts";
import type { Ingest } from "./ingest.ts";
import type { BrokerLimits } from "./limits.ts";
import type { createReceivedOnce } from "./received-once.ts";
import type { Sessions, Takeable } from "./sessions.ts";

export type AuthorizePublish = NonNullable<AedesOptions["authorizePublish"]>;
export type Publish = Parameters<AuthorizePublish>[1];
export type Done = (error?: Error | null) => void;

/** A will within this time of a hold's begin is the device's own doing. */
const willGraceMs = 1_000;

export type PublishingDeps = {
  readonly ingest: Ingest;
  readonly access: Access;
  readonly breaches: Breaches;
  readonly hold: Hold;
  readonly clock: Clock;
  readonly receivedOnce: ReturnType<typeof createReceivedOnce>;
  readonly sessions: Pick<Sessions, "take" | "received">;
  readonly connectionOf: (client: Client | null) => Connection | undefined;
  /** Hands a message to its subscribers, without aedes' acknowledgement. */
  readonly passOn: (packet: Publish, client: Client) => void;
  /** Counts a message of this QoS. */
  readonly count: (qos: 0 | 1 | 2) => void;
  readonly refuse: (reason: RefusalReason) => void;
  /** Whether the gateway is stopping: nothing is taken any more. */
  readonly stopping: () => boolean;
};

/** @returns aedes' `authorizePublish`: what it is given back as done is acknowledged and passed on */
export function createPublishing(deps: PublishingDeps, limits: Pick<BrokerLimits, "topic_bytes">): AuthorizePublish {
  const { ingest, hold, receivedOnce, connectionOf } = deps;

  /** @returns why this client may not publish to the topic, counted */
  const breachOf = (client: Client | null, topic: string): Error | undefined => {
    if (topic.startsWith(ownTopics) || topic.startsWith("$SYS/")) {
      deps.refuse("reserved_topic");
      return new Error("the topic is reserved");
    }
    // Before the access list, which remembers what it was asked.
    if (topic.length > limits.topic_bytes) {
      deps.refuse("topic_bytes");
      return new Error(`a topic of ${topic.length} characters; the limit is ${limits.topic_bytes}`);
    }
    if (client === null || deps.access.mayPublish(client, topic)) return undefined;
    deps.refuse("acl_publish");
    deps.breaches.note(connectionOf(client), "mqtt publish", topic);
    return new Error(`the access list does not let it publish to ${topic}`);
  };

  const take = (connection: Connection | undefined, packet: Publish, done: Done): void => {
    if (deps.stopping()) return; // never acknowledged, so the device sends it again
    ingest.take(packet.topic, bytesOf(packet.payload), connection?.username, connection?.identity);
    hold.add(connection, keeping(packet, done));
  };

  /** aedes passes on nothing whose acknowledgement it cannot send any more; but it is stored, so its subscribers get it. */
  const orPassOn = (client: Client, packet: Publish, isGone: () => boolean, done: Done): Done => {
    return (error) => {
      if (error || !isGone()) done(error);
      else deps.passOn(packet, client);
    };
  };

  /** What is kept of the packet goes with the same commit, and to its subscribers after it. */
  const keeping = (packet: Publish, done: Done): Done => {
    const release = deps.sessions.take(packet as Takeable);
    if (release === undefined) return done;
    return (error) => {
      if (!error) release();
      done(error);
    };
  };

  const takeOnce = async (client: Client, packet: Publish, done: Done): Promise<void> => {
    const connection = connectionOf(client);
    const seen = await receivedOnce.see(client, packet);
    if (seen === "stored") return done();
    // Behind the first one: by the next turn of the loop aedes has stored it and answers with PUBREC alone.
    if (seen === "pending") return hold.add(connection, (error) => void setImmediate(done, error));
    if (!deps.sessions.received(client, packet)) return done(new Error("too many QoS 2 publishes wait for their PUBREL"));
    // Of a clean session that is gone nothing may be stored under its client id.
    const finish = orPassOn(client, packet, () => client.clean && client.closed, done);
    take(connection, packet, (error) => {
      finish(error);
      setImmediate(() => receivedOnce.settled(client, packet));
    });
  };

  const takePublish = (client: Client, packet: Publish, done: Done): void => {
    const breach = breachOf(client, packet.topic);
    if (breach !== undefined) return done(breach);
    deps.count(packet.qos);
    if (packet.qos === 2) void takeOnce(client, packet, done);
    else take(connectionOf(client), packet, packet.qos === 0 ? done : orPassOn(client, packet, () => client.closed, done));
  };

  /** `done(error)` only means that the will is not published. */
  const takeWill = (client: Client | null, packet: Publish, done: Done): void => {
    if (deps.stopping()) return done(new Error("the gateway is stopping, not the device"));
    const connection = connectionOf(client);
    if (connection !== undefined && causedByHold(connection, deps.clock.monotonic())) {
      deps.refuse("will_of_hold");
      return done(new Error("the connection ended because of a hold"));
    }
    const breach = breachOf(client, packet.topic);
    if (breach !== undefined) return done(breach);
    ingest.take(packet.topic, bytesOf(packet.payload), connection?.username, connection?.identity);
    hold.add(undefined, keeping(packet, done));
  };

  return (client, packet, done) => (client === null || isWill(client, packet) ? takeWill(client, packet, done) : takePublish(client, packet, done));
}

function isWill(client: AedesClient, packet: Publish): boolean {
  return client.will === packet;
}

function causedByHold(connection: Connection, now: number): boolean {
  return connection.evicted || (connection.held > 0 && now - connection.heldSince >= willGraceMs);
}

function bytesOf(payload: string | Buffer): Uint8Array {
  return typeof payload === "string" ? Buffer.from(payload) : payload;
}
