// /healthz: the process answers. Says nothing of whether it takes readings; that is /readyz.

import { z } from "zod";
import { defineRoute } from "../route.ts";

export const healthz = defineRoute({
  kind: "answer",
  needs: "public",
  path: "/healthz",
  summary: "Whether the process answers",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.literal("ok\n"),
  contentType: "text/plain; charset=utf-8",
  handle: async () => ({ body: "ok\n" as const }),
});
