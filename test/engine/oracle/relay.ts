// An on-delay and an off-delay around a condition: off, rising, on, falling. An alert is one, and so is each of its levels: pending is
// rising, firing is on, recovering is falling.

import { NEVER } from "./opinion.ts";

export type Judgement = "breach" | "between" | "clear";
export type Delays = { readonly forMs: number; readonly keepFiringForMs: number };
export type Stage = "off" | "rising" | "on" | "falling";
export type Change = { readonly to: Stage; readonly ts: number };

export class Relay {
  stage: Stage = "off";
  /** Rising or falling: since when. */
  since = Number.NaN;
  /** It fell due while the gateway did not listen: the next judgement decides. */
  isSuspended = false;
  readonly #delays: Delays;

  constructor(delays: Delays) {
    this.#delays = delays;
  }

  get isOn(): boolean {
    return this.stage === "on" || this.stage === "falling";
  }

  /** When its delay is over; NEVER: none runs. */
  get due(): number {
    if (this.stage === "rising") return this.since + this.#delays.forMs;
    return this.stage === "falling" ? this.since + this.#delays.keepFiringForMs : NEVER;
  }

  hear(ts: number, judgement: Judgement): Change[] {
    this.isSuspended = false;
    switch (this.stage) {
      case "off":
        return judgement === "breach" ? this.#begin("rising", ts) : [];
      case "rising":
        if (judgement !== "breach") return this.#go("off", ts);
        return ts >= this.due ? this.#go("on", this.due) : [];
      case "on":
        return judgement === "clear" ? this.#begin("falling", ts) : [];
      case "falling":
        if (judgement === "breach") return this.#go("on", ts);
        return ts >= this.due ? this.#go("off", this.due) : [];
    }
  }

  elapse(): Change[] {
    return this.#go(this.stage === "rising" ? "on" : "off", this.due);
  }

  #begin(stage: "rising" | "falling", ts: number): Change[] {
    this.since = ts;
    this.stage = stage;
    return this.due === ts ? this.elapse() : [{ to: stage, ts }];
  }

  #go(to: Stage, ts: number): Change[] {
    this.stage = to;
    this.isSuspended = false;
    return [{ to, ts }];
  }
}
