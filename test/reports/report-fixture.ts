// A report with everything that is hard to show: names and notes that try to break out, an alert from before, one that stands still, days of every state.

import { dayBounds, dayNumber, dayText, type ZoneTable } from "../../src/engine/calendar.ts";
import { summarizeDay } from "../../src/engine/summary.ts";
import { type DayState, type DeviceReport, type Excursion, type ReportDay, reportSeries } from "../../src/reports/device-report.ts";
import { zoneTable } from "../../src/zone.ts";

export const EVIL = `<img src=x onerror=alert(1)>&"'/ Ω\u202e`;
const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const hour = 3_600_000;
const from = "2026-10-23";
const states: readonly DayState[] = ["exact", "approximate", "open", "silent", "waiting"];

const days: ReportDay[] = states.map((state, index) => {
  const day = dayText(dayNumber(from) + index);
  const bounds = dayBounds(oslo, day);
  if (state === "silent" || state === "waiting") return { day, ...bounds, state, figures: null };
  const ts = Float64Array.from({ length: 20 }, (_, at) => bounds.start + at * hour);
  return {
    day,
    ...bounds,
    state,
    figures: summarizeDay(
      ts,
      ts.map((_, at) => -20.5 + at / 4),
      bounds,
      { late: index, alerts: 1 },
    ),
  };
});
const [start, end] = [days[0]?.start ?? 0, days.at(-1)?.end ?? 0];

const excursion = (rest: Partial<Excursion>): Excursion => ({
  ...{ id: "a-1", series: 1, rule: "too-warm", severity: "critical", unit: "°C", firedAt: start + hour, resolvedAt: start + 2 * hour },
  ...{ peak: -9.5, limit: -15, ack: null, events: [] },
  ...rest,
});

export const report: DeviceReport = {
  ...{ device: EVIL, labels: { room: EVIL }, limits: { high: -15 }, from, to: days.at(-1)?.day ?? "", start, end, zone: oslo, knownUntil: end - 20 * hour },
  series: [reportSeries({ id: 1, name: "temperature", labels: {}, unit: "°C" }, days), reportSeries({ id: 2, name: EVIL, labels: {}, unit: null }, days)],
  excursions: [
    excursion({
      id: "a-0",
      firedAt: start - hour,
      ack: { by: EVIL, at: start, note: EVIL },
      events: [{ at: start, kind: "acknowledged", by: EVIL, text: EVIL }],
    }),
    excursion({ id: "a-1", rule: EVIL, series: null, limit: null }),
    excursion({ id: "a-2", resolvedAt: null, events: [{ at: start + 3 * hour, kind: "commented", by: "bo", text: "-1+2\nsecond line" }] }),
  ],
  excursionsLeftOut: 0,
  ...{ madeAt: end, gateway: "cold <chain>", version: "0.1.0" },
};
