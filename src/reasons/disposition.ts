// What became of one notification, in a plain sentence: delivered, waiting, told with others, or hidden, and by what. From the outbox
// row and from what its `cause` names; what is not known any more is named by its key alone.

import type { NotificationExplained } from "../storage/explain-query.ts";
import { subjectWords } from "./explain-lines.ts";
import { formatInstant, formatSpan, oneLine } from "./format.ts";

/** @param timezone IANA name of the gateway's zone */
export function dispositionText(told: NotificationExplained, timezone: string): string {
  const instant = (ts: number): string => formatInstant(ts, timezone);
  const { disposition, endedAt, attempts, reason } = told;
  const where = `${told.receiver} by ${told.channel}`;
  switch (disposition) {
    case "delivered":
      return `Delivered to ${where}${endedAt === null ? "" : ` at ${instant(endedAt)}`}, ${attempts <= 1 ? "at the first attempt" : `after ${attempts} attempts`}.`;
    case "waiting":
      return waitingText(told, where, instant);
    case "dead":
      return `Given up${endedAt === null ? "" : ` at ${instant(endedAt)}`}: ${oneLine(reason ?? "no reason was written down")}. ${told.receiver} was not told by ${told.channel}.`;
    case "grouped":
      return groupedText(told, instant);
    case "silenced":
    case "inhibited":
    case "muted":
    case "shelved":
      return `Not sent to ${where}: ${causeText(told, instant)}.`;
    default:
      return `${disposition}${told.cause === null ? "" : `, because of ${told.cause}`}.`;
  }
}

type Instant = (ts: number) => string;

function waitingText({ heldUntil, attempts, nextAt, reason, cause, createdAt, members }: NotificationExplained, where: string, instant: Instant): string {
  if (heldUntil !== null) {
    const why = cause?.startsWith("alert:")
      ? `for what may hide it, the alert ${cause.slice("alert:".length)}`
      : "for others of its group, or for what may hide it";
    return `Not sent to ${where} yet: it is held until ${instant(heldUntil)} ${why}.`;
  }
  const many = members > 1 ? ` It tells of ${members} transitions.` : "";
  if (attempts === 0) return `It waits since ${instant(createdAt)} to be sent to ${where}.${many}`;
  const failed = `${attempts} attempt${attempts === 1 ? "" : "s"} failed${reason === null ? "" : ` (${oneLine(reason)})`}`;
  return `${failed}; it will be tried again for ${where} at ${instant(nextAt)}.${many}`;
}

function groupedText({ cause, other, receiver, channel }: NotificationExplained, instant: Instant): string {
  const [kind, id] = splitCause(cause);
  const carrier = `notification ${id}${other === null ? "" : `, which ${endText(other, instant)}`}`;
  switch (kind) {
    case "notification":
      return `Told to ${receiver} by ${channel} together with others, in ${carrier}.`;
    case "storm":
      return `Not sent by itself to ${receiver} by ${channel}: too many alerts came at once; the storm is told in ${carrier}.`;
    case "flapping":
      return `Not sent by itself to ${receiver} by ${channel}: it fires again and again, which the notification of ${id} said; further ones are held back until it is calm.`;
    case "wait":
      return `Not sent to ${receiver} by ${channel}: it resolved before its wait was over, and ${receiver} had not been told that it fired.`;
    default:
      return `Not sent by itself to ${receiver} by ${channel}${cause === null ? "" : `: ${cause}`}.`;
  }
}

function endText({ disposition, endedAt }: NonNullable<NotificationExplained["other"]>, instant: Instant): string {
  if (disposition === "delivered") return `was delivered${endedAt === null ? "" : ` at ${instant(endedAt)}`}`;
  return disposition === "waiting" ? "waits to be sent" : disposition === "dead" ? "was given up" : `is ${disposition}`;
}

/** What hid it, without a full stop. */
function causeText({ cause, silence, alert, shelf, ack }: NotificationExplained, instant: Instant): string {
  const [kind, id] = splitCause(cause);
  const until = (at: number | null): string => (at === null ? "" : ` until ${instant(at)}`);
  const why = (text: string): string => (text === "" ? "" : `: ${oneLine(text)}`);
  switch (kind) {
    case "silence":
      return silence === null
        ? `it was silenced, by silence ${id}`
        : `it was silenced${until(silence.endsAt)} by ${silence.by}${why(silence.why)} (silence ${id})`;
    case "alert": {
      if (alert === null) return `the alert ${id} hides it`;
      const fired = `fired at ${instant(alert.firedAt)}`;
      return `the alert ${alert.rule} on ${oneLine(subjectWords(alert.subject))} hides it (${id}, ${fired}${alert.resolvedAt === null ? "" : `, resolved ${formatSpan(alert.resolvedAt - alert.firedAt)} later`})`;
    }
    case "interval":
      return `its route tells nobody then, by the time interval ${id}`;
    case "shelf":
      return shelf === null ? `it was shelved (${id})` : `it was shelved${until(shelf.until)} by ${shelf.by}${why(shelf.why)}`;
    case "out_of_service":
      return shelf === null ? `it was out of service (${id})` : `it was out of service${until(shelf.until)}, by ${shelf.by}${why(shelf.why)}`;
    case "acknowledged":
      return ack === null ? "it was acknowledged" : `it was acknowledged by ${ack.by}${ack.at === null ? "" : ` at ${instant(ack.at)}`}${why(ack.note)}`;
    default:
      return cause ?? "what hid it was not written down";
  }
}

/** `silence:ID` as its two parts; a cause of one word has no id. */
export function splitCause(cause: string | null): readonly [kind: string, id: string] {
  const colon = cause?.indexOf(":") ?? -1;
  return cause === null || colon < 0 ? [cause ?? "", ""] : [cause.slice(0, colon), cause.slice(colon + 1)];
}
