// /api/v1/performance: how alarms performed in a span of time, against the targets of the config.

import { z } from "zod";
import { instantSchema } from "../parameter.ts";
import { performanceOfView, performanceSchema } from "../performance-view.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const performance = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/performance",
  summary: "Alarm performance: rates, floods, bad actors, acknowledgement, priority mix, each against its target",
  description: "Of the last 24 hours, or of `from`, inclusive, to `to`, exclusive. Labels of alerts filter what is counted.",
  query: z.strictObject({
    from: instantSchema.exactOptional(),
    to: instantSchema.exactOptional(),
    rule: z.string().min(1).meta({ description: "Name of the rule" }).exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: performanceSchema,
  contentType: JSON_TYPE,
  handle: async (deps, { query, labels }) => ({ body: performanceOfView(await deps.query({ kind: "performance", labels, ...query })) }),
});
