// Storms: when more alerts come for a receiver than anybody can read, they are told together until it is over. Counted are alerts that
// are to be told for the first time, by the wall clock in a sliding time.

import type { DurationMs, EpochMs } from "../units.ts";
import type { StormPlan } from "./plan.ts";

/** `since: null`: no storm. `times`: of the alerts within the sliding time, oldest first. */
export type Storm = { readonly target: string; readonly since: EpochMs | null; readonly times: readonly EpochMs[] };

export class Storms {
  plan: StormPlan | null = null;
  readonly #storms = new Map<string, Storm>();

  get all(): IterableIterator<Storm> {
    return this.#storms.values();
  }

  /** One more alert is to be told. @returns since when there is a storm; undefined: there is none */
  note(target: string, now: EpochMs): EpochMs | undefined {
    if (this.plan === null) return undefined;
    const { since = null, times = [] } = this.#storms.get(target) ?? {};
    const recent = [...within(times, now, this.plan.perMs), now];
    const begun = since ?? (recent.length > this.plan.above ? now : null);
    this.#storms.set(target, { target, since: begun, times: recent });
    return begun ?? undefined;
  }

  /** @returns when to look again whether it is over; undefined: it is */
  lookAgainAt(target: string, now: EpochMs): EpochMs | undefined {
    const storm = this.#storms.get(target);
    if (storm === undefined || this.plan === null) return undefined;
    const recent = within(storm.times, now, this.plan.perMs);
    const last = recent[recent.length - this.plan.until];
    if (last !== undefined) return last + this.plan.perMs;
    this.#storms.set(target, { target, since: null, times: recent });
    return undefined;
  }

  restore(storms: readonly Storm[]): void {
    for (const storm of storms) this.#storms.set(storm.target, storm);
  }

  /** The wall clock was set. */
  shift(by: DurationMs): void {
    for (const { target, since, times } of [...this.#storms.values()])
      this.#storms.set(target, { target, since: since === null ? null : since + by, times: times.map((time) => time + by) });
  }
}

const within = (times: readonly EpochMs[], now: EpochMs, perMs: DurationMs): readonly EpochMs[] => times.filter((time) => time > now - perMs);
