// From a message to the inbox: topic → source (first match wins) → codec → series → `add` or `reject`.
// What a topic leads to is worked out once and remembered; after that a message costs its decoding and two look-ups.
// Every message of a source leaves at least one value in the books, but an empty payload, which in MQTT only deletes.

import type { Clock } from "../clock.ts";
import type { ZoneTable } from "../engine/calendar.ts";
import type { Labels, Reading, RejectReason } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Decode } from "./codecs/codec.ts";
import { codecs } from "./codecs/index.ts";
import type { BrokerLimits } from "./limits.ts";
import { matchTopic, parseTemplate, type Template } from "./topic.ts";
import { createTopicCache } from "./topic-cache.ts";
import { createUnmatched, type UnmatchedTopic } from "./unmatched.ts";

/** The inbox as the broker sees it; all of it synchronous. */
export type IngestInbox = {
  readonly registry: {
    /**
     * @param mayBeNew asked once, before a series that occurs for the first time is taken
     * @returns undefined when there may be no more series
     */
    idOf(labels: Labels, source: string, mayBeNew?: () => boolean): SeriesId | undefined;
  };
  /** @param isRetained another broker had kept it */
  add(series: SeriesId, ts: EpochMs | undefined, value: number, isRetained?: boolean): void;
  reject(reason: RejectReason, sample: { topic: string; detail: string; payload: Uint8Array }): void;
};

/** A source as the config gives it. `settings` has passed the codec's schema. */
export type IngestSource = {
  readonly topic: string;
  readonly codec: string;
  readonly settings: unknown;
  /** Labels of all its series, beside those of the topic; the topic's win. */
  readonly labels: Labels;
};

export type IngestLimits = Pick<BrokerLimits, "topics" | "payload_bytes" | "values_per_message" | "depth" | "series_per_client">;

/** As the fixed label `device`: the client's user name, which is its certificate's name where there is one. */
export const USERNAME = "{username}";

type Source = {
  readonly template: Template;
  readonly fixed: Labels;
  /** The user name is the device, unless topic or payload name one. */
  readonly byUsername: boolean;
  readonly decode: Decode;
};
/** What a topic leads to. */
type Route = {
  readonly source: Source;
  readonly labels: Labels;
  readonly metric: string | undefined;
  /** Series of readings that name neither metric nor device. */
  lone: SeriesId | undefined;
  /** Series of those that do, by `metric NUL device`. */
  named: Map<string, SeriesId> | undefined;
};
type Unrouted = { readonly source: undefined };
const unrouted: Unrouted = { source: undefined };

export type Ingest = ReturnType<typeof createIngest>;

/**
 * @param options.zones by name, for the sources that have a `timezone`
 * @param options.timezone the gateway's own, named in suggestions
 * @throws GatewayError `bad_source` when a template, codec or zone is unknown: the config has checked them
 */
export function createIngest(
  deps: { inbox: IngestInbox; clock: Clock; refuse?: (reason: "series_per_client") => void },
  options: { sources: readonly IngestSource[]; limits: IngestLimits; zones: Readonly<Record<string, ZoneTable>>; timezone?: string },
) {
  const { inbox, clock } = deps;
  const { limits } = options;
  const routes = createTopicCache<Route | Unrouted>(limits.topics);
  const unmatched = createUnmatched(options.timezone);
  const brought = createBrought(limits.series_per_client);
  let sources = openSources(options.sources, options.zones, limits);

  const routeOf = (topic: string): Route | Unrouted => {
    const known = routes.get(topic);
    if (known !== undefined) return known;
    const route = findRoute(sources, topic);
    routes.set(topic, route);
    return route;
  };

  const add = (route: Route, reading: Reading, topic: string, payload: Uint8Array, isRetained: boolean) => {
    // When it was measured nobody knows: its arrival says nothing.
    if (isRetained && reading.ts === undefined) return inbox.reject("retained", { topic, detail: "a retained message without a time is old news", payload });
    const series = seriesOf(inbox, route, reading, brought.mayBeNew);
    if (typeof series === "number") inbox.add(series, reading.ts, reading.value, isRetained);
    else if (series === "limit") refuseSeries(topic, payload);
    else {
      const where =
        route.source.byUsername && series === "device" ? "the client has no user name" : `name it in the topic, {${series}}, or in the source's labels`;
      inbox.reject("no_series", { topic, detail: `no ${series}: ${where}`, payload });
    }
  };

  const refuseSeries = (topic: string, payload: Uint8Array) => {
    const client = brought.refused();
    if (client !== undefined) deps.refuse?.("series_per_client");
    const detail = client === undefined ? "there may be no more series" : `the client ${client} may bring no more series`;
    inbox.reject("series_limit", { topic, detail, payload });
  };

  return {
    /**
     * Takes one message. Never throws for what a device sends.
     * @param client as whom its new series are counted; those of the gateway itself are not
     * @param isRetained another broker had kept it
     */
    take(topic: string, payload: Uint8Array, username?: string, client?: string, isRetained = false): void {
      const route = routeOf(topic);
      if (route.source === undefined) return unmatched.count(topic, payload);
      if (payload.length > limits.payload_bytes)
        return inbox.reject("too_large", { topic, detail: `${payload.length} bytes; the limit is ${limits.payload_bytes}`, payload });
      const decoded = route.source.decode(payload, topic, { at: clock.now(), username, metric: route.metric });
      brought.by(client);
      const { byUsername } = route.source;
      for (const reading of decoded.readings) add(route, byUsername && username ? { device: username, ...reading } : reading, topic, payload, isRetained);
      for (const { reason, detail } of decoded.rejected) inbox.reject(reason, { topic, detail, payload });
    },
    /** All that may fail comes first: on an error the old sources stay. */
    reload(next: readonly IngestSource[], zones: Readonly<Record<string, ZoneTable>>): void {
      sources = openSources(next, zones, limits);
      routes.clear();
      unmatched.forget((topic) => findRoute(sources, topic).source !== undefined);
    },
    /** Topics that no source takes, the most frequent first. */
    unmatched: (): UnmatchedTopic[] => unmatched.list(),
    unmatchedMessages: unmatched.messages,
  };
}

function openSources(sources: readonly IngestSource[], zones: Readonly<Record<string, ZoneTable>>, limits: IngestLimits): readonly Source[] {
  return sources.map((source) => {
    const parsed = parseTemplate(source.topic);
    if (parsed.kind === "invalid") throw new GatewayError("bad_source", `${source.topic}: ${parsed.message}`, { hint: parsed.hint });
    const codec = codecs.find(({ name }) => name === source.codec);
    if (codec === undefined)
      throw new GatewayError("bad_source", `there is no codec "${source.codec}"`, { hint: `there are ${codecs.map(({ name }) => name).join(", ")}` });
    const byUsername = source.labels["device"] === USERNAME;
    const { device: _, ...others } = source.labels;
    const decode = codec.open(source.settings, zoneOf(source, zones), limits);
    return {
      template: parsed.template,
      fixed: byUsername ? others : source.labels,
      byUsername: byUsername && !parsed.template.names.includes("device"),
      decode,
    };
  });
}

function zoneOf(source: IngestSource, zones: Readonly<Record<string, ZoneTable>>): ZoneTable | undefined {
  const { timezone } = source.settings as { timezone?: string };
  if (timezone === undefined) return undefined;
  const zone = zones[timezone];
  if (zone === undefined) throw new GatewayError("bad_source", `${source.topic}: no table of time zone ${timezone}`);
  return zone;
}

function findRoute(sources: readonly Source[], topic: string): Route | Unrouted {
  for (const source of sources) {
    const taken = matchTopic(source.template, topic);
    if (taken === undefined) continue;
    const labels = { ...source.fixed, ...taken };
    return { source, labels, metric: labels["metric"], lone: undefined, named: undefined };
  }
  return unrouted;
}

/** @returns the series, or `limit`, or the name of the label that is missing */
function seriesOf(inbox: IngestInbox, route: Route, reading: Reading, mayBeNew: () => boolean): SeriesId | "limit" | "device" | "metric" {
  const { metric, device } = reading;
  if (metric === undefined && device === undefined) {
    if (route.lone !== undefined) return route.lone;
    const series = idOf(inbox, route, route.labels, mayBeNew);
    if (typeof series === "number") route.lone = series;
    return series;
  }
  const key = device === undefined ? (metric as string) : `${metric ?? ""}\0${device}`;
  const known = route.named?.get(key);
  if (known !== undefined) return known;
  const labels = { ...route.labels, ...(metric !== undefined && { metric }), ...(device !== undefined && { device }) };
  const series = idOf(inbox, route, labels, mayBeNew);
  if (typeof series === "number") {
    route.named ??= new Map();
    route.named.set(key, series);
  }
  return series;
}

function idOf(inbox: IngestInbox, route: Route, labels: Labels, mayBeNew: () => boolean): SeriesId | "limit" | "device" | "metric" {
  if (!labels["device"]) return "device";
  if (!labels["metric"]) return "metric";
  return inbox.registry.idOf(labels, route.source.template.text, mayBeNew) ?? "limit";
}

/** New series by the client that brought them. Only clients that brought one are kept, so there are no more of them than series. */
function createBrought(most: number) {
  const counts = new Map<string, number>();
  let client: string | undefined;
  let refused = false;
  return {
    /** Who sent the message at hand. */
    by(name: string | undefined): void {
      client = name;
    },
    mayBeNew: (): boolean => {
      if (client === undefined) return true;
      const count = counts.get(client) ?? 0;
      refused = count >= most;
      if (!refused) counts.set(client, count + 1);
      return !refused;
    },
    /** @returns the client whose limit was the reason that a series was just refused, if it was */
    refused(): string | undefined {
      const was = refused ? client : undefined;
      refused = false;
      return was;
    },
  };
}
