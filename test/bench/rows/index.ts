// The open list of benchmark rows, each with its budget. To add one: a file beside this and a line here.

import type { Row } from "../row.ts";
import { deviation } from "./deviation.ts";
import { latency } from "./latency.ts";
import { throughput } from "./throughput.ts";

export const rows: readonly Row[] = [throughput, latency, deviation];
