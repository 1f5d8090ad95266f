// What fired, as people ask for it: occurrences with their transitions, from the live run and from a replay, and how they differ.
// Two that overlap on the same rule and series are one that changed; the others fired only in one of the two.

import type { Transition } from "../engine/effect.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

export type Occurrence = {
  readonly id: string;
  readonly rule: string;
  readonly labels: Labels;
  readonly firedAt: EpochMs;
  /** Null: not within the range. */
  resolvedAt: EpochMs | null;
  peak: number;
  /** Its transitions within the range, in order. */
  readonly steps: { readonly to: Transition["to"]; readonly ts: EpochMs }[];
};
export type Difference =
  | { readonly kind: "only-live"; readonly live: Occurrence }
  | { readonly kind: "only-replay"; readonly replay: Occurrence }
  | { readonly kind: "changed"; readonly live: Occurrence; readonly replay: Occurrence };

/** Occurrences that are told one by one; what comes beyond is only counted. */
const OCCURRENCES_MAX = 100_000;

type Told = Pick<Transition, "alert" | "to" | "ts"> & { readonly peak: number };

export class Occurrences {
  readonly #byId = new Map<string, Occurrence>();
  /** Of occurrences beyond the bound. */
  left = 0;

  add({ alert, to, ts, peak }: Told, of: Pick<Occurrence, "rule" | "labels" | "firedAt">): void {
    const occurrence = this.#byId.get(alert) ?? { id: alert, rule: of.rule, labels: of.labels, firedAt: of.firedAt, resolvedAt: null, peak, steps: [] };
    if (!this.#byId.has(alert)) {
      if (this.#byId.size >= OCCURRENCES_MAX) {
        if (to === "firing") this.left += 1;
        return;
      }
      this.#byId.set(alert, occurrence);
    }
    occurrence.steps.push({ to, ts });
    occurrence.peak = peak;
    if (to === "resolved") occurrence.resolvedAt = ts;
  }

  /** By the time at which they fired, then rule and id. */
  list(): Occurrence[] {
    return [...this.#byId.values()].sort((a, b) => a.firedAt - b.firedAt || compareText(a.rule, b.rule) || compareText(a.id, b.id));
  }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export type LiveRange = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** `at`: when it was committed; `ts`: event time. */
  readonly by: "at" | "ts";
  /** Rules that are left out. */
  readonly except: readonly string[];
};

/** What the live run told within a range. */
export function liveOccurrences(db: Database, { from, to, by, except }: LiveRange): Occurrences {
  const told = new Occurrences();
  type Row = { alert: string; to: Transition["to"]; ts: number; peak: number; rule: string; labels: string; fired_at: number };
  const rows = db.prepare<[number, number], Row>(
    `SELECT transition.alert, "to", transition.ts, transition.peak, rule, labels, fired_at FROM transition JOIN alert ON alert.id = transition.alert
     WHERE transition.${by} >= ? AND transition.${by} < ? ORDER BY transition.alert, ordinal`,
  );
  for (const row of rows.iterate(from, to)) {
    if (except.includes(row.rule)) continue;
    told.add(row, { rule: row.rule, labels: JSON.parse(row.labels) as Labels, firedAt: row.fired_at });
  }
  return told;
}

/** In the order of time. */
export function differencesOf(live: readonly Occurrence[], replayed: readonly Occurrence[]): Difference[] {
  const liveById = new Map(live.map((each) => [each.id, each]));
  const replayedById = new Map(replayed.map((each) => [each.id, each]));
  const differences: Difference[] = live.flatMap((one): Difference[] => {
    const other = replayedById.get(one.id);
    return other === undefined || isSame(one, other) ? [] : [{ kind: "changed", live: one, replay: other }];
  });
  const onlyReplayed = groupBySubject(replayed.filter(({ id }) => !liveById.has(id)));
  for (const one of live.filter(({ id }) => !replayedById.has(id))) {
    const candidates = onlyReplayed.get(subjectOf(one)) ?? [];
    const other = candidates.find((each) => overlaps(one, each));
    if (other === undefined) {
      differences.push({ kind: "only-live", live: one });
      continue;
    }
    candidates.splice(candidates.indexOf(other), 1);
    differences.push({ kind: "changed", live: one, replay: other });
  }
  for (const rest of onlyReplayed.values()) for (const replay of rest) differences.push({ kind: "only-replay", replay });
  return differences.sort((a, b) => firedAtOf(a) - firedAtOf(b));
}

const firedAtOf = (difference: Difference): EpochMs => (difference.kind === "only-replay" ? difference.replay : difference.live).firedAt;

/** An id ends in the instant at which it fired; what stands before it is of rule and series. */
const subjectOf = ({ id }: Occurrence): string => id.slice(0, id.lastIndexOf("-"));

function groupBySubject(occurrences: readonly Occurrence[]): Map<string, Occurrence[]> {
  const groups = new Map<string, Occurrence[]>();
  for (const each of occurrences) {
    const group = groups.get(subjectOf(each));
    if (group === undefined) groups.set(subjectOf(each), [each]);
    else group.push(each);
  }
  return groups;
}

const overlaps = (a: Occurrence, b: Occurrence): boolean =>
  a.firedAt <= (b.resolvedAt ?? Number.POSITIVE_INFINITY) && b.firedAt <= (a.resolvedAt ?? Number.POSITIVE_INFINITY);

const isSame = (a: Occurrence, b: Occurrence): boolean =>
  a.steps.length === b.steps.length && a.steps.every(({ to, ts }, index) => to === b.steps[index]?.to && ts === b.steps[index]?.ts);
