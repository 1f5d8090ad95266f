// Whom a name of the route stands for: the channels of a receiver; of a schedule those of whoever is on call; of an escalation those of
// one of its steps. A step with nobody on call is skipped at once.

import type { ReceiverPlan } from "../rule.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import { type DispatchPlan, noDispatch } from "./plan.ts";
import type { OverrideRecord, Told } from "./record.ts";
import { onCall, type World } from "./schedule.ts";

/** Where an escalation stands, and whom that step tells; `waitMs`: until the next one, null when it is the last. */
export type Step = { readonly step: number; readonly round: number; readonly told: readonly Told[]; readonly waitMs: DurationMs | null };

/** What schedules are asked with. @param overrides given at run time, newest last */
export function worldOf({ zones, intervals }: DispatchPlan, overrides: Iterable<OverrideRecord>): World {
  const bySchedule = Map.groupBy(overrides, ({ schedule }) => schedule);
  return { zones, intervals: new Map(intervals.map((interval) => [interval.name, interval])), overrides: bySchedule };
}

export class Targets {
  #receivers: readonly ReceiverPlan[] = [];
  #plan: DispatchPlan = noDispatch;
  #isStale = false;
  #world: World = worldOf(noDispatch, []);
  /** Given at run time and not over yet, by their ids. */
  readonly overrides = new Map<string, OverrideRecord>();

  usePlan(receivers: readonly ReceiverPlan[], plan: DispatchPlan): void {
    this.#receivers = receivers;
    this.#plan = plan;
    this.overridesChanged();
  }

  /** To be called when `overrides` were changed; they are put in order when somebody is asked for. */
  overridesChanged(): void {
    this.#isStale = true;
  }

  /** Whether nobody to tell now may mean somebody later. */
  isRota = (name: string): boolean => this.hasSchedule(name) || this.#plan.escalations.some((escalation) => escalation.name === name);

  hasSchedule = (name: string): boolean => this.#plan.schedules.some((schedule) => schedule.name === name);
  hasReceiver = (name: string): boolean => this.#receivers.some((receiver) => receiver.name === name);

  /**
   * The next step that tells anybody.
   * @param at where it stands; step −1: before the first
   * @param except a channel that does not count: the one that the alert is about
   * @returns undefined when there is none
   */
  stepAfter(target: string, at: { readonly step: number; readonly round: number }, now: EpochMs, except: Told | null): Step | undefined {
    const excepted = except === null ? "" : toldKey(except);
    const escalation = this.#plan.escalations.find(({ name }) => name === target);
    if (escalation === undefined) {
      const told = at.step < 0 ? this.#channelsOf(target, now, excepted) : [];
      return told.length === 0 ? undefined : { step: 0, round: 0, told, waitMs: null };
    }
    const { steps, repeat } = escalation;
    const last = steps.length * (repeat + 1) - 1;
    for (let number = at.round * steps.length + at.step + 1; number <= last; number++) {
      const [step, round] = [number % steps.length, Math.floor(number / steps.length)];
      const { targets, waitMs } = steps[step] as (typeof steps)[number];
      const told = distinct(targets.flatMap((name) => this.#channelsOf(name, now, excepted)));
      if (told.length > 0) return { step, round, told, waitMs: number === last ? null : waitMs };
    }
    return undefined;
  }

  #channelsOf(name: string, now: EpochMs, excepted: string): Told[] {
    const schedule = this.#plan.schedules.find((each) => each.name === name);
    const receiver = schedule === undefined ? name : onCall(schedule, this.#worldNow(), now)?.member;
    const { channels = [] } = this.#receivers.find((each) => each.name === receiver) ?? {};
    return channels.map((channel) => ({ receiver: receiver as string, channel })).filter((told) => toldKey(told) !== excepted);
  }

  #worldNow(): World {
    if (!this.#isStale) return this.#world;
    this.#isStale = false;
    this.#world = worldOf(this.#plan, this.overrides.values());
    return this.#world;
  }
}

export const toldKey = ({ receiver, channel }: Told): string => `${receiver} ${channel}`;

/** Each channel once, where it comes first. */
export function distinct(told: readonly Told[]): Told[] {
  return [...new Map(told.map((each) => [toldKey(each), each])).values()];
}
