// What people and dashboards ask of a store with a long past, as paths of the HTTP API, drawn the same each time; and how long answers take.

import { createLatency, type LatencyFigures } from "../../simulators/load/latency.ts";
import { createRandom } from "../../simulators/signals.ts";
import { DAY_MS, dayBefore } from "./past.ts";

/** What lies where: series that are read often come first. */
export type Asked = { readonly often: number; readonly series: number; readonly days: number; readonly until: number };
export type QuestionName = keyof typeof questions;

const HOUR_MS = 3_600_000;
/** Of the question about many series. */
const MANY = 100;

type Draw = (count: number) => number;
type PathOf = (asked: Asked, draw: Draw) => string;

const readings = (series: number | string, from: number, length: number, step: string): string =>
  `/api/v1/readings?series=${series}&from=${from}&to=${from + length}&step=${step}`;
/** Begin of one of the days. */
const aDay = ({ days, until }: Asked, draw: Draw): number => until - (1 + draw(days)) * DAY_MS;

export const questions = {
  "raw, an hour": (asked, draw) => readings(draw(asked.often), aDay(asked, draw) + draw(23) * HOUR_MS, HOUR_MS, "raw"),
  "1m, a day": (asked, draw) => readings(draw(asked.often), aDay(asked, draw), DAY_MS, "1m"),
  "1h, a month": (asked, draw) => readings(draw(asked.series), aDay(asked, draw) - 29 * DAY_MS, 30 * DAY_MS, "1h"),
  "days of a year": (asked, draw) => readings(draw(asked.series), asked.until - 365 * DAY_MS, 365 * DAY_MS, "day"),
  "100 series, 1h, a day": (asked, draw) => {
    const first = draw(Math.max(1, asked.series - MANY));
    const ids = Array.from({ length: Math.min(MANY, asked.series) }, (_, index) => first + index);
    return readings(ids.join(","), aDay(asked, draw), DAY_MS, "1h");
  },
  "summaries of a day": (asked, draw) => `/api/v1/summaries?day=${dayBefore(aDay(asked, draw) + DAY_MS)}`,
  "list of series": () => "/api/v1/series",
} as const satisfies Record<string, PathOf>;
export const questionNames = Object.keys(questions) as QuestionName[];

/**
 * Asks one after the other, the questions taking turns.
 * @param count of each
 * @throws when one is refused or fails
 */
export async function ask(origin: string, asked: Asked, count: number): Promise<Record<QuestionName, LatencyFigures>> {
  const random = createRandom(1);
  const latencies = Object.fromEntries(questionNames.map((name) => [name, createLatency()])) as Record<QuestionName, ReturnType<typeof createLatency>>;
  for (let turn = -1; turn < count; turn += 1) {
    for (const name of questionNames) {
      const path = questions[name](asked, (below) => Math.floor(random() * below));
      const begun = performance.now();
      const response = await fetch(origin + path);
      const text = await response.text();
      const took = performance.now() - begun;
      if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text.slice(0, 200)}`);
      // The first of each finds threads that have not run yet.
      if (turn >= 0) latencies[name].record(took);
    }
  }
  return Object.fromEntries(questionNames.map((name) => [name, latencies[name].figures()])) as Record<QuestionName, LatencyFigures>;
}
