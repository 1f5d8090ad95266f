// A pipeline in the process that measures it: no threads, no log, and a disk that must take what it is given.

import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline.ts";
import type { Database } from "../../src/storage/database.ts";

export const pipelineOver = (db: Database): Pipeline =>
  createPipeline({
    db,
    monotonic: () => performance.now(),
    sleep: () => undefined,
    holding(reason) {
      throw new Error(`the disk refuses: ${reason}`);
    },
    log: createLog({ level: "silent", name: "bench" }),
    metrics: createMetrics(),
  });
