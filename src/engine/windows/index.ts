// The open list of windows. To add one: a file beside this, a case in each of these three, a page in docs/reference.

import { type AggregateName, Tally } from "../aggregate.ts";
import type { ZoneTable } from "../calendar.ts";
import type { StateReader } from "../state.ts";
import type { Window, WindowSpec } from "../window.ts";
import { PaneWindow } from "./pane-window.ts";

/** Where a window begins its state in a snapshot. */
export type WindowSettings = { readonly spec: WindowSpec; readonly aggregate: AggregateName; readonly zone: ZoneTable };

/** @returns rules with the same text, born together, may share one window */
export function sharingOf({ spec, aggregate }: WindowSettings): string {
  void aggregate;
  return JSON.stringify(spec);
}

export function createWindow(settings: WindowSettings, born: number): Window {
  const { spec } = settings;
  if (spec.kind !== "hopping") throw new Error(`there is no ${spec.kind} window`);
  return new PaneWindow(spec, () => new Tally(), born, sharingOf(settings));
}

/** Reads what `save` wrote of a window of these settings. */
export function restoreWindow(settings: WindowSettings, from: StateReader): Window {
  const { spec } = settings;
  if (spec.kind !== "hopping") throw new Error(`there is no ${spec.kind} window`);
  return PaneWindow.restore(from, () => new Tally(), sharingOf(settings));
}
