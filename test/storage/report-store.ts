// A store with the October of 2026 in Oslo, in which clocks go back on the 25th: a freezer with a name that tries everything, two metrics, gaps
// over midnight and over whole days, alerts that reach in and out of the month, acknowledgements and comments. And a neighbour that is no part of it.

import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import type { ZoneTable } from "../../src/engine/calendar.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder, type Sent } from "./recorder.ts";

export const oslo = zoneTable("Europe/Oslo") as ZoneTable;
export const FREEZER = `=fz-7 <&"'/> Å🧊`;
export const NEIGHBOUR = "fz-8";
export const hour = 3_600_000;
/** Local times of Oslo in 2026: summer time until the 25th of October. */
export const oct = (day: number, hours = 0): number => Date.UTC(2026, 9, day) + (day > 25 ? -1 : -2) * hour + hours * hour;
export const start = oct(1);
export const end = oct(32);

export const rules = [
  rule({ name: "too-warm", match: { metric: "temperature" }, condition: { type: "threshold", above: -15 }, severity: "critical" }),
  rule({ name: "too-dry", match: { metric: "humidity" }, condition: { type: "threshold", below: 30 } }),
  rule({
    name: "device-worry",
    match: { metric: "temperature" },
    group_by: ["device"],
    condition: { type: "threshold", aggregate: "max", above: -11 },
    severity: "info",
  }),
  // Others may stand in the same room.
  rule({ name: "room-worry", match: { metric: "temperature" }, group_by: ["room"], condition: { type: "threshold", aggregate: "max", above: -11 } }),
];
export const devices = { [FREEZER]: { labels: { room: "B2 <cold>" }, limits: { high: -15 }, unit: "°C", expectedEveryMs: null } };
export const rulePlan: RulePlan = { ...plan(rules, { maxFutureMs: 1e15 }), devices, zone: oslo };

/** Hours of the month in which the freezer is too warm, as [day, hour, hours, peak]. */
const warm = [
  [0, 23, 3, -12],
  [12, 14, 2, -9.5],
  [31, 23, 4, -13],
] as const;

function temperatureAt(ts: number): number {
  const found = warm.find(([day, from, hours]) => ts >= oct(day, from) && ts < oct(day, from + hours));
  if (found !== undefined) return found[3];
  return Math.round((-19 + 1.5 * Math.sin(ts / hour / 7) + 0.4 * Math.sin(ts / hour)) * 10) / 10;
}

/** Half past ten in the evening until four; and three days and a half. */
const silentAt = (ts: number): boolean => (ts > oct(9, 22.5) && ts < oct(10, 4)) || (ts > oct(14, 18) && ts < oct(18, 6));

export async function recordOctober(): Promise<Recorder> {
  const store = createRecorder(rulePlan);
  const acts: [at: number, act: () => void][] = [
    [
      oct(12, 14.6),
      () => {
        const id = alertOf(store, "too-warm");
        store.command("user:ada", { kind: "acknowledge", alert: id, note: '=HYPERLINK("http://x")' }, 1);
        store.command("user:bo", { kind: "comment", alert: id, text: "door <b>was</b> open,\nsealed" }, 1);
      },
    ],
  ];
  for (let ts = oct(0); ts < end + 1 * hour; ts += 20 * 60_000) {
    const isHour = ts % hour === 0;
    const sent: Sent[] = [{ device: NEIGHBOUR, ts, value: ts % (5 * hour) === 0 ? -5 : -20 }];
    if (!silentAt(ts)) sent.push({ device: FREEZER, ts, value: temperatureAt(ts) });
    if (isHour && ts >= oct(3)) sent.push({ device: FREEZER, metric: "humidity", ts, value: ts > oct(20, 3) && ts < oct(20, 6) ? 25 : 40 + ((ts / hour) % 5) });
    store.receive(sent, 1);
    if (ts >= (acts[0]?.[0] ?? Number.POSITIVE_INFINITY)) acts.shift()?.[1]();
  }
  await summarize(store, oct(32, 1));
  return store;
}

export const summarize = (store: Recorder, now: number) => runDailySummary(store.db, { zone: oslo, now, devices: {} }, store.finish);

const alertOf = ({ db }: Recorder, name: string): string =>
  db.prepare<[string, string], string>("SELECT id FROM alert WHERE rule = ? AND labels LIKE ? ORDER BY fired_at DESC LIMIT 1").pluck().get(name, "%fz-7%") ??
  "";
