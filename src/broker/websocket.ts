// MQTT over WebSocket (MQTT 3.1.1, chapter 6): sockets that a listener hands in become byte streams. Only the upgrade is answered, on
// /mqtt or /, with the subprotocol mqtt, in binary frames. A page of another host may not use a visitor's browser to get in.

import { createServer, type IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";

/** The newest first, as it is chosen. */
const SUBPROTOCOLS = ["mqtt", "mqttv3.1"];
/** A packet's fixed header. */
const HEADER_BYTES_MAX = 5;

export type WebSocketOptions = {
  readonly packetBytes: number;
  /** Pages that may connect, as browsers name them: https://page.example.org. */
  readonly origins: readonly string[] | undefined;
};

/**
 * @param deps.opened gets the stream, and the socket below it
 * @param deps.refused counts what is no MQTT over WebSocket
 * @returns what takes a socket, bare or TLS
 */
export function createWebSockets(
  deps: { opened: (stream: Duplex, below: Duplex) => void; refused: (reason: "websocket" | "packet_bytes") => void },
  options: WebSocketOptions,
) {
  const http = createServer({ maxHeaderSize: 8_192, keepAlive: false }, (_request, response) => {
    deps.refused("websocket");
    response.writeHead(426, { connection: "close", upgrade: "websocket", "content-type": "text/plain" }).end("MQTT over WebSocket only\n");
  });
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: options.packetBytes + HEADER_BYTES_MAX,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  http.on("clientError", (_error, socket) => {
    deps.refused("websocket");
    socket.destroy();
  });
  http.on("upgrade", (request, socket, head) => {
    socket.on("error", () => undefined);
    const refusal = refusalOf(request, options.origins);
    if (refusal !== undefined) {
      deps.refused("websocket");
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      // An answer that finds no room is left out: a client that pings and reads nothing would fill the memory with them.
      webSocket.on("ping", (data) => {
        if (!socket.writableNeedDrain) webSocket.pong(data);
      });
      deps.opened(streamOf(webSocket, deps.refused), socket);
    });
  });
  upgrades.on("wsClientError", (_error, socket) => {
    deps.refused("websocket");
    socket.destroy();
  });
  return { take: (socket: Duplex): void => void http.emit("connection", socket) };
}

/** @returns the status line of what may not be upgraded */
function refusalOf(request: IncomingMessage, origins: readonly string[] | undefined): string | undefined {
  const path = (request.url ?? "").split("?")[0];
  if (path !== "/mqtt" && path !== "/") return "404 Not Found";
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  if (!SUBPROTOCOLS.some((name) => offered.includes(name))) return "400 Bad Request";
  return mayConnect(request, origins) ? undefined : "403 Forbidden";
}

/**
 * Only browsers send an origin. Unless the config lists origins, a page's host must be the one that it connects to; and to reach a
 * loopback address that host must be an address or localhost, since any other name may have been made to lead here.
 */
function mayConnect({ headers, socket }: IncomingMessage, origins: readonly string[] | undefined): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (origins !== undefined) return origins.includes(origin);
  const [page, own] = [origin, `http://${host ?? ""}`].map((url) => (URL.canParse(url) ? new URL(url).hostname : undefined));
  if (page === undefined || page === "" || page !== own) return false;
  const local = socket.localAddress ?? "";
  const onLoopback = local === "::1" || /^(?:::ffff:)?127\./.test(local);
  return !onLoopback || page === "localhost" || isIP(page.replace(/^\[|\]$/g, "")) !== 0;
}

function streamOf(webSocket: WebSocket, refused: (reason: "websocket" | "packet_bytes") => void): Duplex {
  const stream: Duplex = createWebSocketStream(webSocket, {
    // The pieces of a packet leave in one frame.
    writev: (chunks, done) => stream._write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), "buffer" as BufferEncoding, done),
  });
  // In front of the stream's own listener, which would take text for bytes [MQTT-6.0.0-1].
  webSocket.prependListener("message", (_data, isBinary) => {
    if (isBinary) return;
    refused("websocket");
    stream.destroy();
  });
  webSocket.on("error", ({ code = "" }: NodeJS.ErrnoException) => {
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") refused("packet_bytes");
    else if (code.startsWith("WS_ERR_")) refused("websocket");
  });
  return stream;
}
