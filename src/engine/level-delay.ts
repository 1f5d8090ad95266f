// The on- and off-delay of one level above the mildest. The mildest level is the alert itself; a graver one only says whether it is
// on, so that the alert's severity follows. Its timers run from the readings' own times, as the alert's do.

import { BREACH, CLEAR, type Judgement } from "./predicate.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs } from "./units.ts";

/** Numbers are stored in snapshots: never renumber. */
const phases = ["off", "rising", "on", "falling"] as const;

export class LevelDelay {
  #phase: (typeof phases)[number] = "off";
  #due: EpochMs = Number.POSITIVE_INFINITY;
  /** The timer fell due while the gateway was not listening: the next judgement decides. */
  #suspended = false;
  /** When it went on or off, if nothing was judged since: for the evidence of what happens at that instant. */
  turnedAt: EpochMs = Number.NaN;

  get isOn(): boolean {
    return this.#phase === "on" || this.#phase === "falling";
  }

  /** When its timer falls due that is not suspended; Infinity: none. */
  get due(): EpochMs {
    return this.#suspended ? Number.POSITIVE_INFINITY : this.#due;
  }

  sample(ts: EpochMs, judgement: Judgement, delays: { readonly forMs: DurationMs; readonly keepFiringForMs: DurationMs }): void {
    this.#suspended = false;
    this.turnedAt = Number.NaN;
    if (this.#phase === "off" && judgement === BREACH) this.#begin("rising", ts, delays.forMs);
    else if (this.#phase === "on" && judgement === CLEAR) this.#begin("falling", ts, delays.keepFiringForMs);
    else if (!this.#bearsOut(judgement)) this.#rest(this.#phase === "rising" || this.#phase === "off" ? "off" : "on");
    else if (ts >= this.#due) this.elapse();
  }

  /** A suspended timer runs again where the judgement bears it out. */
  resume(judgement: Judgement): void {
    this.#suspended = !this.#bearsOut(judgement);
  }

  /** Its delay is over. */
  elapse(): void {
    this.turnedAt = this.#due;
    this.#rest(this.#phase === "rising" ? "on" : "off");
  }

  suspend(through: EpochMs): void {
    if (this.#due <= through) this.#suspended = true;
  }

  /** As it is without delays, of a rule that is judged anew. */
  set(isOn: boolean): void {
    this.#rest(isOn ? "on" : "off");
  }

  save(to: StateWriter): void {
    to.number(phases.indexOf(this.#phase));
    to.number(this.#due);
    to.number(this.#suspended ? 1 : 0);
  }

  static restore(from: StateReader): LevelDelay {
    const delay = new LevelDelay();
    delay.#phase = phases[from.number()] as (typeof phases)[number];
    delay.#due = from.number();
    delay.#suspended = from.number() === 1;
    return delay;
  }

  /** Whether what its delay waits for is still so. */
  #bearsOut(judgement: Judgement): boolean {
    return (this.#phase === "rising" || this.#phase === "off") === (judgement === BREACH);
  }

  #begin(phase: "rising" | "falling", ts: EpochMs, delay: DurationMs): void {
    this.#phase = phase;
    this.#due = ts + delay;
    if (delay === 0) this.elapse();
  }

  #rest(phase: "off" | "on"): void {
    this.#phase = phase;
    this.#due = Number.POSITIVE_INFINITY;
    this.#suspended = false;
  }
}
