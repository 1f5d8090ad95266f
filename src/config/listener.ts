// Listeners: which two of them would want the same port, and the files of those with TLS, which are read as the broker will read them.

import { dirname } from "node:path";
import { readTls } from "../broker/tls-files.ts";
import type { ConfigDocument, Path } from "./document.ts";
import { type Problem, problem } from "./problem.ts";
import type { Blocks } from "./schema.ts";

export type ListenerSettings = Blocks["mqtt"]["listeners"][number];

/** What is wrong with one listener by itself. */
export function listenerProblems({ tls, websocket, origins }: ListenerSettings, path: Path, document: ConfigDocument): Problem[] {
  const problems: Problem[] = [];
  if (origins !== undefined && websocket !== true)
    problems.push(problem(document.file, document.keyPlaceOf([...path, "origins"]), "origins are asked for only by WebSocket", "add websocket: true"));
  if (tls === undefined) return problems;
  const read = readTls(tls, dirname(document.file));
  if (read.kind === "failed") problems.push(problem(document.file, document.placeOf([...path, "tls", read.file]), read.message, read.hint));
  return problems;
}

const wildcards = new Set(["0.0.0.0", "::", "[::]", "*"]);

/** Whether two listeners cannot both be opened; port 0 is always a free one. */
export function overlap(a: { host: string; port: number }, b: { host: string; port: number }): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  const [left, right] = [a.host, b.host].map((host) => (host === "localhost" ? "127.0.0.1" : host.toLowerCase())) as [string, string];
  return left === right || wildcards.has(left) || wildcards.has(right);
}

/** The address by which a browser on this machine reaches it. */
export function urlOf({ host, port }: { host: string; port: number }): string {
  const name = wildcards.has(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
