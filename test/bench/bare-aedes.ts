// Bare aedes behind a TCP listener, as its README shows it: the peer that the gateway is measured beside. It stores and evaluates nothing.
// Runs as its own process; prints one line of JSON with its port.

import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";

const broker = await Aedes.createBroker();
const server = createServer(broker.handle);
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify({ msg: "ready", port: (server.address() as AddressInfo).port })}\n`));
process.on("SIGTERM", () => process.exit(0));
