// A real server on a free port of 127.0.0.1 in front of a made-up gateway.

import { createServer, type ServerDeps, type ServerOptions } from "../../src/http/server.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics, type Metrics } from "../../src/metrics.ts";
import { createFakeGateway, type FakeGateway } from "./fake-gateway.ts";

export type Served = {
  gateway: FakeGateway;
  metrics: Metrics;
  port: number;
  url: string;
  get(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
};

export async function serve(
  options: Partial<ServerOptions> = {},
  gateway: FakeGateway & Pick<ServerDeps, "accounts"> = createFakeGateway({ series: 30, now: Date.now }),
): Promise<Served> {
  const metrics = createMetrics();
  const server = createServer(
    { ...gateway, metrics, log: createLog({ level: "silent", name: "test" }) },
    { host: "127.0.0.1", port: 0, gatewayName: "cold-chain", externalUrl: "http://gateway.example:8080", dashboardDir: "/nonexistent", ...options },
  );
  const { port } = await server.start();
  const url = `http://127.0.0.1:${port}`;
  return { gateway, metrics, port, url, get: (path, init) => fetch(`${url}${path}`, init), close: server.close };
}
