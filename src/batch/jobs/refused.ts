// Counts readings that are no history (duplicates, conflicts, quarantined) by series and by the local day in which they arrived: what the
// reconciliation tells of once the journal is gone.

import { type Day, type DayBounds, dayBounds, dayOf, type ZoneTable } from "../../engine/calendar.ts";
import { CONFLICT, DUPLICATE, QUARANTINED } from "../../engine/reading.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import type { RefusedDayRow } from "../../storage/reconciliation.ts";

type Counts = { duplicate: number; conflict: number; quarantined: number };
export type RefusedCounter = ReturnType<typeof createRefusedCounter>;

export function createRefusedCounter(zone: ZoneTable) {
  const days = new Map<Day, { readonly bounds: DayBounds; readonly series: Map<SeriesId, Counts> }>();
  let last: { readonly bounds: DayBounds; readonly series: Map<SeriesId, Counts> } | undefined;
  function dayAt(at: EpochMs): NonNullable<typeof last> {
    if (last !== undefined && at >= last.bounds.start && at < last.bounds.end) return last;
    const name = dayOf(zone, at);
    last = days.get(name) ?? { bounds: dayBounds(zone, name), series: new Map() };
    days.set(name, last);
    return last;
  }
  return {
    isEmpty: (): boolean => days.size === 0,
    /** @param verdict without flags, none that makes it history */
    add(id: SeriesId, verdict: number, at: EpochMs): void {
      const { series } = dayAt(at);
      const counts = series.get(id) ?? { duplicate: 0, conflict: 0, quarantined: 0 };
      series.set(id, counts);
      if (verdict === DUPLICATE) counts.duplicate += 1;
      else if (verdict === CONFLICT) counts.conflict += 1;
      else if (verdict === QUARANTINED) counts.quarantined += 1;
    },
    *rows(fromSeq: number): Generator<RefusedDayRow> {
      for (const [name, { bounds, series }] of days) {
        for (const [id, counts] of series) yield { kind: "refused-day", series: id, zone: zone.name, name, bounds, fromSeq, ...counts };
      }
    },
  };
}
