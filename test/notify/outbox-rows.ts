// Rows for the tests of notify/: an alert that fired or resolved, and a store of rows that behaves like the real one.

import type { Labels } from "../../src/engine/reading.ts";
import type { DeliveryRow } from "../../src/notify/outbox.ts";
import type { OutboxHead, OutboxRow } from "../../src/storage/outbox-row.ts";

/** 2026-11-22 12:31:07 UTC. */
export const FIRED_AT = Date.UTC(2026, 10, 22, 12, 31, 7);

export type RowOptions = {
  readonly alert?: string;
  readonly receiver?: string;
  readonly channel?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly createdAt?: number;
  readonly predicate?: string;
  readonly unit?: string | null;
  readonly value?: number;
};

const baseLabels = {
  alertname: "freezer-too-warm",
  device: "freezer-7",
  metric: "temperature",
  room: "B2",
  severity: "critical",
  site: "oslo",
  team: "cold-chain",
};

/** A row as the store gives it: the first tells of the firing, a second of the same alert of the resolved. */
export function row(state: "firing" | "resolved", options: RowOptions = {}): OutboxRow {
  const { alert = "a1b2c3d4e5f60718-mhx2k9", receiver = "on-call", channel = "email:0", createdAt = FIRED_AT + 120 } = options;
  const isResolved = state === "resolved";
  const ts = isResolved ? FIRED_AT + 35 * 60_000 : FIRED_AT;
  const value = options.value ?? (isResolved ? -17.3 : -12.4);
  const seq = isResolved ? 2 : 1;
  const labels = options.labels ?? baseLabels;
  const annotations = options.annotations ?? { summary: "{{device}} in room {{room}} is at {{value}} °C", runbook: "https://wiki.example.org/freezers#warm" };
  const peak = isResolved ? -9.8 : value;
  return {
    id: `${alert}-${seq}-${receiver}-${channel.replace(":", "")}`,
    receiver,
    channel,
    seq,
    kind: "transition",
    line: null,
    members: null,
    state,
    createdAt,
    attempts: 0,
    nextAt: createdAt,
    alert: {
      id: alert,
      rule: "freezer-too-warm",
      series: 3,
      subject: "{}",
      severity: "critical",
      labels,
      annotations,
      latchedAt: null,
      state,
      since: ts,
      firedAt: FIRED_AT,
      resolvedAt: isResolved ? ts : null,
      value,
      peak,
      limit: -15,
      unit: options.unit === undefined ? "°C" : options.unit,
    },
    transition: {
      alert,
      ordinal: seq,
      to: state,
      reason: "condition",
      ts,
      at: ts + 120,
      figures: { value, peak },
      evidence: {
        test: { above: -15, clear_below: -17 },
        rule: "freezer-too-warm",
        logic: "9f86d081884c7d65",
        predicate: options.predicate ?? "above -15, clears below -17",
        measure: value,
        ts,
        since: isResolved ? ts - 600_000 : ts - 300_000,
        trigger: isResolved ? "timer" : "reading",
        watermark: ts - 1,
        from: isResolved ? "recovering" : "pending",
      },
    },
  };
}

export type GroupOptions = Partial<Pick<OutboxRow, "kind" | "line" | "seq" | "state" | "receiver" | "channel" | "createdAt">> & {
  readonly fresh?: number;
  readonly more?: number;
};

export const GROUP_KEY = 'on-call/1f2e:{site="oslo"}@mhx2k9.2f';

/** One row that tells of all of these; it fires while any of them does. */
export function groupRow(rows: readonly [OutboxRow, ...OutboxRow[]], { fresh = rows.length, more = 0, ...options }: GroupOptions = {}): OutboxRow {
  const [first] = rows;
  const state = more > 0 || rows.some((each) => each.state === "firing") ? "firing" : "resolved";
  const alerts = rows.map(({ alert, transition }) => ({ alert, transition }));
  return { ...first, seq: 1, state, line: GROUP_KEY, ...options, members: { alerts, fresh, more } };
}

/** Alerts of as many freezers: every third is a warning, every fifth has resolved. */
export function freezerRows(count: number, labelsOf: (index: number) => Labels = () => ({})): [OutboxRow, ...OutboxRow[]] {
  const rows = Array.from({ length: count }, (_, index) => {
    const severity = index % 3 === 2 ? "warning" : "critical";
    const labels = { ...baseLabels, device: `freezer-${index + 1}`, severity, ...labelsOf(index) };
    const one = row(index % 5 === 4 ? "resolved" : "firing", {
      alert: `a1b2c3d4e5f6${String(index).padStart(4, "0")}-mhx2k9`,
      labels,
      value: -12.4 + index / 10,
    });
    return { ...one, alert: { ...one.alert, rule: labels.alertname, severity: severity as "critical" | "warning" } };
  });
  return rows as [OutboxRow, ...OutboxRow[]];
}

const headOf = (each: OutboxRow): OutboxHead => ({ ...each, members: each.members === null ? null : "left_out" });

/** Keeps rows like the store: gives the waiting heads, takes reports. `commits: false` loses what is reported, as a crash does. */
export function rowStore(rows: readonly OutboxRow[], { commits = true }: { commits?: boolean } = {}) {
  const waiting = new Map(rows.map((each) => [each.id, each]));
  const reports: DeliveryRow[] = [];
  const dead: { id: string; reason: string }[] = [];
  const listeners = new Set<() => void>();
  const changed = () => listeners.forEach((listener) => listener());
  const keyOf = (each: OutboxRow) => `${each.alert.id} ${each.receiver} ${each.channel}`;
  return {
    reports,
    dead,
    add(...more: OutboxRow[]) {
      for (const each of more) waiting.set(each.id, each);
    },
    waitingIds: () => [...waiting.keys()],
    whole: async (id: string): Promise<OutboxRow | null> => waiting.get(id) ?? null,
    async waiting(limit: number): Promise<OutboxHead[]> {
      const all = [...waiting.values()];
      const heads = all.filter((each) => !all.some((other) => keyOf(other) === keyOf(each) && other.seq < each.seq)).toSorted((a, b) => a.nextAt - b.nextAt);
      return [...Map.groupBy(heads, (each) => `${each.receiver} ${each.channel}`).values()].flatMap((channel) => channel.slice(0, limit).map(headOf));
    },
    report(row: DeliveryRow) {
      reports.push(row);
      const found = waiting.get(row.id);
      if (commits && found !== undefined) {
        if (row.disposition === "delivered") waiting.delete(row.id);
        else waiting.set(row.id, { ...found, attempts: row.attempts, nextAt: row.nextAt });
      }
      changed();
    },
    deadLetter(id: string, reason: string) {
      dead.push({ id, reason });
      if (commits) waiting.delete(id);
      changed();
    },
    /** Resolves once `isTrue` holds after a report, a dead letter or poke(). */
    async until(isTrue: () => boolean): Promise<void> {
      while (!isTrue()) {
        await new Promise<void>((resolve) => {
          const listener = () => {
            listeners.delete(listener);
            resolve();
          };
          listeners.add(listener);
        });
      }
    },
    poke: changed,
  };
}
