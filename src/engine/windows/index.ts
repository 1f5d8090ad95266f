// The open list of windows. To add one: a file beside this, its kind in ../window.ts, a case in each of these two functions, a page in
// docs/reference.

import type { AggregateName } from "../aggregate.ts";
import { keepingOf } from "../aggregates/index.ts";
import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import { Ranks } from "../aggregates/ranks.ts";
import type { ZoneTable } from "../calendar.ts";
import type { StateReader } from "../state.ts";
import type { DurationMs } from "../units.ts";
import type { Window, WindowAggregate, WindowSpec } from "../window.ts";
import { CountWindow } from "./count-window.ts";
import { DayWindow } from "./day-window.ts";
import { PaneMerge } from "./pane-merge.ts";
import { PaneRanks } from "./pane-ranks.ts";
import { type PaneSettings, PaneWindow } from "./pane-window.ts";
import { SessionWindow } from "./session-window.ts";

/** What a window is made from; the zone is for `day` only. */
export type WindowSettings = { readonly spec: WindowSpec; readonly aggregate: AggregateName; readonly zone: ZoneTable };

/** What all windows of one spec that keep the same have in common. */
type Kind = { readonly sharing: string; readonly empty: () => PaneAggregate; readonly isRanks: boolean };

/** By spec, which rules share among all their series; then by what is kept, and in which zone. */
const kinds = new WeakMap<WindowSpec, Map<string, Kind>>();

function kindOf({ spec, aggregate, zone }: WindowSettings): Kind {
  const { name, empty } = keepingOf(aggregate);
  const key = spec.kind === "day" ? `${name} ${zone.name}` : name;
  let ofSpec = kinds.get(spec);
  if (ofSpec === undefined) kinds.set(spec, (ofSpec = new Map()));
  let kind = ofSpec.get(key);
  if (kind === undefined) ofSpec.set(key, (kind = { sharing: `${JSON.stringify(spec)} ${key}`, empty, isRanks: name === "ranks" }));
  return kind;
}

/** @returns rules with the same text, born together, may share one window: the spec agrees, and what is kept of the readings */
export const sharingOf = (settings: WindowSettings): string => kindOf(settings).sharing;

/** @param born the number of the change of the rules with which it begins, empty */
export function createWindow(settings: WindowSettings, born: number): Window {
  const kind = kindOf(settings);
  const { spec, zone } = settings;
  switch (spec.kind) {
    case "hopping":
      return kind.isRanks ? new PaneWindow(rankPanes(spec, kind), born) : new PaneWindow(mergePanes(spec, kind), born);
    case "session":
      return new SessionWindow({ ...kind, spec }, born);
    case "count":
      return new CountWindow({ ...kind, spec }, born);
    case "day":
      return new DayWindow({ ...kind, spec, zone }, born);
  }
}

/** Reads what `save` wrote of a window of these settings. */
export function restoreWindow(settings: WindowSettings, from: StateReader): Window {
  const kind = kindOf(settings);
  const { spec, zone } = settings;
  switch (spec.kind) {
    case "hopping":
      return kind.isRanks ? PaneWindow.restore(rankPanes(spec, kind), from) : PaneWindow.restore(mergePanes(spec, kind), from);
    case "session":
      return SessionWindow.restore({ ...kind, spec }, from);
    case "count":
      return CountWindow.restore({ ...kind, spec }, from);
    case "day":
      return DayWindow.restore({ ...kind, spec, zone }, from);
  }
}

type Hopping = Extract<WindowSpec, { kind: "hopping" }>;
type Made<Type> = WeakMap<Kind, Type>;

const settingsOfRanks: Made<PaneSettings<Ranks, WindowAggregate>> = new WeakMap();
const settingsOfMerged: Made<PaneSettings<PaneAggregate, PaneAggregate>> = new WeakMap();

function once<Type>(known: Made<Type>, kind: Kind, make: () => Type): Type {
  let made = known.get(kind);
  if (made === undefined) known.set(kind, (made = make()));
  return made;
}

const newRanks = (): Ranks => new Ranks();

const rankPanes = (spec: Hopping, kind: Kind): PaneSettings<Ranks, WindowAggregate> =>
  once(settingsOfRanks, kind, () => ({ spec, sharing: kind.sharing, empty: newRanks, combiner: () => new PaneRanks() }));

const mergePanes = (spec: Hopping, kind: Kind): PaneSettings<PaneAggregate, PaneAggregate> =>
  once(settingsOfMerged, kind, () => {
    let shared: PaneMerge<PaneAggregate> | undefined;
    const combiner = (size: DurationMs, paneSize: DurationMs): PaneMerge<PaneAggregate> => {
      if (shared !== undefined) return shared;
      const merge = new PaneMerge(size, paneSize, kind.empty);
      if (merge.isShareable) shared = merge;
      return merge;
    };
    return { spec, sharing: kind.sharing, empty: kind.empty, combiner };
  });
