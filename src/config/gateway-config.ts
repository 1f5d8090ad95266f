// The config as the gateway runs it: paths absolute, durations in ms, secrets resolved, defaults that depend on other blocks filled in.
// Structured-cloneable, so that it can be sent to worker threads.

import { resolve } from "node:path";
import type { AlarmTargets } from "../engine/alarm-targets.ts";
import type { ZoneTable } from "../engine/calendar.ts";
import type { Labels } from "../engine/reading.ts";
import type { Device, RulePlan, SourceTiming } from "../engine/rule.ts";
import type { ChannelType } from "../notify/channels/index.ts";
import type { Kept, Retention } from "../storage/retention.ts";
import { zoneTable } from "../zone.ts";
import { toDispatchPlan, toRoutePlan } from "./dispatch-plan.ts";
import { urlOf } from "./listener.ts";
import { takesAnonymous } from "./mqtt-users.ts";
import { toTargets } from "./performance-schema.ts";
import { createPlan, toRule } from "./plan.ts";
import type { LocatedRule } from "./rules.ts";
import type { Blocks } from "./schema.ts";

export type SourceConfig = {
  /** Topic template. */
  readonly topic: string;
  readonly codec: string;
  /** As the codec's schema gave them. */
  readonly settings: unknown;
  /** Labels of every series of the source; the topic's win. */
  readonly labels: Labels;
  readonly timing: SourceTiming;
};

/** `key` is the channel's type and its position among the receiver's channels of that type: `email:0`. */
export type ChannelConfig = { readonly key: string; readonly type: ChannelType; readonly settings: unknown };
export type ReceiverConfig = { readonly name: string; readonly channels: readonly ChannelConfig[] };

export type GatewayConfig = {
  /** Absolute path of the config. */
  readonly file: string;
  readonly gateway: { readonly name: string; readonly timezone: string; readonly dataDir: string; readonly externalUrl: string };
  /** `passwords`: the text of the password file, checked. */
  readonly mqtt: Omit<Blocks["mqtt"], "anonymous" | "users"> & { readonly anonymous: boolean; readonly passwords: string | undefined };
  readonly sources: readonly SourceConfig[];
  readonly notify: {
    readonly receivers: readonly ReceiverConfig[];
    /** `receiver` is "" when there are no receivers: nobody is told. */
    readonly route: Blocks["notify"]["route"] & { readonly receiver: string };
  };
  readonly alarmTargets: AlarmTargets;
  readonly storage: { readonly retention: Retention /** Bytes; null: no limit. */; readonly diskLimit: number | null };
  readonly batch: { readonly dailySummary: { readonly at: string; readonly receiver: string | null } };
  readonly http: Blocks["http"];
  readonly plan: RulePlan;
};

export type CheckedParts = {
  readonly file: string;
  readonly folder: string;
  readonly blocks: Blocks;
  readonly rules: readonly LocatedRule[];
  readonly raw: Readonly<Record<string, unknown>>;
  readonly passwords: string | undefined;
};

export function toGatewayConfig({ file, folder, blocks, rules, raw, passwords }: CheckedParts): GatewayConfig {
  const { gateway, mqtt, notify, storage, batch, http } = blocks;
  const sources = blocks.sources.map(toSource);
  const receivers = notify.receivers.map((receiver, index) => toReceiver(receiver, writtenOrder(raw, index)));
  const receiver = notify.route.receiver ?? receivers[0]?.name ?? "";
  return {
    file,
    gateway: {
      name: gateway.name,
      timezone: gateway.timezone,
      dataDir: resolve(folder, gateway.data_dir),
      externalUrl: (gateway.external_url ?? urlOf(http)).replace(/\/+$/, ""),
    },
    mqtt: {
      ...mqtt,
      listeners: mqtt.listeners.map((listener) => withTlsPaths(listener, folder)),
      bridges: mqtt.bridges.map((bridge) => withTlsPaths(bridge, folder)),
      anonymous: takesAnonymous(mqtt),
      passwords,
    },
    sources,
    notify: { receivers, route: { ...notify.route, receiver } },
    alarmTargets: toTargets(blocks.alarm_performance),
    storage: { retention: toRetention(storage.retention), diskLimit: storage.disk_limit ?? null },
    batch: { dailySummary: { at: batch.daily_summary.at, receiver: batch.daily_summary.receiver ?? summaryReceiver(receivers, receiver) } },
    http,
    plan: createPlan({
      rules: rules.map(({ settings }) => toRule(settings)),
      sources: Object.fromEntries(sources.map(({ topic, timing }) => [topic, timing])),
      devices: Object.fromEntries(Object.entries(blocks.devices).map(([name, device]) => [name, toDevice(device)])),
      // The schema has refused names without a table.
      zone: zoneTable(gateway.timezone) as ZoneTable,
      receivers: receivers.map(({ name, channels }) => ({ name, channels: channels.map(({ key }) => key) })),
      route: toRoutePlan(notify.route, receiver),
      dispatch: toDispatchPlan(notify, gateway.timezone),
    }),
  };
}

function toRetention(settings: Blocks["storage"]["retention"]): Retention {
  const kept = (setting: number | { time: number; bytes?: number }): Kept =>
    typeof setting === "number" ? { timeMs: setting, bytes: null } : { timeMs: setting.time, bytes: setting.bytes ?? null };
  return { journal: kept(settings.journal), raw: kept(settings.raw), minutes: kept(settings["1m"]), hours: kept(settings["1h"]) };
}

/** The route's receiver; where that is a schedule or an escalation, the first receiver. */
function summaryReceiver(receivers: readonly ReceiverConfig[], routed: string): string | null {
  const receiver = receivers.find(({ name }) => name === routed) ?? receivers[0];
  return receiver?.name ?? null;
}

/** The files that `tls` names, by absolute paths. */
function withTlsPaths<Settings extends { readonly tls?: object }>(settings: Settings, folder: string): Settings {
  if (settings.tls === undefined) return settings;
  const files = Object.entries(settings.tls).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return { ...settings, tls: { ...settings.tls, ...Object.fromEntries(files.map(([name, path]) => [name, resolve(folder, path)])) } };
}

function toSource(source: Blocks["sources"][number]): SourceConfig {
  return {
    topic: source.topic,
    codec: source.codec,
    settings: source.settings,
    labels: source.labels,
    timing: {
      outOfOrdernessMs: source.out_of_orderness,
      maxFutureMs: source.max_future,
      maxPastMs: source.max_past ?? null,
      idleAfterMs: source.idle_after,
    },
  };
}

export function toDevice(device: Blocks["devices"][string]): Device {
  return { labels: device.labels, limits: device.limits, unit: device.unit ?? null, expectedEveryMs: device.expected_every ?? null };
}

function toReceiver({ name, ...types }: Blocks["notify"]["receivers"][number], order: readonly string[]): ReceiverConfig {
  const channels = Object.entries(types as Record<string, unknown>)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .flatMap(([type, settings]) => [settings].flat().map((one, index) => ({ key: `${type}:${index}`, type: type as ChannelType, settings: one })));
  return { name, channels };
}

/** The receiver's keys in the order in which they were written; zod gives them in its own. */
function writtenOrder(raw: Readonly<Record<string, unknown>>, index: number): string[] {
  const { receivers } = raw["notify"] as { receivers: readonly object[] };
  return Object.keys(receivers[index] ?? {});
}
