// Imports while a gateway runs: as jobs, some blocks at a time, so that compaction and the night come in between. When a file is in, the
// rollups of its days are reckoned.

import type { Clock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { GatewayError } from "../error.ts";
import type { ImportOptions, ImportReport, ImportState } from "../history/import.ts";
import type { Log } from "../log.ts";
import type { Jobs } from "./jobs.ts";

/** What somebody asks for. */
export type ImportOrder = Pick<ImportOptions, "file" | "settings"> & { readonly isDry?: boolean; readonly isAgain?: boolean };

type Deps = { readonly jobs: Jobs; readonly config: () => GatewayConfig; readonly clock: Clock; readonly log: Log };

/** Some 30 million readings, which takes less than a minute or two. */
const BLOCKS_AT_ONCE = 16;

export function createImporter({ jobs, config, clock, log }: Deps) {
  /** @param gone ends it: what is in stays in */
  async function run(order: ImportOrder, progress: (state: ImportState) => void, gone: AbortSignal): Promise<ImportReport> {
    let [readings, seriesNew, isFirst, resumedAfter]: [number, number, boolean, number | undefined] = [0, 0, true, undefined];
    const problems: ImportReport["problems"][number][] = [];
    for (;;) {
      const options = {
        ...order,
        isAgain: order.isAgain === true && isFirst,
        zone: config().plan.zone,
        now: clock.now(),
        blocksMax: BLOCKS_AT_ONCE,
        diskLimit: config().storage.diskLimit,
      };
      const before = readings;
      const tell = (state: ImportState): void => {
        readings = before + state.readings;
        progress({ ...state, readings });
      };
      const report = await jobs.run("import", options, tell, gone);
      if (report === undefined) throw interrupted(order.file);
      // By another length and end it has another name, and would be begun anew as long as somebody writes to it.
      if (!isFirst && report.resumedAfter === 0) throw changed(order.file);
      isFirst = false;
      resumedAfter ??= report.resumedAfter;
      seriesNew += report.seriesNew;
      problems.push(...report.problems);
      if (report.outcome === "goes-on") continue;
      if (report.outcome === "done") await packed();
      const { file, outcome, progress: counts } = report;
      log.info({ file, outcome, readings: counts.readings }, "a file of history was imported");
      return { ...report, resumedAfter, seriesNew, problems: problems.slice(0, PROBLEMS_MAX) };
    }
  }

  const packed = () => jobs.run("compaction", { zone: config().plan.zone, now: clock.now(), packs: true });

  return { run };
}
const PROBLEMS_MAX = 20;

const interrupted = (file: string): GatewayError =>
  new GatewayError("import_interrupted", `the import of ${file} was interrupted; what is in stays in`, {
    retryable: true,
    hint: "give the same command again: it goes on where it was",
  });

const changed = (file: string): GatewayError =>
  new GatewayError("import_changed", `${file} changed while it was imported; what is in stays in`, {
    retryable: true,
    hint: "give the same command again when nobody writes to it any more: what is in is found to be there",
  });
