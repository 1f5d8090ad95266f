// GET /api/v1/schedules/:schedule/calendar: whole shifts as an iCalendar text, for calendars that subscribe to an address.

import { z } from "zod";
import { wholeShifts } from "../../engine/dispatch/schedule.ts";
import type { EpochMs } from "../../engine/units.ts";
import { CALENDAR_DAYS, ICAL_TYPE, toCalendar } from "../ical.ts";
import { overridesFrom, scheduleNamed } from "../oncall-asking.ts";
import { worldBy } from "../oncall-view.ts";
import { defineRoute, type RouteDeps } from "../route.ts";

const dayMs = 86_400_000;

type CalendarDeps = Pick<RouteDeps, "query" | "plan" | "gateway">;

/** Also what `highwater oncall calendar` writes. @throws Refusal `unknown_schedule` */
export async function calendarOf(deps: CalendarDeps, name: string, now: EpochMs, only: { readonly member?: string }): Promise<string> {
  const [from, to] = [now - CALENDAR_DAYS.before * dayMs, now + CALENDAR_DAYS.after * dayMs];
  const schedule = scheduleNamed(deps, name);
  const world = worldBy(deps.plan(), await overridesFrom(deps, from));
  return toCalendar({ gateway: deps.gateway, schedule: name, ...only, shifts: wholeShifts(schedule, world, from, to), stamp: now });
}

export const scheduleCalendar = defineRoute({
  kind: "answer",
  path: "/api/v1/schedules/:schedule/calendar",
  summary: "An on-call schedule as iCalendar",
  description: `The shifts of the last ${CALENDAR_DAYS.before} and the next ${CALENDAR_DAYS.after} days. 404: \`unknown_schedule\`.`,
  query: z.strictObject({ member: z.string().min(1).meta({ description: "Only the shifts of this one" }).exactOptional() }),
  params: z.strictObject({ schedule: z.string().meta({ description: "Name of the schedule" }) }),
  takesLabels: false,
  answer: z.string(),
  contentType: ICAL_TYPE,
  handle: async (deps, { query, params: { schedule } }) => ({ body: await calendarOf(deps, schedule, deps.now(), query) }),
});
