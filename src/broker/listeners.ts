// TCP listeners: all of them are open, or none is.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { GatewayError } from "../error.ts";

/** Port 0 lets the system choose. */
export type Address = { readonly host: string; readonly port: number };

export function createListeners(accept: (socket: Socket) => void) {
  const servers: Server[] = [];
  const closed: Promise<unknown>[] = [];
  const stop = () => {
    for (const server of servers.splice(0)) closed.push(new Promise((resolve) => server.close(resolve)));
  };
  return {
    /** @throws GatewayError `address_in_use`, `address_denied` or `listen_failed`; then none is open */
    async open(addresses: readonly Address[]): Promise<Address[]> {
      const bound: Address[] = [];
      for (const { host, port } of addresses) {
        const server = createServer(accept);
        try {
          server.listen(port, host);
          await once(server, "listening");
        } catch (error) {
          stop();
          throw listenError(error, host, port);
        }
        servers.push(server);
        const address = server.address();
        bound.push({ host, port: typeof address === "object" && address !== null ? address.port : port });
      }
      return bound;
    },
    /** No new connection; those that are open stay. */
    stop,
    /** Resolves once every connection has ended too. */
    async close(): Promise<void> {
      stop();
      await Promise.all(closed);
    },
  };
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
