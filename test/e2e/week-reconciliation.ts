// Where stream and batch differ, and why. The stream judges as readings come and the batch when all have come: what lies between is lateness and
// what never became history, and the journal has both written down.

import { expect } from "vitest";
import type { AlertAnswer, RunningGateway } from "./gateway-process.ts";
import { byDay, createQuickDayOf } from "./independent-summary.ts";
import type { Ledger } from "./week-fleet.ts";
import { type Arrival, expectBooks, historiesOf, type Kept } from "./week-history.ts";
import { expectNear, type ReconciliationAnswer, type SummaryAnswer, summariesOf } from "./week-layers.ts";

export type Sides = { readonly arrivals: readonly Arrival[]; readonly ledger: Ledger; readonly zone: string };

/**
 * THE CHECK OF RECONCILIATION: the books of the whole balance. By series and day, what was accepted and what was late, each instant once, is
 * the batch's count; where some were late, and only there, the reconciliation names them, says what the stream heard without them, and leaves nothing unexplained.
 * Which alerts late readings would have made is judged only as far as that each is of its day, or is an alert that there was.
 */
export async function checkReconciliation(gateway: RunningGateway, { arrivals, ledger, zone }: Sides): Promise<void> {
  const { readings } = await gateway.status();
  expectBooks(readings, arrivals, ledger);
  const [summaries, dayOf] = [await summariesOf(gateway), createQuickDayOf(zone)];
  const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing,recovering,resolved&limit=10000");
  const fired = new Set(alerts.map(({ id }) => id));
  let differing = 0;
  for (const [series, kept] of historiesOf(arrivals)) {
    for (const [day, ofDay] of byDay(kept, dayOf) as Map<string, Kept[]>) {
      const about = `${series} ${day}`;
      const { count, late, reconciliation } = summaries.get(about) as SummaryAnswer;
      const inTime = ofDay.filter(({ isLate }) => !isLate);
      expect({ inTime: count - late, late }, about).toEqual({ inTime: inTime.length, late: ofDay.length - inTime.length });
      if (late === 0) expect(reconciliation, about).toBeNull();
      else expectExplained(reconciliation as ReconciliationAnswer, { inTime, all: ofDay }, about);
      for (const { kind, alert, due } of reconciliation?.alerts ?? []) {
        if (kind === "missed") expect(dayOf(Date.parse(due?.fired_at ?? "")), about).toBe(day);
        else expect(fired, about).toContain(alert);
      }
      differing += late === 0 ? 0 : 1;
    }
  }
  expect(differing).toBeGreaterThan(0);
}

function expectExplained(found: ReconciliationAnswer, { inTime, all }: { inTime: readonly Kept[]; all: readonly Kept[] }, about: string): void {
  expect(found, about).not.toBeNull();
  const { stream, batch, alerts, ...counts } = found;
  // What was refused is counted by the day on which it arrived, which is none of the week's.
  expect(counts, about).toEqual({ late: all.length - inTime.length, duplicate: 0, conflict: 0, quarantined: 0, unexplained: 0 });
  expect(alerts, about).not.toBeNull();
  for (const [side, readings] of [
    [stream, inTime],
    [batch, all],
  ] as const) {
    const values = readings.map(({ value }) => value);
    const [min, max] = values.length === 0 ? [null, null] : [Math.min(...values), Math.max(...values)];
    expect({ count: side.count, min: side.min, max: side.max }, about).toEqual({ count: values.length, min, max });
    expectNear(side.avg, values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length, about);
  }
}
