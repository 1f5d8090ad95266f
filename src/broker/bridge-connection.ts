// How a bridge reaches its broker: the options of mqtt.js, our name there, and what an error means in words.
// Nothing here holds a password but the options themselves.

import { createHash, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IClientOptions } from "mqtt";
import type { BridgeSettings } from "./bridge-schema.ts";

const KEEP_ALIVE_S = 30;
/** Four bytes; it means for ever. */
const SECONDS_MAX = 0xffff_ffff;
const CONNECT_MS = 10_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 60_000;
/** MQTT 3.1.1 and MQTT 5 for: this version is not spoken here. */
const VERSION_REFUSED = new Set([1, 132]);

/** Our client id at the other broker: the same at each start, and no other gateway's. @param identity of the data directory */
export function clientIdOf({ client_id: id, url }: BridgeSettings, identity: string): string {
  return id ?? `highwater-${createHash("sha256").update(`${identity} ${url}`).digest("hex").slice(0, 12)}`;
}

/** @throws when a TLS file cannot be read */
export function clientOptions(settings: BridgeSettings, clientId: string, packetBytes: number): IClientOptions {
  const { username, password, version } = settings;
  return {
    clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...tlsOptions(settings),
    // The session outlives the connection: what is not acknowledged is sent again.
    clean: false,
    keepalive: KEEP_ALIVE_S,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: RETRY_FIRST_MS,
    reconnectOnConnackError: true,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    ...(version === "3.1.1"
      ? { protocolVersion: 4 }
      : {
          protocolVersion: 5,
          properties: {
            sessionExpiryInterval: Math.min(SECONDS_MAX, Math.ceil(settings.session_expiry / 1000)),
            receiveMaximum: settings.unacknowledged,
            maximumPacketSize: packetBytes,
          },
        }),
  };
}

function tlsOptions({ tls }: BridgeSettings): IClientOptions {
  if (tls === undefined) return {};
  const { ca, cert, key, insecure } = tls;
  return {
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  };
}

/** How long to wait after the n-th failure, 1 for the first: twice as long each time, spread so that many gateways do not come at once. */
export function retryMs(attempt: number): number {
  const wait = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round((wait * randomInt(800, 1_200)) / 1_000);
}

/** Whether a CONNACK says that this version of MQTT is not spoken. */
export const refusesVersion = (error: Error): boolean => VERSION_REFUSED.has((error as { code?: unknown }).code as number);

/** An error in words, without what the bridge was configured with. */
export function wordsOf(error: Error): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly Error[] };
  // A host with several addresses: one failure for each, and no words of its own.
  const message = error.message || errors?.map((each) => each.message).join("; ") || String(code ?? error.name);
  return message.slice(0, 300);
}
