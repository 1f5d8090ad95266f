// docs/reference/three-layers.md: its words, and the figures of the example day where they belong.

import type { Bucket } from "../../src/storage/query.ts";
import { clock, type ExampleDay, type Look } from "./example-day.ts";

const figure = (value: number): string => value.toFixed(1);

function table(buckets: readonly Bucket[], name: (bucket: Bucket) => string): string {
  const head = "| from | readings | min | avg | max | source | provisional |\n|---|---|---|---|---|---|---|";
  const rows = buckets.map((bucket) => {
    const { count, min, avg, max, source, provisional } = bucket;
    return `| ${name(bucket)} | ${count} | ${figure(min)} | ${figure(avg)} | ${figure(max)} | ${source} | ${provisional ? "yes" : "no"} |`;
  });
  return [head, ...rows].join("\n");
}

const lookTable = ({ hours, day }: Look): string => table([...hours, ...day], (bucket) => (bucket.end - bucket.t > 3_600_000 ? "the day" : clock(bucket.t)));

export function pageOf({ looks, summary, alerts }: ExampleDay): string {
  const [noon, afternoon, morning] = looks as [Look, Look, Look];
  const { reconciliation } = summary;
  if (reconciliation === null) throw new Error("the example day has no reconciliation");
  const [missed] = reconciliation.alerts ?? [];
  const { stream, batch } = reconciliation;
  return `# Three layers, one day

History is kept three times, each time for another purpose, and one query puts it together.

| layer | what it is | when it knows | how right it is |
|---|---|---|---|
| **stream** (speed) | the engine, as readings come: rules, and rollups of a minute and an hour | at once | what came in time; what comes later amends its rollups, but no alert |
| **batch** | the nightly job, from all readings of a local day | the next morning, and again after late data | exact: it overwrites |
| **serving** | \`GET /api/v1/readings\`: the coarsest layer that answers exactly, each bucket with its \`source\` | always | says \`provisional\` while it may change |

And the **journal** keeps what arrived, in its order: history can be replayed through the same engine, also with other rules ([replay](replay.md)).

\`\`\`
 readings ─▶ engine ─▶ journal row + rollups + alerts ─▶ one commit ─▶ PUBACK
                          │            │
              compaction  │            │  packing: rollups as columns; those that late
              (each 1–15  ▼            ▼  readings amended are reckoned from raw
              minutes)  chunks ────▶ rollups 1m → 1h
                          │            │
              nightly     ▼            ▼
                       daily summary + reconciliation ─▶ mail, reports
\`\`\`

## A freezer's day

Freezer fz-7 reports every five minutes, in Oslo, on 2026-01-31. One rule watches it: above −15 °C for 15 minutes. At 10:00 its radio fails; the sensor goes on
measuring and stores. Meanwhile the door is open: it warms up to ${figure(batch.max ?? 0)} °C. At 11:30 the radio is back, and the sensor goes on live. At 14:00 it sends the 18
readings that it had stored. At 15:00 it sends the reading of 14:55 once more, and for 14:30 another value than before.

**At ${noon.when}** the stream knows of no reading between 10:00 and 11:30. It answers what it has; the open hour and the day are provisional:

${lookTable(noon)}

**At ${afternoon.when}** the stored readings are there. They are *late*: the watermark had passed. The rollups of those minutes were amended, and are marked so that the readings
themselves are asked. No alert fired: a late reading never pages by itself, for what it tells is over.

${lookTable(afternoon)}

**At ${morning.when}** the nightly job has run. Compaction brought all readings into chunks, the amended rollups were reckoned again, and the day was worked out from its
${summary.count} readings. The day's bucket is exact now, and comes from the batch:

${lookTable(morning)}

The summary has what only all readings tell: p50 ${figure(summary.p50)}, p95 ${figure(summary.p95)}, p99 ${figure(summary.p99)} °C, standard deviation ${summary.stddev?.toFixed(2)}, coverage ${(summary.coverage * 100).toFixed(0)} %: the stored readings filled
the gap.

## Where they differ, and why

The nightly job holds the stream against itself (\`reconciliation\` in \`GET /api/v1/summaries\`, a table in the mail):

| | readings | min | avg | max |
|---|---|---|---|---|
| stream: what the rules heard in time | ${stream.count} | ${figure(stream.min ?? 0)} | ${stream.avg?.toFixed(2)} | ${figure(stream.max ?? 0)} |
| batch: all of the day | ${batch.count} | ${figure(batch.min ?? 0)} | ${batch.avg?.toFixed(2)} | ${figure(batch.max ?? 0)} |

The difference is **${reconciliation.late} late** readings. ${reconciliation.duplicate} **duplicate** and ${reconciliation.conflict} **conflict** (the first value stands) are counted by neither, and ${reconciliation.unexplained} readings are
**unexplained**: the stream's rollups hold what the batch holds. Any other number there is a fault, and the mail says so.

Then the rules judge the day again by event time, with every reading in its place, through the same engine:

| would have | rule | fired | resolved | because |
|---|---|---|---|---|
| ${missed?.kind} | ${missed?.rule} | ${clock(missed?.due?.fired_at ?? 0)} | ${clock(missed?.due?.resolved_at ?? 0)} | ${missed?.because} readings |

Live, ${alerts === 0 ? "none" : alerts} fired: nobody could have known. Now somebody does, and may look at what the freezer held. \`missed\` would have fired with all readings in time, \`mistaken\` would not have (an absence, say, that a
backfill disproves), \`moved\` would have fired or ended at another time.

## When late data comes later

A reading for a day that is summarised already opens that (series, day) again: the next night works it out anew, \`version\` counts up, and the reconciliation with it. That holds as
long as the day's readings are whole (\`storage.retention.raw\`, 30 days from their arrival). Afterwards a late reading is merged into summary and rollups, and they say \`approximate\`.
`;
}
