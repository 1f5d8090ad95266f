// What /api/v1/status and the `status` event say. The composition root gathers it from all threads; this page only
// fixes its words. `readings` has exactly these seven keys and balances.

import { z } from "zod";
import { rejectReasons } from "../engine/reading.ts";
import type { RejectedView } from "../storage/query.ts";
import { rfc3339, timeSchema } from "./view.ts";

const count = z.int().min(0);
/** A part that may gain keys with each release. */
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.looseObject(shape);

export const booksSchema = z
  .strictObject({ received: count, accepted: count, late: count, duplicate: count, conflict: count, quarantined: count, rejected: count })
  .meta({ description: "received = accepted + late + duplicate + conflict + quarantined + rejected" });

export const unmatchedSchema = z.strictObject({
  topic: z.string(),
  count,
  sample: z.string().meta({ description: "The newest payload, cut" }),
  suggestion: z.string().meta({ description: "The line for `sources` to paste" }),
});

export const rejectedSchema = z.strictObject({
  topic: z.string().meta({ description: "Empty for all topics beyond those that are told apart" }),
  reason: z.enum(rejectReasons),
  count: count.meta({ description: "Values, since the data directory began" }),
  last_at: timeSchema,
  detail: z.string().meta({ description: "What was wrong with the newest" }),
  sample: z.string().meta({ description: "The newest payload as text, cut" }),
});

const SAMPLE_CHARS_MAX = 200;

export function statusRejected({ topic, reason, count: values, lastAt, detail, sample }: RejectedView): z.output<typeof rejectedSchema> {
  const text = new TextDecoder().decode(sample).slice(0, SAMPLE_CHARS_MAX);
  return { topic, reason, count: values, last_at: rfc3339(lastAt), detail, sample: text };
}

export const statusSchema = z
  .looseObject({
    version: z.string(),
    started_at: z.iso.datetime(),
    uptime_ms: z.number().min(0),
    readings: booksSchema,
    unmatched: z.array(unmatchedSchema).meta({ description: "Topics that no source matches" }),
    rejected: z.array(rejectedSchema).max(100).meta({ description: "What could not be taken, by topic and reason, newest first" }),
    queue: part({}),
    broker: part({ connections: count }),
    journal: part({}),
    outbox: part({
      waiting: count.meta({ description: "All notifications that wait" }),
      in_flight: count.meta({ description: "Of them, those that are being sent" }),
      oldest_waiting_ms: z.number().min(0).meta({ description: "Age of the oldest that waits; 0 when none does" }),
      dead: count.meta({ description: "Given up, since the data directory began" }),
    }),
  })
  .meta({ description: "How the gateway is" });

/** In the words of the API, so that it is passed on as it is. */
export type Status = z.output<typeof statusSchema>;

/** What the server adds: whose status it is, and its clock, by which a page can say how old something is. */
export const statusAnswerSchema = statusSchema.extend({ name: z.string(), time: z.iso.datetime() });
export type StatusAnswer = z.output<typeof statusAnswerSchema>;
