// An inbox that writes down what the broker gives it, and commits when the test says so.

import { type Labels, type RejectReason, seriesKey } from "../../src/engine/reading.ts";
import type { EpochMs, SeriesId } from "../../src/engine/units.ts";
import type { AuditRow } from "../../src/storage/audit.ts";
import type { MqttRow } from "../../src/storage/mqtt-rows.ts";

export type Added = { series: string; source: string; ts: EpochMs | undefined; value: number; isRetained?: boolean };
export type Rejected = { reason: RejectReason; topic: string; detail: string; payload: string };

/** @param options.commits `at once`, or `when told`: then `commit()` does it */
export function createRecordingInbox(options: { commits?: "at once" | "when told"; seriesMax?: number } = {}) {
  const series: { key: string; labels: Labels; source: string }[] = [];
  const added: Added[] = [];
  const rejected: Rejected[] = [];
  let waiting: ((error?: Error) => void)[] = [];
  let lookUps = 0;
  const carried: (() => readonly (MqttRow | AuditRow)[])[] = [];
  const rows: MqttRow[] = [];
  const audit: AuditRow[] = [];
  return {
    added,
    rejected,
    series,
    rows,
    audit,
    carry(take: () => readonly (MqttRow | AuditRow)[]): void {
      carried.push(take);
    },
    waiting: () => waiting.length,
    lookUps: () => lookUps,
    commit(error?: Error): void {
      const all = waiting;
      for (const row of carried.flatMap((take) => take())) {
        if (row.kind === "audit") audit.push(row);
        else rows.push(row);
      }
      waiting = [];
      for (const callback of all) callback(error);
    },
    registry: {
      idOf(labels: Labels, source: string, mayBeNew?: () => boolean): SeriesId | undefined {
        lookUps++;
        const key = seriesKey(labels);
        const known = series.findIndex((one) => one.key === key);
        if (known >= 0) return known;
        if (series.length >= (options.seriesMax ?? Number.POSITIVE_INFINITY)) return undefined;
        if (mayBeNew?.() === false) return undefined;
        return series.push({ key, labels, source }) - 1;
      },
    },
    add(id: SeriesId, ts: EpochMs | undefined, value: number, isRetained?: boolean): void {
      const { key, source } = series[id] as { key: string; source: string };
      added.push({ series: key, source, ts, value, ...(isRetained === true && { isRetained }) });
    },
    reject(reason: RejectReason, { topic, detail, payload }: { topic: string; detail: string; payload: Uint8Array }): void {
      rejected.push({ reason, topic, detail, payload: Buffer.from(payload).toString() });
    },
    committed(callback: (error?: Error) => void): void {
      if (options.commits === "when told") waiting.push(callback);
      else {
        setImmediate(() => {
          for (const row of carried.flatMap((take) => take())) {
            if (row.kind === "audit") audit.push(row);
            else rows.push(row);
          }
          callback();
        });
      }
    },
  };
}
