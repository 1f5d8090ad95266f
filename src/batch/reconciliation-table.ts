// The reconciliation as a table of the mail, at most 72 columns: which sensors the stream did not see as the batch does, and what of it
// the rules would have told. What is a fault, and not lateness, is said in words beside.

import type { ReconciledSeries, ReconciliationReport } from "./jobs/summary-report.ts";
import { type Cell, type Table, tableOf } from "./mail-table.ts";
import { counted, nameOf } from "./summary-words.ts";

/** @returns undefined when stream and batch agree */
export function reconciliationTable({ series }: ReconciliationReport): Table | undefined {
  if (series.length === 0) return undefined;
  return tableOf<ReconciledSeries>("Where the stream and the day differ", series, [
    { title: "Sensor", width: 24, cell: (row) => ({ text: nameOf({ ...row, unit: null }) }) },
    { title: "Late", width: 7, right: true, cell: ({ late }) => ({ text: String(late) }) },
    { title: "Refused", width: 7, right: true, cell: ({ duplicate, conflict, quarantined }) => ({ text: String(duplicate + conflict + quarantined) }) },
    { title: "Missed", width: 6, right: true, cell: ({ missed }) => alertCell(missed) },
    { title: "In error", width: 8, right: true, cell: ({ mistaken }) => alertCell(mistaken) },
    { title: "Moved", width: 5, right: true, cell: ({ moved }) => ({ text: String(moved) }) },
    { title: "Fault", width: 7, right: true, cell: ({ unexplained }) => (unexplained === 0 ? { text: "-" } : { text: String(unexplained), mark: "bad" }) },
  ]);
}

const alertCell = (alerts: number): Cell => (alerts > 0 ? { text: String(alerts), mark: "bad" } : { text: "0" });

/** What the columns mean, and what is not in them. */
export function reconciliationFoot({ series, left, unjudged }: ReconciliationReport): string[] {
  if (series.length === 0) return [];
  const meaning =
    'Late readings count in the day, but came too late for the rules: "missed" alerts would have fired with them in time, those "in error" would not have, "moved" ones at another time. Refused are duplicates, conflicts and quarantined readings.';
  const faults = series.some(({ unexplained }) => unexplained !== 0)
    ? ['A "fault" is a number of readings by which the rollups of the stream and the day differ for no known reason: "highwater verify" says more.']
    : [];
  return [
    meaning,
    ...faults,
    ...(left > 0 ? [`${counted(left, "more sensor")} differ${left === 1 ? "s" : ""}: /api/v1/summaries tells.`] : []),
    ...(unjudged > 0 ? [`Of ${counted(unjudged, "sensor")} the day was not judged again: there were too many readings, or some were imported.`] : []),
  ];
}
