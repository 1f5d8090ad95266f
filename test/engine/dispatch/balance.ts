// The conservation law of dispatch, asked of what came of a world; and the same world cut and restarted otherwise.

import type { NotificationRecord } from "../../../src/engine/dispatch/record.ts";
import type { Effects } from "../../../src/engine/effect.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import type { Saved } from "../../../src/engine/state.ts";
import { SECOND, snapshotOf } from "../harness.ts";
import type { Lived } from "./world.ts";

const channelOf = ({ receiver, channel }: NotificationRecord): string => `${receiver} ${channel}`;
const isSent = ({ disposition, heldUntil }: NotificationRecord): boolean => disposition === "waiting" && heldUntil === null;
/** Whether the alert was told by it, alone or within another. */
const isTold = (record: NotificationRecord): boolean =>
  isSent(record) || (record.disposition === "grouped" && /^(notification|storm):/.test(record.cause ?? ""));

/** Each notification as it ended. @throws where one changes after its end */
function ended(effects: readonly Effects[]): Map<string, NotificationRecord> {
  const rows = new Map<string, NotificationRecord>();
  for (const record of effects.flatMap(({ notifications }) => notifications)) {
    const before = rows.get(record.id);
    if (before !== undefined && (before.disposition !== "waiting" || before.heldUntil === null))
      throw new Error(`${record.id} ended twice: ${JSON.stringify([before, record])}`);
    rows.set(record.id, record);
  }
  return rows;
}

export function problems(effects: readonly Effects[]): string[] {
  const [rows, sent] = [ended(effects), sentIn(effects)];
  const found: string[] = [];
  // What is sent for many says how they stand together; of the alert itself it tells this transition.
  const ends = new Set(
    effects.flatMap(({ transitions }) => transitions.filter(({ to }) => to === "resolved").map(({ alert, ordinal }) => `${alert} ${ordinal}`)),
  );
  const stateOf = ({ alert, ordinal }: NotificationRecord) => (ends.has(`${alert} ${ordinal}`) ? "resolved" : "firing");
  for (const row of rows.values()) {
    if (row.heldUntil !== null && row.disposition === "waiting") found.push(`${row.id} is held for ever`);
    if (row.disposition !== "grouped" || !isTold(row)) continue;
    const carrier = rows.get((row.cause ?? "").slice((row.cause ?? "").indexOf(":") + 1));
    if (carrier === undefined || !isSent(carrier) || channelOf(carrier) !== channelOf(row))
      found.push(`${row.id} is told by ${row.cause}, which is not sent to it`);
    else if (carrier.alert !== row.alert && carrier.members?.alerts.some(([id]) => id === row.alert) !== true) found.push(`${row.id} is not in ${carrier.id}`);
  }
  const seqs = new Map<string, number>();
  for (const { line, alert, seq, id, ...told } of sent) {
    const key = `${line ?? alert} ${told.receiver} ${told.channel}`;
    const last = seqs.get(key) ?? 0;
    if (seq !== last + 1) found.push(`${id} has seq ${seq} after ${last} in ${key}`);
    seqs.set(key, seq);
  }
  const byAlert = Map.groupBy(rows.values(), (row) => `${row.alert} ${channelOf(row)}`);
  for (const [key, list] of byAlert) {
    const [firing, resolved] = (["firing", "resolved"] as const).map((state) => list.filter((row) => stateOf(row) === state && isTold(row)).length);
    if (firing === 0 && resolved !== 0) found.push(`${key}: told of the end only`);
    if (firing !== 0 && resolved !== 1) found.push(`${key}: told of the end ${resolved} times`);
    const last = list.filter(isTold).at(-1);
    if (last !== undefined && stateOf(last) !== "resolved") found.push(`${key}: not told of the end last`);
    const transitions = Map.groupBy(
      // What one route mutes another may tell.
      list.filter(({ kind, disposition }) => kind === "transition" && disposition !== "muted"),
      ({ ordinal }) => ordinal,
    );
    for (const [ordinal, same] of transitions) if (same.length > 1) found.push(`${key}: transition ${ordinal} is told ${same.length} times`);
  }
  return found;
}

/** Of alerts that stand, when nothing but other alerts can hide them any more: channels that something was kept from and that were not told since. */
export function untold({ effects, alerts, inputs }: Lived): string[] {
  const stands = (id: string): boolean => (alerts.get(id)?.state ?? "resolved") !== "resolved";
  // By either of the inhibit rules of a world, whichever are in force.
  const mayBeInhibited = (id: string): boolean =>
    [...alerts.values()].some(
      ({ id: other, labels }) =>
        other !== id &&
        stands(other) &&
        (labels["severity"] === "critical" || (/^(gw|both)$/.test(labels["role"] ?? "") && labels["site"] === alerts.get(id)?.labels["site"])),
    );
  // By a rota somebody else may be on call by then, and a receiver may go from the config.
  const mayMove = inputs.some((input) => input.kind === "rules" && /"(rota|gone)"/.test(JSON.stringify(input.plan.route)));
  const rows = [...ended(effects).values()];
  const found: string[] = [];
  for (const [key, list] of Map.groupBy(rows, (row) => `${row.alert} ${channelOf(row)}`)) {
    const last = list.at(-1) as NotificationRecord;
    if (!stands(last.alert) || isTold(last)) continue;
    if (mayBeInhibited(last.alert)) continue;
    if (last.disposition === "muted" && list.some((row) => isTold(row) && row.ordinal >= last.ordinal)) continue;
    if (mayMove && rows.slice(rows.indexOf(last) + 1).some((row) => row.alert === last.alert && isTold(row))) continue;
    found.push(`${key}: ${last.disposition} by ${last.cause}, and never told`);
  }
  const told = new Set(rows.map(({ alert }) => alert));
  // An alert about the one channel of a receiver has nobody to be told.
  for (const { id, rule } of alerts.values())
    if (stands(id) && !told.has(id) && rule !== "highwater-dead-letter" && !mayBeInhibited(id)) found.push(`${id}: nobody was told`);
  return found;
}

const sentIn = (effects: readonly Effects[]): NotificationRecord[] => effects.flatMap(({ notifications }) => notifications.filter(isSent));

/** What came of it, without where the steps were cut. */
export const flat = (effects: readonly Effects[]) => ({
  transitions: effects.flatMap((effect) => effect.transitions),
  alerts: effects.flatMap((effect) => effect.alerts),
  notifications: effects.flatMap((effect) => effect.notifications),
  acks: effects.flatMap((effect) => effect.acks),
  events: effects.flatMap((effect) => effect.alertEvents),
  shelves: effects.flatMap((effect) => effect.shelves),
  silences: effects.flatMap((effect) => effect.silences),
  answers: effects.flatMap((effect) => effect.answers),
});

/** The same inputs, cut and restarted otherwise. */
export function cutOtherwise({ inputs, time }: Lived, cuts: readonly number[]): Effects[] {
  let engine = createEngine();
  let stored = new Map<number, Saved>();
  const effects: Effects[] = [];
  let turn = 0;
  const draw = (): number => cuts[turn++ % cuts.length] as number;
  for (let from = 0; from < inputs.length; ) {
    const group = inputs.slice(from, from + 1 + (draw() % 4));
    from += group.length;
    const last = group.at(-1) as (typeof inputs)[number];
    effects.push(engine.step(group, { now: last.at, up: last.up }));
    const room = (inputs[from]?.up ?? time().up) - last.up;
    for (let waited = 0; waited < room && draw() % 3 !== 0; ) {
      waited = Math.min(room, waited + 1 + (draw() % 60) * SECOND);
      effects.push(engine.step([], { now: last.at + waited, up: last.up + waited }));
    }
    if (draw() % 3 !== 0) continue;
    stored = snapshotOf(engine, stored);
    engine = createEngine();
    engine.restore(structuredClone([...stored].map(([part, saved]) => ({ part, saved }))));
  }
  effects.push(engine.step([], time()));
  return effects;
}
