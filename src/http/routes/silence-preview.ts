// POST /api/v1/silences/preview: which active alerts a silence would hide now. It changes nothing, and whoever reads may ask.

import { z } from "zod";
import { ACT_BYTES_MAX } from "../alert-act.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { matchesEverything, silenceMatchersSchema } from "../silence-matchers.ts";
import { alertOfView, alertSchema } from "../view.ts";

/** Alerts that are given; all are counted. */
const SHOWN_MAX = 100;

const answerSchema = z.strictObject({
  count: z.int().min(0),
  everything: z.boolean().meta({ description: "It would match every alert, or nearly: to make it takes `all: true`" }),
  alerts: z.array(alertSchema).meta({ description: `The newest ${SHOWN_MAX}` }),
});
export type SilencePreview = z.output<typeof answerSchema>;

export const silencePreview = defineRoute({
  kind: "answer",
  method: "post",
  needs: "read",
  path: "/api/v1/silences/preview",
  summary: "Which active alerts a silence would hide now",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: z.strictObject({ matchers: silenceMatchersSchema }),
  bodyBytesMax: ACT_BYTES_MAX,
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { body }) {
    if (body === undefined) throw new Error("the server hands over what was posted");
    const { matchers } = body;
    const { count, alerts } = await deps.query({ kind: "silenced", matchers, limit: SHOWN_MAX });
    return { body: { count, everything: matchesEverything(matchers), alerts: alerts.map(alertOfView) } };
  },
});
