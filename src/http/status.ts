// What /api/v1/status and the `status` event say. The composition root gathers it from all threads; this page only
// fixes its words. `readings` has exactly these seven keys and balances.

import { z } from "zod";

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

export const statusSchema = z
  .looseObject({
    version: z.string(),
    started_at: z.iso.datetime(),
    uptime_ms: z.number().min(0),
    readings: booksSchema,
    unmatched: z.array(unmatchedSchema).meta({ description: "Topics that no source matches" }),
    queue: part({}),
    broker: part({ connections: count }),
    journal: part({}),
    outbox: part({ waiting: count, dead: count }),
  })
  .meta({ description: "How the gateway is" });

/** In the words of the API, so that it is passed on as it is. */
export type Status = z.output<typeof statusSchema>;

/** What the server adds: whose status it is, and its clock, by which a page can say how old something is. */
export const statusAnswerSchema = statusSchema.extend({ name: z.string(), time: z.iso.datetime() });
export type StatusAnswer = z.output<typeof statusAnswerSchema>;
