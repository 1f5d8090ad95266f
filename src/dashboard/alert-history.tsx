// What became of an alert: why it stands as it does, its transitions, what people and time did with it, and who was told, or why not.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AlertAnswer } from "../http/routes/alert.ts";
import type { ExplainBody } from "../http/routes/explain.ts";
import { formatCause, formatPredicate, withUnit } from "./format.ts";
import { Time } from "./format-time.tsx";
import type { Store } from "./store.ts";

type Props = { readonly answer: AlertAnswer | "unknown" | undefined; readonly now: number; readonly unit: string | null; readonly store: Store };

export function History({ answer, now, unit, store }: Props) {
  const explained = useSignal<ExplainBody | undefined>(undefined);
  useEffect(() => {
    let isGone = false;
    const id = typeof answer === "object" ? answer.alert.id : null;
    if (id !== null)
      store.askExplanation(id).then(
        (found) => {
          if (!isGone) explained.value = found;
        },
        () => undefined,
      );
    return () => {
      isGone = true;
    };
  }, [answer]);
  if (typeof answer !== "object") return <p class="faint">It could not be read.</p>;
  return (
    <div class="history">
      {explained.value !== undefined && explained.value.lines.length > 0 && (
        <>
          <h4>Why</h4>
          {explained.value.lines.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </>
      )}
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
            <Time at={told.ended_at ?? told.created_at} now={now} /> <b>{told.state}</b>: {textOf(explained.value, told)}
            <Inhibitor cause={told.cause} />
          </li>
        ))}
      </ul>
    </div>
  );
}

type Told = AlertAnswer["notifications"][number];

/** What became of a notification: in a sentence, once it is known. */
function textOf(explained: ExplainBody | undefined, { id, receiver, channel, disposition, cause }: Told): string {
  const words = cause === null ? "" : formatCause(cause);
  const inShort = `${receiver}, ${channel}: ${disposition}${words === "" ? "" : ` (${words})`}`;
  return explained?.notifications.find((each) => each.id === id)?.text ?? inShort;
}

/** The alert that hid it, as a link. */
function Inhibitor({ cause }: { readonly cause: string | null }) {
  if (cause?.startsWith("alert:") !== true) return null;
  return (
    <>
      {" "}
      <a href={`#/alerts/${encodeURIComponent(cause.slice("alert:".length))}`}>Look at that alert</a>
    </>
  );
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
  rebuilt: "rebuilt",
};
