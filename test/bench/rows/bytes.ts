// Bytes that a reading takes, with its arrival and its verdict, in the journal and when it is compacted, and bytes of rollups by series
// and minute: as blobs, which is what the codecs are good for, and as pages of the file, which is what the disk is asked for.

import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startGateway } from "../../../simulators/gateway.ts";
import { benchBlocks } from "../bench-config.ts";
import type { BytesFigures, BytesTask } from "../bytes-process.ts";
import { measure } from "../child.ts";
import { runLoadProcess } from "../load-process.ts";
import { DAY_MS, makePast, untilOf } from "../past.ts";
import { recordingBytes } from "../recording-bytes.ts";
import type { BenchOptions, Figure, Row } from "../row.ts";
import { EVERY_MS } from "../workload.ts";

const READINGS = 1_728_000;
const READINGS_PER_SERIES = DAY_MS / EVERY_MS;
const RATE = 20_000;
const SERIES = 10_000;
const unit = "bytes/reading";

const journalBudget = { sense: "at most", limit: 9, aim: 6 } as const;
const compactedBudget = { sense: "at most", limit: 1.5, aim: 0.9 } as const;
const rollupBudget = { sense: "at most", limit: 40, aim: 20 } as const;

export const bytes: Row = {
  name: "bytes",
  title: "bytes of a reading, arrival and verdict included, and of rollups",
  run: async (options) => [...(await ofJournal(options)), ...(await ofGateway(options)), ...(await ofDay(options)), ...(await ofRecordings(options))],
};

async function within<Result>({ folder }: BenchOptions, work: (own: string) => Promise<Result>): Promise<Result> {
  const own = await mkdtemp(join(folder, "bytes-"));
  try {
    return await work(own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

const weigh = (task: BytesTask): Promise<BytesFigures> => measure<BytesFigures>("bytes-process.ts", [JSON.stringify(task)]);

/** 20,000 readings a second of walks, through the pipeline, in commits as large as such a load makes them. */
const ofJournal = (options: BenchOptions): Promise<Figure[]> =>
  within(options, async (folder) => {
    options.say("the journal");
    const series = Math.min(SERIES, options.readings ?? SERIES);
    await makePast(folder, {
      kinds: [{ series, everyMs: (series * 1000) / RATE, days: 0 }],
      until: untilOf(Date.now()),
      derived: "nothing",
      today: options.readings ?? READINGS,
      unsaved: 0,
    });
    const { commits, readings, journal } = await weigh({ dataDir: join(folder, "data") });
    return [
      { what: "journal, readings per commit", value: readings / commits, unit: "" },
      { what: "journal, blobs", value: journal.blobs / readings, unit, budget: journalBudget },
      { what: "journal, pages", value: journal.pages / readings, unit, budget: journalBudget },
    ];
  });

/** The load of the latency rows on a gateway; its values are not those of sensors. */
const ofGateway = (options: BenchOptions): Promise<Figure[]> =>
  within(options, async (folder) => {
    options.say("the journal of a gateway under load");
    const gateway = await startGateway(folder, { name: "bench", blocks: benchBlocks(await freePort(), 1) }, { nodeOptions: options.nodeOptions });
    const load = { connections: 100, series: SERIES, window: 2000, warmup: 0, seconds: options.seconds, rate: RATE };
    const { acknowledged } = await runLoadProcess({ ...load, port: gateway.mqtt.port });
    await gateway.stop();
    const { commits, readings, journal } = await weigh({ dataDir: join(folder, "data") });
    const problem = readings === acknowledged ? {} : { problem: `${acknowledged} readings acknowledged, ${readings} in the journal` };
    return [
      { what: "gateway, readings per commit", value: readings / commits, unit: "", ...problem },
      { what: "gateway, journal, blobs", value: journal.blobs / readings, unit },
      { what: "gateway, journal, pages", value: journal.pages / readings, unit },
    ];
  });

/** A day of walks every ten seconds, through the pipeline, then compacted and packed. */
const ofDay = (options: BenchOptions): Promise<Figure[]> =>
  within(options, async (folder) => {
    options.say("a day, compacted");
    const series = Math.max(2, Math.round((options.readings ?? READINGS) / READINGS_PER_SERIES));
    const today = series * READINGS_PER_SERIES;
    const until = untilOf(Date.now());
    await makePast(folder, { kinds: [{ series, everyMs: EVERY_MS, days: 0 }], until, derived: "nothing", today, unsaved: 0 });
    const { rollups, compacted, packed } = await weigh({ dataDir: join(folder, "data"), compactAt: until + 3 * DAY_MS });
    if (compacted === undefined || packed === undefined) throw new Error("nothing was compacted");
    const { readings, decimals } = compacted;
    const minutes = (series * DAY_MS) / 60_000;
    const [one, two] = decimals.map((each) => each.blobs / each.readings) as [number, number];
    return [
      { what: "compacted, one decimal, blobs", value: one, unit, budget: compactedBudget },
      { what: "compacted, two decimals, blobs", value: two, unit, budget: compactedBudget },
      {
        what: "compacted, pages",
        value: compacted.pages / readings,
        unit,
        budget: compactedBudget,
        ...(readings === today ? {} : { problem: `${today} readings stored, ${readings} compacted` }),
      },
      { what: "rollups, packed, blobs", value: packed.blobs / minutes, unit: "bytes/minute", budget: rollupBudget },
      { what: "rollups, packed, pages", value: packed.pages / minutes, unit: "bytes/minute", budget: rollupBudget },
      { what: "rollups, not packed, blobs", value: rollups.blobs / minutes, unit: "bytes/minute" },
      { what: "rollups, not packed, pages", value: rollups.pages / minutes, unit: "bytes/minute" },
    ];
  });

async function ofRecordings({ recordings }: BenchOptions): Promise<Figure[]> {
  if (recordings === undefined) return [];
  const files = (await readdir(recordings)).filter((name) => name.endsWith(".csv")).sort();
  return files.map((name) => {
    const { readings, bytes: taken } = recordingBytes(join(recordings, name));
    return { what: name.replace(/\.csv$/, "").slice(0, 29), value: taken / readings, unit };
  });
}
