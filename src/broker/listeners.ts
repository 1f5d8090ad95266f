// The listeners: TCP, with TLS and WebSocket on top where the config asks for them. All of them are open, or none is. Each socket passes
// the gate first, bare; what comes out is a stream of MQTT bytes and who is at its other end.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import type { RefusalReason } from "./broker-counters.ts";
import { endsOf, type Gate } from "./gate.ts";
import type { BrokerLimits } from "./limits.ts";
import type { TlsFiles } from "./tls-files.ts";
import { createTlsListener, type HandshakeReason, type TlsListener } from "./tls-listener.ts";
import type { createWebSockets } from "./websocket.ts";

type CreateWebSockets = typeof createWebSockets;

/** Port 0 lets the system choose. */
export type Address = { readonly host: string; readonly port: number };
export type Listener = Address & { readonly tls?: TlsFiles; readonly websocket?: boolean; readonly origins?: readonly string[] };

/** Who is at the other end. */
export type Peer = {
  readonly address: string;
  /** Names the connection to the gate. */
  readonly ends: string;
  /** The common name of its certificate, checked; undefined where the listener asks for none. */
  readonly certificateName: string | undefined;
};

export type ListenersDeps = {
  readonly accept: (stream: Duplex, peer: Peer) => void;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
  readonly refuse: (reason: RefusalReason) => void;
  readonly handshakeFailed: (reason: HandshakeReason) => void;
};

/** Files are compared by what is in them: links that are swapped change no file's time. */
const CERTIFICATES_EVERY_MS = 60_000;

export function createListeners(
  deps: ListenersDeps,
  limits: Pick<BrokerLimits, "packet_bytes" | "connect_timeout">,
  certificatesEveryMs = CERTIFICATES_EVERY_MS,
) {
  const servers: Server[] = [];
  const secured: TlsListener[] = [];
  const closed: Promise<unknown>[] = [];
  let timer: NodeJS.Timeout | undefined;
  const refresh = (): void => {
    for (const listener of secured) listener.refresh();
  };
  const stop = () => {
    clearInterval(timer);
    for (const server of servers.splice(0)) closed.push(new Promise((resolve) => server.close(resolve)));
  };
  return {
    /** @throws GatewayError `address_in_use`, `address_denied`, `listen_failed` or `bad_certificate`; then none is open */
    async open(listeners: readonly Listener[]): Promise<Address[]> {
      const bound: Address[] = [];
      for (const listener of listeners) {
        try {
          // Loaded where it is asked for: it takes memory.
          const createWebSockets = listener.websocket === true ? (await import("./websocket.ts")).createWebSockets : undefined;
          const server = createServer(takerOf(listener, deps, limits, secured, createWebSockets));
          await listening(server, listener);
          servers.push(server);
          const address = server.address();
          bound.push({ host: listener.host, port: typeof address === "object" && address !== null ? address.port : listener.port });
        } catch (error) {
          stop();
          throw error;
        }
      }
      if (secured.length > 0) timer = setInterval(refresh, certificatesEveryMs).unref();
      return bound;
    },
    /** Reads the certificates again. Connections that are open stay. */
    refresh,
    /** Those that are served now. */
    certificates: () => secured.map((listener) => listener.inForce()),
    /** No new connection; those that are open stay. */
    stop,
    /** Resolves once every connection has ended too. */
    async close(): Promise<void> {
      stop();
      await Promise.all(closed);
    },
  };
}

/** @param secured gets the TLS listener, if it is one */
function takerOf(
  { tls, origins }: Listener,
  deps: ListenersDeps,
  limits: Pick<BrokerLimits, "packet_bytes" | "connect_timeout">,
  secured: TlsListener[],
  createWebSockets: CreateWebSockets | undefined,
): (raw: Socket) => void {
  const peers = new WeakMap<Duplex, Peer>();
  const webSockets = createWebSockets?.(
    { opened: (stream, below) => deps.accept(stream, peers.get(below) as Peer), refused: deps.refuse },
    { packetBytes: limits.packet_bytes, origins },
  );
  const pass = (socket: Socket | TLSSocket, certificateName: string | undefined): void => {
    const peer: Peer = { address: socket.remoteAddress ?? "", ends: endsOf(socket), certificateName };
    if (webSockets === undefined) return deps.accept(socket, peer);
    peers.set(socket, peer);
    webSockets.take(socket);
  };
  const tlsListener =
    tls === undefined
      ? undefined
      : createTlsListener(
          { clock: deps.clock, log: deps.log, failed: deps.handshakeFailed, nameless: () => deps.refuse("certificate_name"), secured: pass },
          tls,
          { handshakeTimeout: limits.connect_timeout },
        );
  if (tlsListener !== undefined) secured.push(tlsListener);
  return (raw) => {
    if (!deps.gate.admits(raw)) return;
    raw.setNoDelay(true);
    if (tlsListener === undefined) pass(raw, undefined);
    else tlsListener.take(raw);
  };
}

async function listening(server: Server, { host, port }: Address): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    throw listenError(error, host, port);
  }
}

function listenError(cause: unknown, host: string, port: number): GatewayError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE")
    return new GatewayError("address_in_use", `MQTT cannot listen on ${host}:${port}: it is taken`, {
      hint: "another broker runs there; stop it or choose another port in mqtt.listeners",
      cause,
    });
  if (code === "EACCES")
    return new GatewayError("address_denied", `MQTT may not listen on ${host}:${port}`, {
      hint: "ports below 1024 need a privilege; choose another in mqtt.listeners",
      cause,
    });
  return new GatewayError("listen_failed", `MQTT cannot listen on ${host}:${port}: ${(cause as Error).message}`, {
    hint: "is it an address of this machine?",
    cause,
  });
}
