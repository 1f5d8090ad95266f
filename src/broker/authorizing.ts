// What aedes asks before it lets a client in, subscribe, or have a message: answered by the access list, the limits and the sessions.
// Each no is counted. Publishing is asked for in publishing.ts, as it is held until the commit.

import type { AedesOptions, AuthenticateError } from "aedes";
import type { Access } from "./access.ts";
import type { createAudience } from "./audience.ts";
import type { Breaches } from "./breaches.ts";
import type { RefusalReason } from "./broker-counters.ts";
import type { AedesClient, Connection } from "./connections.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Sessions } from "./sessions.ts";

type Hooks = Required<Pick<AedesOptions, "authenticate" | "authorizeSubscribe" | "authorizeForward">>;

export type AuthorizingDeps = {
  readonly access: Access;
  readonly audience: ReturnType<typeof createAudience>;
  readonly sessions: Sessions;
  readonly breaches: Breaches;
  readonly connectionOf: (client: AedesClient | null) => Connection | undefined;
  /** Who is connected under a client id. */
  readonly clientOf: (clientId: string) => AedesClient | null;
  readonly refuse: (reason: RefusalReason) => void;
};

const ANOTHERS = { reason: "client_id_of_another", code: 2, message: "the client id is another user's" } as const;

export function createAuthorizing({ access, audience, sessions, breaches, connectionOf, clientOf, refuse }: AuthorizingDeps, limits: BrokerLimits): Hooks {
  /** Whether a client id has a session or a connection of another user: those are not for taking over. */
  const isAnothers = (clientId: string, name: string | undefined): boolean => {
    const owners = [sessions.ownerOf(clientId), connectionOf(clientOf(clientId))?.username];
    return owners.some((owner) => owner !== name && access.isUser(owner));
  };

  /** @throws what CONNACK says */
  const enter = async (client: AedesClient, username: string | undefined, password: Uint8Array | undefined): Promise<void> => {
    const connection = connectionOf(client);
    const certified = connection?.peer.certificateName;
    const isGone = (): boolean => client.closed || client.conn.destroyed;
    const entry = await access.enter(username, password, certified !== undefined, isGone);
    if (isGone()) throw new Error("the client left while its password was looked at");
    const name = certified ?? username;
    if (entry.kind === "in" && !isAnothers(client.id, name)) return access.admit(client, name, client.id, certified !== undefined);
    const { reason, code, message } = entry.kind === "in" ? ANOTHERS : entry;
    refuse(reason);
    // A name that nobody has may be a password in the wrong field.
    breaches.note(connection, "mqtt login", access.isUser(username) ? (username ?? "") : "");
    throw Object.assign(new Error(message), { returnCode: code }) as AuthenticateError;
  };

  return {
    authenticate(client, username, password, done) {
      void enter(client, username, password).then(
        () => done(null, true),
        (error: AuthenticateError) => done(error, false),
      );
    },
    authorizeSubscribe(client, subscription, done) {
      if (sessions.isMarker(subscription)) return done(null, null);
      const { topic } = subscription;
      const reason = access.maySubscribe(client, topic) ? whyNotSubscribe(client, topic, sessions, limits) : "acl_subscribe";
      if (reason === undefined) {
        audience.grant(topic);
        sessions.grant(subscription);
      } else {
        sessions.deny(client, topic);
        refuse(reason);
        if (reason === "acl_subscribe") breaches.note(connectionOf(client), "mqtt subscribe", topic);
      }
      done(null, reason === undefined ? subscription : null);
    },
    // A subscriber that does not keep up misses QoS 0 messages, and holds nobody up.
    authorizeForward(client, packet) {
      if (!access.mayReceive(client, packet.topic)) {
        refuse("acl_receive");
        return null;
      }
      if (packet.qos > 0 || !client.conn.writableNeedDrain) return packet;
      refuse("slow_subscriber");
      return null;
    },
  };
}

/** aedes would grant a shared subscription and then deliver nothing. */
function whyNotSubscribe(client: AedesClient, topic: string, sessions: Sessions, limits: BrokerLimits): RefusalReason | undefined {
  if (topic.startsWith("$share/")) return "shared_subscription";
  if (topic.length > limits.topic_bytes) return "topic_bytes";
  const filters = new Set([...Object.keys(client.subscriptions ?? {}), ...sessions.filtersOf(client)]);
  return filters.size >= limits.subscriptions && !filters.has(topic) ? "subscriptions" : undefined;
}
