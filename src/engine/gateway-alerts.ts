// Alerts of the gateway about itself. So far one: a notification was given up (`highwater-dead-letter`), told by the other
// channels; it stands until the next start. What tells of a dead letter raises no further one.

import type { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Evidence } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import { GATEWAY_LOGIC } from "./rejudge.ts";
import type { EpochMs } from "./units.ts";

export const DEAD_LETTER_RULE = "highwater-dead-letter";
/** Stands for "of no series" in an AlertRecord. */
export const NO_SERIES = -1;

export class GatewayAlerts {
  #standing: AlertRecord[] = [];

  deadLetter(input: { at: EpochMs; notification: string; reason: string; receiver?: string; channel?: string }, into: Dispatcher): void {
    const told = into.toldBy(input.notification);
    const isOwn = this.#standing.some(({ id }) => input.notification.startsWith(id));
    if (isOwn || this.#standing.some(({ labels }) => labels["channel"] === told.channel && labels["receiver"] === told.receiver)) return;
    const record = this.#open(input.at, told, input.reason);
    this.#standing.push(record);
    const figures = { value: 1, peak: 1 };
    into.transition(
      { alert: record.id, ordinal: 1, to: "firing", reason: "dead_letter", ts: input.at, figures, evidence: evidence("inactive", input.at, 1) },
      record,
      told,
    );
  }

  started(at: EpochMs, into: Dispatcher): void {
    for (const standing of this.#standing) {
      const ts = Math.max(at, standing.firedAt);
      const record: AlertRecord = { ...standing, state: "resolved", since: ts, resolvedAt: ts, value: 0 };
      const figures = { value: 0, peak: 1 };
      into.transition({ alert: record.id, ordinal: 2, to: "resolved", reason: "dead_letter", ts, figures, evidence: evidence("firing", ts, 0) }, record);
    }
    this.#standing = [];
  }

  save(): string {
    return JSON.stringify(this.#standing);
  }

  restore(text: string): void {
    this.#standing = JSON.parse(text) as AlertRecord[];
  }

  #open(at: EpochMs, told: { receiver: string; channel: string }, reason: string): AlertRecord {
    const labels = { alertname: DEAD_LETTER_RULE, severity: "critical", ...told };
    return {
      id: `${fingerprint(DEAD_LETTER_RULE + told.receiver + told.channel)}-${at.toString(36)}`,
      rule: DEAD_LETTER_RULE,
      series: NO_SERIES,
      subject: "gateway",
      severity: "critical",
      labels,
      annotations: { summary: `A notification by ${told.channel} of ${told.receiver} was given up: ${reason.replace(/[{}%]/g, " ")}` },
      state: "firing",
      since: at,
      firedAt: at,
      resolvedAt: null,
      value: 1,
      peak: 1,
      limit: null,
      unit: null,
    };
  }
}

/** @param measure notifications that stand as given up */
const evidence = (from: "inactive" | "firing", ts: EpochMs, measure: number): Evidence => ({
  rule: DEAD_LETTER_RULE,
  logic: GATEWAY_LOGIC,
  predicate: "a notification was given up",
  test: { above: 0 },
  measure,
  ts,
  since: ts,
  trigger: "input",
  watermark: null,
  from,
});
