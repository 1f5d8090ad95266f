// What people do: acknowledge, comment, shelve, silence, override. Each command is legal or refused by name (life.ts); what is legal is
// written down with who and when. The reset of a latched alert is the engine's own business and only written down here.

import { fingerprint } from "../fingerprint.ts";
import type { EpochMs } from "../units.ts";
import type { AlertName, Command, CommandAnswer, RefusalCode } from "./command.ts";
import { type LifeEvent, refusalOf, refusals } from "./life.ts";
import { isOver, keyOf, type Occurrence, placeText } from "./occurrence.ts";
import type { DispatchPlan } from "./plan.ts";
import type { Ack, AckRecord, AlertEvent, AlertEventKind, OverrideRecord, Shelf, ShelfRecord, Silence } from "./record.ts";
import type { DispatchParts } from "./state.ts";
import type { Teller } from "./teller.ts";

export type OperatorDeps = DispatchParts & {
  readonly teller: Teller;
  readonly write: {
    event(event: AlertEvent): void;
    ack(record: AckRecord): void;
    shelf(record: ShelfRecord): void;
    silence(silence: Silence): void;
    override(record: OverrideRecord): void;
  };
};

/** Silences, shelves and overrides that there may be at once, of each. */
export const STANDING_MAX = 10_000;
/** As in the config. */
const OVERRIDE_MS_MAX = 366 * 86_400_000;
/** So far may the clock by which "in 8 hours" was worked out be ahead of the one by which it is judged. */
const CLOCKS_MS = 500;
const DONE: CommandAnswer = { kind: "done", id: null };

const refused = (code: RefusalCode): CommandAnswer => ({ kind: "refused", code, ...refusals[code] });

export class Operator {
  readonly #deps: OperatorDeps;
  #plan: Pick<DispatchPlan, "reannounceMs" | "shelveMaxMs"> = { reannounceMs: null, shelveMaxMs: 0 };

  constructor(deps: OperatorDeps) {
    this.#deps = deps;
  }

  usePlan(plan: DispatchPlan): void {
    this.#plan = plan;
  }

  /** @param now when it was asked @returns what came of it */
  carryOut(command: Exclude<Command, { kind: "reset" }>, by: string, now: EpochMs): CommandAnswer {
    switch (command.kind) {
      case "acknowledge":
        return this.#ofStanding(command.alert, "acknowledge", (occurrence) => this.#acknowledge(occurrence, by, command.note, now));
      case "unacknowledge":
        return this.#ofStanding(command.alert, "unacknowledge", (occurrence) => this.#unacknowledge(occurrence, by, command.note, now));
      case "comment":
        return this.#ofStanding(command.alert, "comment", (occurrence) => this.event(occurrence.record.id, "commented", by, command.text, now));
      case "shelve":
        return this.#shelve(command.alert, command.until, by, command.why, now);
      case "unshelve":
        return this.#unshelve(command.alert, { event: "unshelve", written: "unshelved" }, by, command.why, now);
      case "take_out_of_service":
        return this.#takeOut(command.alert, by, command.why, now);
      case "return_to_service":
        return this.#unshelve(command.alert, { event: "return_to_service", written: "in_service" }, by, command.why, now);
      case "silence":
        return this.#silence(command, by, now);
      case "end_silence":
        return this.#endSilence(command.id, by, now);
      case "override":
        return this.#override(command, by, now);
      case "remove_override":
        return this.#removeOverride(command.id, by);
      default: {
        const never: never = command;
        return never;
      }
    }
  }

  /** Whether a reset is legal, before the engine tries it. */
  mayReset(alert: string): CommandAnswer | Occurrence {
    const occurrence = this.#deps.standing.occurrence(alert);
    if (occurrence === undefined) return refused("not_active");
    const refusal = refusalOf(this.#stateOf(occurrence), "reset");
    return refusal === undefined ? occurrence : refused(refusal);
  }

  /** Writes down what was done to an occurrence that stands. */
  event(alert: string, kind: AlertEventKind, by: string, text: string, at: EpochMs, until: EpochMs | null = null): void {
    const { standing, write } = this.#deps;
    const occurrence = standing.the(alert);
    const number = occurrence.events + 1;
    standing.put({ ...occurrence, events: number });
    write.event({ alert, number, at, kind, by, text, until });
  }

  /** An acknowledgement is gone: somebody took it back, it got graver, or nobody attended to it. */
  withdraw(id: string, kind: "unacknowledged" | "unattended", by: string, text: string, now: EpochMs): void {
    const { standing, timers, write } = this.#deps;
    standing.put({ ...standing.the(id), ack: null });
    timers.clear(`attend:${id}`);
    write.ack({ alert: id, ack: null });
    this.event(id, kind, by, text, now);
  }

  /** An acknowledged alert still fires after so long. */
  unattended(id: string, now: EpochMs): void {
    const { standing, teller } = this.#deps;
    const occurrence = standing.the(id);
    this.withdraw(id, "unattended", "", `acknowledged by ${(occurrence.ack as Ack).by}, and still firing`, now);
    occurrence.lines.forEach(({ hidden }, line) => (hidden === null ? teller.announce({ alert: id, line }, now) : undefined));
  }

  /** A shelf is over: its time is up, or somebody took it away. What still fires under it is announced again. */
  unshelve(key: string, kind: AlertEventKind, by: string, why: string, now: EpochMs): void {
    const { standing, hiding, timers, write, teller } = this.#deps;
    hiding.shelves.delete(key);
    timers.clear(`shelf:${key}`);
    write.shelf({ key, shelf: null });
    for (const id of standing.ofKey(key)) {
      const occurrence = standing.the(id);
      if (isOver(occurrence)) continue;
      this.event(id, kind, by, why, now);
      occurrence.lines.forEach((_, line) => teller.reveal({ alert: id, line }, now));
    }
  }

  /** The wall clock was set back: from now on too nothing is shelved for longer than anything may be. */
  boundShelves(now: EpochMs): void {
    const { hiding, timers, write } = this.#deps;
    const last = now + this.#plan.shelveMaxMs;
    for (const [key, shelf] of [...hiding.shelves]) {
      if (shelf.until === null || shelf.until <= last) continue;
      hiding.shelves.set(key, { ...shelf, until: last });
      write.shelf({ key, shelf: { ...shelf, until: last } });
      timers.set(`shelf:${key}`, last);
    }
  }

  /** The alert resolved: what was shelved until it clears is no longer. */
  cleared(key: string, now: EpochMs): void {
    if (this.#deps.hiding.shelves.get(key)?.kind === "until_clear") this.unshelve(key, "shelf_expired", "", "", now);
  }

  #stateOf({ record, ack, key }: Occurrence) {
    const condition = record.state === "resolved" ? ("over" as const) : record.latchedAt !== null ? ("latched" as const) : record.state;
    return { condition, isAcknowledged: ack !== null, shelving: this.#deps.hiding.shelves.get(key)?.kind ?? ("none" as const) };
  }

  #ofStanding(id: string, event: LifeEvent, carryOut: (occurrence: Occurrence) => void): CommandAnswer {
    const occurrence = this.#deps.standing.occurrence(id);
    if (occurrence === undefined) return refused("not_active");
    const refusal = refusalOf(this.#stateOf(occurrence), event);
    if (refusal !== undefined) return refused(refusal);
    carryOut(occurrence);
    return DONE;
  }

  #acknowledge(occurrence: Occurrence, by: string, note: string, now: EpochMs): void {
    const { standing, timers, write } = this.#deps;
    const { id } = occurrence.record;
    const ack = { by, at: now, note };
    standing.put({ ...occurrence, ack });
    write.ack({ alert: id, ack });
    this.event(id, "acknowledged", by, note, now);
    occurrence.lines.forEach((_, line) => timers.clear(`step:${placeText({ alert: id, line })}`));
    if (this.#plan.reannounceMs !== null) timers.set(`attend:${id}`, now + this.#plan.reannounceMs);
  }

  #unacknowledge(occurrence: Occurrence, by: string, note: string, now: EpochMs): void {
    const { id } = occurrence.record;
    this.withdraw(id, "unacknowledged", by, note, now);
    occurrence.lines.forEach((_, line) => this.#deps.teller.resume({ alert: id, line }, now));
  }

  /** By the name of an alert, standing or not. */
  #refusalOf({ id }: AlertName, event: LifeEvent): RefusalCode | undefined {
    const occurrence = this.#deps.standing.occurrence(id);
    if (occurrence !== undefined) return refusalOf(this.#stateOf(occurrence), event);
    return refusalOf({ condition: "over", isAcknowledged: false, shelving: this.#deps.hiding.shelves.get(keyOf(id))?.kind ?? "none" }, event);
  }

  #shelve(alert: AlertName, until: EpochMs | null, by: string, why: string, now: EpochMs): CommandAnswer {
    const refusal = this.#refusalOf(alert, until === null ? "shelve_until_clear" : "shelve");
    if (refusal !== undefined) return refused(refusal);
    const last = now + this.#plan.shelveMaxMs;
    if (until !== null && until <= now) return refused("span_empty");
    if (until !== null && until > last + CLOCKS_MS) return refused("shelved_too_long");
    return this.#putShelf(
      { ...named(alert), kind: until === null ? "until_clear" : "timed", by, at: now, until: Math.min(until ?? last, last), why },
      "shelved",
    );
  }

  #takeOut(alert: AlertName, by: string, why: string, now: EpochMs): CommandAnswer {
    const refusal = this.#refusalOf(alert, "take_out_of_service");
    if (refusal !== undefined) return refused(refusal);
    return this.#putShelf({ ...named(alert), kind: "out_of_service", by, at: now, until: null, why }, "out_of_service");
  }

  #putShelf(shelf: Shelf, kind: AlertEventKind): CommandAnswer {
    const { standing, hiding, timers, write } = this.#deps;
    const { key, until, by, why, at } = shelf;
    if (hiding.shelves.size >= STANDING_MAX) return refused("too_many");
    hiding.shelves.set(key, shelf);
    write.shelf({ key, shelf });
    timers.clear(`shelf:${key}`);
    if (until !== null) timers.set(`shelf:${key}`, until);
    for (const id of standing.ofKey(key)) this.event(id, kind, by, why, at, until);
    return { kind: "done", id: key };
  }

  #unshelve(alert: AlertName, { event, written }: { event: LifeEvent; written: AlertEventKind }, by: string, why: string, now: EpochMs): CommandAnswer {
    const refusal = this.#refusalOf(alert, event);
    if (refusal !== undefined) return refused(refusal);
    this.unshelve(keyOf(alert.id), written, by, why, now);
    return DONE;
  }

  #silence({ matchers, startsAt, endsAt, why }: Extract<Command, { kind: "silence" }>, by: string, now: EpochMs): CommandAnswer {
    const { hiding, timers, write } = this.#deps;
    if (endsAt <= Math.max(startsAt, now)) return refused("span_empty");
    if (hiding.silenceCount >= STANDING_MAX) return refused("too_many");
    const id = this.#newId(JSON.stringify([matchers, startsAt, endsAt, by, why]), now, (each) => hiding.silence(each) !== undefined);
    const silence = { id, matchers, startsAt, endsAt, by, why, createdAt: now, endedBy: null };
    hiding.putSilence(silence);
    timers.set(`silence:${id}`, endsAt);
    write.silence(silence);
    return { kind: "done", id };
  }

  #endSilence(id: string, by: string, now: EpochMs): CommandAnswer {
    const { hiding, timers, write, teller } = this.#deps;
    const silence = hiding.silence(id);
    if (silence === undefined) return refused("unknown_silence");
    write.silence({ ...silence, startsAt: Math.min(silence.startsAt, now), endsAt: now, endedBy: by });
    hiding.dropSilence(id);
    timers.clear(`silence:${id}`);
    teller.uncover(`silence:${id}`, now);
    return DONE;
  }

  #override({ schedule, member, from, to, why }: Extract<Command, { kind: "override" }>, by: string, now: EpochMs): CommandAnswer {
    const { targets, timers, write } = this.#deps;
    if (!targets.hasSchedule(schedule)) return refused("unknown_schedule");
    if (!targets.hasReceiver(member)) return refused("unknown_member");
    if (to <= Math.max(from, now)) return refused("span_empty");
    if (to - from > OVERRIDE_MS_MAX) return refused("override_too_long");
    if (targets.overrides.size >= STANDING_MAX) return refused("too_many");
    const id = this.#newId(JSON.stringify([schedule, member, from, to, by, why]), now, (each) => targets.overrides.has(each));
    const override = { id, schedule, member, from, to, by, why, createdAt: now, removedBy: null };
    targets.overrides.set(id, override);
    targets.overridesChanged();
    timers.set(`override:${id}`, to);
    write.override(override);
    return { kind: "done", id };
  }

  #removeOverride(id: string, by: string): CommandAnswer {
    const { targets, timers, write } = this.#deps;
    const override = targets.overrides.get(id);
    if (override === undefined) return refused("unknown_override");
    targets.overrides.delete(id);
    targets.overridesChanged();
    timers.clear(`override:${id}`);
    write.override({ ...override, removedBy: by });
    return DONE;
  }

  /** The same command at the same time gives another id. */
  #newId(text: string, now: EpochMs, isTaken: (id: string) => boolean): string {
    for (let count = 0; ; count++) {
      const id = `${now.toString(36)}-${fingerprint(text + count).slice(10)}`;
      if (!isTaken(id)) return id;
    }
  }
}

const named = ({ id, rule, subject, labels }: AlertName) => ({ key: keyOf(id), rule, subject, labels });
