// The mail about a run: never wider than 72 columns, the worst first, safe to show whatever devices call themselves.

import { describe, expect, it } from "vitest";
import type { DayReport, SeriesReport, SummaryReport } from "../../src/batch/jobs/summary-report.ts";
import { renderSummaryMail, type SummaryMail } from "../../src/batch/summary-mail.ts";
import type { AlarmOccurrence } from "../../src/engine/alarm-figures.ts";
import { performanceOf } from "../../src/engine/alarm-performance.ts";
import { defaultTargets } from "../../src/engine/alarm-targets.ts";
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
  reconciliation: { series: [], left: 0, unjudged: 0 },
  damaged: 0,
  ...rest,
});
const render = (rest: Partial<SummaryReport> = {}): SummaryMail =>
  renderSummaryMail(report(rest), { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080" }) as SummaryMail;
const noon = Date.UTC(2024, 0, 30, 10);
/** So many alerts a second apart from 10:00 UTC on, each acknowledged after so long; 0: never. */
const alarms = (count: number, device: string, ackedAfter: number): AlarmOccurrence[] =>
  Array.from({ length: count }, (_, index) => {
    const at = noon + index * 1000;
    const times = {
      firedAt: at,
      resolvedAt: at + 500,
      toldAt: at,
      clearedAt: at + 500,
      firstAckedAt: ackedAfter === 0 ? null : at + ackedAfter,
      hidden: device === "fz-8",
    };
    return { id: `${device} ${index}`, rule: "too-warm", subject: device, labels: { device, metric: "temperature" }, severity: "warning", ...times };
  });
const figures = (occurrences: AlarmOccurrence[]) =>
  performanceOf(occurrences, { from: Date.UTC(2024, 0, 29, 23), to: Date.UTC(2024, 0, 30, 23) }, defaultTargets);
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

  it("tells how alarms performed, each figure beside its target, and who alarms most", () => {
    const mail = render({ performance: { day: "2024-01-30", figures: figures([...alarms(12, "fz-7", 10_440), ...alarms(1, "fz-8", 0)]) } });
    expect(lines(mail)).toEqual(
      expect.arrayContaining([
        "Alarm performance",
        "Mean in an hour        0.542       ≤ 5 met",
        // In local time of the zone.
        "Most in 10 min            13      ≤ 10 missed from 11:00",
        "Top ten's share            -     ≤ 5 % -      only 2 in all",
        "Acknowledged in          10s     ≤ 10m met    95 % in 10s; 1 never",
        "Warning                100 %    ≤ 15 % missed 13 alerts",
        "Alerts that come most often",
        "too-warm               fz-7 temperature            12  92.3 % chattering",
        "too-warm               fz-8 temperature             1   7.7 %",
      ]),
    );
    expect(mail.text.replaceAll("\n", " ")).toContain("13 alerts fired, 12 acknowledged, 1 hidden from those on call, 1 sensor chatters, 1 fleeting.");
    expect(lines(mail).filter((line) => line.length > 72)).toEqual([]);
    expect(mail.html).toContain(">missed</td>");
    expect(mail.html).toMatch(/<h2[^>]*>Alarm performance<\/h2>/);
  });

  it("shows no figure as its target that it is not", () => {
    const near = figures([]);
    const verdicts = [
      { name: "per_hour", bound: "at_most", value: 5.0004, target: 5, met: false },
      { name: "mix.critical", bound: "at_most", value: 0.05001, target: 0.05, met: false },
      { name: "acknowledge", bound: "at_most", value: 600_200, target: 600_000, met: false },
      { name: "peak_per_hour", bound: "at_most", value: 123_456, target: 15, met: false },
      { name: "stale", bound: "at_most", value: 5, target: 5, met: true },
    ] as const;
    const text = lines(render({ performance: { day: "2024-01-30", figures: { ...near, verdicts } } }));
    expect(text.filter((line) => / (missed|met)/.test(line)).map((line) => line.slice(0, 45).trimEnd())).toEqual([
      "Mean in an hour       5.0004       ≤ 5 missed",
      "Critical             5.001 %     ≤ 5 % missed",
      "Acknowledged in     10m200ms     ≤ 10m missed",
      "Most in an hour       123456      ≤ 15 missed",
      "Stale, over a day          5       ≤ 5 met",
    ]);
  });

  it("names the day of the performance where there are several, and says when there is none", () => {
    const quiet = render({ days: [day(0), day(1)], performance: { day: "2024-01-31", figures: figures([]) } });
    expect(lines(quiet)).toContain("Alarm performance, 2024-01-31");
    expect(quiet.text).not.toContain("Alerts that come most often");
    expect(quiet.text.replaceAll("\n", " ")).toContain("in the day: No alert fired.");
    const tooMany = render({ performance: { day: "2024-01-30", figures: null } });
    expect(lines(tooMany)).toContain("Too many alerts fired for their performance to be worked out.");
    expect(tooMany.html).not.toContain("<h2>Alarm performance");
  });

  it("keeps the performance within 72 columns whatever fires", () => {
    const many = Array.from({ length: 15 }, (_, index) => alarms(1500, `a-device-with-a-name-that-goes-on-and-on-${index}`, 900_000)).flat();
    const mail = render({ performance: { day: "2024-01-30", figures: figures(many.map((each) => ({ ...each, rule: "a-rule-with-a-long-name\r\nx" }))) } });
    expect(lines(mail).filter((line) => line.length > 72)).toEqual([]);
    expect(mail.text).toContain("22500 alerts fired");
  });

  it("is no mail when there was nothing to do", () => {
    expect(renderSummaryMail(report({ days: [] }), { gatewayName: "g", externalUrl: null })).toBeUndefined();
  });
});

describe("where stream and batch differ", () => {
  const counts = { duplicate: 3, conflict: 1, quarantined: 0, unexplained: 0, missed: 2, mistaken: 0, moved: 1 };
  const found = { series: 1, labels: { device: "fz-7", metric: "temperature" }, late: 240, ...counts };

  it("is told in a table, with what its columns mean, and nothing is said when they agree", () => {
    const { text, html } = render({ reconciliation: { series: [found], left: 2, unjudged: 1 } });
    expect(text).toMatch(
      /Where the stream and the day differ\n\nSensor +Late +Refused Missed In error Moved +Fault\n-+\nfz-7 temperature +240 +4 +2 +0 +1 +-\n/,
    );
    expect(text.replace(/\s+/g, " ")).toContain("2 more sensors differ");
    expect(text.replace(/\s+/g, " ")).toContain("Of 1 sensor the day was not judged again: there were too many readings, or some were imported.");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(72);
    expect(html).toContain("Where the stream and the day differ");
    expect(text).not.toContain("highwater verify");
    expect(render().text).not.toContain("differ");
  });

  it("says a fault as one", () => {
    const { text } = render({ reconciliation: { series: [{ ...found, unexplained: 7 }], left: 0, unjudged: 0 } });
    expect(text).toMatch(/fz-7 temperature.* 7\n/);
    expect(text).toContain("highwater verify");
  });
});
