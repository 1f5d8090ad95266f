// A socket that only acknowledges: CONNECT and QoS 1 PUBLISH are answered, nothing is looked at. The generator's ceiling is measured on it.
// Runs as its own process; prints one line of JSON with its port.

import { type AddressInfo, createServer } from "node:net";
import { createPacketReader, PUBLISH } from "../../simulators/load/wire.ts";

const CONNECT = 1;

const server = createServer({ noDelay: true }, (socket) => {
  let answer = Buffer.allocUnsafe(0);
  let length = 0;
  const reserve = (bytes: number) => {
    if (length + bytes <= answer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(4096, answer.length * 2));
    larger.set(answer.subarray(0, length));
    answer = larger;
  };
  const read = createPacketReader((type, flags, bytes, bodyAt) => {
    reserve(4);
    if (type === CONNECT) length += answer.write("\x20\x02\x00\x00", length, "latin1");
    if (type !== PUBLISH || (flags & 0x06) === 0) return;
    const packetIdAt = bodyAt + 2 + (((bytes[bodyAt] as number) << 8) | (bytes[bodyAt + 1] as number));
    answer[length++] = 0x40;
    answer[length++] = 2;
    answer[length++] = bytes[packetIdAt] as number;
    answer[length++] = bytes[packetIdAt + 1] as number;
  });
  socket.on("data", (chunk: Buffer) => {
    read(chunk);
    if (length === 0) return;
    socket.write(answer.subarray(0, length));
    answer = Buffer.allocUnsafe(0);
    length = 0;
  });
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify({ msg: "ready", port: (server.address() as AddressInfo).port })}\n`));
process.on("SIGTERM", () => process.exit(0));
