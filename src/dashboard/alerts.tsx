// The lists of alerts: what fires, graver first; what is about to; what has ended; and the one that a notification's
// link asks for (`#/alerts/ID`), whatever its state.

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { Alert } from "../http/routes/alerts.ts";
import { AlertCard, useHistory } from "./alert-card.tsx";
import { formatAge, formatSpanExactly, withUnit } from "./format.ts";
import { byUrgency, SeverityMark } from "./severity.tsx";
import type { Store } from "./store.ts";

/** More than these are shown only when asked for. */
const SHOWN = 20;

export function Firing({ store }: { store: Store }) {
  const showsAll = useSignal(false);
  const firing = useComputed(() => (store.alerts.value ?? []).filter(({ state }) => state !== "pending").sort(byUrgency)).value;
  if (firing.length === 0) return null;
  const others = firing.filter(({ id }) => id !== store.asked.value);
  const shown = showsAll.value ? others : others.slice(0, SHOWN);
  return (
    <section aria-labelledby="firing">
      <h2 id="firing" class="loud">
        Firing <span class="count">{firing.length}</span>
      </h2>
      <ul class="alerts">
        {shown.map((alert) => (
          <AlertCard key={alert.id} alert={alert} store={store} />
        ))}
      </ul>
      {shown.length < others.length && (
        <button type="button" onClick={() => (showsAll.value = true)}>
          Show {others.length - shown.length} more
        </button>
      )}
    </section>
  );
}

export function Asked({ store }: { store: Store }) {
  const id = store.asked.value;
  return id === undefined ? null : <AskedAlert key={id} id={store.asked as ReadonlySignal<string>} store={store} />;
}

function AskedAlert({ id, store }: { id: ReadonlySignal<string>; store: Store }) {
  const changed = useComputed(() => [store.alerts.value, store.resolved.value]);
  const answer = useHistory(id, changed, store).value;
  return (
    <section aria-labelledby="asked">
      <div class="tools">
        <h2 id="asked" class="loud">
          One alert in full
        </h2>
        <a href="#/">Close it</a>
      </div>
      {answer === "unknown" && <p class="nothing">There is no such alert, or it is no longer kept.</p>}
      <ul class="alerts">{typeof answer === "object" && <AlertCard alert={answer.alert} store={store} opened />}</ul>
    </section>
  );
}

export function Pending({ store }: { store: Store }) {
  const pending = useComputed(() => (store.alerts.value ?? []).filter(({ state }) => state === "pending").sort(byUrgency)).value;
  if (pending.length === 0) return null;
  return (
    <section aria-labelledby="pending">
      <h2 id="pending">
        Pending <span class="count">{pending.length}</span>
      </h2>
      <ul class="brief">
        {pending.slice(0, SHOWN).map((alert) => (
          <BriefAlert key={`${alert.rule} ${alert.series}`} alert={alert}>
            breached for {formatSpanExactly(store.now.value - Date.parse(alert.since))}
          </BriefAlert>
        ))}
      </ul>
      {pending.length > SHOWN && <p class="faint">and {pending.length - SHOWN} more</p>}
    </section>
  );
}

export function Resolved({ store }: { store: Store }) {
  const resolved = store.resolved.value;
  if (resolved.length === 0) return null;
  return (
    <section aria-labelledby="resolved">
      <h2 id="resolved">Resolved lately</h2>
      <ul class="brief">
        {resolved.map((alert) => (
          <BriefAlert key={alert.id} alert={alert}>
            {formatAge(store.now.value - Date.parse(alert.resolved_at ?? alert.since))}, after{" "}
            {formatSpanExactly(Date.parse(alert.resolved_at ?? alert.since) - Date.parse(alert.fired_at ?? alert.since))}
          </BriefAlert>
        ))}
      </ul>
    </section>
  );
}

function BriefAlert({ alert, children }: { alert: Alert; children: preact.ComponentChildren }) {
  const name = <b>{alert.rule}</b>;
  return (
    <li>
      <SeverityMark severity={alert.severity} />
      <span class="what">
        {alert.id === null ? name : <a href={`#/alerts/${encodeURIComponent(alert.id)}`}>{name}</a>} {alert.labels.device} {alert.labels.metric}
      </span>
      {alert.value !== null && <span class="value">{withUnit(alert.value, alert.unit)}</span>}
      <span class="faint">{children}</span>
    </li>
  );
}
