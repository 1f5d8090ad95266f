// Storms: when more alerts come for a receiver than anybody can read, they are told together until it is over. Counted are alerts that
// are to be told for the first time, by the wall clock in a sliding time.

import type { DurationMs, EpochMs } from "../units.ts";
import type { StormPlan } from "./plan.ts";

/**
 * `group`: of those that are told together since it began; null: no storm, or none was told yet. `times`: of the alerts within the sliding
 * time, oldest first, as many of the newest as it takes to know.
 */
export type Storm = { readonly target: string; readonly isOn: boolean; readonly group: string | null; readonly times: readonly EpochMs[] };

export class Storms {
  plan: StormPlan | null = null;
  readonly #storms = new Map<string, Storm>();

  get all(): IterableIterator<Storm> {
    return this.#storms.values();
  }

  /** One more alert is to be told. @returns the storm that it belongs to; undefined: there is none */
  note(target: string, now: EpochMs): Storm | undefined {
    if (this.plan === null) return undefined;
    const { above, until, perMs } = this.plan;
    const { isOn: wasOn = false, group = null, times: before = [] } = this.#storms.get(target) ?? {};
    const times = [...within(before, now, perMs), now].slice(-Math.max(above + 1, until));
    const storm = { target, isOn: wasOn || times.length > above, group, times };
    this.#storms.set(target, storm);
    return storm.isOn ? storm : undefined;
  }

  /** A group was opened for those of a storm. */
  gather(storm: Storm, group: string): void {
    this.#storms.set(storm.target, { ...storm, group });
  }

  /** @param target one that alerts were noted of @returns when to look again whether it is over; undefined: it is */
  lookAgainAt(target: string, now: EpochMs): EpochMs | undefined {
    const storm = this.#storms.get(target) as Storm;
    const { perMs, until } = this.plan ?? { perMs: 0, until: 1 };
    const times = within(storm.times, now, perMs);
    const last = times[times.length - until];
    if (last !== undefined) return last + perMs;
    this.#storms.set(target, { target, isOn: false, group: null, times });
    return undefined;
  }

  restore(storms: readonly Storm[]): void {
    for (const storm of storms) this.#storms.set(storm.target, storm);
  }

  /** The wall clock was set. */
  shift(by: DurationMs): void {
    for (const storm of [...this.#storms.values()]) this.#storms.set(storm.target, { ...storm, times: storm.times.map((time) => time + by) });
  }
}

const within = (times: readonly EpochMs[], now: EpochMs, perMs: DurationMs): readonly EpochMs[] => times.filter((time) => time > now - perMs);
