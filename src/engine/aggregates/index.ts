// The open list of what windows keep for aggregates. Rules whose aggregates are kept alike share a window. To add one: a file beside
// this, a line here, its name in ../aggregate.ts, a page in docs/reference.

import { type AggregateName, Tally } from "../aggregate.ts";
import { Ends } from "./ends.ts";
import { Moments } from "./moments.ts";
import type { PaneAggregate } from "./pane-aggregate.ts";
import { Path } from "./path.ts";
import { Ranks } from "./ranks.ts";
import { Trend } from "./trend.ts";

/** What is kept for some aggregates. */
export type Keeping = { readonly name: string; readonly aggregates: readonly AggregateName[]; readonly empty: () => PaneAggregate };

const keepings: readonly Keeping[] = [
  { name: "tally", aggregates: ["avg", "min", "max", "sum", "count", "range"], empty: () => new Tally() },
  { name: "moments", aggregates: ["stddev"], empty: () => new Moments() },
  { name: "ends", aggregates: ["first", "last"], empty: () => new Ends() },
  { name: "path", aggregates: ["twa", "rate"], empty: () => new Path() },
  { name: "trend", aggregates: ["slope"], empty: () => new Trend() },
  { name: "ranks", aggregates: ["median", "p90", "p95", "p99"], empty: () => new Ranks() },
];

const byAggregate = new Map(keepings.flatMap((keeping) => keeping.aggregates.map((name) => [name, keeping] as const)));

/** What a window keeps that is asked for this aggregate. */
export function keepingOf(aggregate: AggregateName): Keeping {
  return byAggregate.get(aggregate) as Keeping;
}
