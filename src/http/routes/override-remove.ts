// DELETE /api/v1/overrides/:id: the layers of the schedule say again who is on call.

import { z } from "zod";
import { overridesFrom } from "../oncall-asking.ts";
import { overrideOf, overrideSchema } from "../oncall-view.ts";
import { askingOf, operateOrRefuse, refusalNamed } from "../operate.ts";
import { whySchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const overrideRemove = defineRoute({
  kind: "answer",
  method: "delete",
  path: "/api/v1/overrides/:id",
  summary: "Take an override away before its end",
  description: "Who was told by it stays told. Those of the config are changed there. 404: `unknown_override`.",
  query: z.strictObject({ why: whySchema.exactOptional() }),
  params: z.strictObject({ id: z.string().meta({ description: "As /api/v1/overrides gives it" }) }),
  takesLabels: false,
  answer: z.strictObject({ override: overrideSchema }),
  contentType: JSON_TYPE,
  async handle(deps, { query: { why }, params: { id }, caller }) {
    if (caller === undefined) throw new Error("the server says who asks");
    const override = (await overridesFrom(deps, deps.now())).find((each) => each.id === id);
    if (override === undefined) throw refusalNamed("unknown_override");
    const asking = askingOf(caller, why);
    await operateOrRefuse(deps, asking, { kind: "remove_override", id });
    return { body: { override: { ...overrideOf(override), removed_by: asking.by } } };
  },
});
