// DELETE /api/v1/silences/:id: it ends now. It stays in the list, as over.

import { z } from "zod";
import { askingOf, operateOrRefuse, refusalNamed } from "../operate.ts";
import { whySchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { silenceOfId, silenceSchema } from "../silence-view.ts";

export const silenceEnd = defineRoute({
  kind: "answer",
  method: "delete",
  path: "/api/v1/silences/:id",
  summary: "End a silence before its time",
  description: "What it hid and still fires is announced. 404: `unknown_silence`; 409: `silence_over`.",
  query: z.strictObject({ why: whySchema.exactOptional() }),
  params: z.strictObject({ id: z.string().meta({ description: "As /api/v1/silences gives it" }) }),
  takesLabels: false,
  answer: z.strictObject({ silence: silenceSchema }),
  contentType: JSON_TYPE,
  async handle(deps, { query: { why }, params: { id }, caller }) {
    if (caller === undefined) throw new Error("the server says who asks");
    const { state } = await silenceOfId(deps, id);
    if (state === "expired") throw refusalNamed("silence_over");
    await operateOrRefuse(deps, askingOf(caller, why), { kind: "end_silence", id });
    return { body: { silence: await silenceOfId(deps, id) } };
  },
});
