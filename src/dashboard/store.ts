// What the page knows of the gateway: signals that a live stream and a few questions keep current. When the stream
// falls silent all of it is old, and `connection` says so. Nothing here draws.

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { AlertAnswer } from "../http/routes/alert.ts";
import type { Alert } from "../http/routes/alerts.ts";
import type { ExplainBody } from "../http/routes/explain.ts";
import type { MeAnswer } from "../http/routes/me.ts";
import type { OncallAnswer } from "../http/routes/oncall.ts";
import type { SeriesBucketsRow } from "../http/routes/readings.ts";
import type { SeriesRow } from "../http/routes/series.ts";
import type { Shelved } from "../http/routes/shelves.ts";
import type { Silence } from "../http/routes/silences.ts";
import type { StatusAnswer } from "../http/routes/status.ts";
import { ask, bodyOf, goToLogin, type Sent, send } from "./api.ts";
import { createHistories, type Histories } from "./history.ts";

export type Reading = { readonly ts: number; readonly value: number };

export type Sensor = {
  readonly id: number;
  readonly device: string;
  readonly metric: string;
  /** Without device and metric. */
  readonly others: readonly (readonly [name: string, value: string])[];
  readonly labels: Readonly<Record<string, string>>;
  readonly unit: string | null;
  readonly last: Signal<Reading | undefined>;
};

export type Connection = { readonly kind: "connecting" } | { readonly kind: "live" } | { readonly kind: "lost"; readonly since: number };

/** What keeps alerts from being told: silences that are not over, and what is shelved or out of service. */
export type Hidden = {
  readonly silences: readonly Silence[];
  readonly shelves: readonly Shelved[];
  /** There are more than the page shows. */
  readonly isCut: boolean;
};

export type Store = {
  readonly connection: Signal<Connection>;
  readonly status: Signal<StatusAnswer | undefined>;
  /** Who looks at the page; undefined until it is known. */
  readonly me: Signal<MeAnswer | undefined>;
  /** Whether whoever looks at the page may act on alerts. */
  readonly mayOperate: ReadonlySignal<boolean>;
  /** Undefined until it is known. */
  readonly hidden: Signal<Hidden | undefined>;
  /** Who is on call by each schedule; none: there are no schedules, or it is not known yet. */
  readonly onCall: Signal<OncallAnswer["schedules"]>;
  /** By device and metric. */
  readonly sensors: Signal<readonly Sensor[]>;
  /** Pending, firing and recovering; undefined until they are known. */
  readonly alerts: Signal<readonly Alert[] | undefined>;
  /** The last few that ended. */
  readonly resolved: Signal<readonly Alert[]>;
  /** Ids of the sensors that are silent, looked up every ten seconds. */
  readonly silent: ReadonlySignal<ReadonlySet<number>>;
  /** The alert that the address names, `#/alerts/ID`. */
  readonly asked: Signal<string | undefined>;
  /** The address is that of the silences, `#/silences?device=fz-7`: what a new one begins with, `""` for nothing. */
  readonly silencing: Signal<string | undefined>;
  /** The gateway's clock, each second. */
  readonly now: Signal<number>;
  readonly histories: Histories;
  sensor(id: number): Sensor | undefined;
  askHistory(id: string): Promise<AlertAnswer | "unknown">;
  askExplanation(id: string): Promise<ExplainBody>;
  /** Does something, then looks what became of the alerts. */
  act<Answer>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<Sent<Answer>>;
  logOut(): Promise<void>;
  start(): void;
};

/** A sensor that was not heard for this long is called silent. */
export const SILENT_MS = 300_000;
/** The stream says something at least every three seconds; after this long without a word it is lost. */
const SILENCE_MS = 8000;
const RECONNECT_MS = 3000;
/** Pending alerts make no transition, so they are asked for. */
const ALERTS_EVERY_MS = 4000;
/** Overrides come at any time. */
const ON_CALL_EVERY_MS = 20_000;
const RESOLVED_SHOWN = 8;
/** Silences, and alerts that are shelved. */
const HIDDEN_SHOWN = 200;
const YOUNG_MS = 900_000;

export function createStore(): Store {
  const connection = signal<Connection>({ kind: "connecting" });
  const status = signal<StatusAnswer | undefined>(undefined);
  const me = signal<MeAnswer | undefined>(undefined);
  const sensors = signal<readonly Sensor[]>([]);
  const alerts = signal<readonly Alert[] | undefined>(undefined);
  const resolved = signal<readonly Alert[]>([]);
  const mayOperate = computed(() => me.value?.rights.includes("operate") ?? false);
  const hidden = signal<Hidden | undefined>(undefined);
  const onCall = signal<OncallAnswer["schedules"]>([]);
  const asked = signal(alertInAddress());
  const silencing = signal(silenceInAddress());
  const now = signal(Date.now());
  const roughly = computed(() => Math.floor(now.value / 10_000) * 10_000);
  const silent = computed(() => {
    const limit = roughly.value - SILENT_MS;
    return new Set(sensors.value.filter(({ last }) => (last.peek()?.ts ?? Number.NEGATIVE_INFINITY) < limit).map(({ id }) => id));
  });
  const byId = new Map<number, Sensor>();
  let clockAhead = 0;
  let heardAt = performance.now();
  let stream: EventSource | undefined;

  const loadSeries = debounced(300, async () => {
    let page: { series: SeriesRow[]; cursor: string | null } | undefined;
    do {
      const cursor: string = page?.cursor == null ? "" : `?cursor=${encodeURIComponent(page.cursor)}`;
      page = await ask<{ series: SeriesRow[]; cursor: string | null }>(`/api/v1/series${cursor}`);
      for (const row of page.series) if (!byId.has(row.id)) byId.set(row.id, sensorOf(row));
    } while (page.cursor !== null);
    sensors.value = [...byId.values()].sort((a, b) => compare(a.device, b.device) || compare(a.metric, b.metric) || a.id - b.id);
  });
  const loadAlerts = debounced(150, async () => {
    const [open, ended, quiet, away] = await Promise.all([
      ask<{ alerts: Alert[] }>("/api/v1/alerts?state=pending,firing,recovering"),
      ask<{ alerts: Alert[] }>(`/api/v1/alerts?state=resolved&limit=${RESOLVED_SHOWN}`),
      ask<{ silences: Silence[]; cursor: string | null }>(`/api/v1/silences?state=active,pending&limit=${HIDDEN_SHOWN}`),
      ask<{ shelves: Shelved[]; cursor: string | null }>(`/api/v1/shelves?limit=${HIDDEN_SHOWN}`),
    ]);
    batch(() => {
      alerts.value = open.alerts;
      resolved.value = ended.alerts;
      hidden.value = { silences: quiet.silences, shelves: away.shelves, isCut: quiet.cursor !== null || away.cursor !== null };
    });
  });
  const loadMe = debounced(0, async () => {
    me.value = await ask<MeAnswer>("/api/v1/me");
    if (!me.value.rights.includes("read")) goToLogin();
  });
  const loadOnCall = debounced(150, async () => {
    onCall.value = (await ask<OncallAnswer>("/api/v1/oncall")).schedules;
  });
  const askBuckets = async (ids: readonly number[], from: number, step: string): Promise<readonly SeriesBucketsRow[]> =>
    (await ask<{ series: SeriesBucketsRow[] }>(`/api/v1/readings?series=${ids.join(",")}&from=${from}&step=${step}&agg=min,max,avg`)).series;
  const histories = createHistories(async (ids, from) => {
    // The minutes of a gateway that has just begun are too few for a line; where readings are too many for that it says so.
    const isYoung = (status.peek()?.uptime_ms ?? 0) < YOUNG_MS;
    return isYoung ? await askBuckets(ids, from, "10s").catch(() => askBuckets(ids, from, "1m")) : await askBuckets(ids, from, "1m");
  });

  const take = {
    status(event: MessageEvent<string>) {
      const told = JSON.parse(event.data) as StatusAnswer;
      clockAhead = Date.parse(told.time) - Date.now();
      status.value = told;
    },
    readings(event: MessageEvent<string>) {
      const told = JSON.parse(event.data) as { series: number[]; ts: number[]; value: number[] };
      let isUnknown = false;
      batch(() => {
        told.series.forEach((id, index) => {
          const sensor = byId.get(id);
          const reading = { ts: told.ts[index] as number, value: told.value[index] as number };
          if (sensor === undefined) isUnknown = true;
          else if (reading.ts >= (sensor.last.peek()?.ts ?? Number.NEGATIVE_INFINITY)) {
            sensor.last.value = reading;
            histories.append(id, reading);
          }
        });
      });
      if (isUnknown) loadSeries();
    },
    alert: () => loadAlerts(),
    // Only says that the gateway is there.
    beat: () => undefined,
  };
  const connect = (): void => {
    stream?.close();
    stream = new EventSource("/api/v1/events");
    heardAt = performance.now();
    for (const [name, listener] of Object.entries(take)) {
      stream.addEventListener(name, (event) => {
        heardAt = performance.now();
        if (connection.peek().kind !== "live") connection.value = { kind: "live" };
        listener(event as MessageEvent<string>);
      });
    }
    stream.addEventListener("open", () => {
      histories.forget();
      loadMe();
      loadSeries();
      loadAlerts();
      loadOnCall();
    });
    stream.addEventListener("error", lose);
  };
  const lose = (): void => {
    // A stream that is refused does not say why; the answer to a question does, and leads to the login where one is needed.
    if (stream?.readyState === EventSource.CLOSED) loadMe();
    if (connection.peek().kind !== "lost") connection.value = { kind: "lost", since: now.peek() };
  };
  const watch = (): void => {
    now.value = Date.now() + clockAhead;
    const silence = performance.now() - heardAt;
    if (silence > SILENCE_MS) lose();
    // The browser comes back by itself where it can; a refused stream or a silent one is opened anew.
    if (silence > SILENCE_MS + RECONNECT_MS || (stream?.readyState === EventSource.CLOSED && silence > RECONNECT_MS)) connect();
  };
  return {
    connection,
    status,
    me,
    mayOperate,
    hidden,
    onCall,
    sensors,
    alerts,
    resolved,
    silent,
    asked,
    silencing,
    now,
    histories,
    sensor: (id) => byId.get(id),
    askHistory: async (id) => {
      const response = await fetch(`/api/v1/alerts/${encodeURIComponent(id)}`, { signal: AbortSignal.timeout(10_000) });
      return response.status === 404 ? "unknown" : await bodyOf<AlertAnswer>(response);
    },
    askExplanation: (id) => ask<ExplainBody>(`/api/v1/alerts/${encodeURIComponent(id)}/explain`),
    async act(method, path, body) {
      const sent = await send<never>(method, path, body);
      loadAlerts();
      return sent;
    },
    async logOut() {
      stream?.close();
      await fetch("/api/v1/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }).catch(() => undefined);
      location.assign("/login");
    },
    start() {
      connect();
      setInterval(watch, 1000);
      setInterval(() => {
        if (!document.hidden && connection.peek().kind === "live") loadAlerts();
      }, ALERTS_EVERY_MS);
      setInterval(() => {
        if (!document.hidden && connection.peek().kind === "live") loadOnCall();
      }, ON_CALL_EVERY_MS);
      window.addEventListener("hashchange", () => {
        asked.value = alertInAddress();
        silencing.value = silenceInAddress();
        if (asked.value !== undefined || silencing.value !== undefined) scrollTo({ top: 0 });
      });
      document.addEventListener("visibilitychange", () => {
        if (!document.hidden) loadAlerts();
      });
    },
  };
}

function alertInAddress(): string | undefined {
  const [, id] = /^#\/alerts\/([^/?]+)$/.exec(location.hash) ?? [];
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

const silenceInAddress = (): string | undefined => {
  const [found, query = ""] = /^#\/silences(?:\?(.*))?$/.exec(location.hash) ?? [];
  return found === undefined ? undefined : query;
};

/** Runs `work` soon after it was asked for, once however often, and once more when it was asked for meanwhile. */
function debounced(afterMs: number, work: () => Promise<void>): () => void {
  let state: "idle" | "waiting" | "working" | "again" = "idle";
  const run = async (): Promise<void> => {
    state = "working";
    try {
      await work();
    } catch {
      // What was known stays; the next event or the next round asks again, and a dead gateway is shown by its stream.
    }
    const again = (state as string) === "again";
    state = "idle";
    if (again) request();
  };
  const request = (): void => {
    if (state === "working") state = "again";
    if (state !== "idle") return;
    state = "waiting";
    setTimeout(() => void run(), afterMs);
  };
  return request;
}

function sensorOf({ id, labels, unit, last }: SeriesRow): Sensor {
  const { device = "", metric = "", ...rest } = labels;
  const reading = last === null ? undefined : { ts: Date.parse(last.ts), value: last.value };
  return { id, device, metric, others: Object.entries(rest), labels, unit, last: signal(reading) };
}

const collator = new Intl.Collator("en", { numeric: true });
const compare = (a: string, b: string): number => collator.compare(a, b);
