// The sensors, live: those with an alert first, then by device. Only some are drawn at once; the filter finds the rest.

import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { Alert } from "../http/routes/alerts.ts";
import { compileFilter } from "./filter.ts";
import { formatAge, formatExactCount, formatSpan, formatValue } from "./format.ts";
import { Sparkline } from "./sparkline.tsx";
import { type Sensor, SILENT_MS, type Store } from "./store.ts";
import { useFollowed, useVisible } from "./visible.ts";

const PAGE = matchMedia("(max-width: 40rem)").matches ? 12 : 48;

type View = "all" | "alerting" | "silent";

export function Sensors({ store }: { store: Store }) {
  const text = useSignal("");
  const view = useSignal<View>("all");
  const pages = useSignal(1);
  const alerting = useComputed(() => worstBySeries(store.alerts.value ?? []));
  const { silent } = store;
  const found = useComputed(() => {
    const accepts = compileFilter(text.value);
    const sensors = store.sensors.value.filter((sensor) => isIn(view.value, sensor, alerting.value, silent.value) && accepts(sensor));
    return [...sensors.filter(({ id }) => alerting.value.has(id)), ...sensors.filter(({ id }) => !alerting.value.has(id))];
  });
  const total = store.sensors.value.length;
  const shown = found.value.slice(0, pages.value * PAGE);
  const choose = (chosen: View): void => {
    view.value = chosen;
    pages.value = 1;
  };
  return (
    <section aria-labelledby="sensors" class="sensors">
      <div class="tools">
        <h2 id="sensors">
          Sensors <span class="count">{formatExactCount(total)}</span>
        </h2>
        <div class="views" role="group" aria-label="Which sensors">
          <ViewButton name="All" chosen={view.value === "all"} onChoose={() => choose("all")} />
          <ViewButton name={`Alerting ${alerting.value.size}`} chosen={view.value === "alerting"} onChoose={() => choose("alerting")} />
          <ViewButton name={`Silent ${silent.value.size}`} chosen={view.value === "silent"} onChoose={() => choose("silent")} />
        </div>
        <Search
          onText={(given) => {
            text.value = given;
            pages.value = 1;
          }}
        />
      </div>
      <p class={text.value === "" ? "unseen" : "faint"} role="status">
        {formatExactCount(found.value.length)} of {formatExactCount(total)} sensors
      </p>
      <ul class="tiles">
        {shown.map((sensor) => (
          <Tile key={sensor.id} sensor={sensor} alert={alerting.value.get(sensor.id)} store={store} />
        ))}
      </ul>
      <Empty store={store} found={found} />
      {shown.length < found.value.length && (
        <button type="button" onClick={() => (pages.value += 1)}>
          Show {formatExactCount(Math.min(PAGE, found.value.length - shown.length))} of {formatExactCount(found.value.length - shown.length)} more
        </button>
      )}
    </section>
  );
}

function Search({ onText }: { onText: (text: string) => void }) {
  return (
    <input
      type="search"
      class="search"
      aria-label="Filter sensors by text or label"
      placeholder="Filter: freezer-7, site=oslo"
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}

function ViewButton({ name, chosen, onChoose }: { name: string; chosen: boolean; onChoose: () => void }) {
  return (
    <button type="button" aria-pressed={chosen} onClick={onChoose}>
      {name}
    </button>
  );
}

function Empty({ store, found }: { store: Store; found: ReadonlySignal<readonly Sensor[]> }) {
  if (found.value.length > 0 || store.connection.value.kind === "connecting") return null;
  if (store.sensors.value.length > 0) return <p class="nothing">No sensor is like that.</p>;
  return (
    <p class="nothing">
      No sensor has reported yet. Publish <code>{'{"value": 21.4}'}</code> to a topic of your <code>sources</code>, for example with <code>mosquitto_pub</code>.
    </p>
  );
}

function Tile({ sensor, alert, store }: { sensor: Sensor; alert: Alert | undefined; store: Store }) {
  const { ref, isVisible } = useVisible<HTMLLIElement>();
  const reading = useFollowed(sensor.last, isVisible, store.now, sensor.id).value;
  const now = useFollowed(store.now, isVisible, store.now, sensor.id);
  const age = useComputed(() => now.value - (sensor.last.value?.ts ?? Number.NEGATIVE_INFINITY));
  const isOld = useComputed(() => age.value > SILENT_MS).value;
  const classes = ["tile", alert === undefined ? "" : `alerting ${alert.severity}`, isOld ? "silent" : ""].filter(Boolean).join(" ");
  return (
    <li class={classes} ref={ref}>
      <div class="row">
        <p class="name">
          <a href={`/api/v1/reports/${encodeURIComponent(sensor.device)}?format=html`} title="Its report of this month">
            {sensor.device}
          </a>
        </p>
        <p class="value">
          {reading === undefined ? "–" : formatValue(reading.value)}
          {sensor.unit !== null && <span class="unit"> {sensor.unit}</span>}
        </p>
      </div>
      <div class="row">
        <p class="place">
          {[sensor.metric, ...(alert === undefined ? sensor.others.map(([, value]) => value) : [`${alert.state}: ${alert.rule}`])].join(" · ")}
        </p>
        <Age age={age} />
      </div>
      <Chart sensor={sensor} limit={alert?.limit ?? null} isVisible={isVisible} now={now} store={store} />
    </li>
  );
}

type ChartProps = { sensor: Sensor; limit: number | null; isVisible: ReadonlySignal<boolean>; now: ReadonlySignal<number>; store: Store };

/** The line moves with each reading that is seen; between readings once in ten seconds is enough. */
function Chart({ sensor, limit, isVisible, now, store }: ChartProps) {
  const slow = useComputed(() => Math.ceil(now.value / 10_000) * 10_000);
  const history = useComputed(() => {
    if (isVisible.value) return store.histories.of(sensor.id).value;
    return store.histories.known(sensor.id)?.peek();
  });
  return <Sparkline history={history} now={slow.value} limit={limit} />;
}

function Age({ age }: { age: ReadonlySignal<number> }) {
  const text = useComputed(() => {
    if (age.value === Number.POSITIVE_INFINITY) return "never heard";
    return age.value > SILENT_MS ? `silent for ${formatSpan(age.value)}` : formatAge(age.value);
  });
  return <p class="age">{text}</p>;
}

function isIn(view: View, { id }: Sensor, alerting: ReadonlyMap<number, Alert>, silent: ReadonlySet<number>): boolean {
  if (view === "alerting") return alerting.has(id);
  return view === "all" || silent.has(id);
}

/** Of each series the alert that matters most: firing before pending, graver before lighter. */
function worstBySeries(alerts: readonly Alert[]): ReadonlyMap<number, Alert> {
  const weight = ({ state, severity }: Alert): number => (state === "pending" ? 10 : 0) + ["critical", "warning", "info"].indexOf(severity);
  const worst = new Map<number, Alert>();
  for (const alert of alerts) {
    const known = worst.get(alert.series);
    if (known === undefined || weight(alert) < weight(known)) worst.set(alert.series, alert);
  }
  return worst;
}
