// GET /api/v1/schedules: the shifts of on-call schedules in a range, and the gaps in which nobody is on call.

import { z } from "zod";
import { overridesFrom, scheduleNamed, schedulesOf } from "../oncall-asking.ts";
import { AHEAD_MS, scheduleOf, scheduleSchema, worldBy } from "../oncall-view.ts";
import { instantSchema } from "../parameter.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { rfc3339, timeSchema } from "../view.ts";

const DAYS_MAX = 92;

const answerSchema = z.strictObject({ from: timeSchema, to: timeSchema, schedules: z.array(scheduleSchema) });
export type Schedules = z.output<typeof answerSchema>;

export const schedules = defineRoute({
  kind: "answer",
  path: "/api/v1/schedules",
  summary: "Shifts and gaps of on-call schedules",
  description: `At most ${DAYS_MAX} days in one answer. 404: \`unknown_schedule\`.`,
  query: z.strictObject({
    from: instantSchema.exactOptional().meta({ description: "Inclusive; default now" }),
    to: instantSchema.exactOptional().meta({ description: "Exclusive; default 30 days after `from`" }),
    schedule: z.string().min(1).meta({ description: "Only this one" }).exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { query: { from = deps.now(), to = from + AHEAD_MS, schedule } }) {
    if (to <= from || to - from > DAYS_MAX * 86_400_000)
      throw new Refusal(400, "bad_parameter", `to: must be after from, by at most ${DAYS_MAX} days`, "ask for the rest by itself");
    const world = worldBy(deps.plan(), await overridesFrom(deps, from));
    const wanted = schedule === undefined ? schedulesOf(deps) : [scheduleNamed(deps, schedule)];
    return { body: { from: rfc3339(from), to: rfc3339(to), schedules: wanted.map((each) => scheduleOf(each, world, from, to)) } };
  },
});
