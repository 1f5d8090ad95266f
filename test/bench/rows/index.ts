// The open list of benchmark rows, each with its budget. To add one: a file beside this and a line here.

import type { Row } from "../row.ts";
import { access } from "./access.ts";
import { bytes } from "./bytes.ts";
import { compaction } from "./compaction.ts";
import { deviation } from "./deviation.ts";
import { engine } from "./engine.ts";
import { latency, latencyOfRules } from "./latency.ts";
import { latencyBeside } from "./latency-beside.ts";
import { memory } from "./memory.ts";
import { nightly } from "./nightly.ts";
import { queries } from "./queries.ts";
import { recovery } from "./recovery.ts";
import { replay } from "./replay.ts";
import { throughput } from "./throughput.ts";

export const rows: readonly Row[] = [
  throughput,
  access,
  latency,
  latencyOfRules,
  engine,
  replay,
  memory,
  recovery,
  bytes,
  compaction,
  nightly,
  latencyBeside,
  queries,
  deviation,
];
