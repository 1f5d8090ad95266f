// /openapi.json: this API, for machines.

import { z } from "zod";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const openapi = defineRoute({
  kind: "answer",
  path: "/openapi.json",
  summary: "This API as OpenAPI 3.1",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.looseObject({ openapi: z.string() }),
  contentType: JSON_TYPE,
  handle: async (deps) => ({ body: deps.openapi() as never }),
});
