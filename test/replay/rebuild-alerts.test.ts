// Rebuild of alerts over real stores: what is missing comes back as history, what differs is put right and says what it was, what people were
// told stays, what fires is left alone; and a second rebuild changes nothing.

import { afterEach, describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import type { GatewayConfig } from "../../src/config.ts";
import { utc } from "../../src/engine/calendar.ts";
import { rejudge } from "../../src/engine/rejudge.ts";
import type { DaySummary } from "../../src/engine/summary.ts";
import { type RebuildAlertsOptions, runRebuildAlerts } from "../../src/replay/rebuild-alerts.ts";
import { answerAlert } from "../../src/storage/alert-query.ts";
import { plan, rule } from "../engine/harness.ts";
import { createImportStore, csvOf } from "../history/import-store.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const t0 = Date.UTC(2026, 2, 2);
const rules = plan([rule({ name: "hot", condition: { type: "threshold", above: 50 } })]);

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

/** One alert of an hour each day at noon, of so many days. */
function record(days: number): Recorder {
  const store = createRecorder(rules);
  open = store;
  for (let index = 0; index < days; index += 1)
    for (const [at, value] of [
      [11, 20],
      [12, 60],
      [12.5, 70],
      [13, 20],
    ] as const)
      store.receive([{ device: "a", ts: t0 + index * day + at * hour, value }]);
  return store;
}
const rebuild = (store: Recorder, more: Partial<RebuildAlertsOptions> = {}) =>
  runRebuildAlerts(
    store.db,
    { from: t0, to: store.now() + 1, now: store.now() + day, by: "local:test", config: { plan: rules } as GatewayConfig, ...more },
    store.finish,
  );
const dump = (store: Recorder, ...tables: string[]) => tables.map((table) => store.db.prepare(`SELECT * FROM ${table}`).all());
const alertsOf = (store: Recorder) =>
  store.db.prepare<[], { id: string; state: string; peak: number }>("SELECT id, state, peak FROM alert ORDER BY fired_at").all();
const events = (store: Recorder) =>
  store.db.prepare<[], { alert: string; number: number; by: string; text: string }>("SELECT * FROM alert_event ORDER BY alert, number").all();
const forget = (store: Recorder, id: string): void => {
  for (const [table, column] of [
    ["alert", "id"],
    ["transition", "alert"],
  ] as const)
    store.db.prepare(`DELETE FROM ${table} WHERE ${column} = ?`).run(id);
};
const told = (store: Recorder): unknown => store.db.prepare("SELECT count(*) FROM notification").pluck().get();
/** As if all had been delivered. */
const deliver = (store: Recorder): void => void store.db.exec("UPDATE notification SET disposition = 'delivered' WHERE disposition = 'waiting'");

describe("a rebuild of alerts", () => {
  it("of what is stored as it should be changes nothing", async () => {
    const store = record(3);
    deliver(store);
    const before = dump(store, "alert", "transition", "alert_event", "notification");
    expect(await rebuild(store)).toMatchObject({ grade: "exact", fired: 3, counts: { inserted: 0, changed: 0, kept: 0, edge: 0, active: 0 }, told: [] });
    expect(dump(store, "alert", "transition", "alert_event", "notification")).toEqual(before);
  });

  it.each([false, true])("brings back what is missing as history of which nobody is told (by event time: %s)", async (byEventTime) => {
    const store = record(3);
    deliver(store);
    const [, second] = alertsOf(store);
    const id = (second as { id: string }).id;
    const whole = { alert: dump(store, "alert"), transition: dump(store, "transition") };
    forget(store, id);
    const before = told(store);
    expect((await rebuild(store, { byEventTime, isDry: true })).counts.inserted).toBe(1);
    expect(alertsOf(store)).toHaveLength(2);
    expect((await rebuild(store, { byEventTime })).counts).toMatchObject({ inserted: 1, changed: 0, kept: 0 });
    expect(told(store)).toBe(before);
    const strip = (rows: unknown) => JSON.stringify(rows).replaceAll(/"(changed_seq|at)":\d+/g, "");
    expect(strip(dump(store, "alert"))).toBe(strip(whole.alert));
    if (!byEventTime) expect(dump(store, "transition")).toEqual(whole.transition);
    const history = answerAlert(store.db, { id });
    for (const each of history?.transitions ?? []) expect(rejudge(each.evidence, each.ts)).toMatchObject({ to: each.to });
    expect(events(store)).toMatchObject([{ alert: id, by: "local:test", number: 1_000_000 }]);
    expect(events(store)[0]?.text).toContain("nobody was told");
    expect((await rebuild(store, { byEventTime })).counts).toMatchObject({ inserted: 0, changed: 0, kept: 0 });
    expect(events(store)).toHaveLength(1);
  });

  it("puts right what differs, says what it was, and keeps its id, of which people were told", async () => {
    const store = record(1);
    deliver(store);
    const [only] = alertsOf(store);
    const id = (only as { id: string }).id;
    // It fired half an hour later, and resolved then.
    store.db.prepare("UPDATE transition SET ts = ts + ? WHERE alert = ?").run(30 * minute, id);
    const odd = `${id.slice(0, id.lastIndexOf("-"))}-zzz`;
    for (const table of ["transition", "notification"]) store.db.prepare(`UPDATE ${table} SET alert = ?`).run(odd);
    store.db.prepare("UPDATE alert SET id = ?, fired_at = fired_at + ?").run(odd, 30 * minute);
    expect((await rebuild(store)).counts).toMatchObject({ changed: 1, inserted: 0 });
    expect(store.db.prepare("SELECT id, fired_at FROM alert").all()).toEqual([{ id: odd, fired_at: t0 + 12 * hour }]);
    expect(store.db.prepare(`SELECT "to", ts FROM transition WHERE alert = ? ORDER BY ordinal`).all(odd)).toEqual([
      { to: "firing", ts: t0 + 12 * hour },
      { to: "resolved", ts: t0 + 13 * hour },
    ]);
    expect(events(store)[0]?.text).toContain("before: firing 2026-03-02T12:30:00.000Z, resolved 2026-03-02T13:30:00.000Z; peak 70");
    expect((await rebuild(store)).counts).toMatchObject({ changed: 0, done: 1, inserted: 0 });
    expect(events(store)).toHaveLength(1);
  });

  it("lets stand what only the live run had, and says so once", async () => {
    const store = record(1);
    deliver(store);
    const [only] = alertsOf(store);
    const id = (only as { id: string }).id;
    for (const [table, column] of [
      ["transition", "alert"],
      ["notification", "alert"],
      ["alert", "id"],
    ] as const)
      store.db.prepare(`UPDATE ${table} SET ${column} = 'other-1' WHERE ${column} = ?`).run(id);
    expect((await rebuild(store)).counts).toMatchObject({ kept: 1, inserted: 1 });
    expect(answerAlert(store.db, { id: "other-1" })?.events.map(({ kind, text }) => [kind, text.endsWith("does not have it")])).toEqual([["rebuilt", true]]);
    expect((await rebuild(store)).counts).toMatchObject({ kept: 0, done: 1, inserted: 0 });
  });

  it("leaves alone what fires, what is still being told, and what reaches over an edge", async () => {
    const store = record(2);
    store.receive([{ device: "a", ts: t0 + 2 * day, value: 60 }]);
    for (const { id } of alertsOf(store)) store.db.prepare("UPDATE transition SET ts = ts + 1 WHERE alert = ?").run(id);
    const before = dump(store, "alert", "transition", "alert_event");
    expect((await rebuild(store)).counts).toMatchObject({ active: 3 });
    deliver(store);
    expect((await rebuild(store, { from: t0 + 12.2 * hour })).counts).toMatchObject({ active: 1, edge: 1, changed: 1 });
    expect((dump(store, "alert_event")[0] as unknown[]).length).toBe(1);
    expect(dump(store, "alert")[0]?.filter((row) => (row as { state: string }).state !== "resolved")).toEqual(before[0]?.slice(-1));
  });

  it("writes nothing of an alert that changed between reading and writing", async () => {
    const store = record(2);
    deliver(store);
    const [first, second] = alertsOf(store).map(({ id }) => ({ id })) as [{ id: string }, { id: string }];
    store.db.prepare("UPDATE transition SET ts = ts + 1 WHERE alert = ?").run(first.id);
    const missing = store.db.prepare("SELECT * FROM alert WHERE id = ?").get(second.id) as Record<string, unknown>;
    forget(store, second.id);
    const before = dump(store, "transition", "alert_event");
    const columns = Object.keys(missing);
    const report = await runRebuildAlerts(
      store.db,
      { from: t0, to: store.now() + 1, now: store.now() + day, by: "local:test", config: { plan: rules } as GatewayConfig },
      (rows) => {
        // Meanwhile the engine changes the one, and makes the other.
        store.db.exec("UPDATE alert SET changed_seq = changed_seq + 1");
        store.db
          .prepare(`INSERT INTO alert (${columns.map((name) => `"${name}"`).join(", ")}) VALUES (${columns.map((name) => `@${name}`).join(", ")})`)
          .run(missing);
        store.finish(rows);
      },
    );
    expect(report.counts).toMatchObject({ changed: 1, inserted: 1 });
    expect(dump(store, "transition", "alert_event")).toEqual(before);
  });

  it("of what was imported goes by event time; and counts in the summaries", async () => {
    const store = record(1);
    deliver(store);
    const { db } = store;
    const files = createImportStore({ dir: store.dir, db });
    const past = t0 - 10 * day;
    const file = files.file(csvOf([20, 60, 20, 20].map((value, index) => ({ device: "a", ts: past + index * hour, value }))));
    await files.import(file, { now: store.now() });
    const summarize = () => runDailySummary(db, { zone: utc, now: store.now() + 2 * day, devices: {} }, store.finish);
    await summarize();
    const report = await rebuild(store, { from: past, to: past + day });
    expect(report).toMatchObject({ grade: "event-time", because: "readings of that time were imported", counts: { inserted: 1 } });
    await summarize();
    const body = db.prepare<[], string>("SELECT body FROM daily_summary ORDER BY day LIMIT 1").pluck().get() as string;
    expect((JSON.parse(body) as DaySummary).alerts).toBe(1);
    const [made] = alertsOf(store);
    expect(made).toMatchObject({ state: "resolved", peak: 60 });
  });

  it("leaves no conflict where the engine fires at an instant of which a rebuild made an alert", () => {
    const store = record(1);
    const at = store.now() + hour;
    const probe = createRecorder(rules);
    probe.receive([{ device: "a", ts: at, value: 60 }]);
    const [row] = probe.db.prepare("SELECT * FROM transition").all() as Record<string, unknown>[];
    probe.close();
    const insert = store.db.prepare("INSERT INTO transition SELECT @alert, @ordinal, @to, @reason, @ts, @at, @value, @peak, @evidence");
    insert.run(row);
    insert.run({ ...row, ordinal: 2, to: "resolved" });
    store.receive([{ device: "a", ts: at, value: 60 }], hour);
    expect(store.db.prepare(`SELECT ordinal, "to" FROM transition WHERE alert = ?`).all(row?.["alert"])).toEqual([{ ordinal: 1, to: "firing" }]);
  });
});
