// One publishing connection of the load generator: a raw socket, packet ids from a free list, PUBACKs counted and timed.
// `send` only queues; `flush` writes what is queued in one piece. At most `window` readings wait for their PUBACK.

import { connect, type Socket } from "node:net";
import { CONNACK, createPacketReader, disconnectPacket, encodeConnect, type Login, PUBACK, type PublishTemplate, writePublish } from "./wire.ts";

export type LoadConnection = {
  /** @returns false when the window is full: nothing was queued */
  send(template: PublishTemplate, ts: number, milli: number): boolean;
  flush(): void;
  inFlight(): number;
  close(): void;
};

export type LoadConnectionHandlers = {
  /** A PUBACK came. @param waitedMs since the flush that wrote the reading, by the monotonic clock */
  acknowledged(waitedMs: number): void;
  /** After all PUBACKs of one chunk: the moment to send more. */
  drained(): void;
  failed(error: Error): void;
};

/** Resolves once the broker has answered CONNECT; rejects when it refuses or cannot be reached. */
export function openLoadConnection(
  target: { host: string; port: number; clientId: string; window: number; login?: Login | undefined },
  handlers: LoadConnectionHandlers,
): Promise<LoadConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    const connection = createConnection(socket, target.window, handlers);
    let isOpen = false;
    const fail = (error: Error) => (isOpen ? handlers.failed(error) : reject(error));
    const read = createPacketReader((type, _flags, bytes, bodyAt) => {
      if (type === PUBACK) connection.acknowledge(((bytes[bodyAt] as number) << 8) | (bytes[bodyAt + 1] as number));
      else if (type === CONNACK && bytes[bodyAt + 1] === 0) {
        isOpen = true;
        resolve(connection);
      } else if (type === CONNACK) fail(new Error(`the broker refused the connection with code ${bytes[bodyAt + 1]}`));
    });
    socket.on("connect", () => socket.write(encodeConnect(target.clientId, target.login)));
    socket.on("data", (chunk: Buffer) => {
      connection.beginChunk();
      read(chunk);
      if (isOpen) handlers.drained();
    });
    socket.on("error", fail);
    socket.on("close", () => {
      if (!connection.isClosing()) fail(new Error("the broker closed the connection"));
    });
  });
}

function createConnection(socket: Socket, window: number, handlers: LoadConnectionHandlers) {
  const free = Uint16Array.from({ length: window }, (_, index) => window - index);
  const sentAt = new Float64Array(window + 1);
  let freeCount = window;
  let queue = Buffer.allocUnsafe(4096);
  let queued = 0;
  let queuedAt = 0;
  let chunkAt = 0;
  let isClosing = false;

  return {
    send(template: PublishTemplate, ts: number, milli: number): boolean {
      if (freeCount === 0) return false;
      if (queued + template.bytes.length > queue.length) {
        const larger = Buffer.allocUnsafe(queue.length * 2);
        larger.set(queue.subarray(0, queued));
        queue = larger;
      }
      if (queued === 0) queuedAt = performance.now();
      const packetId = free[--freeCount] as number;
      sentAt[packetId] = queuedAt;
      queued = writePublish(template, queue, queued, packetId, ts, milli);
      return true;
    },
    flush(): void {
      if (queued === 0) return;
      // The socket keeps the bytes until the kernel has them: the next queue is another buffer.
      socket.write(queue.subarray(0, queued));
      queue = Buffer.allocUnsafe(Math.max(4096, queued));
      queued = 0;
    },
    beginChunk(): void {
      chunkAt = performance.now();
    },
    acknowledge(packetId: number): void {
      const sent = sentAt[packetId];
      if (sent === undefined || !(sent > 0)) return handlers.failed(new Error(`PUBACK for packet id ${packetId}, which waits for none`));
      sentAt[packetId] = 0;
      free[freeCount++] = packetId;
      handlers.acknowledged(chunkAt - sent);
    },
    inFlight: () => window - freeCount,
    isClosing: () => isClosing,
    close(): void {
      isClosing = true;
      socket.end(disconnectPacket);
    },
  };
}
