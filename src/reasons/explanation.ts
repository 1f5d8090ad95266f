// A whole alert explained: the lines of each transition, and a sentence for each notification. What the API and the command line say
// is made here, from one answer of the store.

import { rejudge } from "../engine/rejudge.ts";
import type { Severity } from "../engine/severity.ts";
import type { ExplainAnswer } from "../storage/explain-query.ts";
import { dispositionText } from "./disposition.ts";
import { deviceName, explainLines } from "./explain-lines.ts";
import { oneLine } from "./format.ts";

export type Explanation = {
  /** Of the newest transition: why the alert stands as it does. */
  readonly lines: readonly string[];
  /** In the order of the answer's transitions, the lines of each. */
  readonly transitions: readonly (readonly string[])[];
  /** In the order of the answer's notifications, what became of each. */
  readonly notifications: readonly string[];
};

export function explanationOf({ alert, subject, transitions, notifications, timezone }: ExplainAnswer): Explanation {
  const about = { labels: alert.labels, rule: alert.rule, subject };
  const lines = transitions.map((transition) =>
    explainLines({
      state: transition.to,
      transition,
      metric: alert.labels["metric"] ?? "",
      device: oneLine(deviceName(about, transition)),
      unit: alert.unit,
      severity: severityThen(transition) ?? alert.severity,
      firedAt: alert.firedAt ?? transition.ts,
      timezone,
    }).map(oneLine),
  );
  return { lines: lines.at(-1) ?? [], transitions: lines, notifications: notifications.map((told) => dispositionText(told, timezone)) };
}

/** The alert has the severity of its newest transition; an earlier change of level says its own. Evidence of older releases has no levels. */
const severityThen = ({ reason, evidence, ts }: ExplainAnswer["transitions"][number]): Severity | undefined =>
  reason === "level" && evidence.levels !== undefined ? rejudge(evidence, ts)?.severity : undefined;
