// Alerts that fire again and again: past so many firings within a time one notification says so, and the rest is held back until it has
// not fired for a while. By the wall clock, since it is about what people are told.

import type { EpochMs } from "../units.ts";
import type { FlappingPlan } from "./plan.ts";

/** `alert`: the occurrence whose notification said so; null: it does not flap. */
export type Flap = { readonly key: string; readonly times: readonly EpochMs[]; readonly alert: string | null };

export class Flapping {
  plan: FlappingPlan | null = null;
  /** In the order of their newest firing. */
  readonly #flaps = new Map<string, Flap>();

  get all(): IterableIterator<Flap> {
    return this.#flaps.values();
  }

  of(key: string): Flap | undefined {
    return this.#flaps.get(key);
  }

  /** @returns `begins` with the firing that is one too many, `goes_on` with each after it */
  fired(key: string, alert: string, now: EpochMs): "calm" | "begins" | "goes_on" {
    if (this.plan === null) return "calm";
    this.#forget(now - this.plan.withinMs);
    const before = this.#flaps.get(key);
    const recent = (before?.times ?? []).filter((time) => time > now - (this.plan as FlappingPlan).withinMs);
    const times = [...recent, now].slice(-this.plan.firings);
    const isFlapping = before !== undefined && before.alert !== null;
    const begins = !isFlapping && times.length >= this.plan.firings;
    this.#put({ key, times, alert: begins ? alert : (before?.alert ?? null) });
    if (begins) return "begins";
    return isFlapping ? "goes_on" : "calm";
  }

  /** The occurrence that was to say so is over, and nobody was told of it: the next one says so. */
  missed(key: string, alert: string): void {
    const flap = this.#flaps.get(key);
    if (flap?.alert === alert) this.#flaps.set(key, { ...flap, alert: null });
  }

  /** It has not fired for long enough, or is no longer looked for. */
  calm(key: string): void {
    this.#flaps.delete(key);
  }

  restore(flaps: readonly Flap[]): void {
    for (const flap of flaps) this.#put(flap);
  }

  /** The wall clock was set. */
  shift(by: number): void {
    for (const flap of [...this.#flaps.values()]) this.#put({ ...flap, times: flap.times.map((time) => time + by) });
  }

  #put(flap: Flap): void {
    this.#flaps.delete(flap.key);
    this.#flaps.set(flap.key, flap);
  }

  /** Those that fired too long ago to matter. */
  #forget(before: EpochMs): void {
    for (const { key, times, alert } of this.#flaps.values()) {
      if ((times.at(-1) as EpochMs) > before) return;
      if (alert === null) this.#flaps.delete(key);
      else return;
    }
  }
}
