// What dispatch knows of an occurrence while anything of it stands, and of the groups in which occurrences are told. Values are never
// changed but replaced, so that a snapshot is a list of them that is written later.

import type { AlertRecord } from "../effect.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import type { Ack, NotificationKind, Told } from "./record.ts";

/** A notification that waits for its group, or for what may inhibit it. */
export type Unit = Told & { readonly id: string; readonly ordinal: number; readonly kind: NotificationKind; readonly state: "firing" | "resolved" };

/** An occurrence on its way to one receiver. */
export type Line = {
  readonly group: string;
  /** Place in the tree of the route by which it came. */
  readonly route: string;
  /** Those of its route, where its group, a storm's, has alerts of several routes. */
  readonly intervals?: Intervals;
  readonly held: readonly Unit[];
  /** Not told before: what inhibits it may still come. */
  readonly holdUntil: EpochMs;
  /** Who was sent the firing. */
  readonly told: readonly Told[];
  /** What hid it when it was to be told, as `cause` of a notification; null: nothing does. */
  readonly hidden: string | null;
  /** Whom it kept from being told. */
  readonly kept: readonly Told[];
  /** Of its escalation: which step was told last, in which round; −1 before the first. */
  readonly step: number;
  readonly round: number;
  /** How long after that the next one follows; null: none does. */
  readonly stepWaitMs: DurationMs | null;
};

export type Occurrence = {
  /** In the order in which they fired. */
  readonly number: number;
  readonly record: AlertRecord;
  /** Of the newest transition that people are told of. */
  readonly ordinal: number;
  /** Of all occurrences of the rule on the subject the same. */
  readonly key: string;
  /** Notifications and events so far, for their names. */
  readonly units: number;
  readonly events: number;
  readonly ack: Ack | null;
  /** A channel that must not be told: the one that the alert is about. */
  readonly except: Told | null;
  readonly lines: readonly Line[];
};

/** Names of the time intervals of a route. */
export type Intervals = { readonly mute: readonly string[]; readonly active: readonly string[] };

/** A route as its groups keep it: they go on by it when the config changes. */
export type GroupSettings = Intervals & {
  readonly target: string;
  readonly waitMs: DurationMs;
  readonly intervalMs: DurationMs;
  readonly repeatMs: DurationMs | null;
};

export type Group = {
  readonly id: string;
  /** `single`: of one alert alone; `shared`; `storm`: what came while too much came. */
  readonly kind: "single" | "shared" | "storm";
  readonly settings: GroupSettings;
  /** Since when it owes something that was not told yet: its wait counts from there. */
  readonly waitsFrom: EpochMs;
  /** When it was told last; null: not yet. */
  readonly toldAt: EpochMs | null;
  /** Sent so far, by channel. */
  readonly seqs: Readonly<Record<string, number>>;
};

export const isOver = ({ record }: Occurrence): boolean => record.state === "resolved";

/** The part of an occurrence's id that all occurrences of its rule on its subject have. */
export const keyOf = (alert: string): string => alert.slice(0, alert.lastIndexOf("-"));

/** A place of a line: its occurrence and its number there. */
export type Place = { readonly alert: string; readonly line: number };
export const placeText = ({ alert, line }: Place): string => `${alert}:${line}`;
export const placeOf = (text: string): Place => {
  const colon = text.lastIndexOf(":");
  return { alert: text.slice(0, colon), line: Number(text.slice(colon + 1)) };
};
