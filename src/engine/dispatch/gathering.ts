// Where a line is gathered with others: the group that its route names, or the storm of its target. A group is opened with its first line
// and gone with its last.

import type { EpochMs } from "../units.ts";
import { type Group, isOver, type Occurrence, type Place, placeText } from "./occurrence.ts";
import type { Taken } from "./routes.ts";
import type { TellingDeps } from "./sending.ts";

/** The group of a line that begins. @returns its id */
export function groupFor({ standing }: TellingDeps, { settings, group }: Taken, place: Place, now: EpochMs): string {
  const known = group === null ? undefined : standing.openGroup(group);
  const id = known?.id ?? (group === null ? placeText(place) : groupId(group, standing.the(place.alert), now));
  const fresh: Group = { id, kind: group === null ? "single" : "shared", settings, waitsFrom: now, toldAt: null, seqs: {} };
  standing.putGroup(known === undefined ? fresh : { ...known, settings });
  return id;
}

/** Moves a line that was not told yet to the storm of its target. @returns false: there is none */
export function joinStorm({ standing, storms, timers }: TellingDeps, group: Group, place: Place, now: EpochMs): boolean {
  const { target } = group.settings;
  const occurrence = standing.the(place.alert);
  if (group.kind === "storm" || isOver(occurrence) || standing.line(place).told.length > 0) return false;
  const storm = storms.note(target, now);
  if (storm === undefined || storms.plan === null) return false;
  const name = `storm:${target}`;
  if (timers.get(name) === undefined) timers.set(name, storms.lookAgainAt(target, now) as EpochMs);
  const known = standing.group(storm.group ?? "");
  const id = known?.id ?? groupId(`storm/${target}`, occurrence, now);
  if (known === undefined) {
    const settings = { ...group.settings, waitMs: storms.plan.waitMs ?? 0, intervalMs: storms.plan.intervalMs, mute: [], active: [] };
    standing.putGroup({ id, kind: "storm", settings, waitsFrom: now, toldAt: null, seqs: {} });
    storms.gather(storm, id);
  }
  const { mute, active } = group.settings;
  standing.change(place, { group: id, intervals: { mute, active } });
  return true;
}

export function dropGroupIfEmpty({ standing, timers }: TellingDeps, id: string): void {
  if (standing.memberCount(id) > 0) return;
  for (const timer of ["flush", "repeat"]) timers.clear(`${timer}:${id}`);
  standing.dropGroup(id);
}

/** Never given twice, since what is sent is numbered by it: an occurrence opens a group of a name once. */
const groupId = (name: string, { number }: Occurrence, now: EpochMs): string => `${name}@${now.toString(36)}.${number.toString(36)}`;
