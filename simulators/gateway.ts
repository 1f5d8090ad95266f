// A gateway in a process of its own with a config made here, on ports that are free, for the demo and the benchmark.
// It is `highwater run` as anyone starts it; nothing is switched off.

import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "./child.ts";

type Address = { host: string; port: number };

export type GatewayProcess = {
  readonly mqtt: Address;
  readonly http: Address;
  readonly pid: number;
  /** The newest lines of its log from `warn` up. */
  complaints(): readonly string[];
  /** Of `/api/v1/status`. */
  status(): Promise<GatewayStatus>;
  readonly exited: Promise<number>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number>;
};
export type GatewayStatus = { readings: Record<"received" | "accepted" | "late" | "duplicate" | "conflict" | "quarantined" | "rejected", number> };

const HIGHWATER = fileURLToPath(new URL("../bin/highwater.js", import.meta.url));
const START_MS_MAX = 60_000;
const COMPLAINTS_MAX = 10;

/**
 * Starts a gateway on 127.0.0.1.
 * @param folder where the config is written; the data go to `folder/data`
 * @param options.program `bin/highwater.js` of another place than this clone
 * @param config the blocks of the config; `data_dir`, listeners and `http` are set here, and `mqtt` is what the config says of the broker beside them
 * @throws with the gateway's own words when it does not become ready
 */
export async function startGateway(
  folder: string,
  config: {
    readonly name: string;
    readonly externalUrl?: string;
    readonly blocks: Readonly<Record<string, unknown>>;
    readonly mqtt?: Readonly<Record<string, unknown>>;
  },
  options: { readonly nodeOptions?: readonly string[]; readonly httpPort?: number; readonly program?: string } = {},
): Promise<GatewayProcess> {
  const host = "127.0.0.1";
  const httpPort = options.httpPort ?? (await freePort());
  const file = join(folder, "highwater.yaml");
  const whole = {
    gateway: { name: config.name, data_dir: "./data", external_url: config.externalUrl ?? `http://${host}:${httpPort}` },
    mqtt: { listeners: [{ host, port: 0 }], ...config.mqtt },
    http: { host, port: httpPort },
    ...config.blocks,
  };
  // JSON is YAML; people who look into the folder read it well enough.
  await writeFile(file, `${JSON.stringify(whole, null, 2)}\n`);
  const complaints: string[] = [];
  const onLine = (line: string) => {
    complaints.push(...complaintOf(line));
    if (complaints.length > COMPLAINTS_MAX) complaints.shift();
  };
  const child = await startChild<{ mqtt: Address[]; http: Address }>([...(options.nodeOptions ?? []), options.program ?? HIGHWATER, "run", "--config", file], {
    timeoutMs: START_MS_MAX,
    onLine,
  });
  const [mqtt] = child.ready.mqtt;
  const { http } = child.ready;
  if (mqtt === undefined) throw new Error("the gateway is ready without a listener");
  return {
    mqtt,
    http,
    pid: child.pid,
    complaints: () => complaints,
    async status() {
      const response = await fetch(`http://${http.host}:${http.port}/api/v1/status`);
      if (!response.ok) throw new Error(`/api/v1/status answers ${response.status}`);
      return (await response.json()) as GatewayStatus;
    },
    exited: child.exited,
    stop: () => child.stop(),
  };
}

/** Of a log line from `warn` up its message; a line that is no log line is one as it is. */
function complaintOf(line: string): string[] {
  try {
    const { level, msg, reason } = JSON.parse(line) as { level?: string; msg?: string; reason?: string };
    const isComplaint = level === "warn" || level === "error" || level === "fatal";
    return isComplaint ? [[level, msg, reason].filter((part) => part !== undefined).join(": ")] : [];
  } catch {
    return [line];
  }
}

/** A TCP port on 127.0.0.1 that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
