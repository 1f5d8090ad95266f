// Questions over HTTP to a gateway with a year of readings, and its start after kill -9, at a tenth of the readings and at all of them:
// a fiftieth of the series is read every ten seconds, the others every fifteen minutes.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startGateway } from "../../../simulators/gateway.ts";
import type { LatencyFigures } from "../../../simulators/load/latency.ts";
import { DAY_MS, makePast, pastBlocks, untilOf } from "../past.ts";
import type { Past } from "../past-process.ts";
import { type Asked, ask, type QuestionName, questionNames } from "../questions.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";

const READINGS = 100_000_000;
const DAYS_MAX = 365;
const STARTS_MAX = 3;
/** Of each question, for a second of `--seconds`. */
const ASKED_PER_SECOND = 50;
const OFTEN = { series: 2, everyMs: 10_000 };
const SELDOM = { series: 105, everyMs: 900_000 };
/** Of the least number of series; a year of it is ten million. */
const READINGS_PER_DAY = [OFTEN, SELDOM].reduce((sum, { series, everyMs }) => sum + (series * DAY_MS) / everyMs, 0);
/** Readings of today in the journal, not compacted: those of three hours, the last of which no snapshot holds. */
const TODAY_DAYS = 3 / 24;

type Measured = { readonly past: Past; readonly answers: Record<QuestionName, LatencyFigures>; readonly startSeconds: number };

export const queries: Row = {
  name: "queries",
  title: "answers and start-up with a year of readings, growth from a tenth of them",
  async run(options) {
    const readings = options.readings ?? READINGS;
    const small = await measureOne(options, readings / 10);
    const large = await measureOne(options, readings);
    return figuresOf(small, large);
  },
};

async function measureOne(options: BenchOptions, readings: number): Promise<Measured> {
  const folder = await mkdtemp(join(options.folder, "queries-"));
  try {
    const until = untilOf(Date.now());
    const days = Math.min(DAYS_MAX, Math.max(1, Math.round(readings / READINGS_PER_DAY)));
    const times = Math.max(1, Math.round(readings / (days * READINGS_PER_DAY)));
    const kinds = [OFTEN, SELDOM].map(({ series, everyMs }) => ({ series: series * times, everyMs, days }));
    const hour = Math.round((READINGS_PER_DAY * times * TODAY_DAYS) / 3);
    options.say(`storing ${Math.round(days * READINGS_PER_DAY * times).toLocaleString("en-US")} readings`);
    const past = await makePast(folder, { kinds, until, derived: "all", today: 2 * hour, unsaved: hour });
    options.say(`${past.readings.toLocaleString("en-US")} readings of ${past.series} series stored in ${past.seconds.toFixed(0)} s`);
    const starts: number[] = [];
    for (let turn = 1; turn <= Math.min(STARTS_MAX, options.runs); turn += 1) starts.push(await startAndKill(options, folder));
    const answers = await answer(options, folder, { often: OFTEN.series * times, series: past.series, days, until });
    for (const name of questionNames) options.say(`${name}: p50 ${answers[name].p50} ms, p99 ${answers[name].p99} ms`);
    return { past, answers, startSeconds: median(starts) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns seconds to ready; it is killed at once, so that the next start finds the same */
async function startAndKill({ nodeOptions, say }: BenchOptions, folder: string): Promise<number> {
  const begun = performance.now();
  const gateway = await startGateway(folder, { name: "bench", blocks: pastBlocks() }, { nodeOptions });
  const seconds = (performance.now() - begun) / 1000;
  process.kill(gateway.pid, "SIGKILL");
  await gateway.exited;
  say(`ready after ${seconds.toFixed(2)} s`);
  return seconds;
}

async function answer({ nodeOptions, seconds }: BenchOptions, folder: string, asked: Asked): Promise<Measured["answers"]> {
  const gateway = await startGateway(folder, { name: "bench", blocks: pastBlocks() }, { nodeOptions });
  try {
    return await ask(`http://${gateway.http.host}:${gateway.http.port}`, asked, Math.max(2, Math.round(seconds * ASKED_PER_SECOND)));
  } finally {
    await gateway.stop();
  }
}

function figuresOf(small: Measured, large: Measured): Figure[] {
  const budget = { sense: "at most", limit: 10, aim: 2 } as const;
  return [
    { what: "readings, fewer", value: small.past.readings, unit: "" },
    { what: "readings, more", value: large.past.readings, unit: "" },
    { what: "kill -9 to ready, fewer", value: small.startSeconds, unit: "s", budget },
    { what: "kill -9 to ready, more", value: large.startSeconds, unit: "s", budget },
    { what: "kill -9 to ready, growth", value: large.startSeconds / small.startSeconds, unit: "×" },
    ...questionNames.flatMap((name): Figure[] => [
      { what: `${name}: p50`, value: large.answers[name].p50, unit: "ms" },
      { what: `${name}: p99`, value: large.answers[name].p99, unit: "ms" },
      { what: `${name}: growth`, value: large.answers[name].p50 / small.answers[name].p50, unit: "×" },
    ]),
  ];
}
