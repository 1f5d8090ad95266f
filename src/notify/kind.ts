// Why somebody is told, in words: the mark that a subject shows after its state, and one line for whoever reads on.
// A plain transition needs neither. Only what a notification holds is said: that nobody acknowledged is known from its being told again.

import { formatSpan } from "../reasons/format.ts";
import { newOnes } from "./group.ts";
import type { Notification } from "./notification.ts";

/** `again` of `[FIRING critical, again]`; "" where there is nothing to say. */
export function kindMark({ kind, seq }: Notification): string {
  switch (kind) {
    case "transition":
      return "";
    case "announced":
      return seq === 1 ? "was held back" : "still";
    case "repeat":
      return "again";
    case "escalation":
      return "unacknowledged";
    case "flapping":
      return "flapping";
    case "storm":
      return "storm";
    default: {
      const never: never = kind;
      return never;
    }
  }
}

/** Why the alert is told now; "" of a plain transition. What is told again of a latched alert is of when it fired: that it has cleared is said. */
export function kindLine(notification: Notification): string {
  const line = whyNow(notification);
  return line !== "" && notification.isLatched ? `${line} Its condition has cleared since: it stands until somebody resets it.` : line;
}

function whyNow({ kind, seq, state, madeAt, alert, gateway: { flapping } }: Notification): string {
  const lasts = formatSpan(madeAt - alert.startsAt);
  switch (kind) {
    case "transition":
      return "";
    case "announced":
      if (seq > 1) return "It is told anew because it still fires: what held it back is over, or nobody has attended to it for long.";
      return "It was held back until now, by a silence, a shelf, a mute time or another alert, or because nobody was on call. That is over, and it still fires.";
    case "repeat":
      return `Still firing after ${lasts}; nobody has acknowledged it.`;
    case "escalation":
      return `Nobody has acknowledged it, ${lasts} after it fired: you are the next step.`;
    case "flapping":
      return `${
        flapping ? `It has fired ${flapping.firings} times within ${formatSpan(flapping.withinMs)}` : "It fires again and again"
      }: further changes are held back until it is calm. If it still fires then, you are told.`;
    case "storm":
      if (state === "resolved") return "It came in a storm of alerts, which are told together.";
      return "It came in a storm: so many alerts came within so short a time that they are told together. What comes further is told in a while.";
    default: {
      const never: never = kind;
      return never;
    }
  }
}

/** Why a group is told now; "" where its alerts say it by themselves. */
export function groupKindLine(notification: Notification): string {
  const { kind, seq, state, madeAt, receiver, members } = notification;
  const alerts = members?.alerts ?? [];
  const [carrier] = alerts;
  switch (kind) {
    case "transition":
      return "";
    case "escalation":
      return "Not all of it is acknowledged: you are the next step.";
    case "announced":
    case "flapping": {
      if (carrier === undefined) return "";
      return `Of ${carrier.device} (${carrier.alert.rule}): ${kindLine(carrier)}`;
    }
    case "repeat": {
      const first = Math.min(...alerts.filter((each) => each.state === "firing").map((each) => each.alert.startsAt));
      return `Told again because not all of it is acknowledged; the first of it fired ${formatSpan(madeAt - Math.min(first, madeAt))} ago.`;
    }
    case "storm": {
      if (state === "resolved") return "These alerts came in a storm and were told together.";
      const further = "What comes further is told together too, in a while, until it is calm.";
      if (seq > 1) {
        const below = "below is what fires of it, and what has resolved since the last message";
        return newOnes(notification).size > 0 ? `The storm goes on: ${below}. ${further}` : `Nothing new came of the storm: ${below}.`;
      }
      const times = alerts.filter((each) => each.state === "firing").map(({ at }) => at);
      const within = formatSpan(Math.max(1_000, Math.max(...times) - Math.min(...times)));
      return `So many alerts came for ${receiver} within so short a time, ${alerts.length + (members?.more ?? 0)} within ${within}, that they are told together. ${further}`;
    }
    default: {
      const never: never = kind;
      return never;
    }
  }
}
