// What somebody may do to one alert: `POST /api/v1/alerts/:id/ACT`. The act is journaled and committed before it is answered, with the
// alert as it is then. An act that its state does not allow is refused by name.

import { z } from "zod";
import type { AlertName, Command } from "../engine/dispatch/command.ts";
import type { EpochMs } from "../engine/units.ts";
import { askingOf, operateOrRefuse, refusalNamed } from "./operate.ts";
import { defineRoute, JSON_TYPE, type Route, type RouteDeps } from "./route.ts";
import { alertOfView, alertParams, alertSchema } from "./view.ts";

/** Characters of a note or a comment. */
const NOTE_CHARS_MAX = 2000;
/** What people write may be up to four bytes a character, or as many as JSON's escapes take. */
export const ACT_BYTES_MAX = 16_384;

export const noteSchema = z
  .string()
  .trim()
  .max(NOTE_CHARS_MAX)
  .meta({ description: `At most ${NOTE_CHARS_MAX} characters` });
/** Of what hides alerts: whoever looks for them later wants to know. */
export const reasonSchema = z
  .string()
  .trim()
  .min(1, "says why")
  .max(500)
  .meta({ description: "Why; others read it beside what is hidden, and in the audit log" });

/** What may be done without a word. */
export const noteBody = z.strictObject({ note: noteSchema.default("") }).prefault({});
export const whyBody = z.strictObject({ why: noteSchema.max(500).default("") }).prefault({});

type Act<Body extends z.ZodType> = {
  /** The last part of the path. */
  readonly act: string;
  readonly summary: string;
  readonly description: string;
  readonly body: Body;
  commandOf(given: z.output<Body>, alert: AlertName, now: EpochMs): Command;
};

export const defineAlertAct = <Body extends z.ZodType>({ act, summary, description, body, commandOf }: Act<Body>): Route =>
  defineRoute({
    kind: "answer",
    method: "post",
    path: `/api/v1/alerts/:id/${act}`,
    summary,
    description,
    query: z.strictObject({}),
    params: alertParams,
    body,
    bodyBytesMax: ACT_BYTES_MAX,
    takesLabels: false,
    answer: z.strictObject({ alert: alertSchema }),
    contentType: JSON_TYPE,
    async handle(deps, { params: { id }, body: given, caller }) {
      if (caller === undefined) throw new Error("the server says who asks");
      const name = await nameOf(deps, id);
      await operateOrRefuse(deps, askingOf(caller), commandOf(given as z.output<Body>, name, deps.now()));
      const after = await deps.query({ kind: "alert", id });
      if (after === null) throw refusalNamed("unknown_alert");
      return { body: { alert: alertOfView(after.alert) } };
    },
  });

/** Also of an alert that is over: what is shelved stays so. */
async function nameOf({ query }: Pick<RouteDeps, "query">, id: string): Promise<AlertName> {
  const found = await query({ kind: "alert", id });
  if (found === null) throw refusalNamed("unknown_alert");
  const { rule, labels } = found.alert;
  return { id, rule, subject: found.subject, labels };
}
