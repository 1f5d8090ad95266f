// The panes of a window as a list, packed into one array of numbers or each by itself: both are the same to whoever uses them.

import { describe, expect, it } from "vitest";
import { keepingOf } from "../../../src/engine/aggregates/index.ts";
import type { PaneAggregate } from "../../../src/engine/aggregates/pane-aggregate.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";
import { createPaneList, LONG_AGO, type PaneList } from "../../../src/engine/windows/pane-list.ts";

type Panes = PaneList<PaneAggregate>;

/** A pane with one reading. */
function place(panes: Panes, index: number, start: number, openFrom = LONG_AGO): void {
  panes.insert(index, start, openFrom);
  const sum = panes.sum(index);
  sum.add(start, 1);
  panes.put(index, sum);
}

const listed = (panes: Panes) =>
  Array.from({ length: panes.length }, (_, index) => [panes.start(index), panes.openFrom(index), panes.sum(index).count, panes.sum(index).lastTs]);

describe.each(["avg", "first", "twa", "p95"] as const)("panes of %s", (name) => {
  const { empty } = keepingOf(name);

  it("stand where they were inserted, each new one empty, though it has the room of one that is gone", () => {
    const panes = createPaneList(empty);
    place(panes, 0, 10);
    place(panes, 1, 30);
    place(panes, 1, 20);
    place(panes, 0, 0);
    const of = (start: number) => [start, LONG_AGO, 1, start];
    expect(listed(panes)).toEqual([0, 10, 20, 30].map(of));
    panes.shift();
    panes.insert(3, 40, LONG_AGO);
    expect(listed(panes)).toEqual([...[10, 20, 30].map(of), [40, LONG_AGO, 0, LONG_AGO]]);
    for (let start = 50; start < 2000; start += 10) {
      place(panes, panes.length, start);
      panes.shift();
    }
    expect(listed(panes)).toEqual([1960, 1970, 1980, 1990].map(of));
  });

  it("know how many of them not all windows hold, saved and loaded too", () => {
    const panes = createPaneList(empty);
    place(panes, 0, 10);
    place(panes, 1, 20, 60);
    expect(panes.restricted).toBe(1);
    place(panes, 0, 0, 50);
    place(panes, 1, 5);
    expect(panes.restricted).toBe(2);
    const writer = new StateWriter();
    panes.save(writer);
    const loaded = createPaneList(empty);
    const reader = new StateReader(writer.saved());
    loaded.load(reader);
    expect(reader.done).toBe(true);
    for (const each of [panes, loaded]) {
      expect(listed(each).map(([start, openFrom]) => [start, openFrom])).toEqual([
        [0, 50],
        [5, LONG_AGO],
        [10, LONG_AGO],
        [20, 60],
      ]);
      const restricted = [each.restricted];
      while (each.length > 0) {
        each.shift();
        restricted.push(each.restricted);
      }
      expect(restricted).toEqual([2, 1, 1, 1, 0]);
      place(each, 0, 100);
      expect([each.restricted, listed(each)]).toEqual([0, [[100, LONG_AGO, 1, 100]]]);
    }
  });
});
