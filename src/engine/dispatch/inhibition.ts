// Inhibition: while a source stands, its targets are not told. Sources are found by the labels in which both must agree, so that ten
// thousand targets behind one gateway cost a lookup each. An alert that matches both sides is not inhibited by one that does so too.

import type { AlertRecord } from "../effect.ts";
import { compileMatchers } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { DurationMs } from "../units.ts";
import type { InhibitPlan } from "./plan.ts";

type Matches = (labels: Labels) => boolean;

class InhibitRule {
  readonly waitMs: DurationMs;
  readonly isSource: Matches;
  readonly isTarget: Matches;
  readonly #equal: readonly string[];
  /** Ids of sources that stand, by the labels that must be equal, and whether they are targets of the rule too. */
  readonly #sources = new Map<string, Map<string, boolean>>();

  constructor({ source, target, equal, waitMs }: InhibitPlan) {
    this.waitMs = waitMs;
    this.isSource = compileMatchers(source);
    this.isTarget = compileMatchers(target);
    this.#equal = equal;
  }

  add({ id, labels }: AlertRecord): void {
    if (!this.isSource(labels)) return;
    const key = this.#keyOf(labels);
    const sources = this.#sources.get(key) ?? new Map<string, boolean>();
    sources.set(id, this.isTarget(labels));
    this.#sources.set(key, sources);
  }

  remove({ id, labels }: AlertRecord): void {
    const key = this.#keyOf(labels);
    const sources = this.#sources.get(key);
    sources?.delete(id);
    if (sources?.size === 0) this.#sources.delete(key);
  }

  /** @returns the id of a source that inhibits it; of several the first by name, so that it does not matter who came first */
  sourceOf({ id, labels }: AlertRecord): string | undefined {
    if (!this.isTarget(labels)) return undefined;
    const isBoth = this.isSource(labels);
    let first: string | undefined;
    for (const [source, isSourceBoth] of this.#sources.get(this.#keyOf(labels)) ?? []) {
      if (source !== id && !(isBoth && isSourceBoth) && !(first !== undefined && first < source)) first = source;
    }
    return first;
  }

  #keyOf(labels: Labels): string {
    return JSON.stringify(this.#equal.map((name) => labels[name] ?? ""));
  }
}

export class Inhibition {
  #rules: readonly InhibitRule[] = [];
  /** Sources that are over, whose targets still wait for their own end, as they stood; by their ids. */
  readonly #lingering = new Map<string, AlertRecord>();

  get lingering(): IterableIterator<AlertRecord> {
    return this.#lingering.values();
  }

  /** @param standing alerts that fire, recover, or are over and not told so yet */
  usePlan(plan: readonly InhibitPlan[], standing: readonly AlertRecord[]): void {
    this.#rules = plan.map((rule) => new InhibitRule(rule));
    this.restore(standing);
  }

  restore(standing: readonly AlertRecord[]): void {
    for (const record of standing) if (record.state !== "resolved") this.add(record);
    for (const record of this.#lingering.values()) this.add(record);
  }

  /** Keeps one that is over as a source, until it is forgotten. */
  linger(record: AlertRecord): void {
    this.#lingering.set(record.id, record);
  }

  /** It stands no more, or not as it did. @returns how long it goes on to hide its targets, which may be over soon too */
  end(record: AlertRecord): DurationMs {
    const graceMs = this.#graceOf(record);
    const before = this.#lingering.get(record.id);
    for (const gone of before === undefined ? [record] : [record, before]) this.#remove(gone);
    if (graceMs > 0) this.linger(record);
    const lingering = this.#lingering.get(record.id);
    if (lingering !== undefined) this.add(lingering);
    return graceMs;
  }

  /** Its targets have waited long enough. @param standing as it stands now; undefined: it does not */
  forget(id: string, standing: AlertRecord | undefined): void {
    const lingering = this.#lingering.get(id);
    if (lingering !== undefined) this.#remove(lingering);
    this.#lingering.delete(id);
    if (standing !== undefined) this.add(standing);
  }

  /** One that is latched waits for somebody: its condition has cleared, and it is no source. */
  add(record: AlertRecord): void {
    if (record.state === "recovering" && record.latchedAt !== null) return;
    for (const rule of this.#rules) rule.add(record);
  }

  #remove(record: AlertRecord): void {
    for (const rule of this.#rules) rule.remove(record);
  }

  /** How long a new alert waits for what may inhibit it. */
  waitOf({ labels }: AlertRecord): DurationMs {
    return Math.max(0, ...this.#rules.filter(({ isTarget }) => isTarget(labels)).map(({ waitMs }) => waitMs));
  }

  #graceOf({ labels }: AlertRecord): DurationMs {
    return Math.max(0, ...this.#rules.filter(({ isSource }) => isSource(labels)).map(({ waitMs }) => waitMs));
  }

  /** @returns the id of an alert that inhibits it */
  sourceOf(record: AlertRecord): string | undefined {
    for (const rule of this.#rules) {
      const source = rule.sourceOf(record);
      if (source !== undefined) return source;
    }
    return undefined;
  }
}
