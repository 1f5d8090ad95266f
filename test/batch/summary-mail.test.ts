// The mail about a run: never wider than 72 columns, the worst first, safe to show whatever devices call themselves.

import { describe, expect, it } from "vitest";
import type { DayReport, SeriesReport, SummaryReport } from "../../src/batch/jobs/summary-report.ts";
import { renderSummaryMail, type SummaryMail } from "../../src/batch/summary-mail.ts";
import { dayNumber, dayText } from "../../src/engine/calendar.ts";

const sensor = (series: number, rest: Partial<SeriesReport> = {}): SeriesReport => ({
  series,
  labels: { device: `fz-${series}`, metric: "temperature" },
  unit: "°C",
  days: 1,
  readings: 288,
  late: 0,
  alerts: 0,
  coverage: 1,
  min: -21.503,
  avg: -18.24,
  max: -15,
  largestGapMs: 0,
  ...rest,
});
const day = (number: number, rest: Partial<DayReport> = {}): DayReport => ({
  day: dayText(dayNumber("2024-01-30") + number),
  series: 2,
  readings: 576,
  late: 0,
  alerts: 0,
  coverage: 1,
  ...rest,
});
const report = (rest: Partial<SummaryReport> = {}): SummaryReport => ({
  zone: "Europe/Oslo",
  isWhole: true,
  readings: 576,
  late: 0,
  alerts: 1,
  coverage: 0.9999,
  series: 2,
  days: [day(0)],
  worst: [sensor(1, { alerts: 1 }), sensor(2)],
  ...rest,
});
const render = (rest: Partial<SummaryReport> = {}): SummaryMail =>
  renderSummaryMail(report(rest), { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080" }) as SummaryMail;
const lines = (mail: SummaryMail): string[] => mail.text.split("\n");

describe("renderSummaryMail", () => {
  it("tells of one day in figures that line up", () => {
    const mail = render();
    expect(mail.subject).toBe("[cold-chain] 2024-01-30: 1 alert, coverage 99.9 %");
    expect(mail.text).toContain("2024-01-30, Europe/Oslo: 576 readings of 2 sensors; 1 alert fired.");
    expect(lines(mail).filter((line) => line.startsWith("fz-"))).toEqual([
      "fz-1 temperature °C         -21.5   -18.24      -15    100 %      1    -",
      "fz-2 temperature °C         -21.5   -18.24      -15    100 %      0    -",
    ]);
  });

  it("sums up a run that caught up: a line a day, or a line a month", () => {
    const days = (count: number) => Array.from({ length: count }, (_, index) => day(index, { alerts: index === 0 ? 2 : 0, coverage: index < 2 ? 0.5 : 1 }));
    const short = render({ days: days(3) });
    expect(short.subject).toContain("2024-01-30 to 2024-02-01 (3 days)");
    expect(lines(short).filter((line) => /^2024-..-.. /.test(line) && !line.includes("Oslo"))).toHaveLength(3);
    const long = render({ days: days(40) });
    expect(lines(long).filter((line) => /^2024-.. /.test(line))).toEqual([
      "2024-01              2          1152         0      50.0 %        2",
      "2024-02              2         16704         0       100 %        0",
      "2024-03              2          5184         0       100 %        0",
    ]);
  });

  it("stays within 72 columns whatever the figures and names", () => {
    const extremes = [-1234567.891, 1e300, -1e-300, 0.1 + 0.2, 99_999_999, 12_345.678, -0];
    const worst = extremes.map((value, index) =>
      sensor(index, {
        labels: { device: "a-device-with-a-name-that-goes-on-and-on", metric: "m" },
        min: value,
        avg: value,
        max: value,
        alerts: 99_999,
        largestGapMs: 90_000_000,
      }),
    );
    const mail = render({ worst, series: 1000, days: [day(0), day(1)], isWhole: false, late: 3 });
    expect(lines(mail).filter((line) => line.length > 72)).toEqual([]);
    expect(mail.text).toContain("993 more sensors not listed.");
    expect(mail.text).toMatch(/ended before it was\s+done/);
  });

  it("shows no hundred per cent for what is not whole", () => {
    expect(render({ coverage: 0.99999 }).subject).toContain("99.9 %");
    expect(render({ coverage: 1 }).subject).toContain("coverage 100 %");
  });

  it("lets no name break out of the subject, a line or the HTML", () => {
    const mail = renderSummaryMail(report({ worst: [sensor(1, { labels: { device: "<b>\r\nBcc: x@y", metric: '"&' } })] }), {
      gatewayName: "a\r\nBcc: evil@example.org",
      externalUrl: null,
    }) as SummaryMail;
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(lines(mail).some((line) => line.startsWith("Bcc"))).toBe(false);
    expect(mail.html).not.toContain("<b>");
    expect(mail.html).toContain("&lt;b&gt; Bcc: x@y &quot;&amp;");
  });

  it("is no mail when there was nothing to do", () => {
    expect(renderSummaryMail(report({ days: [] }), { gatewayName: "g", externalUrl: null })).toBeUndefined();
  });
});
