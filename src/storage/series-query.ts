// Which series a query is about: label filters over the series table, the device's labels of the config under the series' own.

import { type Labels, seriesKey } from "../engine/reading.ts";
import type { Device } from "../engine/rule.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";
import { type Answer, type LabelFilter, LIMIT_DEFAULT, type QueryContext, type QueryRequest, type SeriesView } from "./query.ts";
import { createRollupReader, MINUTE_MS } from "./rollups.ts";

export type SelectedSeries = { readonly id: SeriesId; readonly key: string; readonly labels: Labels; readonly source: string; readonly unit: string | null };

/** Ids that come after the cursor, in order, and one more than `limit` so that the caller knows whether there is more. */
export type Selection = { readonly labels?: LabelFilter; readonly series?: readonly SeriesId[]; readonly limit: number; readonly after?: SeriesId };

/** Whether labels have, for each label of the filter, one of its values. */
export function matchesFilter(labels: Labels, filter: LabelFilter | undefined): boolean {
  for (const name of Object.keys(filter ?? {})) if (!filter?.[name]?.includes(labels[name] ?? "")) return false;
  return true;
}

/** A series' own labels over those that the config gives its device. */
export function withDevice(labels: Labels, devices: Readonly<Record<string, Device>>): Labels {
  const device = deviceOf(labels, devices);
  return device === undefined ? labels : { ...device.labels, ...labels };
}

/** The config's entry for the device of a series, where it has one. */
export function deviceOf(labels: Labels, devices: Readonly<Record<string, Device>>): Device | undefined {
  const name = labels["device"] ?? "";
  return Object.hasOwn(devices, name) ? devices[name] : undefined;
}

/** @returns at most `limit` + 1 series, by id */
export function selectSeries(db: Database, selection: Selection, devices: Readonly<Record<string, Device>>): SelectedSeries[] {
  const wanted = selection.series === undefined ? undefined : new Set(selection.series);
  const rows = db.prepare<[number], { id: number; labels: string; source: string }>("SELECT id, labels, source FROM series WHERE id > ? ORDER BY id");
  const selected: SelectedSeries[] = [];
  for (const { id, labels, source } of rows.iterate(selection.after ?? -1)) {
    if (wanted !== undefined && !wanted.has(id)) continue;
    const own = JSON.parse(labels) as Labels;
    const all = withDevice(own, devices);
    if (!matchesFilter(all, selection.labels)) continue;
    selected.push({ id, key: seriesKey(own), labels: all, source, unit: deviceOf(own, devices)?.unit ?? null });
    if (selected.length > selection.limit) break;
  }
  return selected;
}

/** One series by its id; an alert or summary may outlive what the table knows of it. */
export function createSeriesReader(db: Database, devices: Readonly<Record<string, Device>>): (id: SeriesId) => { labels: Labels; unit: string | null } {
  const read = db.prepare<[number], string>("SELECT labels FROM series WHERE id = ?").pluck();
  const known = new Map<SeriesId, { labels: Labels; unit: string | null }>();
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const own = JSON.parse(read.get(id) ?? "{}") as Labels;
    const series = { labels: withDevice(own, devices), unit: deviceOf(own, devices)?.unit ?? null };
    known.set(id, series);
    return series;
  };
}

/** Of all series there are, ascending. */
export function seriesIds(db: Database): SeriesId[] {
  return db.prepare<[], number>("SELECT id FROM series ORDER BY id").pluck().all();
}

export function answerSeries(db: Database, request: Extract<QueryRequest, { kind: "series" }>, { devices }: QueryContext): Answer<typeof request> {
  const limit = request.limit ?? LIMIT_DEFAULT;
  const after = request.cursor === undefined ? undefined : Number(request.cursor);
  const found = selectSeries(db, { limit, ...(request.labels !== undefined && { labels: request.labels }), ...(after !== undefined && { after }) }, devices);
  const series = found.slice(0, limit);
  const lastOf = createLastReader(db);
  return {
    series: series.map((each): SeriesView => ({ ...each, last: lastOf(each.id) })),
    cursor: found.length > limit ? String(series.at(-1)?.id) : null,
  };
}

function createLastReader(db: Database): (id: SeriesId) => { ts: EpochMs; value: number } | null {
  const rollups = createRollupReader(db);
  return (id) => {
    const newest = rollups.last(MINUTE_MS, id);
    return newest === undefined ? null : { ts: newest.values.lastTs, value: newest.values.last };
  };
}
