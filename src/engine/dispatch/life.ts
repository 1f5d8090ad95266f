// What may be done to an alert in which state: one table, from which the commands, the tests and docs/reference/alert-states.md come.
// Three axes: the condition, the acknowledgement, and whether it is shelved or out of service.

import type { RefusalCode } from "./command.ts";

/** `over`: resolved, or an occurrence that is long gone. */
export const conditions = ["firing", "recovering", "latched", "over"] as const;
export const shelvings = ["none", "timed", "until_clear", "out_of_service"] as const;
export const lifeEvents = [
  "acknowledge",
  "unacknowledge",
  "comment",
  "shelve",
  "shelve_until_clear",
  "unshelve",
  "take_out_of_service",
  "return_to_service",
  "reset",
] as const;
export type LifeEvent = (typeof lifeEvents)[number];

export type LifeState = {
  readonly condition: (typeof conditions)[number];
  readonly isAcknowledged: boolean;
  readonly shelving: (typeof shelvings)[number];
};

/** @returns why the event is not legal in this state; undefined where it is */
export function refusalOf({ condition, isAcknowledged, shelving }: LifeState, event: LifeEvent): RefusalCode | undefined {
  const isOver = condition === "over";
  switch (event) {
    case "acknowledge":
      if (isOver) return "not_active";
      return isAcknowledged ? "already_acknowledged" : undefined;
    case "unacknowledge":
      if (isOver) return "not_active";
      return isAcknowledged ? undefined : "not_acknowledged";
    case "comment":
      return isOver ? "not_active" : undefined;
    case "shelve":
    case "shelve_until_clear":
      if (shelving === "out_of_service") return "already_out_of_service";
      if (shelving !== "none") return "already_shelved";
      return isOver && event === "shelve_until_clear" ? "not_active" : undefined;
    case "unshelve":
      return shelving === "timed" || shelving === "until_clear" ? undefined : "not_shelved";
    case "take_out_of_service":
      return shelving === "out_of_service" ? "already_out_of_service" : undefined;
    case "return_to_service":
      return shelving === "out_of_service" ? undefined : "not_out_of_service";
    case "reset":
      if (condition === "latched") return undefined;
      return isOver ? "not_active" : "still_active";
    default: {
      const never: never = event;
      return never;
    }
  }
}

/** What a refusal says to people. */
export const refusals: Readonly<Record<RefusalCode, { readonly message: string; readonly hint: string }>> = {
  unknown_alert: { message: "there is no alert of this id", hint: "ids are listed at /api/v1/alerts, and by `highwater alerts`" },
  not_active: { message: "the alert is over", hint: "what is over cannot be acknowledged, commented or reset" },
  already_acknowledged: { message: "the alert is acknowledged already", hint: "take that back first, or add a comment" },
  not_acknowledged: { message: "the alert is not acknowledged", hint: "there is nothing to take back" },
  already_shelved: { message: "the alert is shelved already", hint: "unshelve it first" },
  not_shelved: { message: "the alert is not shelved", hint: "what is out of service is returned to service instead" },
  shelved_too_long: { message: "nothing may be shelved for so long", hint: "notify.shelve_max says how long; take it out of service for maintenance" },
  already_out_of_service: { message: "the alert is out of service", hint: "return it to service first" },
  not_out_of_service: { message: "the alert is in service", hint: "what is shelved is unshelved instead" },
  still_active: { message: "the condition still holds", hint: "a latched alert can be reset once its condition has cleared" },
  unknown_silence: { message: "there is no silence of this id", hint: "ids are listed by `highwater silence list`" },
  silence_over: { message: "the silence is over already", hint: "there is nothing to end" },
  span_empty: { message: "it would end before it begins, or is over already", hint: "give an end that is later than the beginning and than now" },
  too_many: { message: "there are too many already", hint: "end some that are no longer needed" },
  unknown_schedule: { message: "there is no schedule of this name", hint: "schedules are those of notify.schedules" },
  unknown_member: { message: "there is no receiver of this name", hint: "receivers are those of notify.receivers" },
  override_too_long: { message: "an override lasts at most a year", hint: "change the schedule in the config instead" },
  unknown_override: { message: "there is no override of this id", hint: "ids are listed by `highwater oncall overrides`" },
};
