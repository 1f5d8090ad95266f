// Finished rows: what other threads worked out and the processor writes between batches. They are no inputs of the engine:
// delivery attempts, samples of what was rejected, chunks, daily summaries, accounts, what was done by whom, MQTT sessions.

import type { Day } from "../engine/calendar.ts";
import type { RejectReason } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { type AccountsRow, createAccountsWriter } from "./accounts.ts";
import { type AuditRow, createAuditWriter } from "./audit.ts";
import { type ChunkRow, type ChunkWrite, createChunkWriter } from "./chunks.ts";
import type { Database } from "./database.ts";
import { createImportWriter, type ImportRow } from "./imports.ts";
import { createMqttWriter, type MqttRow } from "./mqtt-rows.ts";
import { createRebuiltAlertWriter, type RebuiltAlertRow } from "./rebuilt-alerts.ts";
import { createReconciliationWriter, type ReconciliationWrite } from "./reconciliation.ts";
import { createRetentionWriter, type RetentionWrite } from "./retention.ts";
import { createPackedRollupWriter, type PackedRollupsRow } from "./rollups.ts";

/** Topics × reasons of which a sample is kept; what comes beyond is counted under the topic `""`. */
export const REJECTED_ROWS_MAX = 1000;

export type FinishedRow =
  | AccountsRow
  | AuditRow
  | ChunkWrite
  | ImportRow
  | PackedRollupsRow
  | RebuiltAlertRow
  | RetentionWrite
  | ReconciliationWrite
  | {
      readonly kind: "delivery";
      readonly id: string;
      readonly disposition: "waiting" | "delivered";
      readonly attempts: number;
      readonly nextAt: EpochMs;
      readonly endedAt: EpochMs | null;
      readonly reason: string | null;
    }
  | {
      readonly kind: "rejected";
      readonly topic: string;
      readonly reason: RejectReason;
      readonly count: number;
      readonly at: EpochMs;
      readonly detail: string;
      readonly sample: Uint8Array;
    }
  | {
      readonly kind: "summary";
      readonly zone: string;
      readonly day: Day;
      readonly series: SeriesId;
      readonly approximate: boolean;
      /** Canonical JSON; the same figures give the same text, and the same text writes nothing. */
      readonly body: string;
      /** Chunks that were merged into a day that is not whole, and are not to be merged again. */
      readonly consumes?: readonly number[];
      readonly at: EpochMs;
    }
  /** There is nothing to summarise of it. */
  | { readonly kind: "summary-none"; readonly zone: string; readonly day: Day; readonly series: SeriesId }
  | { readonly kind: "summary-open"; readonly zone: string; readonly day: Day; readonly series: SeriesId }
  | { readonly kind: "summary-progress"; readonly zone: string; readonly through: number }
  /** An import's, for a day that is no longer whole: the rollups with its readings in them, which must not be written without them. */
  | { readonly kind: "amending-chunk"; readonly chunk: ChunkRow; readonly rollups: readonly PackedRollupsRow[] }
  | MqttRow;

/** @returns a function that writes rows; call it within a transaction */
export function createFinishedWriter(db: Database): (row: FinishedRow) => void {
  const delivery = db.prepare(
    "UPDATE notification SET disposition = ?, attempts = ?, next_at = ?, ended_at = ?, reason = ? WHERE id = ? AND disposition = 'waiting'",
  );
  const rejectedKnown = db.prepare("SELECT 1 FROM rejected WHERE topic = ? AND reason = ?").pluck();
  const rejectedCount = db.prepare("SELECT count(*) FROM rejected").pluck();
  const rejected = db.prepare(`INSERT INTO rejected VALUES (@topic, @reason, @count, @at, @at, @detail, @sample) ON CONFLICT DO UPDATE
    SET count = count + excluded.count, last_at = excluded.last_at, detail = excluded.detail, sample = excluded.sample`);
  const summary = db.prepare(`INSERT INTO daily_summary VALUES (@zone, @day, @series, 1, @approximate, @body, @at) ON CONFLICT DO UPDATE
    SET version = version + 1, approximate = excluded.approximate, body = excluded.body, computed_at = excluded.computed_at
    WHERE body <> excluded.body OR approximate <> excluded.approximate`);
  const summaryClosed = db.prepare("DELETE FROM summary_open WHERE zone = ? AND day = ? AND series = ?");
  const summaryOpen = db.prepare("INSERT INTO summary_open VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const progress = db.prepare("INSERT INTO summary_progress VALUES (?, ?) ON CONFLICT DO UPDATE SET through = max(through, excluded.through)");
  const accounts = createAccountsWriter(db);
  const audit = createAuditWriter(db);
  const chunk = createChunkWriter(db);
  const packedRollups = createPackedRollupWriter(db);
  const retention = createRetentionWriter(db);
  const rebuiltAlert = createRebuiltAlertWriter(db);
  const importFile = createImportWriter(db);
  const reconciliation = createReconciliationWriter(db);
  const mqtt = createMqttWriter(db);
  return (row) => {
    switch (row.kind) {
      case "audit":
        return audit(row);
      case "account":
      case "account-gone":
      case "api-token":
      case "api-token-gone":
      case "session":
      case "session-gone":
      case "sessions-gone":
        return accounts(row);
      case "chunk":
      case "chunks-gone":
      case "compaction":
      case "day-settled":
        return chunk(row);
      case "journal-gone":
      case "raw-day-gone":
      case "packed-gone":
        return retention(row);
      case "reconciliation":
      case "refused-day":
      case "refused-gone":
        return reconciliation(row);
      case "packed-rollups":
        return packedRollups(row);
      case "amending-chunk":
        chunk(row.chunk);
        for (const rollups of row.rollups) packedRollups(rollups);
        return;
      case "import":
        return importFile(row);
      case "rebuilt-alert":
        return rebuiltAlert(row);
      case "mqtt":
        mqtt(row);
        return;
      case "delivery":
        delivery.run(row.disposition, row.attempts, row.nextAt, row.endedAt, row.reason, row.id);
        return;
      case "rejected": {
        const hasRoom = rejectedKnown.get(row.topic, row.reason) !== undefined || (rejectedCount.get() as number) < REJECTED_ROWS_MAX;
        rejected.run(hasRoom ? row : { ...row, topic: "" });
        return;
      }
      case "summary":
        summary.run({ ...row, approximate: row.approximate ? 1 : 0 });
        if (row.consumes !== undefined) chunk({ kind: "chunks-gone", ids: row.consumes });
        summaryClosed.run(row.zone, row.day, row.series);
        return;
      case "summary-none":
        summaryClosed.run(row.zone, row.day, row.series);
        return;
      case "summary-open":
        summaryOpen.run(row.zone, row.day, row.series);
        return;
      case "summary-progress":
        progress.run(row.zone, row.through);
        return;
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

/** Writes rows in one transaction; for a process that holds the data directory's lock and runs no gateway. */
export function writeFinished(db: Database, rows: readonly FinishedRow[]): void {
  createFinishedStore(db)(rows);
}

/** @returns the same for a process that writes rows again and again */
export function createFinishedStore(db: Database): (rows: readonly FinishedRow[]) => void {
  const write = createFinishedWriter(db);
  return db.transaction((rows: readonly FinishedRow[]) => rows.forEach(write));
}
