// What may be done to an alert, as the gateway allows it in its state; and for everybody who attends to it and what hides it.
// Whoever may only read sees no buttons.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { Alert } from "../http/routes/alerts.ts";
import { ActForm } from "./act-form.tsx";
import type { Sent } from "./api.ts";
import { formatCause } from "./format.ts";
import { Time } from "./format-time.tsx";
import type { Store } from "./store.ts";

type Event = Alert["allowed"][number];
type Act = {
  readonly event: Event;
  /** Of the path. */
  readonly act: string;
  readonly name: string;
  readonly field: "note" | "text" | "why";
  readonly label: string;
  readonly required?: true;
};

const acts: readonly Act[] = [
  { event: "acknowledge", act: "ack", name: "Acknowledge", field: "note", label: "Note" },
  { event: "unacknowledge", act: "unack", name: "Unacknowledge", field: "note", label: "Note" },
  { event: "reset", act: "reset", name: "Reset", field: "note", label: "Note" },
  { event: "comment", act: "comment", name: "Comment", field: "text", label: "Comment", required: true },
  { event: "shelve", act: "shelve", name: "Shelve", field: "why", label: "Why is it shelved?", required: true },
  { event: "unshelve", act: "unshelve", name: "Unshelve", field: "why", label: "Why" },
  { event: "take_out_of_service", act: "out-of-service", name: "Take out of service", field: "why", label: "Why is it taken out of service?", required: true },
  { event: "return_to_service", act: "in-service", name: "Return to service", field: "why", label: "Why" },
];

const NOTE_CHARS_MAX = 2000;
const WHY_CHARS_MAX = 500;
const spans: readonly (readonly [duration: string, name: string])[] = [
  ["30m", "30 minutes"],
  ["2h", "2 hours"],
  ["8h", "8 hours"],
];
const UNTIL_CLEAR = "until_clear";

/** @param done is called after each act that was carried out */
export function Acts({ alert, store, done }: { alert: Alert; store: Store; done: () => void }) {
  const open = useSignal<Event | undefined>(undefined);
  const group = useRef<HTMLDivElement>(null);
  if (!store.mayOperate.value || alert.id === null) return null;
  const offered = acts.filter(({ event }) => alert.allowed.includes(event));
  const act = offered.find(({ event }) => event === open.value);
  const close = (isDone: boolean): void => {
    open.value = undefined;
    group.current?.focus();
    if (isDone) done();
  };
  const send = (given: Act, text: string, pressed: string): Promise<Sent<unknown>> => {
    const span = given.act !== "shelve" ? {} : pressed === UNTIL_CLEAR ? { until_clear: true } : { duration: pressed };
    return store.act("POST", `/api/v1/alerts/${encodeURIComponent(alert.id ?? "")}/${given.act}`, { [given.field]: text, ...span });
  };
  return (
    <div class="acts" role="group" aria-label={`Acts on ${alert.rule}, ${alert.labels.device ?? ""}`} tabIndex={-1} ref={group}>
      <div class="buttons">
        {offered.map(({ event, name }) => (
          <button key={event} type="button" aria-expanded={open.value === event} onClick={() => (open.value = open.value === event ? undefined : event)}>
            {name}
          </button>
        ))}
        {alert.state !== "resolved" && (
          <a class="button" href={`#/silences?${silenceOf(alert)}`}>
            Silence …
          </a>
        )}
      </div>
      {act !== undefined && (
        <ActForm
          key={act.event}
          label={act.label}
          required={act.required ?? false}
          charsMax={act.field === "why" ? WHY_CHARS_MAX : NOTE_CHARS_MAX}
          send={(text, pressed) => send(act, text, pressed)}
          close={close}
        >
          {act.act === "shelve" ? <Spans isActive={alert.allowed.includes("shelve_until_clear")} /> : <Submit>{act.name}</Submit>}
        </ActForm>
      )}
    </div>
  );
}

function Submit({ children }: { children: ComponentChildren }) {
  return (
    <button type="submit" class="main">
      {children}
    </button>
  );
}

function Spans({ isActive }: { isActive: boolean }) {
  const all = isActive ? [...spans, [UNTIL_CLEAR, "until it clears"] as const] : spans;
  return (
    <>
      {all.map(([value, name]) => (
        <button key={value} type="submit" class="main" value={value}>
          <span class="unseen">Shelve </span>
          {name}
        </button>
      ))}
    </>
  );
}

/** What tells its sensor from others, as the form of a silence takes it. */
const silenceOf = ({ labels }: Alert): string =>
  new URLSearchParams(["device", "metric", "alertname"].flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]]))).toString();

/** Who attends to it, what hides it, and what it waits for. */
export function Attendance({ alert, now }: { alert: Alert; now: number }) {
  const { acked_at, acked_by, ack_note, shelved, hidden, latched_at, resolved_at } = alert;
  return (
    <>
      {latched_at !== null && resolved_at === null && (
        <p class="attended">
          <b>Latched:</b> its condition has cleared at <Time at={latched_at} now={now} />; it waits for a reset.
        </p>
      )}
      {acked_at !== null && (
        <p class="attended">
          <b>Acknowledged</b> by {acked_by} at <Time at={acked_at} now={now} />
          {said(ack_note)}
        </p>
      )}
      {hidden
        .filter(({ disposition }) => disposition !== "shelved")
        .map(({ disposition, cause }) => (
          <p class="attended" key={cause}>
            <b>Not told:</b> {cause.startsWith("alert:") ? "another alert inhibits it" : formatCause(cause) || disposition}
          </p>
        ))}
      {shelved !== null && (
        <p class="attended">
          <Hiding shelf={shelved} now={now} /> by {shelved.by}
          {said(shelved.why)}
        </p>
      )}
    </>
  );
}

/** `Shelved until 14:30`. */
export function Hiding({ shelf, now }: { shelf: NonNullable<Alert["shelved"]>; now: number }) {
  if (shelf.kind === "out_of_service") return <b>Out of service</b>;
  if (shelf.kind === "until_clear" || shelf.until === null) return <b>Shelved until it clears</b>;
  return (
    <b>
      Shelved until <Time at={shelf.until} now={now} />
    </b>
  );
}

const said = (text: string | null): string => (text === null || text === "" ? "" : `: ${text}`);
