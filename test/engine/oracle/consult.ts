// A second opinion about event time: slow, naive, and written from the text of the design alone. It keeps every reading in a
// plain list, walks listening time a second at a time, and works out clocks, windows, aggregates and absences anew each time.
// It knows nothing of snapshots, lookups, batches, wakes or dispatch. Inputs come on whole seconds.

import type { Input } from "../../../src/engine/input.ts";
import { type Labels, seriesKey } from "../../../src/engine/reading.ts";
import type { Device, Rule, RulePlan, SourceTiming } from "../../../src/engine/rule.ts";
import { GroupSubject } from "./group.ts";
import { emptyOpinion, type Opinion } from "./opinion.ts";
import { SeriesSubject } from "./series.ts";

/** @param until listening time up to which silence goes on after the last input */
export function consult(inputs: readonly Input[], until: number): Opinion {
  const world = new World();
  for (const input of inputs) {
    world.walk(input.up);
    if (input.kind === "rules") world.obey(input.plan);
    if (input.kind !== "readings") continue;
    for (const { id, labels, source } of input.batch.defined) world.define(id, labels, source);
    input.batch.series.forEach((id, index) => {
      world.take(id, input.batch.ts[index] as number, input.batch.value[index] as number, input.at, input.batch.retained?.includes(index) === true);
    });
  }
  world.walk(until);
  for (const list of Object.values(world.opinion.dirty)) list.sort((a, b) => a - b);
  return world.opinion;
}

type Described = { readonly series: SeriesSubject; readonly labels: Labels; readonly device: Device | undefined };

class World {
  readonly opinion = emptyOpinion();
  readonly #series: SeriesSubject[] = [];
  readonly #groups = new Map<string, GroupSubject>();
  /** Groups that no rule asks for any more. */
  readonly #gone = new Map<string, GroupSubject>();
  #plan: RulePlan | undefined;
  #up = 0;

  walk(to: number): void {
    const offsets = offsetsOf(this.#series);
    for (let second = Math.floor(this.#up / 1000); second * 1000 <= to; second++) {
      for (const offset of offsets) {
        const instant = second * 1000 + offset;
        if (instant < this.#up || instant > to) continue;
        for (const subject of [...this.#series, ...this.#groups.values()]) subject.settle(instant);
      }
    }
    this.#up = to;
  }

  obey(plan: RulePlan): void {
    this.#plan = plan;
    const reason = (name: string): string => (plan.rules.some((rule) => rule.name === name && isGrouped(rule)) ? "rule_changed" : "rule_removed");
    for (const series of this.#series) this.#rule(series);
    const wanted = new Set(this.#series.flatMap((series) => this.#placesOf(this.#describe(series)).map(({ key }) => key)));
    for (const [key, group] of [...this.#groups]) {
      if (wanted.has(key)) continue;
      group.obey({ rules: [], limits: {}, zone: plan.zone, up: this.#up }, reason);
      this.#groups.delete(key);
      this.#gone.set(key, group);
    }
    this.#gather();
  }

  define(id: number, labels: Labels, source: string): void {
    const series = new SeriesSubject(id, labels, this.#plan?.sources[source] as SourceTiming, this.opinion);
    this.#series.push(series);
    this.#rule(series);
    this.#gather();
  }

  take(id: number, ts: number, value: number, at: number, isOldNews: boolean): void {
    const series = this.#series[id] as SeriesSubject;
    const { verdict, reading } = series.take(ts, value, at, this.#up, isOldNews);
    this.opinion.verdicts.push(verdict);
    if (reading !== undefined) for (const group of this.#groups.values()) group.hear(series, reading, this.#up);
  }

  #rule(series: SeriesSubject): void {
    const { rules, zone } = this.#plan as RulePlan;
    const { labels, device } = this.#describe(series);
    const own = rules.filter((rule) => !isGrouped(rule) && matches(rule, labels));
    series.obey({ rules: own, limits: device?.limits ?? {}, zone, up: this.#up }, () => "rule_removed");
  }

  /** Brings series into the groups of the rules that ask for them. */
  #gather(): void {
    const { devices, zone, sources } = this.#plan as RulePlan;
    const described = this.#series.map((series) => this.#describe(series));
    const places = described.flatMap((each) => this.#placesOf(each));
    for (const { key, rule, labels } of places) {
      if (this.#groups.has(key)) continue;
      const group = new GroupSubject(rule, labels, Object.values(sources)[0] as SourceTiming, this.opinion);
      group.remember(this.#gone.get(key));
      this.#groups.set(key, group);
    }
    for (const [key, group] of this.#groups) {
      const [place] = places.filter((each) => each.key === key);
      if (place === undefined) continue;
      group.rule = place.rule;
      group.gather(described.filter((each) => this.#placesOf(each).some((other) => other.key === key)));
      const limits = devices[place.labels["device"] ?? ""]?.limits ?? {};
      group.obey({ rules: [place.rule], limits, zone, up: this.#up }, () => "rule_removed");
    }
  }

  #describe(series: SeriesSubject): Described {
    const device = this.#plan?.devices[series.labels["device"] ?? ""];
    return { series, labels: { ...device?.labels, ...series.labels }, device };
  }

  #placesOf({ series, labels }: Described): { key: string; rule: Rule; labels: Labels }[] {
    return (this.#plan as RulePlan).rules.flatMap((rule) => {
      const group = matches(rule, labels) ? groupOf(rule, labels, series.labels) : undefined;
      return group === undefined ? [] : [{ key: `${rule.name} ${seriesKey(group)}`, rule, labels: group }];
    });
  }
}

const isGrouped = (rule: Rule): boolean => rule.groupBy !== null || rule.condition.type === "compare";

function groupOf({ groupBy, condition }: Rule, labels: Labels, own: Labels): Labels | undefined {
  if (groupBy !== null) return Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? ""]));
  if (condition.type !== "compare") return undefined;
  const { metric, ...rest } = own;
  return metric === condition.left || metric === condition.right ? rest : undefined;
}

/** Milliseconds of a second at which something can fall due, when input comes on whole seconds. */
function offsetsOf(series: readonly SeriesSubject[]): number[] {
  const marks = [...new Set([0, ...series.flatMap(({ history }) => history.kept.map(({ ts }) => ts % 1000))])];
  const differences = marks.flatMap((a) => marks.flatMap((b) => [a - b, a - b + 1]));
  return [...new Set(differences.map((difference) => (difference + 2000) % 1000))].sort((a, b) => a - b);
}

/** Whole labels, or what ends in a star. */
function matches({ match }: Rule, labels: Labels): boolean {
  return match.every(({ label, patterns }) =>
    patterns.some((pattern) => {
      const text = labels[label] ?? "";
      return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
    }),
  );
}
