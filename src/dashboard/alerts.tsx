// What fires, graver first: since when, how far beyond its limit, and why. Then what is about to, and what has ended.

import { signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { AlertAnswer } from "../http/routes/alert.ts";
import type { Alert } from "../http/routes/alerts.ts";
import { fillTemplate, formatAge, formatSpan, formatSpanExactly, formatTime, formatValue, withUnit } from "./format.ts";
import { byUrgency, SeverityMark } from "./severity.tsx";
import { Sparkline } from "./sparkline.tsx";
import type { Store } from "./store.ts";

/** More than these are shown only when asked for. */
const SHOWN = 20;
const nothing = signal(undefined);

export function Firing({ store }: { store: Store }) {
  const showsAll = useSignal(false);
  const firing = useComputed(() => (store.alerts.value ?? []).filter(({ state }) => state !== "pending").sort(byUrgency)).value;
  if (firing.length === 0) return null;
  const shown = showsAll.value ? firing : firing.slice(0, SHOWN);
  return (
    <section aria-labelledby="firing">
      <h2 id="firing" class="loud">
        Firing <span class="count">{firing.length}</span>
      </h2>
      <ul class="alerts">
        {shown.map((alert) => (
          <FiringAlert key={alert.id} alert={alert} store={store} />
        ))}
      </ul>
      {shown.length < firing.length && (
        <button type="button" onClick={() => (showsAll.value = true)}>
          Show {firing.length - shown.length} more
        </button>
      )}
    </section>
  );
}

function FiringAlert({ alert, store }: { alert: Alert; store: Store }) {
  const history = useSignal<AlertAnswer | undefined>(undefined);
  const isOpen = useSignal(false);
  const revision = useSignal("");
  revision.value = `${alert.id} ${alert.state} ${alert.since}`;
  useSignalEffect(() => {
    const [id] = revision.value.split(" ", 1) as [string];
    store.askHistory(id).then(
      (answer) => {
        history.value = answer;
      },
      () => undefined,
    );
  });
  const now = store.now.value;
  const sensor = store.sensor(alert.series);
  const summary = summaryOf(alert);
  const reason = history.value?.transitions.findLast(({ to }) => to === "firing")?.evidence;
  return (
    <li class={`alert ${alert.severity}`}>
      <header>
        <SeverityMark severity={alert.severity} />
        <h3>{alert.rule}</h3>
        <p class="state">
          {alert.state} for <b>{formatSpanExactly(now - Date.parse(alert.fired_at ?? alert.since))}</b>
        </p>
      </header>
      <SeriesName labels={alert.labels} />
      {summary !== undefined && <p class="summary">{summary}</p>}
      <div class="figures">
        <dl>
          <LiveFigure alert={alert} store={store} />
          <Figure name="limit" value={alert.limit} unit={alert.unit} />
          <Figure name="peak" value={alert.peak} unit={alert.unit} />
          <Figure name={alert.state === "recovering" ? "recovering at" : "fired with"} value={alert.value} unit={alert.unit} />
        </dl>
        <Sparkline history={sensor === undefined ? nothing : store.histories.of(alert.series)} now={now} limit={alert.limit} />
      </div>
      <p class="why">
        {reason !== undefined && (
          <>
            <b>Why:</b> {inWords(reason.predicate)}
            {holding(alert, reason.since)}.{" "}
          </>
        )}
        Since <Time at={alert.fired_at ?? alert.since} now={now} />.
      </p>
      <footer>
        <button type="button" class="quiet" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          History
        </button>
        <Runbook alert={alert} />
      </footer>
      {isOpen.value && <History answer={history.value} now={now} unit={alert.unit} />}
    </li>
  );
}

/** A predicate with minus signs for hyphens: `above −15, clears below −17`. */
const inWords = (predicate: string): string => predicate.replace(/-(?=\d)/g, "−");

function holding(alert: Alert, since: string): string {
  const held = Date.parse(alert.fired_at ?? alert.since) - Date.parse(since);
  return held >= 1000 ? `, held for ${formatSpan(held)}` : "";
}

function Figure({ name, value, unit }: { name: string; value: number | null; unit: string | null }) {
  if (value === null) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{withUnit(value, unit)}</dd>
    </div>
  );
}

/** The newest reading. Of a window's alert it is not what was judged, but it tells whether things get better. */
function LiveFigure({ alert, store }: { alert: Alert; store: Store }) {
  const reading = store.sensor(alert.series)?.last.value;
  if (reading === undefined) return null;
  const age = store.now.value - reading.ts;
  return (
    <div class="strong">
      <dt>{age < 10_000 ? "now" : formatAge(age)}</dt>
      <dd>{withUnit(reading.value, alert.unit)}</dd>
    </div>
  );
}

function SeriesName({ labels }: { labels: Alert["labels"] }) {
  const { device, metric, alertname: _, severity: __, ...others } = labels;
  return (
    <p class="series">
      <span>
        <b>{device}</b> {metric}
      </span>
      {Object.entries(others).map(([name, value]) => (
        <span key={name} class="label">
          {name} {value}
        </span>
      ))}
    </p>
  );
}

/** The rule's own words, where they can be filled in here. */
function summaryOf(alert: Alert): string | undefined {
  const template = alert.annotations.summary;
  if (template === undefined) return undefined;
  const value = alert.value === null ? "?" : formatValue(alert.value);
  return fillTemplate(template, { ...alert.labels, value, rule: alert.rule, severity: alert.severity, unit: alert.unit ?? "" });
}

function Runbook({ alert }: { alert: Alert }) {
  const url = alert.annotations.runbook ?? alert.annotations.runbook_url;
  if (url === undefined || !/^https?:\/\//.test(url)) return null;
  return (
    <a href={url} rel="noreferrer" target="_blank">
      Runbook<span class="unseen"> for {alert.rule}, opens a new page</span>
    </a>
  );
}

function Time({ at, now }: { at: string; now: number }) {
  return (
    <time dateTime={at} title={at}>
      {formatTime(Date.parse(at), now)}
    </time>
  );
}

function History({ answer, now, unit }: { answer: AlertAnswer | undefined; now: number; unit: string | null }) {
  if (answer === undefined) return <p class="faint">It could not be read.</p>;
  return (
    <div class="history">
      <h4>Transitions</h4>
      <ol>
        {answer.transitions.map(({ ordinal, to, ts, value, reason, evidence }) => (
          <li key={ordinal}>
            <Time at={ts} now={now} /> <b>{to}</b>
            {value === null ? "" : ` at ${withUnit(value, unit)}`}: {reason === "condition" ? inWords(evidence.predicate) : reason.replace("_", " ")}
          </li>
        ))}
      </ol>
      <h4>Told to</h4>
      {answer.notifications.length === 0 && <p class="faint">nobody</p>}
      <ul>
        {answer.notifications.map(({ id, receiver, channel, state, disposition, attempts, reason }) => (
          <li key={id}>
            {receiver}, {channel}: {state}, <b>{disposition}</b>
            {disposition !== "delivered" && attempts > 0 && ` after ${attempts} tries`}
            {disposition !== "delivered" && reason !== null && `: ${reason}`}
          </li>
        ))}
      </ul>
    </div>
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
  return (
    <li>
      <SeverityMark severity={alert.severity} />
      <span class="what">
        <b>{alert.rule}</b> {alert.labels.device} {alert.labels.metric}
      </span>
      {alert.value !== null && <span class="value">{withUnit(alert.value, alert.unit)}</span>}
      <span class="faint">{children}</span>
    </li>
  );
}
