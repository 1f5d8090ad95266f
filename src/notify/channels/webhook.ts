// `webhook`: one HTTP POST per notification, as an Alertmanager v4 body, a Standard Webhooks event or a CloudEvent.
// Always `webhook-id` (the notification's id, the same on each attempt) and `highwater-seq`; signed when there is a secret.
// 2xx is delivered; a redirect is not followed and is tried again, as are 408, 425, 429, 5xx and broken connections; 410 and other 4xx end it.

import { z } from "zod";
import { systemClock } from "../../clock.ts";
import { durationSchema } from "../../engine/duration-schema.ts";
import { oneLine } from "../../reasons/format.ts";
import { parseRetryAfter } from "../backoff.ts";
import type { Notification } from "../notification.ts";
import { keyOf, sign } from "../signature.ts";
import type { Channel, Delivery } from "./channel.ts";
import { webhookBody, webhookFormats } from "./webhook-body.ts";

/** What of a reply is read: for the reason, and so that the connection can be used again. */
const REPLY_BYTES_MAX = 4_096;
const REPLY_MS_MAX = 1_000;
const RETRIED_STATUS = new Set([408, 425, 429]);

const schema = z.strictObject({
  url: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "not a URL; write http://host:port/path or https://…")
    .refine((text) => !URL.canParse(text) || new URL(text).username === "", "a URL with a user; write headers: { Authorization: Basic … } instead")
    .meta({ description: "Where to POST to", pattern: "^https?://" }),
  format: z.enum(webhookFormats).default("alertmanager").meta({ description: "Form of the body: Alertmanager webhook v4, Standard Webhooks, CloudEvents 1.0" }),
  secret: z
    .string()
    .refine((text) => keyOf(text) !== undefined, "not a secret; write whsec_ and the base64 of 24 to 64 random bytes, such as of: openssl rand -base64 32")
    .meta({ description: "Signs by Standard Webhooks: whsec_ and base64 of 24 to 64 bytes" })
    .exactOptional(),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, "not the name of a header"), z.string().regex(/^[\x20-\x7e\t]*$/, "a header holds one line of ASCII"))
    .default({})
    .meta({ description: "Sent along, such as Authorization" }),
  timeout: durationSchema.prefault("15s").meta({ description: "For a whole attempt" }),
});
export type WebhookSettings = z.output<typeof schema>;

export const webhook: Channel<WebhookSettings> = {
  type: "webhook",
  schema: schema as z.ZodType<WebhookSettings>,
  async send(settings, notification, signal) {
    const { body, contentType } = webhookBody(settings.format, notification);
    const deadline = AbortSignal.timeout(settings.timeout);
    try {
      const response = await fetch(settings.url, {
        method: "POST",
        redirect: "manual",
        headers: { ...settings.headers, "content-type": contentType, ...signedHeaders(settings, notification, body) },
        body,
        signal: AbortSignal.any([signal, deadline]),
      });
      return await deliveryOf(response);
    } catch (error) {
      if (deadline.aborted || signal.aborted) return { kind: "retry", reason: "the receiver did not answer in time", cause: "timeout" };
      return { kind: "retry", reason: oneLine(networkReason(error)), cause: "network" };
    }
  },
};

function signedHeaders({ secret }: WebhookSettings, notification: Notification, body: string): Record<string, string> {
  const id = notification.id;
  const timestamp = Math.floor(systemClock.now() / 1_000);
  return {
    "user-agent": "highwater",
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "highwater-seq": String(notification.seq),
    ...(secret === undefined ? {} : { "webhook-signature": sign(secret, id, timestamp, body) }),
  };
}

async function deliveryOf(response: Response): Promise<Delivery> {
  const { status } = response;
  const reply = await replyOf(response);
  if (status >= 200 && status < 300) return { kind: "delivered" };
  const said = oneLine(`HTTP ${status}${reply === "" ? "" : `: ${reply}`}`);
  if (status >= 300 && status < 400) {
    const target = response.headers.get("location");
    return {
      kind: "retry",
      reason: oneLine(`HTTP ${status}: redirects are not followed${target === null ? "" : `; it points to ${target}`}`),
      cause: "redirected",
    };
  }
  if (status === 410) return { kind: "failed", reason: oneLine(`${said} (the receiver is gone)`), cause: "gone" };
  if (status < 500 && !RETRIED_STATUS.has(status)) return { kind: "failed", reason: said, cause: "refused" };
  const afterMs = parseRetryAfter(response.headers.get("retry-after"), systemClock.now());
  return { kind: "retry", reason: said, cause: status === 429 ? "throttled" : "server", ...(afterMs === undefined ? {} : { afterMs }) };
}

/** The start of a reply, for the reason. The status has been said: a body that is long, slow or broken changes nothing. */
async function replyOf(response: Response): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const giveUp = setTimeout(() => void reader.cancel().catch(() => {}), REPLY_MS_MAX);
  let text = "";
  try {
    const decoder = new TextDecoder();
    for (let bytes = 0; bytes < REPLY_BYTES_MAX; ) {
      const { done, value } = await reader.read();
      if (done) return text.slice(0, 200).trim();
      bytes += value.byteLength;
      text += decoder.decode(value.subarray(0, 512), { stream: true });
    }
  } catch {
    // Broken off: what was read is enough.
  } finally {
    clearTimeout(giveUp);
    void reader.cancel().catch(() => {});
  }
  return text.slice(0, 200).trim();
}

/** fetch says only "fetch failed"; the cause says what failed. */
function networkReason(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.message || cause?.code || (error as Error).message;
}
