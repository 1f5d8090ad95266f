// All groups of all grouped rules: which series belongs to which, and what becomes of them when rules change.

import type { Agenda } from "./agenda.ts";
import type { Dispatcher } from "./dispatch.ts";
import { Group } from "./group.ts";
import { groupOf } from "./grouping.ts";
import { compileMatchers } from "./matcher.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { Device, Rule } from "./rule.ts";
import type { RulingContext } from "./ruling.ts";
import type { Series } from "./series.ts";
import type { StateReader } from "./state.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** Groups that there may be; a series whose group would be one more is refused there, and heard by its own rules. */
export const GROUPS_MAX = 100_000;

type GroupedRule = { readonly rule: Rule; readonly matches: (labels: Labels) => boolean };
/** `touch` is to be called before a group changes. */
type Deps = { readonly agenda: Agenda; readonly into: Dispatcher; readonly touch: (group: Group) => void };

export class Groups {
  readonly #deps: Deps;
  #rules: readonly GroupedRule[] = [];
  #devices: Readonly<Record<string, Device>> = {};
  #groups: Group[] = [];
  /** By rule and the text of the group's labels. */
  readonly #byKey = new Map<string, Group>();
  /** By series. */
  readonly #of = new Map<SeriesId, readonly Group[]>();
  #numbered = 0;
  #refused = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** In the order in which they were made. */
  get all(): readonly Group[] {
    return this.#groups;
  }

  /** Series that found no room in a group since the start or the last change of the rules. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes rules without putting them in force: of a snapshot. */
  adopt(rules: readonly Rule[], devices: Readonly<Record<string, Device>>): void {
    this.#rules = rules.map((rule) => ({ rule, matches: compileMatchers(rule.match) }));
    this.#devices = devices;
  }

  /** Puts rules in force for all series: groups go on where the rule still makes them, the others end. */
  usePlan(rules: readonly Rule[], devices: Readonly<Record<string, Device>>, series: readonly Series[], context: RulingContext): void {
    const { touch, into } = this.#deps;
    this.adopt(rules, devices);
    this.#refused = 0;
    const before = this.#groups;
    const byName = new Map(rules.map((rule) => [rule.name, rule]));
    const wanted = new Set(series.flatMap((each) => this.#placesOf(each).map(({ key }) => key)));
    for (const group of before) {
      const key = keyOf(group.ruleName, group.labels);
      touch(group);
      group.leaveAll(context.up);
      if (wanted.has(key)) continue;
      const hasFired = group.end(byName.has(group.ruleName) ? "rule_changed" : "rule_removed", context, into);
      if (!hasFired) this.#byKey.delete(key);
    }
    this.#groups = before.filter((group) => this.#byKey.has(keyOf(group.ruleName, group.labels)));
    this.#of.clear();
    for (const each of series) this.#join(each);
    for (const group of this.#groups) {
      const rule = byName.get(group.ruleName);
      if (rule === undefined || group.memberIds.length === 0) continue;
      group.device = this.#devices[group.labels["device"] ?? ""];
      group.applyRule(rule, context, into);
      this.#deps.agenda.remind(group, context.up);
    }
  }

  /** A series that is new. */
  define(series: Series, context: RulingContext): void {
    for (const group of this.#join(series)) {
      if (group.isInForce) continue;
      const { rule } = this.#rules.find((grouped) => grouped.rule.name === group.ruleName) as GroupedRule;
      group.applyRule(rule, context, this.#deps.into);
    }
  }

  /** A reading that its series has accepted. */
  accept(series: Series, ts: EpochMs, value: number, at: EpochMs, up: UptimeMs): void {
    for (const group of this.#of.get(series.id) ?? []) {
      this.#deps.touch(group);
      group.accept(series, ts, value, at, up, this.#deps.into);
      this.#deps.agenda.expect(group, group.dueFrom(up));
    }
  }

  takeLate(series: Series, ts: EpochMs, value: number, up: UptimeMs): void {
    for (const group of this.#of.get(series.id) ?? []) {
      this.#deps.touch(group);
      group.takeLate(ts, value, up);
      this.#deps.agenda.expect(group, up);
    }
  }

  /** The number that the next group gets; part of the state. */
  get numbered(): number {
    return this.#numbered;
  }

  set numbered(count: number) {
    this.#numbered = count;
  }

  /** Reads what a group saved. */
  restore(from: StateReader, series: readonly Series[], zone: RulingContext["zone"]): void {
    const [name, labels] = [from.text(), JSON.parse(from.text()) as Labels];
    const grouped = this.#rules.find(({ rule }) => rule.name === name);
    const group = this.#add(new Group(from.number(), name, labels));
    group.restore(from, grouped?.rule, (id) => series[id] as Series, zone);
    for (const id of group.memberIds) this.#of.set(id, [...(this.#of.get(id) ?? []), group]);
    const due = group.nextDue();
    if (due.up !== Number.POSITIVE_INFINITY) this.#deps.agenda.remind(group, Math.max(0, due.up));
  }

  #placesOf({ labels, ownLabels }: Series): { rule: Rule; labels: Labels; key: string }[] {
    return this.#rules.flatMap(({ rule, matches }) => {
      const group = matches(labels) ? groupOf(rule, labels, ownLabels) : undefined;
      return group === undefined ? [] : [{ rule, labels: group, key: keyOf(rule.name, group) }];
    });
  }

  #join(series: Series): readonly Group[] {
    const joined: Group[] = [];
    for (const { rule, labels, key } of this.#placesOf(series)) {
      const known = this.#byKey.get(key);
      const group = known ?? (this.#groups.length < GROUPS_MAX ? this.#add(new Group(this.#numbered++, rule.name, labels)) : undefined);
      if (group !== undefined) this.#deps.touch(group);
      if (group?.join(series) === true) joined.push(group);
      else this.#refused += 1;
    }
    // In the order of their numbers, as they will be after a restart.
    joined.sort((a, b) => a.order - b.order);
    if (joined.length > 0) this.#of.set(series.id, joined);
    else this.#of.delete(series.id);
    return joined;
  }

  #add(group: Group): Group {
    group.device = this.#devices[group.labels["device"] ?? ""];
    this.#groups.push(group);
    this.#byKey.set(keyOf(group.ruleName, group.labels), group);
    return group;
  }
}

const keyOf = (rule: string, labels: Labels): string => `${rule}/${seriesKey(labels)}`;
