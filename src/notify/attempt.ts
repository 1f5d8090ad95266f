// One attempt at one notification, bounded: whatever a channel does, it ends with a Delivery soon after its time is up.

import type { Timers } from "../clock.ts";
import type { DurationMs } from "../engine/units.ts";
import type { Log } from "../log.ts";
import { oneLine } from "../reasons/format.ts";
import type { Delivery } from "./channels/channel.ts";
import type { channelOf } from "./channels/index.ts";
import type { Notification } from "./notification.ts";

/** A channel of a receiver: `email:0`, its type, and what its schema made of the config. */
export type ChannelSettings = { readonly key: string; readonly type: string; readonly settings: unknown };

/** How long a channel may take to end after it was aborted, before it is left behind. */
const LEAVE_MS = 1_000;

/**
 * @param channel undefined when the config has it no longer: tried again, since a config may be mended
 * @param read makes the notification; what it throws is a reason to try again, and logged as our error
 * @param limits.signal aborts it from outside; limits.limitMs bounds it
 */
export async function attempt(
  channel: ChannelSettings | undefined,
  read: () => Promise<Notification>,
  limits: { readonly signal: AbortSignal; readonly limitMs: DurationMs; readonly log: Log; readonly timers: Timers; readonly channelOf: typeof channelOf },
): Promise<Delivery> {
  const found = channel === undefined ? undefined : limits.channelOf(channel.type);
  if (channel === undefined || found === undefined) return { kind: "retry", reason: "the config no longer has this receiver's channel", cause: "config" };
  const limit = new AbortController();
  const cancelLimit = limits.timers.after(limits.limitMs, () => limit.abort(new Error(`no answer within ${limits.limitMs} ms`)));
  const signal = AbortSignal.any([limits.signal, limit.signal]);
  const left = leftBehind(signal, limits.timers);
  const send = async (): Promise<Delivery> => found.send(channel.settings, await read(), signal);
  try {
    return await Promise.race([send(), left.promise]);
  } catch (error) {
    limits.log.error({ err: error, channel: channel.key }, "a channel broke");
    return { kind: "retry", reason: oneLine(`the channel broke: ${(error as Error).message}`), cause: "other" };
  } finally {
    cancelLimit();
    left.cancel();
  }
}

function leftBehind(signal: AbortSignal, timers: Timers): { promise: Promise<Delivery>; cancel: () => void } {
  let cancelTimer = (): void => undefined;
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const onAbort = () => {
    cancelTimer = timers.after(LEAVE_MS, () => resolve({ kind: "retry", reason: "the channel did not end in time", cause: "timeout" }));
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    promise,
    cancel: () => {
      signal.removeEventListener("abort", onAbort);
      cancelTimer();
    },
  };
}
