// One alert in full: since when, how far beyond its limit, why, and on demand what became of it and who was told.

import { type ReadonlySignal, signal, useSignal, useSignalEffect } from "@preact/signals";
import type { AlertAnswer } from "../http/routes/alert.ts";
import type { Alert } from "../http/routes/alerts.ts";
import { Acts, Attendance } from "./acts.tsx";
import { History } from "./alert-history.tsx";
import { fillTemplate, formatAge, formatPredicate, formatSpan, formatSpanExactly, formatValue, withUnit } from "./format.ts";
import { Time } from "./format-time.tsx";
import { SeverityMark } from "./severity.tsx";
import { Sparkline } from "./sparkline.tsx";
import type { Store } from "./store.ts";

const nothing = signal(undefined);

/** Asks for the history of an alert, anew when it changes. */
export function useHistory(id: ReadonlySignal<string>, changed: ReadonlySignal<unknown>, store: Store): ReadonlySignal<AlertAnswer | "unknown" | undefined> {
  const history = useSignal<AlertAnswer | "unknown" | undefined>(undefined);
  useSignalEffect(() => {
    const asked = id.value;
    void changed.value;
    const take = (answer: AlertAnswer | "unknown" | undefined): void => {
      if (id.peek() === asked && answer !== undefined) history.value = answer;
    };
    store.askHistory(asked).then(take, () => undefined);
  });
  return history;
}

type Evidence = AlertAnswer["transitions"][number]["evidence"];

export function AlertCard({ alert, store, opened = false }: { alert: Alert; store: Store; opened?: boolean }) {
  const id = useSignal("");
  const revision = useSignal("");
  id.value = alert.id ?? "";
  /** Comments change nothing of the alert itself. */
  const acted = useSignal(0);
  revision.value = `${alert.state} ${alert.since} ${alert.acked_at} ${alert.shelved?.at} ${acted.value}`;
  const history = useHistory(id, revision, store).value;
  const isOpen = useSignal(opened);
  const now = store.now.value;
  const sensor = store.sensor(alert.series);
  const summary = summaryOf(alert);
  return (
    <li class={alert.state === "resolved" ? "alert ended" : `alert ${alert.severity}`}>
      <header>
        <SeverityMark severity={alert.severity} />
        <h3>{alert.rule}</h3>
        <State alert={alert} now={now} />
      </header>
      <SeriesName labels={alert.labels} />
      {summary !== undefined && <p class="summary">{summary}</p>}
      <div class="figures">
        <dl>
          <LiveFigure alert={alert} store={store} />
          <Figure name="limit" value={alert.limit} unit={alert.unit} />
          {/* As of the newest transition: while it fires, the readings since then may have gone further. */}
          {alert.state !== "firing" && <Figure name="peak" value={alert.peak} unit={alert.unit} />}
          <Figure name={valueName[alert.state]} value={alert.value} unit={alert.unit} />
        </dl>
        <Sparkline history={sensor === undefined ? nothing : store.histories.of(alert.series)} now={now} limit={alert.limit} />
      </div>
      <Why alert={alert} history={history} now={now} />
      <Attendance alert={alert} now={now} />
      <Acts alert={alert} store={store} done={() => (acted.value += 1)} />
      <footer>
        <button type="button" class="quiet" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
          History
        </button>
        <RunbookLink alert={alert} />
      </footer>
      {isOpen.value && <History answer={history} now={now} unit={alert.unit} store={store} />}
    </li>
  );
}

const valueName: Readonly<Record<Alert["state"], string>> = {
  pending: "breached with",
  firing: "fired with",
  recovering: "recovering at",
  resolved: "resolved at",
};

function State({ alert, now }: { alert: Alert; now: number }) {
  const firedAt = Date.parse(alert.fired_at ?? alert.since);
  if (alert.resolved_at === null) {
    return (
      <p class="state">
        {alert.latched_at === null ? alert.state : "latched"} for <b>{formatSpanExactly(now - firedAt)}</b>
      </p>
    );
  }
  const resolvedAt = Date.parse(alert.resolved_at);
  return (
    <p class="state">
      <b>resolved</b> {formatAge(now - resolvedAt)}, after {formatSpanExactly(resolvedAt - firedAt)}
    </p>
  );
}

function Why({ alert, history, now }: { alert: Alert; history: AlertAnswer | "unknown" | undefined; now: number }) {
  const answer = typeof history === "object" ? history : undefined;
  const reason = answer?.transitions.findLast(({ to }) => to === "firing")?.evidence;
  const runbook = runbookOf(alert);
  return (
    <>
      <p class="why">
        {reason !== undefined && (
          <>
            <b>Why:</b> {windowOf(reason)}
            {formatPredicate(reason.predicate)}
            {holding(alert, reason.since)}.{" "}
          </>
        )}
        Since <Time at={alert.fired_at ?? alert.since} now={now} />.
      </p>
      {runbook !== undefined && !isLink(runbook) && (
        <p class="why">
          <b>What to do:</b> {runbook}
        </p>
      )}
    </>
  );
}

/** Of a window: `avg of 27 readings in 30 s `. */
function windowOf({ window }: Evidence): string {
  if (window === undefined) return "";
  return `${window.aggregate} of ${window.count} readings in ${formatSpanExactly(Date.parse(window.end) - Date.parse(window.start))} `;
}

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

/** An address, or what to do in words. */
const runbookOf = ({ annotations }: Alert): string | undefined => annotations.runbook ?? annotations.runbook_url;
const isLink = (text: string): boolean => /^https?:\/\/\S+$/.test(text);

function RunbookLink({ alert }: { alert: Alert }) {
  const url = runbookOf(alert);
  if (url === undefined || !isLink(url)) return null;
  return (
    <a href={url} rel="noreferrer" target="_blank">
      Runbook<span class="unseen"> for {alert.rule}, opens a new page</span>
    </a>
  );
}
