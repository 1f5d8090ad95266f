// What people ask of the engine. A command is journaled like every other input, and answered with what the step gives; one that is not
// legal changes nothing and says why by name.

import type { LabelMatcher } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { EpochMs } from "../units.ts";

/** An occurrence, active or over, as the store knows it: shelves outlive occurrences. */
export type AlertName = { readonly id: string; readonly rule: string; readonly subject: string; readonly labels: Labels };

export type Command =
  | { readonly kind: "acknowledge"; readonly alert: string; readonly note: string }
  | { readonly kind: "unacknowledge"; readonly alert: string; readonly note: string }
  | { readonly kind: "comment"; readonly alert: string; readonly text: string }
  /** `until: null`: until it clears, for as long as anything may be shelved. */
  | { readonly kind: "shelve"; readonly alert: AlertName; readonly until: EpochMs | null; readonly why: string }
  | { readonly kind: "unshelve"; readonly alert: AlertName; readonly why: string }
  | { readonly kind: "take_out_of_service"; readonly alert: AlertName; readonly why: string }
  | { readonly kind: "return_to_service"; readonly alert: AlertName; readonly why: string }
  | { readonly kind: "reset"; readonly alert: string; readonly note: string }
  | { readonly kind: "silence"; readonly matchers: readonly LabelMatcher[]; readonly startsAt: EpochMs; readonly endsAt: EpochMs; readonly why: string }
  | { readonly kind: "end_silence"; readonly id: string }
  | { readonly kind: "override"; readonly schedule: string; readonly member: string; readonly from: EpochMs; readonly to: EpochMs; readonly why: string }
  | { readonly kind: "remove_override"; readonly id: string };

export type RefusalCode =
  | "unknown_alert"
  | "not_active"
  | "already_acknowledged"
  | "not_acknowledged"
  | "already_shelved"
  | "not_shelved"
  | "shelved_too_long"
  | "already_out_of_service"
  | "not_out_of_service"
  | "still_active"
  | "unknown_silence"
  | "silence_over"
  | "span_empty"
  | "too_many"
  | "unknown_schedule"
  | "unknown_member"
  | "override_too_long"
  | "unknown_override";

/** `id`: of what was made. */
export type CommandAnswer =
  | { readonly kind: "done"; readonly id: string | null }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly message: string; readonly hint: string };
