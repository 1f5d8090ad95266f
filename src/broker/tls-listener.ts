// TLS on sockets that a listener hands in, with certificates that are renewed while it runs: connections that are open stay, new ones
// get the new certificate, and files that are no good leave the old one in place. A handshake that fails is counted and harms nobody.

import type { Socket } from "node:net";
import { createServer, type PeerCertificate, type TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import { MIN_VERSION, readTls, remarkOf, type TlsFiles, type TlsMaterial } from "./tls-files.ts";

/** Why a handshake failed; the label of a counter, so the list is closed. */
export const handshakeReasons = [
  "no_certificate",
  "expired_certificate",
  "untrusted_certificate",
  "refused_by_client",
  "no_tls",
  "version",
  "timeout",
  "ended",
  "other",
] as const;
export type HandshakeReason = (typeof handshakeReasons)[number];

export type TlsDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly failed: (reason: HandshakeReason) => void;
  /** A client of a CA that gives it no name of its own. */
  readonly nameless: () => void;
  readonly secured: (socket: TLSSocket, certificateName: string | undefined) => void;
};
export type TlsListener = { take(raw: Socket): void; refresh(): void; inForce(): { readonly cert: string; readonly validTo: EpochMs } };

/** @throws GatewayError `bad_certificate` */
export function createTlsListener(deps: TlsDeps, files: TlsFiles, options: { readonly handshakeTimeout: number }): TlsListener {
  const { clock, log } = deps;
  const first = readTls(files);
  if (first.kind === "failed") throw new GatewayError("bad_certificate", first.message, { hint: first.hint });
  let inForce = first.material;
  let complaint: string | undefined;
  const asked = files.client_ca !== undefined;
  const server = createServer({ ...contextOf(inForce), handshakeTimeout: options.handshakeTimeout, requestCert: asked, rejectUnauthorized: asked });

  server.on("secureConnection", (socket) => {
    const name = asked ? nameOf(socket.getPeerCertificate()) : undefined;
    if (!asked || name !== undefined) return deps.secured(socket, name);
    deps.nameless();
    log.debug({ address: socket.remoteAddress }, "a client certificate without one common name");
    socket.on("error", () => undefined).destroy();
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // A certificate that was refused ends the socket without an error of its own; why stands here.
    const { authorizationError } = socket as { authorizationError?: unknown };
    const code = typeof authorizationError === "string" ? authorizationError : (error.code ?? "");
    const reason = handshakeReason(code);
    deps.failed(reason);
    log.debug({ reason, code, address: socket.remoteAddress }, "TLS handshake failed");
    socket.destroy();
  });

  const remark = (): void => {
    const text = remarkOf(inForce, clock.now());
    if (text !== undefined) log.warn({ cert: files.cert }, text);
  };
  remark();

  return {
    inForce: () => ({ cert: files.cert, validTo: inForce.validTo }),
    take: (raw) => void server.emit("connection", raw),
    /** Reads the files again. Says once, not each time, that they are no good. */
    refresh(): void {
      const read = readTls(files);
      if (read.kind === "failed") {
        if (read.message !== complaint) log.error({ problem: read.message, hint: read.hint }, "the new certificate is not taken; the old one stays");
        complaint = read.message;
        return;
      }
      complaint = undefined;
      if (isSame(read.material, inForce)) return;
      inForce = read.material;
      server.setSecureContext(contextOf(inForce));
      log.info({ cert: files.cert, until: new Date(inForce.validTo).toISOString() }, "new certificate");
      remark();
    },
  };
}

const contextOf = ({ cert, key, ca }: TlsMaterial) => ({ cert, key, minVersion: MIN_VERSION, ...(ca === undefined ? {} : { ca }) }) as const;
const isSame = (a: TlsMaterial, b: TlsMaterial): boolean => a.cert === b.cert && a.key === b.key && a.ca === b.ca;

/** The subject's common name; undefined when there is none, or more than one, or one that is no name. */
function nameOf(certificate: PeerCertificate): string | undefined {
  const name: unknown = certificate.subject?.CN;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return typeof name === "string" && /^[^\x00-\x1f\x7f]{1,255}$/.test(name) ? name : undefined;
}

/** @param code of Node or OpenSSL */
export function handshakeReason(code: string): HandshakeReason {
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "no_certificate";
  if (code === "CERT_HAS_EXPIRED") return "expired_certificate";
  if (/^(?:UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_|HOSTNAME|PATH_LENGTH|CRL_)/.test(code)) return "untrusted_certificate";
  if (code.includes("_ALERT_")) return "refused_by_client";
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL" || code === "ERR_SSL_NO_SHARED_CIPHER") return "version";
  if (["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST", "ERR_SSL_PACKET_LENGTH_TOO_LONG", "ERR_SSL_UNKNOWN_PROTOCOL"].includes(code)) return "no_tls";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "timeout";
  return code === "ECONNRESET" || code === "EPIPE" ? "ended" : "other";
}
