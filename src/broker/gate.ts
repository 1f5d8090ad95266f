// Who may open a connection, judged at the bare TCP socket, before a TLS handshake costs anything: how many at once, how many a second,
// and for how long one may stay without a CONNECT. An address has limits of its own, except 127.0.0.1 and ::1, from where a proxy
// speaks for many. What is kept by address is bounded: the open ones by `connections`, the rates by ADDRESSES_MAX.

import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import { networkOf } from "../network.ts";
import type { RefusalReason } from "./broker-counters.ts";
import type { BrokerLimits } from "./limits.ts";
import { createTokenBucket, refill, type TokenBucket, takeToken } from "./token-bucket.ts";

/** What tells a connection apart while it is open; TLS sockets have that of the socket below them. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;
export type GateLimits = Pick<
  BrokerLimits,
  "connections" | "connections_per_address" | "connects_per_second" | "connects_per_second_per_address" | "connect_timeout"
>;
export type Gate = ReturnType<typeof createGate>;

/** Addresses whose connect rate is remembered. */
const ADDRESSES_MAX = 10_000;

export function createGate(deps: { clock: Clock; refuse: (reason: RefusalReason) => void }, limits: GateLimits) {
  const { clock, refuse } = deps;
  const open = new Set<Socket>();
  const silent = new Map<string, NodeJS.Timeout>();
  const openOf = new Map<string, number>();
  const rates = createRates(limits.connects_per_second_per_address);
  const rate = createTokenBucket(limits.connects_per_second, clock.monotonic());

  const refusalOf = (party: string): RefusalReason | undefined => {
    if (open.size >= limits.connections) return "connections";
    const now = clock.monotonic();
    if (party !== "") {
      if ((openOf.get(party) ?? 0) >= limits.connections_per_address) return "connections_per_address";
      // First its own rate, so that one address in a hurry leaves the common one to the others.
      if (!takeToken(rates(party, now), now)) return "connect_rate_per_address";
    }
    return takeToken(rate, now) ? undefined : "connect_rate";
  };

  const left = (socket: Socket, ends: string, party: string): void => {
    open.delete(socket);
    clearTimeout(silent.get(ends));
    silent.delete(ends);
    if (party === "") return;
    const others = (openOf.get(party) ?? 1) - 1;
    if (others > 0) openOf.set(party, others);
    else openOf.delete(party);
  };

  return {
    /** Takes a socket in, or destroys it. */
    admits(socket: Socket): boolean {
      // Without a listener an error, such as a reset during the handshake, would end the process.
      socket.on("error", () => undefined);
      // It is gone already.
      if (socket.remoteAddress === undefined) {
        socket.destroy();
        return false;
      }
      const party = partyOf(socket.remoteAddress);
      const reason = refusalOf(party);
      if (reason !== undefined) {
        refuse(reason);
        socket.destroy();
        return false;
      }
      const ends = endsOf(socket);
      open.add(socket);
      if (party !== "") openOf.set(party, (openOf.get(party) ?? 0) + 1);
      socket.once("close", () => left(socket, ends, party));
      const late = (): void => {
        refuse("connect_timeout");
        socket.destroy();
      };
      silent.set(ends, setTimeout(late, limits.connect_timeout).unref());
      return true;
    },
    /** Its CONNECT has been taken. */
    introduced(ends: string): void {
      clearTimeout(silent.get(ends));
      silent.delete(ends);
    },
    destroyAll(): void {
      for (const socket of open) socket.destroy();
    },
  };
}

export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** @returns who counts as one; "" for this machine */
export function partyOf(address: string): string {
  const network = address === "::1" ? "" : networkOf(address);
  return network === "127.0.0.1" ? "" : network;
}

/** Buckets by address. When there are too many, those go that are full again, and after them the oldest. */
function createRates(perSecond: number): (party: string, now: number) => TokenBucket {
  const buckets = new Map<string, TokenBucket>();
  const makeRoom = (now: number): void => {
    for (const [party, bucket] of buckets) {
      refill(bucket, now);
      if (bucket.tokens >= bucket.perSecond) buckets.delete(party);
    }
    for (const party of buckets.keys()) {
      if (buckets.size <= ADDRESSES_MAX / 2) break;
      buckets.delete(party);
    }
  };
  return (party, now) => {
    const known = buckets.get(party);
    if (known !== undefined) return known;
    if (buckets.size >= ADDRESSES_MAX) makeRoom(now);
    const bucket = createTokenBucket(perSecond, now);
    buckets.set(party, bucket);
    return bucket;
  };
}
