// What is done with the store beside ingest, by jobs: compaction and retention by day, the summaries by night, with their mail. When it is
// done is the scheduler's business, and what there is to do the store's.

import type { DailySummaryOptions } from "../batch/jobs/daily-summary.ts";
import type { RebuildReport, RebuildRollupsOptions } from "../batch/jobs/rebuild-rollups.ts";
import type { RetentionReport } from "../batch/jobs/retention.ts";
import type { SummaryReport } from "../batch/jobs/summary-report.ts";
import { renderSummaryMail } from "../batch/summary-mail.ts";
import type { Clock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import { type EmailSettings, sendMail } from "../notify/channels/email.ts";
import type { RebuildAlertsOptions, RebuildAlertsReport } from "../replay/rebuild-alerts.ts";
import type { ReplayProgress } from "../replay.ts";
import type { Uncompacted } from "../storage/uncompacted-query.ts";
import type { Jobs } from "./jobs.ts";

export type UpkeepDeps = {
  readonly jobs: Jobs;
  /** The one in force. */
  readonly config: () => GatewayConfig;
  readonly uncompacted: () => Promise<Uncompacted>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
};

/** What somebody asks for. */
export type AlertsOrder = Pick<RebuildAlertsOptions, "from" | "to" | "byEventTime" | "by">;

/** Readings that may wait for compaction, and for how long. */
const COMPACT_READINGS = 1_000_000;
const COMPACT_AFTER_MS = 15 * 60_000;
/** Rollups are packed, and what was kept long enough goes, so often. */
const PACK_AFTER_MS = 60 * 60_000;
const MAIL_MS_MAX = 60_000;

const rebuildInterrupted = (): GatewayError =>
  new GatewayError("rebuild_interrupted", "the rebuild was interrupted", { retryable: true, hint: "what was written stands; run it again" });

export function createUpkeep({ jobs, config, uncompacted, signal, clock, log }: UpkeepDeps) {
  let packedAt = clock.monotonic();

  /** @param room bytes to which the store is to come down; undefined: what is due by time goes */
  function retain(room?: number): Promise<RetentionReport | undefined> {
    const { plan, storage } = config();
    const options = { zone: plan.zone, now: clock.now(), retention: storage.retention };
    return jobs.run("retention", room === undefined ? options : { ...options, room });
  }

  /** By hand or by night. Without `days`: what the store says is due */
  async function summarize(which: Pick<DailySummaryOptions, "days" | "charts">, progress?: (value: unknown) => void): Promise<SummaryReport> {
    const { plan, alarmTargets } = config();
    const options = { zone: plan.zone, devices: plan.devices, alarmTargets, now: clock.now(), ...which };
    const report = await jobs.run("daily-summary", options, progress);
    if (report === undefined)
      throw new GatewayError("summary_interrupted", "the daily summary was interrupted", { retryable: true, hint: "it goes on at the next run" });
    return report;
  }

  /** @param gone ends it: what is done stays done */
  async function rebuildAlerts(order: AlertsOrder, progress: (now: ReplayProgress) => void, gone: AbortSignal): Promise<RebuildAlertsReport> {
    const report = await jobs.run("rebuild-alerts", { ...order, config: config(), now: clock.now() }, progress, gone);
    if (report === undefined) throw rebuildInterrupted();
    log.info({ by: order.by, from: order.from, to: order.to, grade: report.grade, ...report.counts }, "alerts were rebuilt");
    return report;
  }

  async function rebuildRollups(days: RebuildRollupsOptions["days"], progress: (value: unknown) => void): Promise<RebuildReport> {
    const report = await jobs.run("rebuild-rollups", { days, isDryRun: false, zone: config().plan.zone, now: clock.now() }, progress);
    if (report === undefined) throw rebuildInterrupted();
    return report;
  }

  async function mail(report: SummaryReport): Promise<void> {
    if (report.chartsProblem !== undefined) log.warn({ reason: report.chartsProblem }, "the charts of the daily summary could not be drawn");
    const { notify, batch, gateway } = config();
    const receiver = notify.receivers.find(({ name }) => name === batch.dailySummary.receiver);
    const rendered = renderSummaryMail(report, { gatewayName: gateway.name, externalUrl: gateway.externalUrl });
    if (rendered === undefined) return;
    for (const { key, settings } of receiver?.channels.filter(({ type }) => type === "email") ?? []) {
      const delivery = await sendMail(settings as EmailSettings, rendered, AbortSignal.any([signal, AbortSignal.timeout(MAIL_MS_MAX)]));
      if (delivery.kind !== "delivered") log.error({ channel: key, reason: delivery.reason }, "the daily summary could not be mailed");
    }
  }

  async function compactIfDue(packs: boolean): Promise<void> {
    const { readings, since } = await uncompacted();
    const now = clock.now();
    if (!packs && (since === null || (readings < COMPACT_READINGS && now - since < COMPACT_AFTER_MS))) return;
    const report = await jobs.run("compaction", { zone: config().plan.zone, now, packs });
    if (report !== undefined) log.debug({ ...report }, "compacted");
  }

  return {
    retain,
    summarize,
    rebuildAlerts,
    rebuildRollups,
    /** Summarises what is due, and mails it. */
    nightly: async (): Promise<void> => mail(await summarize({ charts: true })),
    /** To be called every minute. */
    async keepUp(): Promise<void> {
      const packs = clock.monotonic() - packedAt >= PACK_AFTER_MS;
      await compactIfDue(packs);
      if (!packs) return;
      packedAt = clock.monotonic();
      const gone = await retain();
      if (gone !== undefined && gone.journalRows + gone.days + gone.packed > 0) log.info({ ...gone }, "history that was kept long enough is gone");
    },
  };
}
