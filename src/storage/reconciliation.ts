// What the nightly batch found when it held the stream against itself, series by series and day by day: what the rules had heard when it
// mattered, what came after, what nobody counts, and which alerts would have come otherwise. Kept only where there is something to say.

import type { Day, DayBounds } from "../engine/calendar.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";

/** `count` 0: no figures. */
type Figures = { readonly count: number; readonly min: number | null; readonly max: number | null; readonly avg: number | null };

/**
 * `missed`: the rules would have fired it, had the late readings come in time; `mistaken`: they would not have; `moved`: at another time,
 * or it would have ended at another. Times are event times, of what they would have done in `due`.
 */
export type AlertDifference = {
  readonly kind: "missed" | "mistaken" | "moved";
  readonly rule: string;
  /** Of the alert that fired. */
  readonly alert: string | null;
  readonly fired_at: EpochMs | null;
  readonly resolved_at: EpochMs | null;
  readonly due: { readonly fired_at: EpochMs; readonly resolved_at: EpochMs | null } | null;
  /** `late`: late readings of the series lie where it counts; `other`: none do, so that downtime, a change of rules or what people did made the difference. */
  readonly because: "late" | "other";
};

export type Reconciliation = {
  /** What rules and windows heard in time. */
  readonly stream: Figures;
  /** All of the day's history. */
  readonly batch: Figures;
  /** Of the batch's: too late for the rules. */
  readonly late: number;
  /** By the day of their arrival; neither counts them. */
  readonly duplicate: number;
  readonly conflict: number;
  readonly quarantined: number;
  /** Readings by which the stream's rollups differ from the batch though none of that explains it: a fault. */
  readonly unexplained: number;
  /** Null: the day was not judged again, as there were too many readings, or the series has imported ones. */
  readonly alerts: readonly AlertDifference[] | null;
};

export type ReconciliationRow = {
  readonly kind: "reconciliation";
  readonly zone: string;
  readonly day: Day;
  readonly series: SeriesId;
  /** JSON; null: there is nothing to say of it. */
  readonly text: string | null;
};
/** Verdicts of readings that are no history, of one pass of compaction. */
export type RefusedDayRow = {
  readonly kind: "refused-day";
  readonly series: SeriesId;
  readonly zone: string;
  readonly name: Day;
  readonly bounds: DayBounds;
  readonly fromSeq: number;
} & Refused;
/** Of a pass that was killed. */
export type RefusedGoneRow = { readonly kind: "refused-gone"; readonly afterSeq: number };
export type ReconciliationWrite = ReconciliationRow | RefusedDayRow | RefusedGoneRow;
export type Refused = { readonly duplicate: number; readonly conflict: number; readonly quarantined: number };

/** @returns a function that writes; call it within a transaction */
export function createReconciliationWriter(db: Database): (row: ReconciliationWrite) => void {
  const write = db.prepare(`INSERT INTO reconciliation VALUES (@zone, @day, @series, @text)
    ON CONFLICT DO UPDATE SET body = excluded.body WHERE body <> excluded.body`);
  const remove = db.prepare("DELETE FROM reconciliation WHERE zone = @zone AND day = @day AND series = @series");
  const refuse = db.prepare("INSERT OR REPLACE INTO refused_day VALUES (@series, @day, @fromSeq, @duplicate, @conflict, @quarantined)");
  const forget = db.prepare("DELETE FROM refused_day WHERE from_seq > ?");
  const openDay = db.prepare("INSERT INTO summary_open VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const fold = createFolder(db);
  return (row) => {
    switch (row.kind) {
      case "reconciliation":
        if (row.text === null) remove.run(row);
        else write.run(row);
        return;
      case "refused-day":
        fold(row.series, row.bounds.start);
        refuse.run({ ...row, day: row.bounds.start });
        openDay.run(row.zone, row.name, row.series);
        return;
      case "refused-gone":
        forget.run(row.afterSeq);
        return;
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

/** @returns makes one row of those of passes that ended: there are many in a day, and rows are never dropped */
function createFolder(db: Database): (series: SeriesId, day: EpochMs) => void {
  const ended = "series = ? AND day = ? AND from_seq <= (SELECT through FROM compaction)";
  const sum = db.prepare<[number, EpochMs], Refused & { readonly rows: number; readonly newest: number }>(
    `SELECT count(*) AS rows, max(from_seq) AS newest, sum(duplicate) AS duplicate, sum(conflict) AS conflict, sum(quarantined) AS quarantined
     FROM refused_day WHERE ${ended}`,
  );
  const remove = db.prepare(`DELETE FROM refused_day WHERE ${ended}`);
  const write = db.prepare("INSERT INTO refused_day VALUES (?, ?, ?, ?, ?, ?)");
  return (series, day) => {
    const folded = sum.get(series, day);
    if (folded === undefined || folded.rows < 2) return;
    remove.run(series, day);
    write.run(series, day, folded.newest, folded.duplicate, folded.conflict, folded.quarantined);
  };
}

/** @returns what a series was refused that arrived in a time, and the stored reconciliation of a day */
export function createReconciliationReader(db: Database) {
  const sum = db.prepare<[number, EpochMs, EpochMs], Refused>(
    `SELECT coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(conflict), 0) AS conflict, coalesce(sum(quarantined), 0) AS quarantined
     FROM refused_day WHERE series = ? AND day >= ? AND day < ?`,
  );
  const read = db.prepare<[string, Day, number], string>("SELECT body FROM reconciliation WHERE zone = ? AND day = ? AND series = ?").pluck();
  return {
    refused: (series: SeriesId, { start, end }: DayBounds): Refused => sum.get(series, start, end) as Refused,
    stored(zone: string, day: Day, series: SeriesId): Reconciliation | null {
      const text = read.get(zone, day, series);
      return text === undefined ? null : (JSON.parse(text) as Reconciliation);
    },
  };
}
