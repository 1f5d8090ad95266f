// Imports of a running gateway: some blocks at a time, as long as the file is the same.

import { expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { GatewayConfig } from "../../src/config.ts";
import type { ImportReport } from "../../src/history/import.ts";
import { createLog } from "../../src/log.ts";
import { createImporter } from "../../src/upkeep/importer.ts";
import type { Jobs } from "../../src/upkeep/jobs.ts";

type Part = Pick<ImportReport, "outcome" | "resumedAfter">;

/** @param parts what each run of the job comes to */
function importer(parts: readonly Part[]) {
  const ran: string[] = [];
  const left = [...parts];
  const progress = { offset: 0, lines: 0, readings: 7, duplicates: 0, conflicts: 0, problems: {}, skipped: {} };
  const run = (job: string): Promise<unknown> => {
    ran.push(job);
    if (job !== "import") return Promise.resolve(undefined);
    return Promise.resolve({ file: "f.csv", format: "csv", mayGoOn: true, series: 1, seriesNew: 0, progress, span: null, problems: [], ...left.shift() });
  };
  const config = { plan: { zone: {} }, storage: { diskLimit: null } } as unknown as GatewayConfig;
  const deps = { jobs: { run } as unknown as Jobs, config: () => config, clock: systemClock, log: createLog({ level: "silent", name: "test" }) };
  const order = { file: "f.csv", settings: {} };
  return { ran, import: () => createImporter(deps).run(order, () => undefined, new AbortController().signal) };
}

it("goes on until all is in, then has it packed", async () => {
  const { ran, import: run } = importer([
    { outcome: "goes-on", resumedAfter: 0 },
    { outcome: "goes-on", resumedAfter: 100 },
    { outcome: "done", resumedAfter: 200 },
  ]);
  expect(await run()).toMatchObject({ outcome: "done", resumedAfter: 0 });
  expect(ran).toEqual(["import", "import", "import", "compaction"]);
});

it("ends where the file became another one meanwhile, rather than begin it again and again", async () => {
  const { ran, import: run } = importer([
    { outcome: "goes-on", resumedAfter: 0 },
    { outcome: "goes-on", resumedAfter: 0 },
  ]);
  await expect(run()).rejects.toMatchObject({ code: "import_changed", hint: expect.stringContaining("give the same command again") });
  expect(ran).toEqual(["import", "import"]);
});
