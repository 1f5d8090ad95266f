// GET /api/v1/overrides: who stands in for whom, given at run time; those of the config are not among them.

import { z } from "zod";
import { overrideOf, overrideSchema } from "../oncall-view.ts";
import { limitSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const overrides = defineRoute({
  kind: "answer",
  path: "/api/v1/overrides",
  summary: "Overrides of on-call schedules that are not over, by their end",
  query: z.strictObject({ schedule: z.string().min(1).meta({ description: "Only of this one" }).exactOptional(), limit: limitSchema }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ overrides: z.array(overrideSchema) }),
  contentType: JSON_TYPE,
  async handle(deps, { query }) {
    const { overrides: found } = await deps.query({ kind: "overrides", now: deps.now(), ...query });
    return { body: { overrides: found.map(overrideOf) } };
  },
});
