// /api/v1/events: the live stream of live.ts. Server-sent events have no JSON schema; the description says what comes.

import { z } from "zod";
import { defineRoute } from "../route.ts";

export const events = defineRoute({
  kind: "stream",
  path: "/api/v1/events",
  summary: "Live stream (server-sent events)",
  description:
    "`status`: as /api/v1/status, every two seconds. `readings`: { series: [ids], ts: [ms], value: [numbers] }, the newest of each series that changed, at most twice a second; all of them first. " +
    "`alert`: { alert, transition, reason } at each transition, without what people did with it (`acked_…`, `shelved`, `allowed`): /api/v1/alerts has that. `beat`: {} when there was nothing else for three seconds. Events have no ids: whoever reconnects is told everything as it is.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.string(),
  contentType: "text/event-stream; charset=utf-8",
});
