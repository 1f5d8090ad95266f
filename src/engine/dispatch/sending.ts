// Sends what lines of a group owe: of each channel one notification carries all, and the others are written down as grouped with it.

import { severities } from "../severity.ts";
import type { EpochMs } from "../units.ts";
import { type Group, isOver, type Place, placeText, type Unit } from "./occurrence.ts";
import type { Members, NotificationKind, NotificationRecord, Told } from "./record.ts";
import type { Standing } from "./standing.ts";
import type { DispatchParts } from "./state.ts";
import { distinct, toldKey } from "./targets.ts";

export type TellingDeps = DispatchParts & { readonly emit: (record: NotificationRecord) => void };

/** Alerts that a notification lists; how many more there are it says. */
const MEMBERS_MAX = 500;

type Owed = { readonly place: Place /** Newest last; the newest is told. */; readonly units: readonly Unit[] };
type OfChannel = { readonly told: Told; readonly owed: Owed[] };

/** @param places lines of the group that owe something and that nothing hides */
export function send(deps: TellingDeps, group: Group, places: readonly Place[], now: EpochMs): void {
  const { standing, timers, emit } = deps;
  const seqs: Record<string, number> = { ...group.seqs };
  for (const { told, owed } of byChannel(standing, places)) {
    const key = toldKey(told);
    const seq = (seqs[key] ?? 0) + 1;
    seqs[key] = seq;
    const [first, ...others] = owed as [Owed, ...Owed[]];
    const carrier = newest(first);
    const listed = group.kind === "single" ? null : membersOf(deps, group, told, places, now);
    const members = listed?.members ?? null;
    // Long after a storm what still fires of it is told again like anything else.
    const kind: NotificationKind = group.kind === "storm" && carrier.kind !== "repeat" ? "storm" : carrier.kind;
    const state = listed?.state ?? carrier.state;
    const line = group.kind === "single" ? null : group.id;
    emit({ ...recordOf(first.place.alert, carrier, { disposition: "waiting", cause: null }), kind, state, seq, line, members });
    const cause = `${group.kind === "storm" ? "storm" : "notification"}:${carrier.id}`;
    for (const unit of first.units.slice(0, -1)) emit(recordOf(first.place.alert, unit, { disposition: "grouped", cause }));
    for (const { place, units } of others) for (const unit of units) emit(recordOf(place.alert, unit, { disposition: "grouped", cause }));
  }
  for (const place of places) {
    const { held, told, stepWaitMs } = standing.line(place);
    const { ack } = standing.the(place.alert);
    standing.change(place, { held: [], hidden: null, told: distinct([...told, ...held.filter(({ state }) => state === "firing").map(channelOf)]) });
    const step = `step:${placeText(place)}`;
    if (stepWaitMs !== null && ack === null && !isOver(standing.the(place.alert)) && timers.get(step) === undefined) timers.set(step, now + stepWaitMs);
  }
  standing.putGroup({ ...group, toldAt: now, seqs });
  const { repeatMs } = group.settings;
  const isStanding = standing.members(group.id).some(({ alert }) => !isOver(standing.the(alert)));
  if (repeatMs !== null && isStanding) timers.set(`repeat:${group.id}`, now + repeatMs);
  else timers.clear(`repeat:${group.id}`);
}

const channelOf = ({ receiver, channel }: Told): Told => ({ receiver, channel });
const newest = ({ units }: Owed): Unit => units.at(-1) as Unit;

function byChannel(standing: Standing, places: readonly Place[]): OfChannel[] {
  const channels = new Map<string, OfChannel>();
  for (const place of places) {
    for (const [key, units] of Map.groupBy(standing.line(place).held, toldKey)) {
      const known = channels.get(key);
      if (known === undefined) channels.set(key, { told: channelOf(units[0] as Unit), owed: [{ place, units }] });
      else known.owed.push({ place, units });
    }
  }
  return [...channels.values()];
}

type Listed = { readonly members: Members; readonly state: "firing" | "resolved" };

/** What is new first, then what this channel was told before and still stands. */
function membersOf({ standing, hiding }: TellingDeps, group: Group, told: Told, places: readonly Place[], now: EpochMs): Listed {
  const key = toldKey(told);
  const isTold = (list: readonly Told[]): boolean => list.some((each) => toldKey(each) === key);
  const fresh = places.filter((place) => isTold(standing.line(place).held));
  const isNew = new Set(fresh.map(placeText));
  const standingOnes = standing.members(group.id).filter((place) => {
    if (isNew.has(placeText(place)) || !isTold(standing.line(place).told)) return false;
    const occurrence = standing.the(place.alert);
    return !isOver(occurrence) && hiding.causeOf(occurrence, standing.line(place).intervals ?? group.settings, now) === undefined;
  });
  const all = [...fresh, ...standingOnes];
  const listed = all.length > MEMBERS_MAX ? [...gravestFirst(standing, fresh), ...gravestFirst(standing, standingOnes)] : all;
  const alerts = listed.slice(0, MEMBERS_MAX).map(({ alert }): [string, number] => [alert, standing.the(alert).ordinal]);
  const state = all.some(({ alert }) => !isOver(standing.the(alert))) ? "firing" : "resolved";
  return { members: { alerts, fresh: Math.min(fresh.length, alerts.length), more: all.length - alerts.length }, state };
}

/** Where there is no room for all, the mildest are left out. */
const gravestFirst = (standing: Standing, places: readonly Place[]): Place[] =>
  severities.flatMap((severity) => places.filter(({ alert }) => standing.the(alert).record.severity === severity));

/** A notification that is not, or not yet, sent. */
export function recordOf(
  alert: string,
  unit: Unit,
  { disposition, cause }: { disposition: NotificationRecord["disposition"]; cause: string | null },
): NotificationRecord {
  return { ...unit, alert, seq: 0, disposition, cause, line: null, heldUntil: null, members: null };
}
