// Collects a step's effects, and decides whom a transition is told: the channels of the route's receiver when an alert fires,
// exactly those that were told the firing when it resolves.

import type { AlertRecord, Effects, NotificationRecord, PendingRecord, Transition } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { RulePlan } from "./rule.ts";

type Lists = { [Key in keyof Effects]: Effects[Key] extends readonly (infer Item)[] ? Item[] : never };

/** A channel that was told a firing. */
type Told = { readonly receiver: string; readonly channel: string };

export class Dispatcher {
  #effects: Lists = emptyEffects();
  #route: readonly Told[] = [];
  #channels: readonly Told[] = [];
  /** By occurrence, while it is not resolved: who was told of it, and how often. */
  readonly #told = new Map<string, { readonly told: readonly Told[]; seq: number }>();

  get rollups(): Lists["rollups"] {
    return this.#effects.rollups;
  }

  get dirty(): Lists["dirty"] {
    return this.#effects.dirty;
  }

  usePlan(plan: RulePlan): void {
    const receiver = plan.receivers.find(({ name }) => name === plan.route.receiver);
    this.#channels = plan.receivers.flatMap(({ name, channels }) => channels.map((channel) => ({ receiver: name, channel })));
    this.#route = this.#channels.filter((told) => told.receiver === receiver?.name);
  }

  /** To which channel a notification was going, by its id; a channel that the config no longer has is `unknown`. */
  toldBy(notification: string): Told {
    return this.#channels.find((told) => notification.endsWith(`-${channelMark(told)}`)) ?? { receiver: "unknown", channel: "unknown" };
  }

  pending(record: PendingRecord): void {
    this.#effects.pending.push(record);
  }

  verdicts(verdicts: Uint8Array, ts: Float64Array): void {
    this.#effects.verdicts.push(verdicts);
    this.#effects.ts.push(ts);
  }

  dead(notification: string, reason: string): void {
    this.#effects.dead.push({ notification, reason });
  }

  /** @param except a channel that must not be told: the one that the alert is about */
  transition(transition: Transition, record: AlertRecord, except?: Told): void {
    this.#effects.transitions.push(transition);
    this.#effects.alerts.push(record);
    const { alert, to, reason } = transition;
    const known = this.#told.get(alert);
    const isFirst = to === "firing" && known === undefined;
    const entry = known ?? { told: this.#route.filter(({ receiver, channel }) => receiver !== except?.receiver || channel !== except.channel), seq: 0 };
    if (isFirst) this.#told.set(alert, entry);
    if (isFirst || reason === "level") this.#notify(transition, entry, "firing");
    else if (to === "resolved") {
      this.#notify(transition, entry, "resolved");
      this.#told.delete(alert);
    }
  }

  /** Hands over what the step gave and begins anew. */
  take(): Effects {
    const effects = this.#effects;
    this.#effects = emptyEffects();
    return effects;
  }

  save(): string {
    return JSON.stringify([...this.#told]);
  }

  restore(text: string): void {
    this.#told.clear();
    for (const [alert, told] of JSON.parse(text) as [string, { told: Told[]; seq: number }][]) this.#told.set(alert, told);
  }

  #notify(transition: Transition, entry: { readonly told: readonly Told[]; seq: number }, state: NotificationRecord["state"]): void {
    entry.seq += 1;
    const { told, seq } = entry;
    for (const { receiver, channel } of told) {
      const id = `${transition.alert}-${transition.ordinal}-${channelMark({ receiver, channel })}`;
      this.#effects.notifications.push({ id, alert: transition.alert, ordinal: transition.ordinal, receiver, channel, seq, state });
    }
  }
}

const channelMark = ({ receiver, channel }: Told): string => fingerprint(`${receiver} ${channel}`).slice(8);

const emptyEffects = (): Lists => ({ verdicts: [], ts: [], transitions: [], alerts: [], pending: [], notifications: [], rollups: [], dirty: [], dead: [] });
