// Retention: what is older than it is to be kept, counted from arrival, or more than it may take, goes, in small steps. The journal
// goes once it is in chunks and a newer snapshot stands; single readings by whole local days, when the day is summarised and no rollup
// of it waits to be reckoned; rollups by packed rows. With `room` the oldest days go before their time, each with the journal of
// that time, until the store has come down to so many bytes. It only reads; rows go out by `emit`.

import { dayOf, nextDay, type ZoneTable } from "../../engine/calendar.ts";
import type { EpochMs } from "../../engine/units.ts";
import { type RawDay, rawDays } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { droppableJournal, journalRowBytes, type Kept, lastArrivedBefore, packedToDrop, type Retention, usedBytes } from "../../storage/retention.ts";
import { HOUR_MS, MINUTE_MS, type Tier } from "../../storage/rollups.ts";
import { hasOpenDays, hasWaitingRollups, isSeenWhole } from "../../storage/summary-work.ts";
import { dropDay } from "./drop-day.ts";
import { createEmitter, type Emit, type Emitter } from "./emitter.ts";

export type RetentionOptions = {
  readonly zone: ZoneTable;
  readonly now: EpochMs;
  readonly retention: Retention;
  /** Also makes room: until the store has at most so many bytes. */
  readonly room?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: never) => void;
};

/** What went; `used`: bytes of the store afterwards. `lacks`: days that are over but not summarised kept it from making more room. */
export type RetentionReport = {
  readonly isWhole: boolean;
  readonly journalRows: number;
  readonly days: number;
  readonly readings: number;
  readonly packed: number;
  readonly used: number;
  readonly lacks: "nothing" | "summaries" | "days";
};

const JOURNAL_ROWS = 100;
const PACKED_ROWS = 50;
/** Of a tier in one run; the next goes on. */
const PACKED_MAX = 100_000;

type Work = {
  readonly db: Database;
  readonly options: RetentionOptions;
  readonly emitter: Emitter;
  readonly done: { journalRows: number; days: number; readings: number; packed: number };
};

/**
 * @param db read-only
 * @param emit is awaited; rows must be written in the order in which they come
 */
export async function runRetention(db: Database, options: RetentionOptions, emit: Emit): Promise<RetentionReport> {
  const work: Work = { db, options, emitter: createEmitter(emit), done: { journalRows: 0, days: 0, readings: 0, packed: 0 } };
  const { retention } = options;
  await dropOldJournal(work);
  await dropOldDays(work);
  await dropPacked(work, MINUTE_MS, retention.minutes);
  await dropPacked(work, HOUR_MS, retention.hours);
  const lacks = options.room === undefined ? "nothing" : await makeRoom(work, options.room);
  await work.emitter.flush();
  return { isWhole: options.signal?.aborted !== true, ...work.done, used: usedBytes(db), lacks };
}

async function dropOldJournal(work: Work): Promise<void> {
  const { db, options } = work;
  const { timeMs, bytes } = options.retention.journal;
  const rows = droppableJournal(db);
  if (rows === undefined) return;
  const old = lastArrivedBefore(db, options.now - timeMs, rows);
  const room = bytes === null ? rows.first - 1 : rows.through - Math.floor(bytes / journalRowBytes(db, rows));
  await dropJournal(work, rows.first, Math.min(rows.through, Math.max(old, room)));
}

async function dropJournal({ emitter, done, options }: Work, first: number, through: number): Promise<void> {
  for (let from = first; from <= through; from += JOURNAL_ROWS) {
    if (options.signal?.aborted) return;
    await emitter.add({ kind: "journal-gone", from, through: Math.min(through, from + JOURNAL_ROWS - 1) });
    done.journalRows += Math.min(JOURNAL_ROWS, through - from + 1);
  }
  await emitter.flush();
}

async function dropOldDays(work: Work): Promise<void> {
  const { db, options } = work;
  const { timeMs, bytes } = options.retention.raw;
  const days = rawDays(db).filter(({ readings }) => readings > 0);
  let excess = bytes === null ? 0 : days.reduce((sum, day) => sum + day.bytes, 0) - bytes;
  for (const day of days) {
    if (options.signal?.aborted) return;
    const isOld = day.newestAt < options.now - timeMs;
    if ((!isOld && excess <= 0) || mayGo(work, day) !== "yes") continue;
    excess -= day.bytes;
    await drop(work, day);
  }
}

/** Whether the readings of a day may go: it is over, summarised by the zone in force, and no rollup of it waits to be reckoned from them. */
function mayGo({ db, options: { zone, now } }: Work, raw: RawDay): "yes" | "not over" | "not summarised" {
  const { day, until } = raw;
  if (until > now) return "not over";
  // The days may have been cut by another zone.
  for (let name = dayOf(zone, day); name <= dayOf(zone, until - 1); name = nextDay(name)) if (hasOpenDays(db, zone.name, name)) return "not summarised";
  return !isSeenWhole(db, zone, raw) || hasWaitingRollups(db, { from: day, to: until }) ? "not summarised" : "yes";
}

async function drop({ db, emitter, done }: Work, { day, readings }: RawDay): Promise<void> {
  await dropDay(db, day, emitter);
  done.days += 1;
  done.readings += readings;
}

async function dropPacked({ db, emitter, done, options }: Work, tier: Tier, { timeMs, bytes }: Kept): Promise<void> {
  const gone = packedToDrop(db, tier, { before: options.now - timeMs, bytes }, PACKED_MAX);
  for (let from = 0; from < gone.length; from += PACKED_ROWS) await emitter.add({ kind: "packed-gone", ids: gone.slice(from, from + PACKED_ROWS) });
  await emitter.flush();
  done.packed += gone.length;
}

/** Oldest day first, with the journal of that time. @returns what it would have needed to do more */
async function makeRoom(work: Work, room: number): Promise<RetentionReport["lacks"]> {
  const { db, options } = work;
  let lacksSummaries = false;
  for (const day of rawDays(db)) {
    if (usedBytes(db) <= room || options.signal?.aborted) return "nothing";
    const rows = droppableJournal(db);
    // Of a day that is gone the journal may be left; its rollups have nothing to wait for. There are ever more of these.
    const verdict = day.readings === 0 && day.until <= options.now ? "yes" : mayGo(work, day);
    if (verdict === "not over") break;
    if (verdict === "not summarised") {
      lacksSummaries = true;
      continue;
    }
    if (day.readings > 0) await drop(work, day);
    if (rows !== undefined) await dropJournal(work, rows.first, lastArrivedBefore(db, day.until, rows));
  }
  if (usedBytes(db) <= room) return "nothing";
  return lacksSummaries ? "summaries" : "days";
}
