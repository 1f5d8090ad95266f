// What became of an alert: its transitions, what people and time did with it, and who was told, or why not.

import type { AlertAnswer } from "../http/routes/alert.ts";
import { formatCause, formatPredicate, withUnit } from "./format.ts";
import { Time } from "./format-time.tsx";

type Props = { readonly answer: AlertAnswer | "unknown" | undefined; readonly now: number; readonly unit: string | null };

export function History({ answer, now, unit }: Props) {
  if (typeof answer !== "object") return <p class="faint">It could not be read.</p>;
  return (
    <div class="history">
      <h4>Transitions</h4>
      <ol>
        {answer.transitions.map(({ ordinal, to, ts, value, reason, evidence }) => (
          <li key={ordinal}>
            <Time at={ts} now={now} /> <b>{to}</b>
            {value === null ? "" : ` at ${withUnit(value, unit)}`}:{" "}
            {reason === "condition" ? `${to === "firing" ? "" : "no longer "}${formatPredicate(evidence.predicate)}` : reason.replace("_", " ")}
          </li>
        ))}
      </ol>
      {answer.events.length > 0 && (
        <>
          <h4>What was done</h4>
          <ol>
            {answer.events.map((event) => (
              <li key={event.at + event.kind}>
                <Time at={event.at} now={now} /> <b>{words[event.kind]}</b>
                {event.by !== "" && ` by ${event.by}`}
                {event.until !== null && (
                  <>
                    {" "}
                    until <Time at={event.until} now={now} />
                  </>
                )}
                {event.text !== "" && `: ${event.text}`}
              </li>
            ))}
          </ol>
        </>
      )}
      <h4>Told to</h4>
      {answer.notifications.length === 0 && <p class="faint">nobody</p>}
      <ul>
        {answer.notifications.map((told) => (
          <li key={told.id}>
            <Time at={told.ended_at ?? told.created_at} now={now} /> {told.receiver}, {told.channel}: {told.state}, <b>{told.disposition}</b>
            <Cause of={told} />
            {told.disposition !== "delivered" && told.attempts > 0 && ` after ${told.attempts} tries`}
            {told.disposition !== "delivered" && told.reason !== null && `: ${told.reason}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What hid it; another alert is a link to it. */
function Cause({ of: { cause } }: { readonly of: AlertAnswer["notifications"][number] }) {
  if (cause?.startsWith("alert:")) {
    return (
      <>
        {" "}
        by <a href={`#/alerts/${encodeURIComponent(cause.slice("alert:".length))}`}>another alert</a>
      </>
    );
  }
  const text = cause === null ? "" : formatCause(cause);
  return text === "" ? null : <> ({text})</>;
}

const words: Readonly<Record<AlertAnswer["events"][number]["kind"], string>> = {
  acknowledged: "acknowledged",
  unacknowledged: "no longer acknowledged",
  commented: "comment",
  shelved: "shelved",
  unshelved: "unshelved",
  shelf_expired: "no longer shelved: its time was over",
  out_of_service: "taken out of service",
  in_service: "returned to service",
  reset: "reset",
  unattended: "unattended: announced again",
};
