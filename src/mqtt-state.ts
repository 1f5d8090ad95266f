// What the gateway itself publishes, retained: `highwater/status`, and each alert under `highwater/alerts/{rule}/{subject}`.

import type { AlertRecord } from "./engine/effect.ts";

type Publish = (topic: string, payload: string, options: { retain: boolean }) => void;

/** The text of the series or group is made fit for a topic level here. */
export function createMqttState(deps: { publish: Publish }, identity: { name: string; version: string }) {
  const retain = { retain: true };
  return {
    status: (state: "online" | "offline"): void => deps.publish("highwater/status", JSON.stringify({ state, ...identity }), retain),
    alert: (alert: AlertRecord): void =>
      deps.publish(`highwater/alerts/${alert.rule}/${encodeURIComponent(alert.subject)}`, JSON.stringify(stateOf(alert)), retain),
  };
}

const rfc3339 = (ts: number): string => new Date(ts).toISOString();
const stateOf = ({ id, rule, severity, labels, state, value, peak, firedAt, resolvedAt, since }: AlertRecord): object => ({
  id,
  rule,
  severity,
  labels,
  state,
  value,
  peak,
  fired_at: rfc3339(firedAt),
  resolved_at: resolvedAt === null ? null : rfc3339(resolvedAt),
  since: rfc3339(since),
});
