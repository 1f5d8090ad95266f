// What a codec is: settings of its own, and a function from a payload to readings. A codec never throws and never guesses:
// each value of a payload becomes one reading or one rejection, and what it cannot decode at all is one rejection.

import type { z } from "zod";
import type { ZoneTable } from "../../engine/calendar.ts";
import type { Reading, RejectReason } from "../../engine/reading.ts";
import type { EpochMs } from "../../engine/units.ts";

/** Why a value, or the whole message, did not become a reading. `detail` is for people, and short. */
export type Rejection = { readonly reason: RejectReason; readonly detail: string };

export type Decoded = { readonly readings: readonly Reading[]; readonly rejected: readonly Rejection[] };

/** Where and when a payload came from. */
export type Origin = {
  /** Arrival. */
  readonly at: EpochMs;
  /** Of the CONNECT; some devices are known by nothing else. */
  readonly username?: string | undefined;
  /** The topic's `{metric}`, or the source's fixed one: names a lone value and prefixes several. */
  readonly metric?: string | undefined;
};

/** Both empty only for an empty payload, which is how MQTT deletes a retained message. */
export type Decode = (payload: Uint8Array, topic: string, from: Origin) => Decoded;

export type CodecLimits = { readonly depth: number; readonly values_per_message: number };

export type Codec<S> = {
  readonly name: string;
  /** Settings of a source that uses this codec; unknown keys are errors. */
  readonly schema: z.ZodType<S>;
  /**
   * @param zone for local times without offset; undefined when the source names none
   */
  open(settings: S, zone: ZoneTable | undefined, limits?: CodecLimits): Decode;
};

export const defaultCodecLimits: CodecLimits = { depth: 16, values_per_message: 10_000 };

const none: readonly never[] = [];
export const nothing: Decoded = { readings: none, rejected: none };

export function accept(reading: Reading): Decoded {
  return { readings: [reading], rejected: none };
}

export function refuse(reason: RejectReason, detail: string): Decoded {
  return { readings: none, rejected: [{ reason, detail }] };
}

/** The payload as text: UTF-8 without a byte order mark; what is not UTF-8 becomes U+FFFD. */
export function textOf(payload: Uint8Array): string {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const text = bytes.toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** A piece of a payload for a rejection's detail. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
