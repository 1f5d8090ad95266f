// The load generator as a process of its own, and the peers it is pointed at.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startChild } from "../../simulators/child.ts";
import type { LoadReport } from "../../simulators/load/run.ts";

const LOAD = fileURLToPath(new URL("../../simulators/load.ts", import.meta.url));

/**
 * Runs the generator to its end.
 * @param options as on its command line: { connections: 100, rate: 20000 }
 * @throws with its message when it fails
 */
export async function runLoadProcess(options: Readonly<Record<string, string | number>>): Promise<LoadReport> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [LOAD, "--json", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`the load generator ended with ${code}: ${complaint.trim()}`);
  return JSON.parse(out) as LoadReport;
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
