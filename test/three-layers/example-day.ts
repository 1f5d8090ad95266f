// One freezer on one day, as docs/reference/three-layers.md tells it: what each layer says of it at noon, in the afternoon, and the next
// morning. Engine, commits and batch are the real ones.

import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { systemClock } from "../../src/clock.ts";
import { dayBounds, localMinutes, type ZoneTable } from "../../src/engine/calendar.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Bucket, SummaryView } from "../../src/storage/query.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
export const DAY = "2026-01-31";
const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const { start, end } = dayBounds(oslo, DAY);
const at = (hours: number, minutes = 0): number => start + hours * hour + minutes * minute;

/** Calm at −18 °C; from 10:00 to 11:30 the door is open. */
function valueAt(ts: number): number {
  const wave = Math.round(Math.sin((ts - start) / (40 * minute)) * 3) / 10;
  const open = ts >= at(10) && ts < at(11, 30) ? Math.min(8.6, (ts - at(10)) / (6 * minute)) : 0;
  return Math.round((-18 + wave + open) * 10) / 10;
}
const reading = (ts: number) => ({ device: "fz-7", ts, value: valueAt(ts) });

/** Readings of a time, each five minutes, as they come. */
function live(store: Recorder, from: number, to: number): void {
  for (let ts = from; ts < to; ts += 5 * minute) store.receive([reading(ts)], Math.max(0, ts - store.now()));
}

export type Look = { readonly when: string; readonly hours: readonly Bucket[]; readonly day: readonly Bucket[] };
export type ExampleDay = { readonly looks: readonly Look[]; readonly summary: SummaryView; readonly alerts: number };

export async function exampleDay(): Promise<ExampleDay> {
  const warm = rule({ name: "freezer-too-warm", condition: { type: "threshold", above: -15 }, for: "15m" });
  const store = createRecorder(plan([warm]));
  try {
    const context = { devices: {}, zone: oslo, clock: systemClock, timeMs: 60_000 };
    const ask = (step: number | "day", from: number, to: number): readonly Bucket[] =>
      answerQuery(store.db, { kind: "readings", step, from, to }, context).series[0]?.buckets ?? [];
    const looks: Look[] = [];
    const look = (when: string): void => void looks.push({ when, hours: ask(hour, at(9), at(13)), day: ask("day", start, end) });

    live(store, start, at(10));
    // The radio is gone; the sensor stores what it reads, and goes on live at 11:30.
    live(store, at(11, 30), at(12));
    look("12:00");
    live(store, at(12), at(14));
    // Now it sends what it stored.
    for (let ts = at(10); ts < at(11, 30); ts += 5 * minute) store.receive([reading(ts)], 100);
    live(store, at(14), at(15));
    store.receive([reading(at(14, 55))], 1000);
    store.receive([{ device: "fz-7", ts: at(14, 30), value: -3 }], 1000);
    look("15:00");
    live(store, at(15), end + 4 * hour + 15 * minute);
    await runDailySummary(store.db, { zone: oslo, now: store.now(), devices: {} }, store.finish);
    look("04:15 the next morning");
    const { summaries } = answerQuery(store.db, { kind: "summaries", day: DAY }, context);
    const alerts = store.db.prepare<[], number>("SELECT count(*) FROM alert").pluck().get() ?? 0;
    return { looks, summary: summaries[0] as SummaryView, alerts };
  } finally {
    store.close();
  }
}

/** `14:05`, as a clock in Oslo shows it. */
export function clock(ts: number): string {
  const minutes = localMinutes(oslo, ts);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
