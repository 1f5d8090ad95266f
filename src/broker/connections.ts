// Connections as the broker keeps them beside aedes: the socket with its limits, and what waits for a commit.
// aedes takes bytes by `socket.read()`; that is where the guard looks at them and where a full connection gets none.

import type { Socket } from "node:net";
import type { Client } from "aedes";
import { createFrameGuard } from "./frame-guard.ts";
import type { Holder } from "./hold.ts";
import type { BrokerLimits } from "./limits.ts";

/** What of an aedes client is not in its types. */
export type AedesClient = Client & {
  will?: unknown;
  subscriptions?: Record<string, unknown>;
  _keepaliveTimer?: NodeJS.Timeout | null;
};

export type Connection = Holder & {
  readonly socket: Socket;
  client: AedesClient | undefined;
  username: string | undefined;
  /** Set when the broker ended it because of a hold. */
  evicted: boolean;
};

export type Connections = ReturnType<typeof createConnections>;

/**
 * @param options.handle aedes' own
 * @param options.paused nothing is read while it says true
 */
export function createConnections(
  options: {
    handle: (socket: Socket) => Client;
    paused: () => boolean;
    refuse: (reason: "connections" | "packet_bytes") => void;
    closed: (client: Client) => void;
  },
  limits: Pick<BrokerLimits, "connections" | "packet_bytes" | "unacknowledged">,
) {
  const open = new Set<Connection>();
  const byClient = new WeakMap<object, Connection>();

  const accept = (socket: Socket): void => {
    if (open.size >= limits.connections) {
      options.refuse("connections");
      socket.destroy();
      return;
    }
    const connection: Connection = { socket, client: undefined, username: undefined, evicted: false, held: 0, heldSince: 0 };
    open.add(connection);
    socket.once("close", () => open.delete(connection));
    socket.setNoDelay(true);
    guardReads(connection);
    const client = options.handle(socket);
    connection.client = client;
    byClient.set(client, connection);
    socket.once("close", () => options.closed(client));
  };

  const guardReads = (connection: Connection): void => {
    const { socket } = connection;
    const fits = createFrameGuard(limits.packet_bytes);
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      if (size === 0) return read(0);
      // aedes asks again after each packet that it has done with, so nothing gets stuck here.
      if (connection.held >= limits.unacknowledged || options.paused()) return null;
      const chunk: unknown = read(size);
      if (!(chunk instanceof Uint8Array) || fits(chunk)) return chunk;
      options.refuse("packet_bytes");
      socket.destroy();
      return null;
    };
  };

  return {
    accept,
    of: (client: Client | null): Connection | undefined => (client === null ? undefined : byClient.get(client)),
    named(client: Client, username: string | undefined): void {
      const connection = byClient.get(client);
      if (connection !== undefined) connection.username = username;
    },
    size: () => open.size,
    destroyAll(): void {
      for (const { socket } of open) socket.destroy();
    },
  };
}
