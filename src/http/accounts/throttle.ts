// Slows down who guesses passwords: after a few failures, by address and by name, each further attempt has to wait, longer each
// time. An attempt counts when it begins, so that many at once gain nothing. Bounded: the longest untouched entries are forgotten.

import type { Clock } from "../../clock.ts";
import { networkOf } from "../../network.ts";

export type ThrottleLimits = {
  /** Failures without any wait. */
  readonly free: number;
  readonly firstWaitMs: number;
  readonly waitMsMax: number;
  /** After this long without a failure it is forgotten. */
  readonly forgetMs: number;
  /** Addresses, and names, that are remembered. */
  readonly entriesMax: number;
};

export const throttleLimits: ThrottleLimits = { free: 5, firstWaitMs: 5_000, waitMsMax: 900_000, forgetMs: 1_800_000, entriesMax: 10_000 };

export type Attempt =
  | { readonly kind: "go" /** It was no guess. */; succeeded(): void }
  | { readonly kind: "wait"; readonly ms: number /** The first that has to wait so. */; readonly isNews: boolean };
export type Throttle = { begin(address: string, name: string): Attempt };

type Entry = { readonly failures: number; readonly at: number; readonly until: number; told: boolean };

export function createThrottle(clock: Pick<Clock, "monotonic">, limits: ThrottleLimits = throttleLimits): Throttle {
  const [addresses, names] = [new Map<string, Entry>(), new Map<string, Entry>()];
  const known = (entries: Map<string, Entry>, key: string, now: number): Entry | undefined => {
    const entry = entries.get(key);
    return entry === undefined || now - entry.at > limits.forgetMs ? undefined : entry;
  };
  const count = (entries: Map<string, Entry>, key: string, now: number): void => {
    const failures = (known(entries, key, now)?.failures ?? 0) + 1;
    const over = failures - limits.free;
    const wait = over < 0 ? 0 : Math.min(limits.waitMsMax, limits.firstWaitMs * 2 ** Math.min(over, 30));
    entries.delete(key);
    entries.set(key, { failures, at: now, until: now + wait, told: false });
    const [oldest] = entries.keys();
    if (entries.size > limits.entriesMax && oldest !== undefined) entries.delete(oldest);
  };
  return {
    begin(from, name) {
      const now = clock.monotonic();
      const address = networkOf(from);
      const waiting = [known(addresses, address, now), known(names, name, now)].filter((entry) => entry !== undefined && entry.until > now) as Entry[];
      if (waiting.length > 0) {
        const isNews = waiting.some(({ told }) => !told);
        for (const entry of waiting) entry.told = true;
        return { kind: "wait", ms: Math.max(...waiting.map(({ until }) => until)) - now, isNews };
      }
      const before = known(addresses, address, now);
      count(addresses, address, now);
      count(names, name, now);
      return {
        kind: "go",
        succeeded() {
          names.delete(name);
          // Earlier failures of the address stay: a guesser may have an account of his own.
          if (before === undefined) addresses.delete(address);
          else addresses.set(address, before);
        },
      };
    },
  };
}
