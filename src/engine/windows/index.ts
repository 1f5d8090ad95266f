// The open list of windows. To add one: a file beside this, its kind in ../window.ts, a case in each of these two functions, a page in
// docs/reference.

import type { AggregateName } from "../aggregate.ts";
import { keepingOf } from "../aggregates/index.ts";
import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { Ranks } from "../aggregates/ranks.ts";
import type { ZoneTable } from "../calendar.ts";
import type { StateReader } from "../state.ts";
import type { Window, WindowAggregate, WindowSpec } from "../window.ts";
import { CountWindow } from "./count-window.ts";
import { DayWindow } from "./day-window.ts";
import { PaneMerge } from "./pane-merge.ts";
import { PaneRanks } from "./pane-ranks.ts";
import { type PaneSettings, PaneWindow } from "./pane-window.ts";
import { SessionWindow } from "./session-window.ts";

/** What a window is made from; the zone is for `day` only. */
export type WindowSettings = { readonly spec: WindowSpec; readonly aggregate: AggregateName; readonly zone: ZoneTable };

/** Texts of what is asked for often: by spec, which rules share among all their series. */
const sharings = new WeakMap<WindowSpec, Map<string, string>>();

/** @returns rules with the same text, born together, may share one window: the spec agrees, and what is kept of the readings */
export function sharingOf({ spec, aggregate, zone }: WindowSettings): string {
  const key = spec.kind === "day" ? `${keepingOf(aggregate).name} ${zone.name}` : keepingOf(aggregate).name;
  let texts = sharings.get(spec);
  if (texts === undefined) sharings.set(spec, (texts = new Map()));
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(spec)} ${key}`;
  texts.set(key, text);
  return text;
}

/** @param born the number of the change of the rules with which it begins, empty */
export function createWindow(settings: WindowSettings, born: number): Window {
  const kept = keptIn(settings);
  const { spec, zone } = settings;
  switch (spec.kind) {
    case "hopping":
      return kept.isRanks ? new PaneWindow(rankPanes(spec, kept.sharing), born) : new PaneWindow(mergePanes(spec, kept), born);
    case "session":
      return new SessionWindow({ ...kept, spec }, born);
    case "count":
      return new CountWindow({ ...kept, spec }, born);
    case "day":
      return new DayWindow({ ...kept, spec, zone }, born);
  }
}

/** Reads what `save` wrote of a window of these settings. */
export function restoreWindow(settings: WindowSettings, from: StateReader): Window {
  const kept = keptIn(settings);
  const { spec, zone } = settings;
  switch (spec.kind) {
    case "hopping":
      return kept.isRanks ? PaneWindow.restore(rankPanes(spec, kept.sharing), from) : PaneWindow.restore(mergePanes(spec, kept), from);
    case "session":
      return SessionWindow.restore({ ...kept, spec }, from);
    case "count":
      return CountWindow.restore({ ...kept, spec }, from);
    case "day":
      return DayWindow.restore({ ...kept, spec, zone }, from);
  }
}

type Kept = { readonly sharing: string; readonly empty: () => PaneAggregate; readonly isRanks: boolean };
type Hopping = Extract<WindowSpec, { kind: "hopping" }>;

function keptIn(settings: WindowSettings): Kept {
  const { name, empty } = keepingOf(settings.aggregate);
  return { sharing: sharingOf(settings), empty, isRanks: name === "ranks" };
}

const newRanks = (): Ranks => new Ranks();

function rankPanes(spec: Hopping, sharing: string): PaneSettings<Ranks, WindowAggregate> {
  return { spec, sharing, empty: newRanks, combiner: () => new PaneRanks() };
}

function mergePanes(spec: Hopping, { sharing, empty }: Kept): PaneSettings<PaneAggregate, PaneAggregate> {
  return { spec, sharing, empty, combiner: (size, paneSize) => new PaneMerge(size, paneSize, empty) };
}
