// `schedules` and `escalations` as zod reads them, and with `time_intervals` (interval-schema.ts) the part of the block notify that says who is
// told when. What they make of it for the engine is in oncall-plan.ts; names that must exist are checked in oncall-check.ts.

import { z } from "zod";
import { isDay, type LocalMs, localTime } from "../engine/calendar.ts";
import { durationSchema } from "../engine/duration-schema.ts";
import type { DurationMs } from "../engine/units.ts";
import { minutesOf, type TimeIntervalSettings, timeIntervals, timePattern, weekdayOf, weekdayPattern, zoneText } from "./interval-schema.ts";
import { nameText } from "./name-schema.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
export const dayMs: DurationMs = 24 * hourMs;
/** The longest turn, and the longest override. */
export const longestMs: DurationMs = 366 * dayMs;

const rotationWords = "write daily, weekly, or a duration such as 12h";
const rotation = z.union(
  [
    z.enum(["daily", "weekly"]),
    durationSchema.refine((ms) => ms >= hourMs && ms <= longestMs && ms % minuteMs === 0, {
      error: "a turn lasts from 1h to 366d, in whole minutes",
      params: { hint: rotationWords },
    }),
  ],
  rotationWords,
);

const handoverWords = 'write a time of day such as "09:00", and for a weekly rotation a weekday before it: "mon 09:00"';
const handover = z
  .string(handoverWords)
  .regex(new RegExp(`^(?:(?:${weekdayPattern}) )?${timePattern}$`), handoverWords)
  .transform((text) => ({ weekday: text.includes(" ") ? weekdayOf(text) : null, minutes: minutesOf(text.slice(-5)) }));

const dayWords = "write a date such as 2026-01-05";
const day = z
  .string(dayWords)
  .regex(/^\d{4}-\d\d-\d\d$/, { error: dayWords, abort: true })
  .refine(isDay, { error: "no such date", params: { hint: dayWords } });

const layer = z
  .strictObject({
    members: z.array(nameText).min(1).max(100).meta({ description: "Receivers, in the order of their turns" }),
    rotation: rotation.prefault("weekly").meta({ description: "How long a turn is: daily, weekly, or a duration from 1h to 366d" }),
    handover: handover.exactOptional().meta({ description: "Local time at which turns begin, with a weekday when weekly; default 09:00, on mondays" }),
    start: day.meta({ description: "Local date from whose handover time on the layer counts, with its first member" }),
    active: nameText.exactOptional().meta({ description: "Time interval in which alone the layer counts; default: always" }),
  })
  .superRefine(({ rotation: turn, handover: at }, context) => {
    if (at === undefined || (turn === "weekly") === (at.weekday !== null)) return;
    const [message, hint] =
      turn === "weekly"
        ? ["a weekly rotation is handed over on a weekday", 'write one before the time, such as "mon 09:00"']
        : ["a weekday belongs to a weekly rotation", 'write the time alone, such as "09:00"'];
    context.addIssue({ code: "custom", path: ["handover"], message, params: { hint } });
  });

export type Moment = { readonly local: LocalMs /** Null is by the schedule's zone. */; readonly eastMs: DurationMs | null };

const momentWords = "write a local time such as 2026-12-24T08:00, or one with an offset such as 2026-12-24T08:00+01:00";
const moment = z
  .string(momentWords)
  .regex(/^\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/, { error: momentWords, abort: true })
  .refine((text) => isDay(text.slice(0, 10)), { error: "no such date", params: { hint: momentWords } })
  .transform((text): Moment => {
    const [, seconds = "0", zone] = /^.{16}(?::(\d\d))?(.*)$/.exec(text) as RegExpExecArray;
    const local = localTime(text.slice(0, 10), minutesOf(text.slice(11, 16))) + Number(seconds) * 1_000;
    if (zone === undefined || zone === "") return { local, eastMs: null };
    const east = zone === "Z" ? 0 : minutesOf(zone.slice(1)) * minuteMs;
    return { local, eastMs: zone.startsWith("-") ? -east : east };
  });

const override = z.strictObject({
  member: nameText.meta({ description: "Receiver who is on call instead" }),
  from: moment.meta({ description: "Local time of the schedule's zone, or with an offset" }),
  to: moment.meta({ description: "Until then, without it; at most 366 days after from" }),
  why: z.string().max(500).exactOptional().meta({ description: "Shown with it" }),
});

const schedule = z.strictObject({
  name: nameText.meta({ description: "Unique among receivers, schedules and escalations; routes and escalations name it" }),
  timezone: zoneText.exactOptional().meta({ description: "IANA zone of its dates and handovers; default: gateway.timezone" }),
  layers: z.array(layer).min(1).max(20).meta({ description: "Who is on call; later layers win over earlier ones where they are active" }),
  overrides: z
    .array(override)
    .max(1_000)
    .prefault([])
    .meta({ description: "Who is on call instead, for a time; they win over all layers, the last listed first" }),
});

const step = z.strictObject({
  notify: z.array(nameText).min(1).max(100).meta({ description: "Receivers and schedules who are told" }),
  wait: durationSchema.prefault("10m").meta({ description: "How long until the next step; of the last step until the first is gone through again" }),
});

const escalation = z.strictObject({
  name: nameText.meta({ description: "Unique among receivers, schedules and escalations; routes name it" }),
  steps: z.array(step).min(1).max(50).meta({ description: "Who is told after whom, until somebody acknowledges" }),
  repeat: z.int().min(0).max(100).default(0).meta({ description: "How many times all steps are gone through again" }),
});

/** Keys of the block notify. */
export const oncallShape = {
  time_intervals: timeIntervals,
  schedules: z.array(schedule).max(1_000).prefault([]).meta({ description: "Who is on call when; routes and escalations name them like receivers" }),
  escalations: z
    .array(escalation)
    .max(1_000)
    .prefault([])
    .meta({ description: "Who is told after whom when nobody acknowledges; routes name them like receivers" }),
};

export type LayerSettings = z.output<typeof layer>;
export type ScheduleSettings = z.output<typeof schedule>;
export type EscalationSettings = z.output<typeof escalation>;
export type OncallSettings = {
  readonly time_intervals: readonly TimeIntervalSettings[];
  readonly schedules: readonly ScheduleSettings[];
  readonly escalations: readonly EscalationSettings[];
};
