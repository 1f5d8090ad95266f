// The three bodies of a webhook. `alertmanager` is the webhook v4 JSON to the letter, so that receivers made for it work
// unchanged; its only room for figures are the annotations. `standard` and `cloudevents` carry all there is to tell, in the
// envelopes of those two specifications.

import type { Labels } from "../../engine/reading.ts";
import { subjectOf } from "../../reasons/explain-lines.ts";
import { formatSpan, rfc3339 } from "../../reasons/format.ts";
import { type Notification, plainNumber } from "../notification.ts";

export const webhookFormats = ["alertmanager", "standard", "cloudevents"] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

/** Go's zero time: what Alertmanager says of an alert that has not ended. */
const NOT_ENDED = "0001-01-01T00:00:00Z";

/** The body, byte for byte the same for each attempt. */
export function webhookBody(format: WebhookFormat, notification: Notification): { body: string; contentType: string } {
  switch (format) {
    case "alertmanager":
      return { body: JSON.stringify(alertmanager(notification)), contentType: "application/json" };
    case "standard":
      return { body: JSON.stringify(standard(notification)), contentType: "application/json" };
    case "cloudevents":
      return { body: JSON.stringify(cloudEvent(notification)), contentType: "application/cloudevents+json" };
    default: {
      const never: never = format;
      return never;
    }
  }
}

function alertmanager(notification: Notification) {
  const { alert, state, receiver, gateway } = notification;
  const annotations = annotationsOf(notification);
  return {
    receiver,
    status: state,
    alerts: [
      {
        status: state,
        labels: alert.labels,
        annotations,
        startsAt: rfc3339(alert.startsAt),
        endsAt: alert.endsAt === null ? NOT_ENDED : rfc3339(alert.endsAt),
        generatorURL: alert.url,
        fingerprint: fingerprint(alert.labels),
      },
    ],
    groupLabels: alert.labels,
    commonLabels: alert.labels,
    commonAnnotations: annotations,
    externalURL: gateway.externalUrl,
    version: "4",
    groupKey: `{}:${labelSet(alert.labels)}`,
    truncatedAlerts: 0,
    notification_reason: state === "firing" ? "first notification" : "all alerts resolved",
  };
}

/** The rule's own, and under those that it does not have what a person must be told: a line, the value, at the end the peak and how long it was, and why. */
function annotationsOf({ alert, summary, evidence, reason, why }: Notification): Labels {
  const subject = subjectOf({ evidence, reason });
  return {
    summary,
    ...(subject !== "gateway" && { value: String(plainNumber(alert.value)) }),
    ...(alert.endsAt !== null && subject === "figure" && { peak: String(plainNumber(alert.peak)) }),
    ...(alert.endsAt !== null && { duration: formatSpan(alert.endsAt - alert.startsAt) }),
    why: why.join("\n"),
    ...alert.annotations,
  };
}

function standard(notification: Notification) {
  return { type: `alert.${notification.state}`, timestamp: rfc3339(notification.ts), data: event(notification) };
}

function cloudEvent(notification: Notification) {
  const { labels } = notification.alert;
  return {
    specversion: "1.0",
    id: notification.id,
    source: `/gateway/${encodeURIComponent(notification.gateway.gatewayName)}`,
    type: `highwater.alert.${notification.state}.v1`,
    subject: ["device", labels.device ?? "", labels.metric ?? ""].map(encodeURIComponent).join("/"),
    time: rfc3339(notification.ts),
    datacontenttype: "application/json",
    data: event(notification),
  };
}

function event({ id, seq, state, alert, evidence, receiver, reason, ts, at, summary, why, gateway }: Notification) {
  return {
    notification_id: id,
    seq,
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
