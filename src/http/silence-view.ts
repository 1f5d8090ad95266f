// The API's words for silences and for what is shelved. Matchers are written as they were given: one pattern as text, several as a list.

import { z } from "zod";
import { type ShelfView, type SilenceView, silenceStates } from "../storage/query.ts";
import { refusalNamed } from "./operate.ts";
import type { RouteDeps } from "./route.ts";
import { labelsSchema, rfc3339, shelfOfView, shelfSchema, timeSchema } from "./view.ts";

export const silenceSchema = z.strictObject({
  id: z.string(),
  state: z.enum(silenceStates),
  matchers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).meta({ description: "All of them match" }),
  starts_at: timeSchema,
  ends_at: timeSchema,
  by: z.string(),
  why: z.string(),
  created_at: timeSchema,
  ended_by: z.string().nullable().meta({ description: "Who ended it before its time" }),
});
export type Silence = z.output<typeof silenceSchema>;

export const silenceOfView = ({ id, state, matchers, startsAt, endsAt, by, why, createdAt, endedBy }: SilenceView): Silence => ({
  id,
  state,
  matchers: Object.fromEntries(matchers.map(({ label, patterns: [first = "", ...more] }) => [label, more.length === 0 ? first : [first, ...more]])),
  starts_at: rfc3339(startsAt),
  ends_at: rfc3339(endsAt),
  by,
  why,
  created_at: rfc3339(createdAt),
  ended_by: endedBy,
});

/** @throws Refusal `unknown_silence` */
export async function silenceOfId({ query, now }: Pick<RouteDeps, "query" | "now">, id: string): Promise<Silence> {
  const [silence] = (await query({ kind: "silences", now: now(), id })).silences;
  if (silence === undefined) throw refusalNamed("unknown_silence");
  return silenceOfView(silence);
}

export const shelvedSchema = z.strictObject({
  rule: z.string(),
  labels: labelsSchema.meta({ description: "Of the alert when it was shelved" }),
  ...shelfSchema.shape,
  alert: z.string().nullable().meta({ description: "Id of its newest occurrence: by it the alert is unshelved; null where none is kept" }),
  state: z.enum(["firing", "recovering", "resolved"]).nullable().meta({ description: "Of that occurrence" }),
});
export type Shelved = z.output<typeof shelvedSchema>;

export const shelvedOfView = (view: ShelfView): Shelved => ({
  rule: view.rule,
  labels: view.labels,
  ...shelfOfView(view),
  alert: view.alert,
  state: view.state,
});
