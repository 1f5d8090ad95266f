// `highwater rebuild --rollups`: the rollups of days anew from the raw readings, held against what is stored; what differs is written, by the
// gateway if one runs, else here. With --dry-run it only tells.

import { type RebuildProgress, type RebuildReport, type RebuildRollupsOptions, runRebuildRollups } from "../batch/jobs/rebuild-rollups.ts";
import { wordsOf as differenceText } from "../batch/verify.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { dayBounds, utc } from "../engine/calendar.ts";
import { GatewayError } from "../error.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import { type Days, daysOf } from "./day-range.ts";
import { createProgressLine } from "./progress.ts";
import type { RebuildTarget } from "./rebuild-target.ts";
import { runHere } from "./run-here.ts";
import { counted, printable, subjectText } from "./text.ts";

type Asked = { readonly days: Days; readonly isDryRun: boolean };

export const rollupsTarget: RebuildTarget = {
  check(range) {
    const days = daysOf(range);
    if (typeof days === "string") return days;
    if (days === undefined) return "say which days: --from DAY --to DAY";
    return dayBounds(utc, days.from).end > systemClock.now() ? `${days.from} is not over yet in UTC` : undefined;
  },
  async run(config, { json, dryRun, ...range }) {
    const asked = { days: daysOf(range) as Days, isDryRun: dryRun === true };
    const report = await run(config, asked, systemClock);
    return { text: json === true ? `${JSON.stringify(report, null, 2)}\n` : asText(report, asked), isWhole: report.isWhole };
  },
};

async function run({ gateway: { dataDir }, plan: { zone } }: GatewayConfig, { days, isDryRun }: Asked, clock: Clock): Promise<RebuildReport> {
  const line = createProgressLine(process.stderr, clock);
  const progress = (now: RebuildProgress): void => line.show(wordsOf(now));
  const options = { days, isDryRun, zone, now: clock.now(), progress };
  try {
    if (isDryRun) return await compareHere(dataDir, options);
    const byGateway = await runByGateway(dataDir, days, progress);
    return byGateway ?? (await runHere(dataDir, (db, { emit, signal }) => runRebuildRollups(db, { ...options, signal }, emit)));
  } finally {
    line.end();
  }
}

/** Only reads, so it needs nobody's leave. */
async function compareHere(dataDir: string, options: RebuildRollupsOptions): Promise<RebuildReport> {
  const db = openDatabase(dataDir, { readonly: true });
  try {
    requireSchema(db);
    return await runRebuildRollups(db, options, () => undefined);
  } finally {
    db.close();
  }
}

/** While a gateway runs, its processor is the only writer. @returns undefined when none runs on this data directory */
async function runByGateway(dataDir: string, days: Days, progress: (now: RebuildProgress) => void): Promise<RebuildReport | undefined> {
  try {
    const answer = await callControl(dataDir, "rebuild-rollups", { days }, (now) => progress(now as RebuildProgress));
    return answer?.value as RebuildReport | undefined;
  } catch (cause) {
    throw new GatewayError("rebuild_failed", (cause as Error).message, { hint: "the gateway's log says more; what is done stays done", cause });
  }
}

const wordsOf = ({ day, done, days, buckets }: RebuildProgress) => ({ done, of: days, text: `${done} of ${days} days, ${buckets} buckets, ${day}` });

const reasons: Readonly<Record<RebuildReport["left"][number]["reason"], string>> = {
  gone: "its raw readings are no longer kept",
  unsound: "its raw readings are not sound: `highwater verify` says more",
  unread: "it has rollups of readings that raw does not have, perhaps the last that is known of them: `highwater verify` says more",
  uncompacted: "too much of it waits for compaction: run without --dry-run",
};

function asText(report: RebuildReport, { isDryRun }: Asked): string {
  const { differing, first, left, written, changed, buckets, readings, days, isWhole } = report;
  const differ = differing.minutes + differing.hours;
  const lines = [
    ...first.map(({ labels, ...difference }) => printable(`${subjectText({ labels })}: ${differenceText(difference)}`)),
    ...(differ > first.length ? [`… and ${differ - first.length} more`] : []),
    ...left.map(({ day, reason }) => `${day} is left as it is: ${reasons[reason]}`),
    `held ${counted(buckets, "bucket")} of ${counted(days, "day")} against ${counted(readings, "raw reading")}`,
    differ === 0
      ? "nothing differs"
      : `${counted(differing.minutes, "minute")} and ${counted(differing.hours, "hour")} differ${isDryRun ? "" : `; ${counted(written, "row")} written`}`,
    ...(changed > 0 ? [`${counted(changed, "row")} changed meanwhile: run it again`] : []),
    ...(isWhole ? [] : ["ended early; what was written stands"]),
  ];
  return `${lines.join("\n")}\n`;
}
