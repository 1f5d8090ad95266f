// What hides alerts, or stands in for a schedule: silences with their state, what is shelved or out of service, overrides; and which
// alerts matchers would hide. The caller says what time it is: a state is a question of now. Patterns come from outside and are run
// here, on the thread that is ended when it overruns.

import { compileMatchers, type LabelMatcher } from "../engine/matcher.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { attendedReader } from "./alert-query.ts";
import type { AlertRow } from "./alert-rows.ts";
import type { Database } from "./database.ts";
import { createDeadline } from "./deadline.ts";
import {
  type AlertView,
  type Answer,
  LIMIT_DEFAULT,
  type OverrideView,
  QUERY_TIME_MS,
  type QueryContext,
  type QueryRequest,
  type ShelfView,
  type SilenceState,
  type SilenceView,
} from "./query.ts";

type Request<Kind extends QueryRequest["kind"]> = Extract<QueryRequest, { kind: Kind }>;

/** Beyond this no row's time lies. */
const END = Number.MAX_SAFE_INTEGER;

type SilenceRow = { id: string; matchers: string; startsAt: EpochMs; endsAt: EpochMs; by: string; why: string; createdAt: EpochMs; endedBy: string | null };

const SILENCE_COLUMNS = "id, matchers, starts_at AS startsAt, ends_at AS endsAt, by, why, created_at AS createdAt, ended_by AS endedBy";
/** Literals, as the index of ends_at decides. */
const whereState: Readonly<Record<SilenceState, string>> = {
  active: "(ends_at > @now AND starts_at <= @now)",
  pending: "(ends_at > @now AND starts_at > @now)",
  expired: "ends_at <= @now",
};

/** Latest end first. */
export function answerSilences(db: Database, { now, states, id, limit = LIMIT_DEFAULT, cursor }: Request<"silences">): Answer<Request<"silences">> {
  const [at, after] = cursor === undefined ? [END, ""] : split(cursor);
  const filters = [
    "ends_at <= @at AND (ends_at < @at OR id > @after)",
    ...(states === undefined ? [] : [`(${states.map((state) => whereState[state]).join(" OR ")})`]),
    ...(id === undefined ? [] : ["id = @id"]),
  ];
  const rows = db
    .prepare<unknown[], SilenceRow>(`SELECT ${SILENCE_COLUMNS} FROM silence WHERE ${filters.join(" AND ")} ORDER BY ends_at DESC, id LIMIT @limit`)
    .all({ at, after, now, limit: limit + 1, ...(id !== undefined && { id }) });
  const silences = rows.slice(0, limit).map((row): SilenceView => ({ ...row, matchers: JSON.parse(row.matchers) as LabelMatcher[], state: stateOf(row, now) }));
  const last = silences.at(-1);
  return { silences, cursor: rows.length > limit && last !== undefined ? `${last.endsAt}.${last.id}` : null };
}

const stateOf = ({ startsAt, endsAt }: SilenceRow, now: EpochMs): SilenceState => (endsAt <= now ? "expired" : startsAt > now ? "pending" : "active");

type ShelfRow = Omit<ShelfView, "labels"> & { labels: string };

/** Newest first. */
export function answerShelves(db: Database, { limit = LIMIT_DEFAULT, cursor }: Request<"shelves">): Answer<Request<"shelves">> {
  const [at, after] = cursor === undefined ? [END, ""] : split(cursor);
  const rows = db
    .prepare<unknown[], ShelfRow>(
      `SELECT key, kind, shelf.rule, shelf.subject, shelf.labels, by, at, until, why,
         (SELECT id FROM alert WHERE alert.rule = shelf.rule AND alert.subject = shelf.subject ORDER BY fired_at DESC LIMIT 1) AS alert,
         (SELECT state FROM alert WHERE alert.rule = shelf.rule AND alert.subject = shelf.subject ORDER BY fired_at DESC LIMIT 1) AS state
       FROM shelf WHERE at <= @at AND (at < @at OR key > @after) ORDER BY at DESC, key LIMIT @limit`,
    )
    .all({ at, after, limit: limit + 1 });
  const shelves = rows.slice(0, limit).map((row): ShelfView => ({ ...row, labels: JSON.parse(row.labels) as Labels }));
  const last = shelves.at(-1);
  return { shelves, cursor: rows.length > limit && last !== undefined ? `${last.at}.${last.key}` : null };
}

/** Those that are not over and were not taken away, by their end. */
export function answerOverrides(db: Database, { now, schedule, limit = LIMIT_DEFAULT }: Request<"overrides">): Answer<Request<"overrides">> {
  const overrides = db
    .prepare<unknown[], OverrideView>(
      `SELECT id, schedule, member, starts_at AS "from", ends_at AS "to", by, why, created_at AS createdAt, removed_by AS removedBy FROM schedule_override
       WHERE ends_at > @now AND removed_by IS NULL ${schedule === undefined ? "" : "AND schedule = @schedule"} ORDER BY ends_at, id LIMIT @limit`,
    )
    .all({ now, limit, ...(schedule !== undefined && { schedule }) });
  return { overrides };
}

/** All active alerts that match are counted; the newest `limit` are given. */
export function answerSilenced(db: Database, { matchers, limit = LIMIT_DEFAULT }: Request<"silenced">, context: QueryContext): Answer<Request<"silenced">> {
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const matches = compileMatchers(matchers);
  const attended = attendedReader(db);
  const alerts: AlertView[] = [];
  let count = 0;
  for (const state of ["firing", "recovering"]) {
    const rows = db.prepare<[string], AlertRow>("SELECT * FROM alert WHERE state = ? ORDER BY fired_at DESC").iterate(state);
    for (const row of rows) {
      deadline.check();
      if (!matches(JSON.parse(row.labels) as Labels)) continue;
      count += 1;
      if (alerts.length < limit) alerts.push(attended(row));
    }
  }
  return { alerts, count };
}

function split(cursor: string): [EpochMs, string] {
  const dot = cursor.indexOf(".");
  return [Number(cursor.slice(0, dot)), cursor.slice(dot + 1)];
}
