// What keeps an alert from being told though it fires: it is out of service or shelved, it flaps, something inhibits it, a silence or a
// time interval says so; asked in this order, and the first answer is the one that is written down.

import { compileMatchers } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { EpochMs } from "../units.ts";
import { Flapping } from "./flapping.ts";
import { Inhibition } from "./inhibition.ts";
import { isActive, nextChange, type TimeIntervalPlan } from "./interval.ts";
import type { Intervals, Occurrence } from "./occurrence.ts";
import type { DispatchPlan } from "./plan.ts";
import { noDispatch } from "./plan.ts";
import type { Disposition, Shelf, Silence } from "./record.ts";

export type Hidden = { readonly disposition: Exclude<Disposition, "waiting">; readonly cause: string };

type CompiledSilence = { readonly silence: Silence; readonly matches: (labels: Labels) => boolean };

export class Hiding {
  readonly inhibition = new Inhibition();
  readonly flapping = new Flapping();
  readonly shelves = new Map<string, Shelf>();
  /** Those that are not over, in the order of their making. */
  readonly #silences = new Map<string, CompiledSilence>();
  #plan: DispatchPlan = noDispatch;
  #intervals = new Map<string, TimeIntervalPlan>();

  usePlan(plan: DispatchPlan): void {
    this.#plan = plan;
    this.#intervals = new Map(plan.intervals.map((interval) => [interval.name, interval]));
    this.flapping.plan = plan.flapping;
  }

  get silences(): Silence[] {
    return [...this.#silences.values()].map(({ silence }) => silence);
  }

  get silenceCount(): number {
    return this.#silences.size;
  }

  silence(id: string): Silence | undefined {
    return this.#silences.get(id)?.silence;
  }

  putSilence(silence: Silence): void {
    this.#silences.set(silence.id, { silence, matches: compileMatchers(silence.matchers) });
  }

  dropSilence(id: string): void {
    this.#silences.delete(id);
  }

  /** @returns undefined: nothing hides it */
  causeOf({ record, key }: Occurrence, intervals: Intervals, now: EpochMs): Hidden | undefined {
    const shelf = this.shelves.get(key);
    if (shelf !== undefined) return { disposition: "shelved", cause: `${shelf.kind === "out_of_service" ? "out_of_service" : "shelf"}:${key}` };
    const flap = this.flapping.plan === null ? null : (this.flapping.of(key)?.alert ?? null);
    if (flap !== null && flap !== record.id) return { disposition: "grouped", cause: `flapping:${flap}` };
    const source = this.inhibition.sourceOf(record);
    if (source !== undefined) return { disposition: "inhibited", cause: `alert:${source}` };
    for (const { silence, matches } of this.#silences.values())
      if (silence.startsAt <= now && now < silence.endsAt && matches(record.labels)) return { disposition: "silenced", cause: `silence:${silence.id}` };
    const interval = this.#intervalOf(intervals, now);
    return interval === undefined ? undefined : { disposition: "muted", cause: `interval:${interval}` };
  }

  /** When what is hidden by a time interval is looked at again; undefined: the interval is gone, or does not change any more. */
  changeOf(interval: string, now: EpochMs): EpochMs | undefined {
    const plan = this.#intervals.get(interval);
    return plan && nextChange(plan, this.#plan.zones, now);
  }

  #intervalOf({ mute, active }: Intervals, now: EpochMs): string | undefined {
    const muting = mute.find((name) => this.#isActive(name, now));
    if (muting !== undefined) return muting;
    const known = active.filter((name) => this.#intervals.has(name));
    if (known.length === 0 || known.some((name) => this.#isActive(name, now))) return undefined;
    // Of several the one that begins first says until when it is hidden.
    const begins = known.map((name) => this.changeOf(name, now) ?? Number.POSITIVE_INFINITY);
    return known[begins.indexOf(Math.min(...begins))];
  }

  #isActive(name: string, now: EpochMs): boolean {
    const interval = this.#intervals.get(name);
    return interval !== undefined && isActive(interval, this.#plan.zones, now);
  }
}
