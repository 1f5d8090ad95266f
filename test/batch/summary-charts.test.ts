// The small charts of the summary mail: what they are drawn from, that they say the same in words, what they weigh, and that they reach the
// reader as a mail that shows them.

import fc from "fast-check";
import { simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import { afterEach, describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { COURSE_SLOTS, courseOf } from "../../src/batch/jobs/day-course.ts";
import type { SummaryReport } from "../../src/batch/jobs/summary-report.ts";
import { createPngPainter } from "../../src/batch/png.ts";
import { courseChart, courseWords } from "../../src/batch/summary-charts.ts";
import { renderSummaryMail } from "../../src/batch/summary-mail.ts";
import { dayBounds, type ZoneTable } from "../../src/engine/calendar.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder, type Sent } from "../storage/recorder.ts";

const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const [minute, hour] = [60_000, 3_600_000];
const shortDay = "2026-03-29";
const bounds = dayBounds(oslo, shortDay);

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

describe("courseOf", () => {
  it("gives each slot its lowest, its highest and its average, on a day of 23 hours too", () => {
    const slotMs = (23 * hour) / COURSE_SLOTS;
    const readings = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 23 * hour - 1 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })), {
      selector: ([at]) => at,
      minLength: 1,
      maxLength: 300,
    });
    fc.assert(
      fc.property(readings, (unordered) => {
        const ordered = [...unordered].sort(([a], [b]) => a - b);
        const columns = { ts: Float64Array.from(ordered, ([at]) => bounds.start + at), value: Float64Array.from(ordered, ([, value]) => value) };
        const plain = Map.groupBy(ordered, ([at]) => Math.floor(at / slotMs));
        const { points } = courseOf(shortDay, bounds, columns, []);
        expect(points.map(({ at }) => Math.floor(at * COURSE_SLOTS))).toEqual([...plain.keys()]);
        points.forEach(({ min, max, avg }, index) => {
          const values = [...plain.values()][index]?.map(([, value]) => value) ?? [];
          expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
          expect(avg).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6);
        });
      }),
    );
  });

  it("stays finite at the ends of what a double holds, and so does the drawing", () => {
    const columns = { ts: Float64Array.from([0, 1, 2], (at) => bounds.start + at), value: Float64Array.from([1.7e308, -1.7e308, 1.7e308]) };
    const course = courseOf(shortDay, bounds, columns, []);
    expect(course.points[0]?.avg).toBeCloseTo(1.7e308 / 3, -300);
    expect(courseChart(course, [], oslo)).not.toMatch(/NaN|Infinity/);
  });
});

describe("courseChart", () => {
  it("marks one alert of each half hour, however many fire", () => {
    const course = courseOf(shortDay, bounds, { ts: Float64Array.of(bounds.start), value: Float64Array.of(1) }, []);
    const alerts = Array.from({ length: 500 }, (_, index) => bounds.start + (index / 500) * 23 * hour);
    expect(courseChart(course, alerts, oslo).split('Z" fill="#c0271d"')).toHaveLength(COURSE_SLOTS + 1);
  });
});

describe("courseWords", () => {
  const words = (alerts: readonly number[], gaps: readonly (readonly [number, number])[]): string => {
    const columns = { ts: Float64Array.from([4, 14.6], (at) => bounds.start + at * hour), value: Float64Array.from([-21.5, -11]) };
    const course = courseOf(shortDay, bounds, columns, gaps);
    return courseWords({ series: 3, labels: { device: "fz-7", metric: "temperature" }, unit: "°C", course }, alerts, oslo);
  };

  it("says what the picture shows, in local time", () => {
    // Clocks go from 02:00 to 03:00: four hours after midnight it is 05:00.
    expect(words([bounds.start + 14.6 * hour], [[bounds.start + 18 * hour, bounds.end]])).toBe(
      "fz-7 temperature °C on 2026-03-29: lowest -21.5 about 04:50, highest -11 about 15:22. No readings from 19:00 to 24:00. Alert at 15:36.",
    );
  });

  it("names three and counts the rest", () => {
    const times = [5, 6, 7, 8, 9].map((at) => bounds.start + at * hour);
    expect(words(times, [])).toContain("Alerts at 06:00, 07:00, 08:00, 2 more alerts.");
  });
});

describe("the charts of a run", () => {
  const warm = rule({ name: "too-warm", condition: { type: "threshold", above: -15 }, severity: "critical" });
  const record = async (
    devices: readonly string[],
    valueOf: (device: string, at: number) => number | undefined,
    everyMs = 10 * minute,
  ): Promise<SummaryReport> => {
    open = createRecorder(plan([warm], { maxFutureMs: 1e15 }));
    for (let at = bounds.start; at < bounds.end; at += everyMs) {
      const sent = devices.flatMap((device): Sent[] => {
        const value = valueOf(device, at - bounds.start);
        return value === undefined ? [] : [{ device, ts: at, value }];
      });
      if (sent.length > 0) open.receive(sent, 1);
    }
    return await runDailySummary(open.db, { zone: oslo, now: bounds.end, devices: {}, charts: true, days: { from: shortDay, to: shortDay } }, open.finish);
  };

  it("are of the worst sensors alone, each a small PNG", async () => {
    const devices = Array.from({ length: 30 }, (_, index) => `fz-${index}`);
    let seed = 1;
    const noise = (): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const report = await record(devices, (device, at) => (device === "fz-29" && at > 12 * hour ? -10 : -20 + noise()));
    expect(report.worst).toHaveLength(20);
    expect(report.charts?.map(({ series }) => series)).toEqual(report.worst.map(({ series }) => series));
    const [worst] = report.charts ?? [];
    expect(worst?.alt).toMatch(/^fz-29 temperature on 2026-03-29: .* highest -10 about 12:58\. Alert at 13:10\.$/);
    for (const { png } of report.charts ?? []) {
      expect(Buffer.from(png.subarray(0, 8)).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
      expect(png.byteLength).toBeLessThan(10_000);
      // Twice as fine as it is shown.
      const head = new DataView(png.buffer, png.byteOffset);
      expect([head.getUint32(16), head.getUint32(20)]).toEqual([400, 88]);
    }
  });

  it("weigh less than 10 kB however wild the day was", async () => {
    const paint = await createPngPainter();
    const wild = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 48, maxLength: 48 });
    const gaps = fc.array(fc.integer({ min: 0, max: 22 }), { maxLength: 20 });
    fc.assert(
      fc.property(wild, gaps, fc.boolean(), (values, hours, swings) => {
        const points = values.map(([a, b], slot) => {
          const [min, max] = [Math.min(a, b), Math.max(a, b)];
          return { at: (slot + 0.5) / COURSE_SLOTS, min, max, avg: swings ? (slot % 2 === 0 ? min : max) : (min + max) / 2 };
        });
        const alerts = Array.from({ length: 500 }, (_, index) => bounds.start + (index / 500) * 23 * hour);
        const silent = [...new Set(hours)].map((at): [number, number] => [bounds.start + at * hour, bounds.start + (at + 0.3) * hour]);
        expect(paint(courseChart({ day: shortDay, ...bounds, points, gaps: silent }, alerts, oslo)).byteLength).toBeLessThan(10_000);
      }),
      { numRuns: 60 },
    );
  });

  it("are kept of those that end among the worst, however many come before and after them", async () => {
    const devices = Array.from({ length: 450 }, (_, index) => `fz-${index}`);
    const isBad = (device: string): boolean => Number(device.slice(3)) % 50 === 7;
    const report = await record(devices, (device, at) => (isBad(device) && at > 12 * hour ? -10 : -20), hour);
    expect(report.charts).toHaveLength(20);
    expect(report.worst.filter(({ alerts }) => alerts > 0)).toHaveLength(9);
    expect(report.charts?.map(({ series }) => series)).toEqual(report.worst.map(({ series }) => series));
  });

  it("are not drawn unless they are asked for", async () => {
    await record(["fz-1"], () => -20);
    const report = await runDailySummary(
      (open as Recorder).db,
      { zone: oslo, now: bounds.end, devices: {}, days: { from: shortDay, to: shortDay } },
      () => undefined,
    );
    expect(Object.keys(report)).not.toContain("charts");
  });

  it("reach the reader inside of the HTML, and the text says nothing of them", async () => {
    const report = await record(["fz-<&\"'1", "fz-2"], (device, at) => (device === "fz-2" && at > 5 * hour ? undefined : -20));
    const mail = renderSummaryMail(report, { gatewayName: "cold-chain", externalUrl: null });
    expect(mail?.text).not.toContain("chart");
    expect(mail?.html).toContain('alt="fz-&lt;&amp;&quot;&#39;1 temperature on 2026-03-29: lowest -20');
    expect(mail?.html).toContain("A chart is of the day, midnight to midnight (Europe/Oslo)");
    const attachments = (mail?.attachments ?? []).map((each) => ({ ...each, content: Buffer.from(each.content) }));
    const { message } = await createTransport({ streamTransport: true, buffer: true }).sendMail({
      ...mail,
      from: "a@example.org",
      to: "b@example.org",
      attachments,
    });
    const parsed = await simpleParser(message as Buffer, { keepCidLinks: true });
    expect(parsed.attachments).toHaveLength(2);
    for (const { cid, related, contentDisposition } of parsed.attachments) {
      expect(parsed.html).toContain(`src="cid:${cid}"`);
      expect([related, contentDisposition]).toEqual([true, "inline"]);
    }
  });
});
