// A bare aedes on a port of its own, which keeps what is published: the peer of the simulators' tests.

import { type AddressInfo, createServer, type Socket } from "node:net";
import { Aedes } from "aedes";

export type Published = { readonly topic: string; readonly payload: string; readonly qos: number };

export async function startBroker(options: { port?: number } = {}) {
  const published: Published[] = [];
  const sockets = new Set<Socket>();
  const broker = await Aedes.createBroker();
  broker.on("publish", (packet, client) => {
    if (client !== null) published.push({ topic: packet.topic, payload: packet.payload.toString(), qos: packet.qos });
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    published,
    /** Cuts every connection, as a lost network would. */
    cut: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}
