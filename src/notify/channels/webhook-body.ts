// The three bodies of a webhook. `alertmanager` is the webhook v4 JSON to the letter, so that receivers made for it work
// unchanged; its only room for figures are the annotations. `standard` and `cloudevents` carry all there is to tell, in the
// envelopes of those two specifications; what is told together is one event with a list of alerts, cut so that it stays small.

import type { Labels } from "../../engine/reading.ts";
import type { EpochMs } from "../../engine/units.ts";
import { subjectOf } from "../../reasons/explain-lines.ts";
import { formatSpan, rfc3339 } from "../../reasons/format.ts";
import { alertsOf, common, countsOf, groupLabels, groupSummary } from "../group.ts";
import { type Notification, plainNumber } from "../notification.ts";

export const webhookFormats = ["alertmanager", "standard", "cloudevents"] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

/** Go's zero time: what Alertmanager says of an alert that has not ended. */
const NOT_ENDED = "0001-01-01T00:00:00Z";
/** Bytes below which events of groups stay, as Standard Webhooks advises. */
const GROUP_BYTES_MAX = 20_000;
/** More alerts than this never fit with all that there is of them. */
const WHOLE_MAX = 40;

/** The body, byte for byte the same for each attempt. */
export function webhookBody(format: WebhookFormat, notification: Notification): { body: string; contentType: string } {
  switch (format) {
    case "alertmanager":
      return { body: JSON.stringify(alertmanager(notification)), contentType: "application/json" };
    case "standard":
      return { body: eventText(standard, notification), contentType: "application/json" };
    case "cloudevents":
      return { body: eventText(cloudEvent, notification), contentType: "application/cloudevents+json" };
    default: {
      const never: never = format;
      return never;
    }
  }
}

function alertmanager(notification: Notification) {
  const { alert, state, receiver, gateway, group, members } = notification;
  const alerts = alertsOf(notification).map((each) => ({
    status: each.state,
    labels: each.alert.labels,
    annotations: annotationsOf(each, members === null),
    startsAt: rfc3339(each.alert.startsAt),
    endsAt: each.alert.endsAt === null ? NOT_ENDED : rfc3339(each.alert.endsAt),
    generatorURL: each.alert.url,
    fingerprint: fingerprint(each.alert.labels),
  }));
  return {
    receiver,
    status: state,
    alerts,
    groupLabels: group === null ? alert.labels : groupLabels(group),
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: gateway.externalUrl,
    version: "4",
    groupKey: group ?? `{}:${labelSet(alert.labels)}`,
    truncatedAlerts: members?.more ?? 0,
    notification_reason: reasonOf(notification),
  };
}

/**
 * Alertmanager's words for why it tells. What it has no word for, such as an escalation to somebody who was told before, is `unknown`.
 * As in Alertmanager what is new goes before what is over.
 */
function reasonOf(notification: Notification): string {
  const { state, kind, seq } = notification;
  const alerts = alertsOf(notification);
  if (state === "resolved") return "all alerts resolved";
  if (kind === "repeat") return "repeat interval elapsed";
  if (seq === 1) return "first notification";
  if (notification.group === null || kind === "escalation") return "unknown";
  const isNew = alerts.slice(0, notification.members?.fresh).some((each) => each.state === "firing");
  return isNew ? "new alerts added" : "some alerts resolved";
}

/** The rule's own, and under those that it does not have what a person must be told: a line, the value, at the end the peak and how long it was, and, of one that is told alone, why. */
function annotationsOf({ alert, summary, evidence, reason, why }: Notification, isAlone: boolean): Labels {
  const subject = subjectOf({ evidence, reason });
  return {
    summary,
    ...(subject !== "gateway" && { value: String(plainNumber(alert.value)) }),
    ...(alert.endsAt !== null && subject === "figure" && { peak: String(plainNumber(alert.peak)) }),
    ...(alert.endsAt !== null && { duration: formatSpan(alert.endsAt - alert.startsAt) }),
    ...(isAlone && { why: why.join("\n") }),
    ...alert.annotations,
  };
}

/** What the two envelopes wrap. */
type Told = { readonly type: string; readonly subject: string; readonly ts: EpochMs; readonly data: object };

const standard = (_: Notification, { type, ts, data }: Told) => ({ type, timestamp: rfc3339(ts), data });

const cloudEvent = (notification: Notification, { type, subject, ts, data }: Told) => ({
  specversion: "1.0",
  id: notification.id,
  source: `/gateway/${encodeURIComponent(notification.gateway.gatewayName)}`,
  type: `highwater.${type}.v1`,
  subject,
  time: rfc3339(ts),
  datacontenttype: "application/json",
  data,
});

/**
 * An event of one alert as it is. One of a group with all that there is of its alerts, if that fits; else without `why` and `evidence`, and
 * with as many alerts as fit.
 */
function eventText(wrap: typeof standard | typeof cloudEvent, notification: Notification): string {
  const { state, ts } = notification;
  if (notification.group === null) {
    const { device = "", metric = "" } = notification.alert.labels;
    const subject = ["device", device, metric].map(encodeURIComponent).join("/");
    return JSON.stringify(wrap(notification, { type: `alert.${state}`, subject, ts, data: event(notification) }));
  }
  const alerts = alertsOf(notification);
  const written = (listed: readonly object[]): string => JSON.stringify(wrap(notification, groupEvent(notification, listed)));
  if (alerts.length <= WHOLE_MAX) {
    const whole = written(alerts.map(memberEvent));
    if (Buffer.byteLength(whole) < GROUP_BYTES_MAX) return whole;
  }
  // With a list that is empty the count of those left out is the longest.
  let bytes = Buffer.byteLength(written([]));
  const listed: object[] = [];
  for (const alert of alerts) {
    const { why: _why, evidence: _evidence, ...short } = memberEvent(alert);
    bytes += Buffer.byteLength(JSON.stringify(short)) + 1;
    if (bytes >= GROUP_BYTES_MAX) break;
    listed.push(short);
  }
  return written(listed);
}

function groupEvent(notification: Notification, listed: readonly object[]): Told {
  const { id, seq, kind, receiver, gateway, group, state, members } = notification;
  const alerts = alertsOf(notification);
  const labels = groupLabels(group ?? "");
  const ts = Math.max(...alerts.map((alert) => alert.ts));
  const data = {
    notification_id: id,
    seq,
    kind,
    receiver,
    gateway: gateway.gatewayName,
    group,
    state,
    group_labels: labels,
    common_labels: common(alerts.map(({ alert }) => alert.labels)),
    ...countsOf(alerts),
    event_time: rfc3339(ts),
    processed_time: rfc3339(Math.max(...alerts.map(({ at }) => at))),
    summary: groupSummary(notification),
    fresh: Math.min(listed.length, members?.fresh ?? 0),
    alerts: listed,
    more: alerts.length - listed.length + (members?.more ?? 0),
  };
  const subject = ["group", ...Object.entries(labels).map(([name, text]) => `${name}=${text}`)].map(encodeURIComponent).join("/");
  return { type: `alert.group.${state}`, subject, ts, data };
}

/** Without what its group says for all. */
function memberEvent(notification: Notification) {
  const { notification_id: _id, seq: _seq, kind: _kind, receiver: _receiver, gateway: _gateway, ...alert } = event(notification);
  return alert;
}

function event({ id, seq, kind, state, alert, evidence, receiver, reason, ts, at, summary, why, gateway }: Notification) {
  return {
    notification_id: id,
    seq,
    kind,
    receiver,
    gateway: gateway.gatewayName,
    alert_id: alert.id,
    state,
    prev_state: evidence.from,
    severity: alert.severity,
    rule: `${evidence.rule}@${evidence.logic}`,
    device: alert.labels.device ?? null,
    metric: alert.labels.metric ?? null,
    labels: alert.labels,
    annotations: alert.annotations,
    value: alert.value,
    peak: alert.peak,
    limit: alert.limit,
    unit: alert.unit,
    fired_at: rfc3339(alert.startsAt),
    resolved_at: alert.endsAt === null ? null : rfc3339(alert.endsAt),
    event_time: rfc3339(ts),
    processed_time: rfc3339(at),
    reason,
    summary,
    why,
    evidence,
    url: alert.url,
  };
}

/** Labels as Alertmanager writes them in a group key: `{alertname="x", device="fz-7"}`. */
function labelSet(labels: Labels): string {
  const parts = sortedNames(labels).map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{${parts.join(", ")}}`;
}

/**
 * Alertmanager's fingerprint of an alert: FNV-1a, 64 bits, over the labels in order of their names, each name and value
 * followed by a byte 255 (prometheus/common, model/signature.go).
 * @returns 16 hex digits
 */
export function fingerprint(labels: Labels): string {
  let hash = 0xcbf29ce484222325n;
  const mix = (byte: number) => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  };
  for (const name of sortedNames(labels)) {
    for (const text of [name, labels[name] ?? ""]) {
      for (const byte of Buffer.from(text)) mix(byte);
      mix(255);
    }
  }
  return hash.toString(16).padStart(16, "0");
}

/** By bytes, as Go sorts; label names are ASCII. */
const sortedNames = (labels: Labels): string[] => Object.keys(labels).sort();
