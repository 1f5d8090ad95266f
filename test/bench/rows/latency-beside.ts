// The load of the row `latency` while ten year-long queries, the nightly job and compaction run, each again as soon as it has ended, beside
// the same load on the same past without them.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type GatewayProcess } from "../../../simulators/gateway.ts";
import { callControl } from "../../../src/control.ts";
import { benchBlocks } from "../bench-config.ts";
import { type BesideRun, runBeside } from "../beside.ts";
import { DAY_MS, dayBefore, makePast, pastBlocks, untilOf } from "../past.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { EVERY_MS } from "../workload.ts";
import { askYears } from "../year-questions.ts";

/** Of the day that is summarised over and over. */
const READINGS = 8_640_000;
const SLOW = { series: 50, everyMs: 300_000 };
/** A year, or fewer days where fewer readings are asked for. */
const daysFor = (readings: number): number => Math.min(365, Math.ceil(readings / 20_000));
const QUESTIONS = 10;
const SECONDS_FACTOR = 5;
const RUNS_MAX = 3;

type Done = { readonly answered: number; readonly nights: number };
type Turn = { readonly calm: BesideRun<never>; readonly busy: BesideRun<Done> };

export const latencyBeside: Row = {
  name: "latency-beside",
  title: "latency while ten year-long queries, nightly job and compaction run",
  async run(options) {
    const past = await mkdtemp(join(options.folder, "past-"));
    try {
      const until = untilOf(Date.now());
      const readings = options.readings ?? READINGS;
      const days = daysFor(readings);
      const series = Math.max(1, Math.round(readings / (DAY_MS / EVERY_MS)));
      options.say(`storing ${days} days of ${SLOW.series} series, and a day of ${series} more`);
      const kinds = [
        { ...SLOW, days },
        { series, everyMs: EVERY_MS, days: 1 },
      ];
      await makePast(past, { kinds, until, derived: "all", today: series, unsaved: 0 });
      return figuresOf(await takeTurns(options, past, { until, days }));
    } finally {
      await rm(past, { recursive: true, force: true });
    }
  },
};

async function takeTurns(options: BenchOptions, past: string, span: { until: number; days: number }): Promise<Turn[]> {
  const receive = await freePort();
  const blocks = { ...pastBlocks(), ...benchBlocks(receive, 1) };
  const load = { connections: 100, series: 10_000, window: 2000, warmup: 5, seconds: options.seconds * SECONDS_FACTOR, rate: 20_000, alerts: 50, receive };
  const turns: Turn[] = [];
  for (let turn = 1; turn <= Math.min(options.runs, RUNS_MAX); turn += 1) {
    const calm = await runBeside<never>(options, { past, blocks, load });
    const busy = await runBeside(options, { past, blocks, load }, (gateway, dataDir, signal) => work(gateway, { dataDir, ...span, signal }));
    turns.push({ calm, busy });
    const p99 = ({ report }: BesideRun<unknown>): string => `${report.latency.p99} and ${report.alerts?.latency.p99} ms`;
    options.say(`run ${turn}: p99 of PUBACK and webhook ${p99(calm)} without, ${p99(busy)} with; ${busy.done?.answered} answers, ${busy.done?.nights} nights`);
  }
  return turns;
}

async function work(
  gateway: GatewayProcess,
  { dataDir, until, days, signal }: { dataDir: string; until: number; days: number; signal: AbortSignal },
): Promise<Done> {
  const day = dayBefore(until);
  const paths = Array.from({ length: QUESTIONS }, (_, series) => `/api/v1/readings?series=${series}&from=${until - days * DAY_MS}&to=${until}&step=1h`);
  const summarizeOn = async (): Promise<number> => {
    let nights = 0;
    // Compaction of what has arrived comes first each time.
    for (; !signal.aborted; nights += 1) await callControl(dataDir, "summarize", { days: { from: day, to: day } }, () => undefined);
    return nights;
  };
  const [answered, nights] = await Promise.all([askYears(gateway, { paths, signal }), summarizeOn()]);
  return { answered, nights };
}

function figuresOf(turns: readonly Turn[]): Figure[] {
  const problem = turns.flatMap(({ calm, busy }) => [calm.problem, busy.problem]).find((each) => each !== undefined);
  const pubacks = (run: BesideRun<unknown>): number => run.report.latency.p99;
  const webhooks = (run: BesideRun<unknown>): number => run.report.alerts?.latency.p99 ?? Number.NaN;
  const of = (which: keyof Turn, figure: (run: BesideRun<unknown>) => number): number => median(turns.map((turn) => figure(turn[which])));
  const ratio = (figure: (run: BesideRun<unknown>) => number): number => median(turns.map(({ calm, busy }) => figure(busy) / figure(calm)));
  const budget = { sense: "at most", limit: 3, aim: 1.5 } as const;
  return [
    {
      what: "answers, median of the runs",
      value: median(turns.map(({ busy }) => busy.done?.answered ?? 0)),
      unit: "",
      ...(problem === undefined ? {} : { problem }),
    },
    { what: "nightly runs", value: median(turns.map(({ busy }) => busy.done?.nights ?? 0)), unit: "" },
    { what: "generator late, p99, with", value: of("busy", ({ report }) => report.lateness.p99), unit: "ms" },
    { what: "PUBACK p99 without", value: of("calm", pubacks), unit: "ms" },
    { what: "PUBACK p99 with", value: of("busy", pubacks), unit: "ms" },
    { what: "webhook p99 without", value: of("calm", webhooks), unit: "ms" },
    { what: "webhook p99 with", value: of("busy", webhooks), unit: "ms" },
    { what: "PUBACK p99, ratio", value: ratio(pubacks), unit: "×", budget },
    { what: "webhook p99, ratio", value: ratio(webhooks), unit: "×", budget },
  ];
}
