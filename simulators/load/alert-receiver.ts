// Receives the alerts' webhooks (Alertmanager's body) inside the generator, so that reading → webhook is timed by one clock.
// A reading is known by its device and ts: of a firing alert that is `startsAt`, of a resolved one `endsAt`.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLatency, type LatencyFigures } from "./latency.ts";

/** Transitions that the load provoked and those of which the webhook came, in milliseconds from the write of the reading. */
export type AlertFigures = { provoked: number; received: number; again: number; unexpected: number; missing: number; latency: LatencyFigures };

export type AlertReceiver = {
  readonly port: number;
  /** Says that the reading of `device` at `ts` changes an alert; `sentAt` is monotonic. */
  expect(device: string, ts: number, sentAt: number): void;
  missing(): number;
  figures(): AlertFigures;
  close(): Promise<void>;
};

/** @param options.port 0 for any */
export async function createAlertReceiver(options: { host: string; port: number }): Promise<AlertReceiver> {
  const waiting = new Map<string, number>();
  const seen = new Set<string>();
  const latency = createLatency();
  let provoked = 0;
  let again = 0;
  let unexpected = 0;

  function receive(body: string, at: number): void {
    for (const alert of (JSON.parse(body) as { alerts: { status: string; labels: Record<string, string>; startsAt: string; endsAt: string }[] }).alerts) {
      const key = `${alert.labels["device"]} ${Date.parse(alert.status === "resolved" ? alert.endsAt : alert.startsAt)}`;
      const sentAt = waiting.get(key);
      if (sentAt !== undefined) {
        waiting.delete(key);
        seen.add(key);
        latency.record(at - sentAt);
      } else if (seen.has(key)) again += 1;
      else unexpected += 1;
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const at = performance.now();
      response.writeHead(204).end();
      receive(Buffer.concat(chunks).toString("utf8"), at);
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(options.port, options.host, resolve));

  return {
    port: (server.address() as AddressInfo).port,
    expect(device, ts, sentAt) {
      provoked += 1;
      waiting.set(`${device} ${ts}`, sentAt);
    },
    missing: () => waiting.size,
    figures: () => ({ provoked, received: seen.size, again, unexpected, missing: waiting.size, latency: latency.figures() }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
