// All series that rules expect and that were not heard yet.

import type { Agenda } from "./agenda.ts";
import { expectedOf } from "./conditions/index.ts";
import type { Dispatcher } from "./dispatch.ts";
import { Expectation, type Loaded } from "./expectation.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { RulePlan } from "./rule.ts";
import type { Series } from "./series.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs } from "./units.ts";

export class Expectations {
  readonly #agenda: Agenda;
  readonly #into: Dispatcher;
  /** By rule and series. */
  readonly #byKey = new Map<string, Expectation>();
  #numbered = 0;

  constructor(agenda: Agenda, into: Dispatcher) {
    this.#agenda = agenda;
    this.#into = into;
  }

  get all(): readonly Expectation[] {
    return [...this.#byKey.values()];
  }

  /** Puts rules in force; what is expected still counts from when it was loaded first. */
  usePlan(plan: RulePlan, series: readonly Series[], loaded: Loaded): void {
    const before = new Map(this.#byKey);
    this.#byKey.clear();
    const heard = new Set(series.filter(({ isHeard }) => isHeard).map(({ ownLabels }) => `${ownLabels["device"]}\0${ownLabels["metric"]}`));
    for (const rule of plan.rules) {
      const { after, series: expected } = expectedOf(rule.condition);
      for (const { device, metric } of expected) {
        if (heard.has(`${device}\0${metric}`)) continue;
        const key = keyOf(rule.name, { device, metric });
        const known = before.get(key);
        const isSame = known !== undefined && known.rule.logic === rule.logic;
        const expectation = isSame ? known : new Expectation(this.#numbered++, rule, after, { device, metric }, plan.devices[device], loaded);
        if (isSame) {
          known.follow(rule);
          before.delete(key);
        }
        this.#byKey.set(key, expectation);
        this.#agenda.remind(expectation, loaded.up);
      }
    }
    for (const gone of before.values()) {
      gone.end(plan.rules.some(({ name }) => name === gone.rule.name) ? "rule_changed" : "rule_removed", loaded.at, this.#into);
      gone.queuedUp = Number.POSITIVE_INFINITY;
    }
  }

  /** The first reading of a series that was accepted. */
  heard({ ownLabels }: Series, ts: EpochMs, value: number): void {
    for (const [key, expectation] of this.#byKey) {
      const { device, metric } = expectation.labels;
      if (device !== ownLabels["device"] || metric !== ownLabels["metric"]) continue;
      expectation.heard(ts, value, this.#into);
      expectation.queuedUp = Number.POSITIVE_INFINITY;
      this.#byKey.delete(key);
    }
  }

  save(to: StateWriter): void {
    to.number(this.#numbered);
    to.number(this.#byKey.size);
    for (const expectation of this.#byKey.values()) {
      to.text(JSON.stringify([expectation.rule.name, expectation.labels["device"], expectation.labels["metric"], expectation.number]));
      expectation.save(to);
    }
  }

  restore(from: StateReader, plan: RulePlan | undefined): void {
    this.#numbered = from.number();
    const count = from.number();
    for (let index = 0; index < count; index++) {
      const [name, device, metric, number] = JSON.parse(from.text()) as [string, string, string, number];
      const rule = plan?.rules.find((each) => each.name === name);
      if (rule === undefined) throw new Error(`saved expectation of rule ${name}, which is not in force`);
      const expectation = new Expectation(number, rule, expectedOf(rule.condition).after, { device, metric }, plan?.devices[device], { at: 0, up: 0 });
      expectation.restore(from);
      this.#byKey.set(keyOf(name, { device, metric }), expectation);
      if (!expectation.isFiring) this.#agenda.remind(expectation, expectation.nextDue().up);
    }
  }
}

const keyOf = (rule: string, labels: Labels): string => `${rule}/${seriesKey(labels)}`;
