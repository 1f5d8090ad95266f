// What several alerts that are told together have in common, and how they differ: for bodies of mails and webhooks alike.
// Pure; a key that was not written as routes write theirs says nothing of labels.

import type { Labels } from "../engine/reading.ts";
import { severities } from "../engine/severity.ts";
import { oneLine } from "../reasons/format.ts";
import type { Notification } from "./notification.ts";

/** Counted by a value of one label, or by rule. */
export type Share = { readonly name: string; readonly text: string; readonly count: number };

/** Of these a label says nothing that the rule's or the device's name does not say. */
const SAID_ELSEWHERE = new Set(["alertname", "severity", "device", "metric"]);
/** Labels that a title names. */
const TITLE_LABELS_MAX = 3;

/** All that a notification tells of, new ones first; of one alert alone that one. */
export function alertsOf(notification: Notification): readonly [Notification, ...Notification[]] {
  const [first = notification, ...others] = notification.members?.alerts ?? [];
  return [first, ...others];
}

/** Whether it tells of more than one alert. What is one alert of a group is told like an alert alone. */
export const tellsOfSeveral = ({ members }: Notification): boolean => members !== null && members.alerts.length + members.more > 1;

/** `{site="north"}` of `on-call/1f2e:{site="north"}@loyw3v28.2f`: what its route groups by, without labels that its alerts do not have. */
export function groupLabels(key: string): Labels {
  const [, braces = ""] = /^.*?\/[0-9a-f]{4}:\{(.*)\}@[0-9a-z.]+$/s.exec(key) ?? [];
  const pairs = [...braces.matchAll(/([a-zA-Z_]\w*)=("(?:[^"\\]|\\.)*")/g)];
  return Object.fromEntries(pairs.map(([, name, text]) => [name, unquoted(text as string)]).filter(([, text]) => text !== ""));
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return "";
  }
}

/** The names and values that all have. */
export function common(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all;
  return Object.fromEntries(Object.entries(first).filter(([name, text]) => others.every((each) => each[name] === text)));
}

/** `freezer-too-warm`, or `3 rules`. */
export function rulesText(alerts: readonly Notification[]): string {
  const rules = new Set(alerts.map(({ alert }) => alert.rule));
  return rules.size === 1 ? [...rules].map(oneLine).join("") : `${rules.size} rules`;
}

/** What its alerts agree in, in few words: `site north`, `freezer-7`; "" where they agree in nothing that a title should say. */
export function agreement({ group }: Notification, alerts: readonly Notification[]): string {
  const shared = common(alerts.map(({ alert }) => alert.labels));
  if (shared["device"] !== undefined) return oneLine(shared["device"]);
  const grouped = telling(groupLabels(group ?? ""));
  const named = grouped.length > 0 ? grouped : telling(shared);
  return oneLine(
    named
      .slice(0, TITLE_LABELS_MAX)
      .map(([name, text]) => `${name} ${text}`)
      .join(", "),
  );
}

const telling = (labels: Labels): [string, string][] => Object.entries(labels).filter(([name]) => !SAID_ELSEWHERE.has(name));

/** Those that fire and that this channel was not told of before; none in a first message, where all are new. */
export function newOnes(notification: Notification): ReadonlySet<Notification> {
  const { seq, kind, members } = notification;
  if (seq === 1 || kind === "repeat" || kind === "escalation" || members === null) return new Set();
  return new Set(members.alerts.slice(0, members.fresh).filter(({ state, reason }) => state === "firing" && reason !== "level"));
}

/** Firing ones first, then the gravest; among equals as they came. */
export function worstFirst(alerts: readonly Notification[]): Notification[] {
  const rank = ({ state, alert }: Notification): number => (state === "firing" ? 0 : severities.length) + severities.indexOf(alert.severity);
  return alerts.toSorted((a, b) => rank(a) - rank(b));
}

/** How many fire and how many are over, of those that are listed. */
export function countsOf(alerts: readonly Notification[]): { firing: number; resolved: number } {
  const firing = alerts.filter(({ state }) => state === "firing").length;
  return { firing, resolved: alerts.length - firing };
}

/** `3 alerts fire, 1 of them critical, 2 new; 1 has resolved.` */
export function groupSummary(notification: Notification): string {
  const alerts = alertsOf(notification);
  const more = notification.members?.more ?? 0;
  const { firing, resolved } = countsOf(alerts);
  const fresh = newOnes(notification).size;
  const newText = fresh === 0 ? "" : `, ${fresh === firing && firing > 1 ? "all" : fresh} new`;
  const firingText = firing === 0 ? "" : `${firing} ${firing === 1 ? "alert fires" : "alerts fire"}${gravestText(alerts, firing)}${newText}`;
  const resolvedText = resolved === 0 ? "" : firing === 0 && more === 0 ? allResolvedText(resolved) : `${resolved} ${resolved === 1 ? "has" : "have"} resolved`;
  const moreText = more === 0 ? "" : `there are ${more} more`;
  return `${[firingText, resolvedText, moreText].filter((text) => text !== "").join("; ")}.`;
}

const allResolvedText = (resolved: number): string =>
  resolved === 1 ? "The alert has resolved" : `${resolved === 2 ? "Both" : `All ${resolved}`} alerts have resolved`;

function gravestText(alerts: readonly Notification[], firing: number): string {
  const [worst] = worstFirst(alerts);
  if (worst === undefined) return "";
  const { severity } = worst.alert;
  const count = alerts.filter(({ state, alert }) => state === "firing" && alert.severity === severity).length;
  if (count === firing) return `, ${firing === 1 ? "" : firing === 2 ? "both " : "all "}${severity}`;
  return `, ${count} of them ${severity}`;
}

/** What most of them share, most first: at most `max` rules, and at most `max` values of labels that at least two have. */
export function shares(alerts: readonly Notification[], max: number): { rules: Share[]; labels: Share[] } {
  const rules = counted(alerts.map(({ alert }): [string, string] => ["rule", alert.rule]));
  const labels = counted(alerts.flatMap(({ alert }) => Object.entries(alert.labels).filter(([name]) => name === "device" || !SAID_ELSEWHERE.has(name))));
  return { rules: rules.slice(0, max), labels: labels.filter(({ count }) => count > 1).slice(0, max) };
}

function counted(pairs: readonly (readonly [string, string])[]): Share[] {
  const counts = new Map<string, Share>();
  for (const [name, text] of pairs) {
    const key = `${name}\n${text}`;
    counts.set(key, { name, text: oneLine(text), count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}
