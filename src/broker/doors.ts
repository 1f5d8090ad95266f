// The way in for clients: listeners, the gate that counts who comes through them, and the connections that came.

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { RefusalReason } from "./broker-counters.ts";
import { type ConnectionsOptions, createConnections } from "./connections.ts";
import { createGate } from "./gate.ts";
import type { BrokerLimits } from "./limits.ts";
import { createListeners, type ListenersDeps } from "./listeners.ts";

export type DoorsDeps = Pick<ConnectionsOptions, "handle" | "paused" | "throttled" | "closed"> &
  Pick<ListenersDeps, "handshakeFailed"> & { readonly clock: Clock; readonly log: Log; readonly refuse: (reason: RefusalReason) => void };

/** @param certificatesEveryMs how often the files of certificates are looked at; a minute when absent */
export function createDoors(deps: DoorsDeps, limits: BrokerLimits, certificatesEveryMs: number | undefined) {
  const gate = createGate(deps, limits);
  const connections = createConnections({ ...deps, introduced: ({ ends }) => gate.introduced(ends) }, limits);
  const listeners = createListeners({ ...deps, accept: connections.accept, gate }, limits, certificatesEveryMs);
  return { gate, connections, listeners };
}
