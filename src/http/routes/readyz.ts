// /readyz: whether the gateway takes readings now, and if not, why.

import { z } from "zod";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const readyz = defineRoute({
  kind: "answer",
  needs: "public",
  path: "/readyz",
  summary: "Whether the gateway takes readings",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ ready: z.boolean(), reasons: z.array(z.string()).meta({ description: "Why not" }) }),
  contentType: JSON_TYPE,
  unwell: "It takes none now; `reasons` says why",
  async handle(deps) {
    const { ready, reasons } = deps.ready();
    return { status: ready ? 200 : 503, body: { ready, reasons } };
  },
});
