// GET /api/v1/oncall: who is on call; and of an alert, by its id or its labels, who would be paged for it, and why nobody would.

import { z } from "zod";
import type { Labels } from "../../engine/reading.ts";
import type { EpochMs } from "../../engine/units.ts";
import { LIMIT_MAX, type OverrideView } from "../../storage/query.ts";
import { labelsGiven, overridesFrom, schedulesOf } from "../oncall-asking.ts";
import { dutyOf, dutySchema, worldBy } from "../oncall-view.ts";
import { refusalNamed } from "../operate.ts";
import { completed, pagedRouteSchema, pagedRoutesOf } from "../paged-view.ts";
import { instantSchema } from "../parameter.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE, type RouteDeps } from "../route.ts";
import { silenceOfView, silenceSchema } from "../silence-view.ts";
import { labelsSchema, rfc3339, shelfOfView, shelfSchema, timeSchema } from "../view.ts";

const pagedSchema = z.strictObject({
  labels: labelsSchema.meta({ description: "Those of the alert; given ones are completed by those of its device and its rule" }),
  routes: z.array(pagedRouteSchema).meta({ description: "Those that take it; none: nobody is told" }),
  silences: z.array(silenceSchema).meta({ description: "Those that hide it when it fires" }),
  shelved: shelfSchema.nullable().meta({ description: "Of an alert by its id: as it is now. What is shelved is told to nobody" }),
  until: timeSchema.meta({ description: "Nothing later was looked at" }),
});
export type PagedAnswer = z.output<typeof pagedSchema>;

const answerSchema = z.strictObject({
  at: timeSchema,
  schedules: z.array(dutySchema),
  paged: pagedSchema.nullable().meta({ description: "null where neither an alert nor a label is given" }),
});
export type OncallAnswer = z.output<typeof answerSchema>;

export type OncallDeps = Pick<RouteDeps, "query" | "plan">;
type Asked = { readonly labels: Labels; readonly shelved: PagedAnswer["shelved"] };

/** @throws Refusal `unknown_alert`, `bad_parameter` */
async function askedFor({ query, plan }: OncallDeps, alert: string | undefined, given: Labels): Promise<Asked | undefined> {
  if (alert === undefined) return Object.keys(given).length === 0 ? undefined : { labels: completed(plan(), given), shelved: null };
  if (Object.keys(given).length > 0)
    throw new Refusal(400, "bad_parameter", "alert: comes without labels", "the alert has its own labels; take one of the two");
  const history = await query({ kind: "alert", id: alert });
  if (history === null) throw refusalNamed("unknown_alert");
  const { labels, shelf } = history.alert;
  return { labels, shelved: shelf == null ? null : shelfOfView(shelf) };
}

async function pagedFor({ query, plan }: OncallDeps, { labels, shelved }: Asked, overrides: readonly OverrideView[], at: EpochMs): Promise<PagedAnswer> {
  const { silences } = await query({ kind: "silences", now: at, states: ["active", "pending"], limit: LIMIT_MAX });
  // Dispatch, whole, which neither thread that has this route needs for anything else: it is loaded with the first question.
  const { whoIsPaged } = await import("../../engine/dispatch/paged.ts");
  const paged = whoIsPaged(plan(), { overrides, silences }, labels, at);
  const hiding = silences.filter(({ id }) => paged.silences.includes(id)).map(silenceOfView);
  return { labels, routes: pagedRoutesOf(paged, at), silences: hiding, shelved, until: rfc3339(paged.until) };
}

/** Also what `highwater oncall` prints. @throws Refusal `unknown_alert`, `bad_parameter` */
export async function answerOncall(
  deps: OncallDeps,
  { at, alert, labels }: { readonly at: EpochMs; readonly alert?: string; readonly labels: Labels },
): Promise<OncallAnswer> {
  const asked = await askedFor(deps, alert, labels);
  const overrides = await overridesFrom(deps, at);
  const world = worldBy(deps.plan(), overrides);
  const schedules = schedulesOf(deps).map((schedule) => dutyOf(schedule, world, at));
  return { at: rfc3339(at), schedules, paged: asked === undefined ? null : await pagedFor(deps, asked, overrides, at) };
}

export const oncall = defineRoute({
  kind: "answer",
  path: "/api/v1/oncall",
  summary: "Who is on call, and who would be paged for an alert",
  description:
    "With `alert` or labels: who would be told if an alert of these labels fired then, alone, and nobody acknowledged it. What already stands in its group, " +
    "inhibits it or makes a storm is not in the answer. 404: `unknown_alert`.",
  query: z.strictObject({
    at: instantSchema.exactOptional().meta({ description: "When; default now" }),
    alert: z.string().min(1).max(200).meta({ description: "Id of an alert, as /api/v1/alerts gives it, instead of labels" }).exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { query, labels }) {
    return { body: await answerOncall(deps, { at: deps.now(), ...query, labels: labelsGiven(labels) }) };
  },
});
