// What dispatch remembers, as it goes into snapshots and comes back: lists of values that are never changed but replaced, so that what is to
// be saved is fixed at once and written later, a part at a time.

import type { AlertRecord } from "../effect.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import type { Flap } from "./flapping.ts";
import type { Hiding } from "./hiding.ts";
import type { Group, Occurrence } from "./occurrence.ts";
import type { OverrideRecord, Shelf, Silence } from "./record.ts";
import type { Standing } from "./standing.ts";
import type { Storm, Storms } from "./storm.ts";
import type { Targets } from "./targets.ts";
import type { Timers } from "./timers.ts";

/** What remembers: the dispatcher makes each once, and whoever decides is given all. */
export type DispatchParts = {
  readonly standing: Standing;
  readonly hiding: Hiding;
  readonly targets: Targets;
  readonly storms: Storms;
  readonly timers: Timers;
};

/** One thing that is remembered. */
type Kept =
  | readonly ["group", Group]
  | readonly ["occurrence", Occurrence]
  | readonly ["timer", readonly [string, EpochMs]]
  | readonly ["silence", Silence]
  | readonly ["shelf", Shelf]
  | readonly ["source", AlertRecord]
  | readonly ["flap", Flap]
  | readonly ["storm", Storm]
  | readonly ["override", OverrideRecord];

export class DispatchState {
  readonly #parts: DispatchParts;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  /** Occurrences so far. */
  get numbered(): number {
    return this.#parts.standing.numbered;
  }

  set numbered(count: number) {
    this.#parts.standing.numbered = count;
  }

  /** All else that there is now. */
  all(): readonly Kept[] {
    const { standing, hiding, targets, storms, timers } = this.#parts;
    return [
      ...[...standing.groups].map((group): Kept => ["group", group]),
      ...[...standing.occurrences].map((occurrence): Kept => ["occurrence", occurrence]),
      ...timers.save().map((timer): Kept => ["timer", timer]),
      ...hiding.silences.map((silence): Kept => ["silence", silence]),
      ...[...hiding.shelves.values()].map((shelf): Kept => ["shelf", shelf]),
      ...[...hiding.inhibition.lingering].map((source): Kept => ["source", source]),
      ...[...hiding.flapping.all].map((flap): Kept => ["flap", flap]),
      ...[...storms.all].map((storm): Kept => ["storm", storm]),
      ...[...targets.overrides.values()].map((override): Kept => ["override", override]),
    ];
  }

  /** Takes a part of what `all` gave, as JSON, in its order; `restored` ends it. */
  restore(text: string): void {
    for (const kept of JSON.parse(text) as Kept[]) this.#take(kept);
  }

  /** All parts are there. */
  restored(): void {
    this.#parts.targets.overridesChanged();
    this.#parts.hiding.inhibition.restore([...this.#parts.standing.occurrences].map(({ record }) => record));
  }

  /** The wall clock was set. */
  shift(by: DurationMs): void {
    const { standing, hiding, storms, timers } = this.#parts;
    timers.shift(by, ({ runs }) => runs === "from_event");
    for (const group of [...standing.groups])
      standing.putGroup({ ...group, waitsFrom: group.waitsFrom + by, toldAt: group.toldAt === null ? null : group.toldAt + by });
    for (const occurrence of [...standing.occurrences])
      standing.put({ ...occurrence, lines: occurrence.lines.map((line) => ({ ...line, holdUntil: line.holdUntil + by })) });
    hiding.flapping.shift(by);
    storms.shift(by);
  }

  #take(kept: Kept): void {
    const { standing, hiding, targets, storms, timers } = this.#parts;
    switch (kept[0]) {
      case "group":
        return standing.putGroup(kept[1]);
      case "occurrence":
        return standing.put(kept[1]);
      case "timer":
        return timers.set(...kept[1]);
      case "silence":
        return hiding.putSilence(kept[1]);
      case "shelf":
        hiding.shelves.set(kept[1].key, kept[1]);
        return;
      case "source":
        return hiding.inhibition.linger(kept[1]);
      case "flap":
        return hiding.flapping.restore([kept[1]]);
      case "storm":
        return storms.restore([kept[1]]);
      case "override":
        targets.overrides.set(kept[1].id, kept[1]);
        return;
      default: {
        const never: never = kept;
        return never;
      }
    }
  }
}
