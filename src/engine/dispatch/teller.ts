// Whom an alert is told, and when: by its routes, in groups or on its own, again after a while, further up when nobody acknowledges.
// What is to be told is held until its group is due; then it is hidden, moved to a storm, or sent. A resolved goes to exactly those
// that were sent the firing, whatever hides it now.

import type { AlertRecord } from "../effect.ts";
import { fingerprint } from "../fingerprint.ts";
import type { EpochMs } from "../units.ts";
import { dropGroupIfEmpty, groupFor, joinStorm } from "./gathering.ts";
import type { Hidden } from "./hiding.ts";
import { type Group, isOver, keyOf, type Line, type Occurrence, type Place, placeText, type Unit } from "./occurrence.ts";
import type { RoutePlan } from "./plan.ts";
import type { NotificationKind, Told } from "./record.ts";
import { isAlwaysTold, Routes, type Taken } from "./routes.ts";
import { recordOf, send, type TellingDeps } from "./sending.ts";
import { distinct, type Step, toldKey } from "./targets.ts";

/** How often it is looked whether somebody came on call while nobody was. */
const NOBODY_MS = 60_000;

const BEFORE_FIRST = { step: -1, round: 0 };

export class Teller {
  readonly #deps: TellingDeps;
  #routes = new Routes({ receiver: "" });

  constructor(deps: TellingDeps) {
    this.#deps = deps;
  }

  usePlan(route: RoutePlan): void {
    this.#routes = new Routes(route);
  }

  /** It fires. @param except a channel that must not be told */
  open(record: AlertRecord, ordinal: number, kind: NotificationKind, except: Told | null, now: EpochMs): void {
    const { standing } = this.#deps;
    standing.put({ number: standing.numbered++, record, ordinal, key: keyOf(record.id), units: 0, events: 0, ack: null, except, lines: [] });
    this.route(record.id, kind, now);
  }

  /** Tells it by the routes that take it and by which it was not told yet. */
  route(id: string, kind: NotificationKind, now: EpochMs): void {
    const { standing, hiding } = this.#deps;
    const { record } = standing.the(id);
    for (const taken of this.#routes.taking(record.labels)) {
      if (this.#isTaken(standing.the(id), taken)) continue;
      const occurrence = standing.the(id);
      const place = { alert: id, line: occurrence.lines.length };
      const holdUntil = now + hiding.inhibition.waitOf(record);
      const line = {
        group: groupFor(this.#deps, taken, place, now),
        route: taken.path,
        held: [],
        holdUntil,
        told: [],
        hidden: null,
        kept: [],
        step: -1,
        round: 0,
        stepWaitMs: null,
      };
      standing.put({ ...occurrence, lines: [...occurrence.lines, line] });
      this.tell(place, kind, now);
    }
  }

  /** Whether it is told by this route already, or by another one to the same target that is told at any time. */
  #isTaken({ lines }: Occurrence, { settings, path }: Taken): boolean {
    return lines.some((line) => {
      const known = this.#groupOf(line).settings;
      return known.target === settings.target && (isAlwaysTold(known) || line.route === path);
    });
  }

  /** Tells those that were told before, or the first whom its route names. */
  tell(place: Place, kind: NotificationKind, now: EpochMs): void {
    const { standing } = this.#deps;
    const line = standing.line(place);
    const { settings } = this.#groupOf(line);
    if (line.told.length > 0) return this.#owe(place, line.told, kind, now);
    const step = this.#firstStep(place, now);
    if (step === undefined) return this.#missNobody(place, settings.target, kind, now);
    standing.change(place, { step: step.step, round: step.round, stepWaitMs: step.waitMs });
    this.#owe(place, step.told, kind, now);
  }

  /** It is over: those that were told are told so; what nobody was told of is not to be told any more. */
  resolve(id: string, now: EpochMs): void {
    const { standing, timers, emit } = this.#deps;
    const places = standing.the(id).lines.map((_, line) => ({ alert: id, line }));
    for (const place of places) {
      timers.clear(`step:${placeText(place)}`);
      const { told, held } = standing.line(place);
      const known = new Set(told.map(toldKey));
      const [due, late] = [held.filter((unit) => known.has(toldKey(unit))), held.filter((unit) => !known.has(toldKey(unit)))];
      for (const unit of late) emit(recordOf(id, unit, { disposition: "grouped", cause: "wait" }));
      standing.change(place, { held: due, hidden: null });
      this.#hold(place, told, "transition");
    }
    // Two lines in one storm are told at once, and then nothing is left of it.
    for (const place of places) if (standing.occurrence(id) !== undefined && standing.line(place).held.length > 0) this.#schedule(place, now);
    this.#dropIfDone(id);
  }

  /** What hid them is over. */
  uncover(cause: string, now: EpochMs): void {
    const { standing } = this.#deps;
    for (const place of standing.hiddenBy(cause)) {
      const hidden = this.#causeOf(place, now);
      if (hidden?.cause !== cause) this.reveal(place, now);
      else this.#watch(hidden, now);
    }
  }

  /** What somebody hid it with is over: it is announced, also where it was told before, unless something else hides it. */
  reveal(place: Place, now: EpochMs): void {
    const { standing } = this.#deps;
    const hidden = this.#causeOf(place, now);
    if (hidden === undefined) return this.announce(place, now);
    standing.change(place, { hidden: hidden.cause });
    this.#watch(hidden, now);
  }

  /** The plan changed, or the wall clock was set: what hides alerts may be over, or end at another time. */
  judgeHidden(now: EpochMs): void {
    const { standing, timers } = this.#deps;
    for (const cause of standing.causes()) {
      this.uncover(cause, now);
      if (!cause.startsWith("interval:")) continue;
      timers.clear(cause);
      if (standing.hides(cause)) this.#watch({ disposition: "muted", cause }, now);
    }
  }

  /** Tells it anew, from the first step on: those that were told, and who is on call by now. */
  announce(place: Place, now: EpochMs): void {
    const { standing } = this.#deps;
    const line = standing.line(place);
    const first = line.told.length > 0 ? this.#firstStep(place, now) : undefined;
    standing.change(place, { hidden: null, step: first?.step ?? -1, round: 0, stepWaitMs: first?.waitMs ?? null });
    if (line.told.length === 0) return this.tell(place, "announced", now);
    this.#owe(place, distinct([...line.told, ...(first?.told ?? [])]), "announced", now);
    this.#routeIfGone(place, "announced", now);
  }

  #firstStep(place: Place, now: EpochMs): Step | undefined {
    const { standing, targets } = this.#deps;
    return targets.stepAfter(this.#groupOf(standing.line(place)).settings.target, BEFORE_FIRST, now, standing.the(place.alert).except);
  }

  /** Nobody acknowledged. Those of its group whose step is due by now are told with it, so that a storm goes a step further as one. */
  escalate(first: Place, now: EpochMs): void {
    const { standing, timers } = this.#deps;
    const { group } = standing.line(first);
    const isDue = (text: string): boolean => text === placeText(first) || (timers.get(`step:${text}`) ?? Number.POSITIVE_INFINITY) <= now;
    const due = standing.members(group).filter((place) => isDue(placeText(place)));
    for (const place of due) timers.clear(`step:${placeText(place)}`);
    const owing = due.filter((place) => this.#owesNextStep(place, now));
    if (owing.length > 0) this.#deliver(group, owing, now);
  }

  /** Takes a line a step further. @returns whether that step tells anybody who is not told otherwise */
  #owesNextStep(place: Place, now: EpochMs): boolean {
    const { standing, targets } = this.#deps;
    const line = standing.line(place);
    if (line.hidden !== null) return false;
    const next = targets.stepAfter(this.#groupOf(line).settings.target, line, now, standing.the(place.alert).except);
    standing.change(place, next === undefined ? { stepWaitMs: null } : { step: next.step, round: next.round, stepWaitMs: next.waitMs });
    if (next === undefined) {
      this.#routeIfGone(place, "escalation", now);
      return false;
    }
    this.#hold(place, next.told, "escalation");
    if (standing.line(place).held.length > 0) return true;
    this.#passOver(place, now);
    return false;
  }

  /** Goes on with the escalation of a line where it stands. */
  resume(place: Place, now: EpochMs): void {
    const { stepWaitMs, held } = this.#deps.standing.line(place);
    if (stepWaitMs !== null && held.length === 0) this.#deps.timers.set(`step:${placeText(place)}`, now + stepWaitMs);
  }

  /** repeat_interval is over for a group. */
  repeat(id: string, now: EpochMs): void {
    const { standing, targets, timers } = this.#deps;
    const group = standing.group(id) as Group;
    const standingPlaces = standing.members(id).filter((place) => !isOver(standing.the(place.alert)) && standing.line(place).told.length > 0);
    if (standingPlaces.length > 0 && group.settings.repeatMs !== null) timers.set(`repeat:${id}`, now + group.settings.repeatMs);
    const due = standingPlaces.filter((place) => standing.the(place.alert).ack === null);
    const [hidden, open] = partition(due, (place) => this.#causeOf(place, now) !== undefined);
    // Each channel by the first that it was told of and that nothing hides, and who came on call meanwhile by all.
    const onCall = targets.stepAfter(group.settings.target, BEFORE_FIRST, now, null)?.told ?? [];
    const covered = new Set<string>();
    const owing = [...open, ...hidden].filter((place) => {
      const { told } = standing.line(place);
      const known = new Set(told.map(toldKey));
      const again = [...told.filter((each) => !covered.has(toldKey(each))), ...onCall.filter((each) => !known.has(toldKey(each)))];
      for (const each of told) covered.add(toldKey(each));
      if (again.length > 0) this.#hold(place, again, "repeat");
      return standing.line(place).held.length > 0;
    });
    if (owing.length > 0) this.#deliver(id, owing, now);
    for (const place of due) this.#routeIfGone(place, "repeat", now);
  }

  /** A group is due. */
  flush(id: string, now: EpochMs): void {
    const { standing, timers } = this.#deps;
    timers.clear(`flush:${id}`);
    const due = standing.owing(id).filter((place) => this.#heldUntil(place, now) <= now);
    this.#deliver(id, due, now);
    const group = standing.group(id);
    const left = standing.owing(id).map((place) => Math.max(this.#heldUntil(place, now), this.#dueFrom(group as Group, now)));
    if (left.length > 0) timers.set(`flush:${id}`, Math.min(...left));
  }

  /** Nobody was on call for a target. */
  lookForSomebody(target: string, now: EpochMs): void {
    const { standing, targets, timers } = this.#deps;
    const cause = `nobody:${target}`;
    if (targets.stepAfter(target, BEFORE_FIRST, now, null) !== undefined) this.uncover(cause, now);
    else if (standing.hides(cause)) timers.set(cause, now + NOBODY_MS);
  }

  /** Its target has gone from the config: who is named instead is told, if not told already. */
  #routeIfGone(place: Place, kind: NotificationKind, now: EpochMs): void {
    const { standing, targets } = this.#deps;
    const { target } = this.#groupOf(standing.line(place)).settings;
    if (!targets.isRota(target) && !targets.hasReceiver(target)) this.route(place.alert, kind, now);
  }

  #missNobody(place: Place, target: string, kind: NotificationKind, now: EpochMs): void {
    const { standing, targets, timers } = this.#deps;
    if (!targets.isRota(target)) return this.#routeIfGone(place, kind, now);
    standing.change(place, { hidden: `nobody:${target}` });
    timers.set(`nobody:${target}`, now + NOBODY_MS);
  }

  #owe(place: Place, told: readonly Told[], kind: NotificationKind, now: EpochMs): void {
    const { standing } = this.#deps;
    const group = this.#groupOf(standing.line(place));
    if (!standing.owes(group.id)) standing.putGroup({ ...group, waitsFrom: now });
    this.#hold(place, told, kind);
    if (standing.line(place).held.length > 0) this.#schedule(place, now);
    else this.#passOver(place, now);
  }

  /** Other lines tell all of them already: this one tells nobody, and goes on with its escalation. */
  #passOver(place: Place, now: EpochMs): void {
    const { standing } = this.#deps;
    const occurrence = standing.the(place.alert);
    const hidden = this.#causeOf(place, now);
    if (hidden !== undefined) this.#hide(place, hidden, now);
    else if (occurrence.ack === null) this.resume(place, now);
  }

  #hold(place: Place, told: readonly Told[], kind: NotificationKind): void {
    const { standing } = this.#deps;
    const occurrence = standing.the(place.alert);
    const { ordinal, lines } = occurrence;
    const state = isOver(occurrence) ? "resolved" : "firing";
    // Each channel is told by one line, so that its order is the line's.
    const elsewhere = lines.flatMap((line, number) => (number === place.line ? [] : [...line.told, ...line.held, ...(isOfAlert(line) ? line.kept : [])]));
    const taken = new Set(elsewhere.map(toldKey));
    for (const own of standing.line(place).told) taken.delete(toldKey(own));
    const units = told
      .filter((each) => !taken.has(toldKey(each)))
      .map((each, index): Unit => ({ ...each, id: `${place.alert}-${occurrence.units + index + 1}-${channelMark(each)}`, ordinal, kind, state }));
    standing.put({ ...occurrence, units: occurrence.units + units.length });
    standing.change(place, { held: [...standing.line(place).held, ...units] });
  }

  /** Plans when what a line owes is told, or tells it. */
  #schedule(place: Place, now: EpochMs): void {
    const { standing, timers, emit } = this.#deps;
    const line = standing.line(place);
    const held = this.#heldUntil(place, now);
    const due = Math.max(held, this.#dueFrom(this.#groupOf(line), now));
    if (due <= now) return this.flush(line.group, now);
    const name = `flush:${line.group}`;
    const planned = Math.min(timers.get(name) ?? Number.POSITIVE_INFINITY, due);
    timers.set(name, planned);
    for (const unit of line.held) emit({ ...recordOf(place.alert, unit, { disposition: "waiting", cause: null }), heldUntil: Math.max(planned, held) });
  }

  /** Only what was not told yet waits for what may inhibit it. */
  #heldUntil(place: Place, now: EpochMs): EpochMs {
    const { holdUntil, told } = this.#deps.standing.line(place);
    return told.length > 0 || isOver(this.#deps.standing.the(place.alert)) ? now : holdUntil;
  }

  /** From when on a group may be told. */
  #dueFrom({ kind, settings, toldAt, waitsFrom }: Group, now: EpochMs): EpochMs {
    if (kind === "single") return now;
    return Math.max(now, toldAt === null ? waitsFrom + settings.waitMs : toldAt + settings.intervalMs);
  }

  /** Hides, moves to a storm or sends what lines of a group owe. */
  #deliver(id: string, places: readonly Place[], now: EpochMs): void {
    const { standing } = this.#deps;
    const group = standing.group(id) as Group;
    const sent: Place[] = [];
    const stormy: Place[] = [];
    for (const place of places) {
      const occurrence = standing.the(place.alert);
      const hidden = isOver(occurrence) ? undefined : this.#causeOf(place, now);
      if (hidden !== undefined) this.#hide(place, hidden, now);
      else if (joinStorm(this.#deps, group, place, now)) stormy.push(place);
      else sent.push(place);
    }
    if (sent.length > 0) send(this.#deps, group, sent, now);
    for (const { alert } of sent) this.#dropIfDone(alert);
    for (const place of stormy) this.#schedule(place, now);
    dropGroupIfEmpty(this.#deps, id);
  }

  #hide(place: Place, hidden: Hidden, now: EpochMs): void {
    const { standing, timers, emit } = this.#deps;
    const { held } = standing.line(place);
    for (const unit of held) emit(recordOf(place.alert, unit, hidden));
    standing.change(place, { held: [], hidden: hidden.cause, kept: held.map(({ receiver, channel }) => ({ receiver, channel })) });
    timers.clear(`step:${placeText(place)}`);
    this.#watch(hidden, now);
    if (hidden.disposition === "muted") this.#tellByOthers(place, now);
  }

  /** What one route is mute about, others that had left it to that one may tell. */
  #tellByOthers({ alert, line: muted }: Place, now: EpochMs): void {
    const { standing } = this.#deps;
    for (const [line] of standing.the(alert).lines.entries()) {
      const { told, held, hidden } = standing.line({ alert, line });
      if (line !== muted && told.length === 0 && held.length === 0 && hidden === null) this.tell({ alert, line }, "transition", now);
    }
  }

  /** Time intervals end by themselves. */
  #watch({ disposition, cause }: Hidden, now: EpochMs): void {
    const { hiding, timers } = this.#deps;
    if (disposition !== "muted" || timers.get(cause) !== undefined) return;
    const next = hiding.changeOf(cause.slice("interval:".length), now);
    if (next !== undefined) timers.set(cause, next);
  }

  /** What hides it now; by the time intervals of its route. */
  #causeOf(place: Place, now: EpochMs): Hidden | undefined {
    const { standing, hiding } = this.#deps;
    const line = standing.line(place);
    return hiding.causeOf(standing.the(place.alert), line.intervals ?? this.#groupOf(line).settings, now);
  }

  #groupOf = ({ group }: Line): Group => this.#deps.standing.group(group) as Group;

  #dropIfDone(id: string): void {
    const { standing } = this.#deps;
    const occurrence = standing.occurrence(id);
    if (occurrence === undefined || !isOver(occurrence) || occurrence.lines.some(({ held }) => held.length > 0)) return;
    standing.drop(id);
    for (const { group } of occurrence.lines) dropGroupIfEmpty(this.#deps, group);
  }
}

const partition = <Item>(items: readonly Item[], is: (item: Item) => boolean): [Item[], Item[]] => {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (is(item) ? "yes" : "no"));
  return [yes, no];
};

/** Whether what hides a line hides all lines of the alert. */
const isOfAlert = ({ hidden }: Line): boolean => hidden !== null && !/^(interval|nobody):/.test(hidden);

export const channelMark = (told: Told): string => fingerprint(toldKey(told)).slice(8);
