// Checks of the series: each has labels that can be read, no two have the same, and those that chunks and rollups are of are there.

import { type Labels, seriesKey } from "../../engine/reading.ts";
import type { SeriesId } from "../../engine/units.ts";
import type { Database } from "../database.ts";
import { type Checked, type Found, restore, rowsByKey } from "./problem.ts";

type Row = { readonly key: SeriesId; readonly labels: string };

export function checkSeries(db: Database, found: Found, checked: Checked): void {
  const total = db.prepare<[], number>("SELECT count(*) FROM series").pluck().get() ?? 0;
  const byLabels = new Map<string, SeriesId>();
  let done = 0;
  const say = (series: SeriesId, what: string): void => found({ kind: "series", place: { series }, what, mend: restore });
  for (const some of rowsByKey<Row>(db, "SELECT id AS key, labels FROM series WHERE id > ? ORDER BY id LIMIT ?")) {
    for (const { key: id, labels } of some) {
      const read = readLabels(labels);
      if (read === undefined) {
        say(id, "its labels cannot be read");
        continue;
      }
      const same = byLabels.get(seriesKey(read));
      if (same === undefined) byLabels.set(seriesKey(read), id);
      else say(id, `it has the labels of series ${same}`);
    }
    done += some.length;
    checked(done, total);
  }
  checkNamed(db, say);
}

function readLabels(text: string): Labels | undefined {
  try {
    const labels = JSON.parse(text) as unknown;
    if (typeof labels !== "object" || labels === null || Array.isArray(labels)) return undefined;
    return Object.values(labels).every((value) => typeof value === "string") ? (labels as Labels) : undefined;
  } catch {
    return undefined;
  }
}

/** Looked for after those who name them: a series is written before anything is of it. */
function checkNamed(db: Database, say: (series: SeriesId, what: string) => void): void {
  const has = db.prepare<[number], 1>("SELECT 1 FROM series WHERE id = ?").pluck();
  const told = new Set<SeriesId>();
  for (const [table, word] of [["chunk", "chunks"] as const, ["packed_rollup", "packed rollups"] as const, ["rollup", "rollups"] as const]) {
    for (const id of db.prepare<[], SeriesId>(`SELECT DISTINCT series FROM ${table}`).pluck().all()) {
      if (told.has(id) || has.get(id) === 1) continue;
      told.add(id);
      say(id, `there are ${word} of it, and nothing says which series it is`);
    }
  }
}
