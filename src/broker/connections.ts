// Connections as the broker keeps them beside aedes: the socket with its limits, and what waits for a commit.
// aedes takes bytes by `socket.read()`; that is where the guard looks at them and where a full connection gets none.

import type { Duplex } from "node:stream";
import type { Client } from "aedes";
import type { Clock } from "../clock.ts";
import { createFrameGuard } from "./frame-guard.ts";
import type { Holder } from "./hold.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Peer } from "./listeners.ts";
import { createThrottle, type Throttle } from "./throttle.ts";

/** What of an aedes client is not in its types. */
export type AedesClient = Client & {
  will?: unknown;
  subscriptions?: Record<string, unknown>;
  _keepaliveTimer?: NodeJS.Timeout | null;
};

export type Connection = Holder & {
  /** TCP, TLS or a WebSocket. */
  readonly socket: Duplex;
  readonly peer: Peer;
  client: AedesClient | undefined;
  /** The certificate's name, or else what CONNECT says. */
  username: string | undefined;
  /** As whom it is limited: by its user name, or else its client id, or else its address. */
  identity: string;
  /** Set when the broker ended it because of a hold. */
  evicted: boolean;
};

/** What of CONNECT is kept, or set. */
type Introduction = { readonly username?: string; readonly clientId: string; keepalive?: number };

export type Connections = ReturnType<typeof createConnections>;

export type ConnectionsOptions = {
  /** aedes' own. */
  readonly handle: (socket: Duplex) => Client;
  /** Nothing is read while it says true. */
  readonly paused: () => boolean;
  readonly refuse: (reason: "packet_bytes") => void;
  /** Counts the beginning of a wait. */
  readonly throttled: () => void;
  /** Hears of each connection whose CONNECT was taken. */
  readonly introduced: (peer: Peer) => void;
  readonly closed: (client: Client) => void;
  readonly clock: Clock;
};

/** Of CONNECT, with its will. */
const CONNECT_BYTES_MAX = 131_072;

/** While a connection waits for its rate, its keep-alive is put off this often: the wait is ours. */
const WAIT_MS_MAX = 250;

export function createConnections(
  options: ConnectionsOptions,
  limits: Pick<BrokerLimits, "packet_bytes" | "unacknowledged" | "keepalive_max" | "messages_per_second" | "bytes_per_second">,
) {
  const open = new Set<Connection>();
  const byClient = new WeakMap<object, Connection>();

  const accept = (socket: Duplex, peer: Peer): void => {
    const connection: Connection = {
      ...{ socket, peer, client: undefined, username: peer.certificateName, identity: peer.address },
      ...{ evicted: false, held: 0, heldSince: 0 },
    };
    open.add(connection);
    socket.once("close", () => open.delete(connection));
    guardReads(connection);
    const client = options.handle(socket);
    connection.client = client;
    byClient.set(client, connection);
    socket.once("close", () => options.closed(client));
  };

  const guardReads = (connection: Connection): void => {
    const { socket } = connection;
    const publishesOf = createFrameGuard(limits.packet_bytes, CONNECT_BYTES_MAX);
    const throttle = createThrottle(options.clock, limits);
    const mayRead = createTurnstile(connection, throttle, options.throttled);
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      if (size === 0) return read(0);
      // aedes asks again after each packet that it has done with, so nothing gets stuck here.
      if (connection.held >= limits.unacknowledged || options.paused() || !mayRead()) return null;
      const chunk: unknown = read(size);
      if (!(chunk instanceof Uint8Array)) return chunk;
      const publishes = publishesOf(chunk);
      if (publishes >= 0) {
        throttle.spend(publishes, chunk.length);
        return chunk;
      }
      options.refuse("packet_bytes");
      socket.destroy();
      return null;
    };
  };

  return {
    accept,
    of: (client: Client | null): Connection | undefined => (client === null ? undefined : byClient.get(client)),
    /** Its CONNECT was taken. A keep-alive over the limit, or none, becomes the limit. */
    named(client: Client, packet: Introduction): void {
      const connection = byClient.get(client);
      if (connection === undefined) return;
      connection.username = connection.peer.certificateName ?? packet.username;
      connection.identity = connection.username || packet.clientId || connection.peer.address;
      packet.keepalive = Math.min(packet.keepalive || limits.keepalive_max, limits.keepalive_max);
      options.introduced(connection.peer);
    },
    size: () => open.size,
    destroyAll(): void {
      for (const { socket } of open) socket.destroy();
    },
  };
}

/** @returns whether the connection may be read; when not, it is woken once it may */
function createTurnstile(connection: Connection, throttle: Throttle, throttled: () => void): () => boolean {
  const { socket } = connection;
  let waiting = false;
  const wait = (ms: number): void => void setTimeout(again, Math.min(ms, WAIT_MS_MAX)).unref();
  const again = (): void => {
    if (socket.destroyed) return;
    connection.client?._keepaliveTimer?.refresh();
    const ms = throttle.waitMs();
    if (ms > 0) return wait(ms);
    waiting = false;
    socket.emit("readable");
  };
  return () => {
    if (waiting) return false;
    const ms = throttle.waitMs();
    if (ms === 0) return true;
    waiting = true;
    throttled();
    wait(ms);
    return false;
  };
}
