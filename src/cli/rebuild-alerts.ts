// `highwater rebuild --alerts`: the alerts of a time through the engine once more, held against those that are stored. What differs is
// written, by the gateway if one runs, else here; nobody is told. With --dry-run it only tells.

import { userInfo } from "node:os";
import { type Clock, systemClock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { callControl } from "../control.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { type RebuildAlertsReport, runRebuildAlerts, type Verdict, verdicts } from "../replay/rebuild-alerts.ts";
import type { ReplayProgress } from "../replay.ts";
import { lockDataDir, openDatabase, requireSchema } from "../storage/database.ts";
import { createFinishedStore } from "../storage/finished.ts";
import type { Occurrence } from "../storage/occurrences.ts";
import type { AlertsOrder } from "../upkeep/upkeep.ts";
import { USAGE } from "./command.ts";
import { createProgressLine } from "./progress.ts";
import { rangeOf } from "./range.ts";
import type { RebuildTarget } from "./rebuild-target.ts";
import { counted, printable, subjectText, timeText } from "./text.ts";

export const alertsTarget: RebuildTarget = {
  check: ({ from }) => (from === undefined ? "say of which time: --from TIME, and --to TIME if not until now" : undefined),
  async run(config, { from, to, byEventTime, dryRun, json }) {
    const range = rangeOf({ from, to }, config.plan.zone);
    const order = { from: range.from, to: Math.min(range.to, systemClock.now() + 1), byEventTime: byEventTime === true };
    if (order.from >= order.to) throw new GatewayError(USAGE, "--from is in the future", { hint: "nothing is stored of it" });
    const report = await rebuildAlertsOf(config, order, { isDry: dryRun === true, clock: systemClock });
    return { text: json === true ? `${JSON.stringify(report, null, 2)}\n` : `${alertLines(report, order).join("\n")}\n`, isWhole: true };
  },
};

/** @throws GatewayError `rebuild_failed`, `data_dir_in_use`, `snapshot_unreadable` */
export async function rebuildAlertsOf(
  config: GatewayConfig,
  order: Omit<AlertsOrder, "by">,
  { isDry, clock }: { readonly isDry: boolean; readonly clock: Clock },
): Promise<RebuildAlertsReport> {
  const line = createProgressLine(process.stderr, clock);
  const progress = ({ done, of, at }: ReplayProgress): void => line.show({ done, of, text: `${counted(done, "reading")} of ${of}, ${timeText(at)}` });
  const asked = { ...order, by: `local:${userInfo().username}` };
  try {
    if (!isDry) {
      const byGateway = await runByGateway(config.gateway.dataDir, asked, progress);
      if (byGateway !== undefined) return byGateway;
    }
    return await runHere(config, asked, { isDry, clock, progress });
  } finally {
    line.end();
  }
}

async function runByGateway(dataDir: string, order: AlertsOrder, progress: (now: ReplayProgress) => void): Promise<RebuildAlertsReport | undefined> {
  try {
    const answer = await callControl(dataDir, "rebuild-alerts", order, (now) => progress(now as ReplayProgress));
    return answer?.value as RebuildAlertsReport | undefined;
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("rebuild_failed", (cause as Error).message, { hint: "the gateway's log says more; what is done stays done", cause });
  }
}

type Here = { readonly isDry: boolean; readonly clock: Clock; readonly progress: (now: ReplayProgress) => void };

async function runHere(config: GatewayConfig, order: AlertsOrder, { isDry, clock, progress }: Here): Promise<RebuildAlertsReport> {
  const { dataDir } = config.gateway;
  const reader = openDatabase(dataDir, { readonly: true });
  if (isDry) {
    try {
      requireSchema(reader);
      return await runRebuildAlerts(reader, { ...order, isDry, config, now: clock.now(), progress }, () => undefined);
    } finally {
      reader.close();
    }
  }
  reader.close();
  const lock = lockDataDir(dataDir);
  const db = openDatabase(dataDir, { readonly: false });
  try {
    return await runRebuildAlerts(db, { ...order, config, now: clock.now(), progress }, createFinishedStore(db));
  } finally {
    db.close();
    lock.release();
  }
}

const words: Readonly<Record<Verdict, readonly [done: string, dry: string]>> = {
  inserted: ["only the rebuild has it: now history", "only the rebuild has it"],
  changed: ["changed", "would change"],
  kept: ["only the live run has it: stays", "only the live run has it"],
  done: ["rebuilt before", "rebuilt before"],
  active: ["fires, or is still being told: left as it is", "fires, or is still being told"],
  edge: ["reaches over an edge of the time: left as it is", "reaches over an edge of the time"],
};

export function alertLines(report: RebuildAlertsReport, { from, to }: { readonly from: EpochMs; readonly to: EpochMs }): string[] {
  const { grade, because, counts, told, left, isDry, readings, fired } = report;
  const word = (verdict: Verdict): string => words[verdict][isDry ? 1 : 0];
  const total = verdicts.reduce((sum, verdict) => sum + counts[verdict], 0);
  const shown = told.map(({ verdict, difference }) => {
    const one = difference.kind === "only-live" ? difference.live : difference.replay;
    return printable(`${occurrenceText(one)}: ${word(verdict)}`);
  });
  const listed = verdicts.filter((verdict) => counts[verdict] > 0);
  return [
    `${timeText(from)} to ${timeText(to)}, ${grade === "exact" ? "exact, from the journal" : `by event time, as ${because}`}: ${counted(readings, "reading")}, ${counted(fired, "alert")}`,
    ...shown,
    ...(total - counts.done > shown.length ? [`… and ${total - counts.done - shown.length} more`] : []),
    total === 0 ? "the rebuild gives the alerts that are stored" : listed.map((verdict) => `${counts[verdict]} ${word(verdict)}`).join("; "),
    ...(left > 0 ? [`${counted(left, "alert")} beyond the bound: rebuild a shorter time`] : []),
    isDry ? "nothing was written" : "nobody was told",
  ];
}

const occurrenceText = (one: Occurrence): string =>
  `${timeText(one.firedAt)} ${one.rule} ${subjectText(one)}${one.resolvedAt === null ? "" : `, resolved ${timeText(one.resolvedAt)}`}`;
