// Makes a silence: which labels, how long, why. What it would hide is looked up before it is made, and one that would hide everything
// has to be meant.

import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import type { SilencePreview } from "../http/routes/silence-preview.ts";
import { formatExactCount } from "./format.ts";
import { SeverityMark } from "./severity.tsx";
import { matchersOf, matchersText } from "./silence-matchers.ts";
import type { Store } from "./store.ts";

const WHY_CHARS_MAX = 500;
/** Alerts of a preview that are shown. */
const SHOWN = 5;
const spans: readonly (readonly [duration: string, name: string])[] = [
  ["30m", "30 minutes"],
  ["2h", "2 hours"],
  ["8h", "8 hours"],
  ["1d", "a day"],
  ["1w", "a week"],
];

const SPAN = "2h";

/** @param prefilled labels as a query of an address */
export function SilenceForm({ prefilled, store }: { prefilled: string; store: Store }) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const span = useSignal(SPAN);
  const preview = useSignal<SilencePreview | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  const made = useSignal(false);
  const changed = (): void => {
    [preview.value, trouble.value, made.value] = [undefined, undefined, false];
  };
  const given = (name: string): string => {
    const value = form.current === null ? null : new FormData(form.current).get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const look = async (): Promise<SilencePreview | undefined> => {
    const matchers = matchersOf(given("labels"));
    if (typeof matchers === "string") trouble.value = matchers;
    if (typeof matchers === "string") return undefined;
    const sent = await store.act<SilencePreview>("POST", "/api/v1/silences/preview", { matchers });
    trouble.value = sent.kind === "refused" ? sent.why : undefined;
    preview.value = sent.kind === "refused" ? undefined : sent.answer;
    return preview.value;
  };
  const make = async (): Promise<void> => {
    made.value = false;
    const isMeant = preview.value?.everything === true;
    const seen = preview.value ?? (await look());
    // It is said first, and done when it is pressed again.
    if (seen === undefined || (seen.everything && !isMeant)) return;
    const all = seen.everything ? { all: true } : {};
    const sent = await store.act("POST", "/api/v1/silences", { matchers: matchersOf(given("labels")), duration: given("duration"), why: given("why"), ...all });
    trouble.value = sent.kind === "refused" ? sent.why : undefined;
    made.value = sent.kind === "done";
    if (sent.kind === "done") form.current?.reset();
    if (sent.kind === "done") preview.value = undefined;
  };
  return (
    <form
      ref={form}
      class="act silence"
      aria-label="A new silence"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <label for={`${id}-labels`}>Alerts with these labels</label>
      <input
        id={`${id}-labels`}
        name="labels"
        class="field"
        required
        placeholder="device=fz-7 metric=temp*"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        defaultValue={matchersText(prefilled)}
        onInput={changed}
      />
      <label for={`${id}-duration`}>For</label>
      <select id={`${id}-duration`} name="duration" class="field" value={span.value} onChange={({ currentTarget }) => (span.value = currentTarget.value)}>
        {spans.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <label for={`${id}-why`}>Why</label>
      <input id={`${id}-why`} name="why" class="field" required maxLength={WHY_CHARS_MAX} autocomplete="off" />
      <div class="buttons">
        <button type="submit" class="main">
          {preview.value?.everything === true ? "Silence everything" : "Silence"}
        </button>
        <button type="button" onClick={() => void look()}>
          What would it hide?
        </button>
      </div>
      <div role="status">
        {preview.value !== undefined && <Preview preview={preview.value} />}
        {made.value && <p>It is in force.</p>}
      </div>
      {trouble.value !== undefined && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
    </form>
  );
}

function Preview({ preview: { count, everything, alerts } }: { preview: SilencePreview }) {
  return (
    <>
      {everything && <p class="uneasy">It would hide every alert, or nearly.</p>}
      <p>{count === 0 ? "It hides no alert that is active now." : `It hides ${formatExactCount(count)} of the alerts that are active now:`}</p>
      <ul class="previewed">
        {alerts.slice(0, SHOWN).map(({ id, rule, severity, labels }) => (
          <li key={id}>
            <SeverityMark severity={severity} /> <b>{rule}</b> {labels.device} {labels.metric}
          </li>
        ))}
      </ul>
      {count > SHOWN && <p class="faint">and {formatExactCount(count - Math.min(SHOWN, alerts.length))} more</p>}
    </>
  );
}
