// What was promised of notifications (DESIGN §6), held at each attempt and at the end: at least once, in order per alert,
// receiver and channel, one attempt at a time, a resolved only after its firing was delivered or is dead, and nothing
// is given up before its time.

import type { Statement } from "better-sqlite3";
import { ATTEMPTS_MIN, RETRY_FOR_MS } from "../../src/notify/backoff.ts";
import type { Database } from "../../src/storage/database.ts";
import { type Attempt, type FarEnd, lineOf } from "./channels.ts";

type Row = {
  id: string;
  alert: string;
  receiver: string;
  channel: string;
  seq: number;
  state: string;
  disposition: string;
  cause: string | null;
  created_at: number;
  attempts: number;
  ended_at: number | null;
  /** It is not to be sent yet. */
  held_until: number | null;
  reason: string | null;
};

const prepared = new WeakMap<Database, Statement<[string, string, string], Row>>();

function ofKey(db: Database): Statement<[string, string, string], Row> {
  const known = prepared.get(db);
  if (known !== undefined) return known;
  const made = db.prepare<[string, string, string], Row>("SELECT * FROM notification WHERE COALESCE(line, alert) = ? AND receiver = ? AND channel = ?");
  prepared.set(db, made);
  return made;
}

/** @returns what is wrong with an attempt that begins */
export function attemptProblems(db: Database, farEnd: FarEnd, { notification, process, service }: Attempt): string[] {
  const { id, receiver, channel, seq } = notification;
  const found: string[] = [];
  const rows = ofKey(db).all(lineOf(notification), receiver, channel);
  // Of days of attempts the newest tell enough.
  const before = farEnd.attempts.get(lineOf(notification))?.slice(-20) ?? [];
  // A service may have asked before what another one, which had just ended, delivered was written.
  const isOfOtherService = (other: Attempt): boolean => other.notification.id === id && other.process === process && other.service !== service;
  const own = rows.find((row) => row.id === id);
  if (own === undefined) found.push(`${id} is sent, but it is not in the store`);
  else if (own.disposition !== "waiting" && !before.some(isOfOtherService)) found.push(`${id} is sent again, though it is ${own.disposition}`);
  for (const row of rows)
    if (row.seq < seq && row.disposition === "waiting" && row.held_until === null) found.push(`${id} is sent before ${row.id}, which still waits`);
  for (const other of before) {
    if (other.notification.seq > seq) found.push(`${id} is sent after ${other.notification.id}`);
    const isUnderWay = !other.isOver && !other.signal.aborted && other.service === service && service.isAlive;
    if (isUnderWay) found.push(`${id} is sent while ${other.notification.id} is under way`);
    if (other.notification.id === id && other.notification.state !== notification.state) found.push(`${id} changed its state`);
  }
  return found;
}

/** @returns what of the promises was not kept, once everything that waited has ended */
export function deliveryProblems(db: Database, farEnds: ReadonlyMap<string, FarEnd>): string[] {
  const rows = db.prepare<[], Row>("SELECT * FROM notification").all();
  const firings = new Set(rows.filter(({ state }) => state === "firing").map((row) => `${row.alert} ${row.receiver} ${row.channel}`));
  const byId = new Map(rows.map((row) => [row.id, row]));
  return rows.flatMap((row) => {
    const what = `${row.id} to ${row.receiver} ${row.channel}`;
    const found = balanceProblems(what, row, byId);
    const farEnd = farEnds.get(`${row.receiver} ${row.channel}`);
    if (row.disposition === "waiting") found.push(`${what} still waits after ${row.attempts} attempts: ${row.reason}`);
    if (row.disposition === "delivered" && !farEnd?.arrived.has(row.id)) found.push(`${what} is delivered, but never arrived`);
    if (row.state === "resolved" && !firings.has(`${row.alert} ${row.receiver} ${row.channel}`))
      found.push(`${what} is resolved, but its firing was not sent there`);
    if (row.disposition === "dead") found.push(...deathProblems(what, row));
    return found;
  });
}

/** Each ends in exactly one way, and what is not sent by itself says why; what another carries was carried. */
function balanceProblems(what: string, { disposition, cause, receiver, channel, attempts }: Row, rows: ReadonlyMap<string, Row>): string[] {
  if (disposition === "delivered" || disposition === "dead") return cause === null ? [] : [`${what} is ${disposition}, but has a cause: ${cause}`];
  if (disposition === "waiting") return [];
  const found = attempts > 0 ? [`${what} is ${disposition}, but was sent`] : [];
  const causes: Record<string, RegExp> = {
    grouped: /^(notification:|storm:|flapping:|wait$)/,
    silenced: /^silence:/,
    inhibited: /^alert:/,
    shelved: /^(shelf|out_of_service):/,
  };
  if (causes[disposition]?.test(cause ?? "") !== true) found.push(`${what} is ${disposition} by ${cause}`);
  const [, carrierId] = /^(?:notification|storm):(.*)$/.exec(cause ?? "") ?? [];
  if (carrierId === undefined) return found;
  const carrier = rows.get(carrierId);
  const isCarried =
    carrier !== undefined && /^(delivered|dead|waiting)$/.test(carrier.disposition) && carrier.receiver === receiver && carrier.channel === channel;
  return isCarried ? found : [...found, `${what} is carried by ${carrierId}, which is not sent there`];
}

/** Between the gateway's two readings of its wall clock. */
const SLACK_MS = 60_000;

function deathProblems(what: string, row: Row): string[] {
  const reason = row.reason ?? "";
  if (reason.startsWith("it does not like")) return [];
  const attempts = Number(/^given up after (\d+) attempts/.exec(reason)?.[1] ?? 0);
  const age = (row.ended_at ?? 0) - row.created_at;
  return attempts >= ATTEMPTS_MIN && age >= RETRY_FOR_MS - SLACK_MS ? [] : [`${what} was given up after ${age} ms and ${attempts} attempts: ${reason}`];
}
