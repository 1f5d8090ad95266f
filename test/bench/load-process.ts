// The load generator as a process of its own, and the peers it is pointed at.

import { fileURLToPath } from "node:url";
import { startChild } from "../../simulators/child.ts";
import type { LoadReport } from "../../simulators/load/run.ts";
import { measure } from "./child.ts";

/**
 * Runs the generator to its end.
 * @param options as on its command line: { connections: 100, rate: 20000 }
 * @throws with its message when it fails
 */
export function runLoadProcess(options: Readonly<Record<string, string | number>>): Promise<LoadReport> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return measure<LoadReport>("../../simulators/load.ts", ["--json", ...args]);
}

const PEERS = {
  "ack-only": new URL("./ack-only.ts", import.meta.url),
  "bare-aedes": new URL("./bare-aedes.ts", import.meta.url),
} as const;
export type PeerName = keyof typeof PEERS;

/** Starts one of the gateway's peers. */
export function startPeer(name: PeerName) {
  return startChild<{ port: number }>([fileURLToPath(PEERS[name])], { timeoutMs: 20_000 });
}
