// What `highwater import` says at its end.

import type { GatewayConfig } from "../config.ts";
import type { ImportReport } from "../history/import.ts";
import { localText } from "./local-time.ts";
import { counted, printable } from "./text.ts";

type Words = { readonly given: string; readonly config: GatewayConfig; readonly seconds: number };

export function importLines(report: ImportReport, { given, config, seconds }: Words): string[] {
  const { readings, duplicates, conflicts, doubtful = 0 } = report.progress;
  const file = printable(given);
  if (report.outcome === "there") {
    const bad = problemsOf(report) > 0 ? `; ${problemCounts(report)}, told when it was read` : "";
    return [`${file} is in already: ${counted(readings, "reading")}${bad}; nothing was done (--again does it anyway)`];
  }
  const { zone } = config.plan;
  const when = report.span === null ? "" : `, ${localText(zone, report.span.from)} to ${localText(zone, report.span.to - 1)} (${zone.name})`;
  const verb = report.outcome === "dry" ? "would be imported" : "imported";
  const repeated = [
    ...(duplicates > 0 ? [`${counted(duplicates, "reading")} were there already`] : []),
    ...(doubtful > 0 ? [`${counted(doubtful, "reading")} left out: they may have been there already, but the readings of their days are no longer kept`] : []),
    ...(conflicts > 0 ? [`${counted(conflicts, "reading")} at instants at which another value stands, which stays`] : []),
  ];
  return [
    ...(report.resumedAfter > 0 ? [`went on after line ${report.resumedAfter}`] : []),
    `${counted(readings, "reading")} of ${file} ${verb}${when}`,
    `${report.series} series, ${report.seriesNew} of them new${repeated.map((each) => `; ${each}`).join("")}`,
    ...countLines(report),
    ...(report.isEndOpen ? ["the last line has no line feed and was taken as it stands: look at it if the file may be cut off"] : []),
    ...endLines(report, seconds),
  ];
}

/** How many there were since the file's beginning. */
export function problemsOf({ progress }: ImportReport): number {
  return Object.values(progress.problems).reduce((sum, count) => sum + count, 0);
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");

const problemCounts = (report: ImportReport): string => `${counted(problemsOf(report), "problem")}: ${list(report.progress.problems)}`;

function countLines(report: ImportReport): string[] {
  const { progress, problems } = report;
  const bad = problemsOf(report);
  return [
    ...(Object.keys(progress.skipped).length > 0 ? [`no value: ${list(progress.skipped)}`] : []),
    ...(bad > 0 ? [`${problemCounts(report)}${bad > problems.length ? `; the first ${problems.length} are told above` : ""}`] : []),
  ];
}

function endLines({ outcome, mayGoOn, span }: ImportReport, seconds: number): string[] {
  if (outcome === "interrupted") {
    const how = mayGoOn ? "the same command goes on where it was" : "given again, what is in is found to be there";
    return [`interrupted: what is in stays in; ${how}`];
  }
  if (outcome === "dry") return ["nothing was written"];
  const took = `${seconds.toFixed(1)} s`;
  return span === null ? [took] : [`${took}; its days are summarised by night (\`highwater summarize\` does it at once)`];
}
