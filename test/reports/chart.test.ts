// The drawing: where gaps part the line and where an empty slot does not, what is shown of limits, and that nothing is drawn outside.

import { describe, expect, it } from "vitest";
import { type Chart, type ChartPoint, drawChart } from "../../src/reports/chart.ts";

const look = { width: 200, height: 44 };
const point = (slot: number, value: number, spread = 1): ChartPoint => ({ at: (slot + 0.5) / 48, min: value - spread, max: value + spread, avg: value });
const chart = (rest: Partial<Chart> = {}): Chart => ({
  points: [point(0, 1), point(1, 2), point(10, 3)],
  slot: 1 / 48,
  gaps: [],
  marks: [],
  ticks: [],
  ...rest,
});
const bands = (svg: string): number => svg.split('Z" fill="#c9dcf4"').length - 1;
const numbers = (svg: string): number[] => [...svg.matchAll(/ d="([^"]+)"/g)].flatMap(([, path]) => (path ?? "").match(/-?[\d.]+/g) ?? []).map(Number);

describe("drawChart", () => {
  it("goes on over slots in which a sensor that speaks seldom said nothing, and stops at a gap", () => {
    expect(bands(drawChart(chart(), look))).toBe(1);
    expect(bands(drawChart(chart({ gaps: [[2 / 48, 10 / 48]] }), look))).toBe(2);
    // Shorter than a slot: it is shown in grey, and the line on both sides of it stays one.
    const short = drawChart(chart({ gaps: [[1.2 / 48, 1.4 / 48]] }), look);
    expect(bands(short)).toBe(1);
    expect(short).toContain('fill="#ececea"');
    expect(bands(drawChart(chart({ gaps: [[0.9 / 48, 1.1 / 48]] }), look))).toBe(1);
  });

  it("stops too where nothing is known, and shows nothing there", () => {
    const svg = drawChart(chart({ unknown: [[2 / 48, 10 / 48]] }), look);
    expect(bands(svg)).toBe(2);
    expect(svg).not.toContain('fill="#ececea"');
  });

  it("draws what does not change in the middle, and nothing at all when there is nothing", () => {
    expect(drawChart(chart({ points: [point(0, 5, 0), point(47, 5, 0)] }), look)).toContain("L196 22");
    expect(drawChart(chart({ points: [] }), { ...look, axis: { labels: [], valueText: String } })).not.toMatch(/NaN|Infinity/);
  });

  it("stays within its frame whatever the values", () => {
    for (const value of [0, 1e-300, 1e300, -1.7e308]) {
      const svg = drawChart(chart({ points: [point(0, value), point(47, 1.7e308, 0)], marks: [0, 1], limits: [value] }), look);
      expect(numbers(svg).filter((each) => !(each >= 0 && each <= 200))).toEqual([]);
    }
  });

  it("shows a limit that is near, and keeps one that is far from pressing the rest flat", () => {
    const dashed = (limit: number): boolean => drawChart(chart({ limits: [limit] }), look).includes("stroke-dasharray");
    // The points reach from 0 to 4.
    expect([-4.1, -4, 8, 8.1].map(dashed)).toEqual([false, true, true, false]);
  });

  it("marks alerts by shape, not by colour alone", () => {
    const svg = drawChart(chart({ marks: [0.5] }), look);
    expect(svg).toContain('<path d="M96 4H104L100 10Z" fill="#c0271d"/>');
  });

  it("says what it shows to those who do not see it", () => {
    expect(drawChart(chart(), { ...look, label: "a &amp; b" })).toContain('role="img" aria-label="a &amp; b"');
  });
});
