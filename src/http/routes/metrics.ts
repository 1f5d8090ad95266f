// /metrics: Prometheus' text format, of all threads.

import { z } from "zod";
import { defineRoute } from "../route.ts";

export const metrics = defineRoute({
  kind: "answer",
  needs: "metrics",
  path: "/metrics",
  summary: "Metrics in Prometheus' text format",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.string(),
  contentType: "text/plain; version=0.0.4; charset=utf-8",
  handle: async (deps) => ({ body: await deps.metricsText() }),
});
