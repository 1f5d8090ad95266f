// A series that a rule expects and that was never heard. Its absence counts from the load of the rule, in listening time, and ends with
// its first accepted reading; from then on the rule watches the series itself.

import type { Actor } from "./agenda.ts";
import { Alert, type AlertSubject } from "./alert.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Due } from "./evaluation.ts";
import { textOf } from "./parts.ts";
import { CLEAR } from "./predicate.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { Device, Rule } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** The instant of an input, by both clocks. */
export type Loaded = { readonly at: EpochMs; readonly up: UptimeMs };

export class Expectation implements Actor, AlertSubject {
  readonly id: SeriesId;
  readonly order: number;
  readonly key: string;
  readonly labels: Labels;
  readonly device: Device | undefined;
  #rule: Rule;
  /** Nothing was heard of it, so it has no clock. */
  readonly watermark = Number.NEGATIVE_INFINITY;
  queuedUp: UptimeMs = Number.POSITIVE_INFINITY;
  touchedAt = 0;
  readonly #after: DurationMs;
  #loaded: Loaded;
  #alert: Alert;

  /** @param number of the expectation, from 0, never given again */
  constructor(number: number, rule: Rule, after: DurationMs, labels: Labels, device: Device | undefined, loaded: Loaded) {
    this.id = -2 - number;
    this.order = 2 ** 33 + number;
    this.labels = { ...device?.labels, ...labels };
    this.key = seriesKey(labels);
    this.device = device;
    this.#rule = withoutDelay(rule);
    this.#after = after;
    this.#loaded = loaded;
    this.#alert = this.#newAlert();
  }

  get number(): number {
    return -2 - this.id;
  }

  get rule(): Rule {
    return this.#rule;
  }

  /** Goes on under another text of the same rule. */
  follow(rule: Rule): void {
    const before = this.#alert;
    this.#rule = withoutDelay(rule);
    this.#alert = this.#newAlert();
    this.#alert.takeOver(before, true);
  }

  get isFiring(): boolean {
    return this.#alert.phase === "firing";
  }

  /** The first reading of the series. */
  heard(ts: EpochMs, value: number, into: Dispatcher): void {
    this.#alert.sample(ts, CLEAR, value, "reading", into);
  }

  end(reason: "rule_changed" | "rule_removed", at: EpochMs, into: Dispatcher): void {
    this.#alert.end(at, reason, { kind: reason === "rule_changed" ? "regrouped" : "removed" }, into);
  }

  nextDue(): Due {
    const { at, up } = this.#loaded;
    return this.isFiring ? { up: Number.POSITIVE_INFINITY, event: Number.POSITIVE_INFINITY } : { up: up + this.#after + 1, event: at + this.#after };
  }

  elapse(due: Due, into: Dispatcher): void {
    this.#alert.vanish(due.event, 0, "silence", { through: 0, last: Number.NaN, quiet: due.up - this.#loaded.up }, into);
  }

  save(to: StateWriter): void {
    to.number(this.#loaded.at);
    to.number(this.#loaded.up);
    this.#alert.save(to);
  }

  restore(from: StateReader): void {
    this.#loaded = { at: from.number(), up: from.number() };
    this.#alert.restore(from);
  }

  #newAlert(): Alert {
    const condition = { on: "silence", after: this.#after } as const;
    return new Alert({ index: 0, rule: this.#rule, condition, text: textOf(condition), isDirect: true }, this, () => {
      throw new Error("an absence has no window");
    });
  }
}

/** What was never heard has no clock by which an off-delay could run, and with its first reading there is nothing left to be reset. */
const withoutDelay = (rule: Rule): Rule => ({ ...rule, keepFiringForMs: 0, latch: false });
