// The lists: series, alerts, summaries, notifications, the outbox's heads, rejected. Filters, pages, and that nothing is lost between pages.

import { afterEach, describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { systemClock } from "../../src/clock.ts";
import { utc } from "../../src/engine/calendar.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Answer, QueryContext, QueryRequest } from "../../src/storage/query.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const minute = 60_000;
const day = 86_400_000;
const fz2 = { labels: { room: "B2", device: "shadowed" }, limits: {}, unit: "°C", expectedEveryMs: null };
const context: QueryContext = { devices: { "fz-2": fz2 }, zone: utc, clock: systemClock, timeMs: 60_000 };
const rules = [
  rule({ name: "warm", condition: { type: "threshold", above: 30 }, severity: "critical", labels: { team: "cold" }, annotations: { summary: "{{device}}" } }),
  rule({ name: "slow", condition: { type: "threshold", above: 30 }, for: "1h" }),
];

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});
/** Three devices; fz-1 was warm twice, fz-2 is warm still, fz-3 never. */
function record(): Recorder {
  open = createRecorder(plan(rules, { maxFutureMs: 1e15 }));
  const values: Record<string, number[]> = { "fz-1": [20, 40, 20, 50, 20], "fz-2": [20, 20, 20, 20, 35], "fz-3": [20, 20, 20, 20, 20] };
  for (let step = 0; step < 5; step += 1)
    open.receive(
      Object.entries(values).map(([device, list], index) => ({ device, ts: (step + 1) * minute + index, value: list[step] as number })),
      minute,
    );
  return open;
}
/** A read-only connection, as the query thread has. */
function ask<Request extends QueryRequest>(store: Recorder, request: Request): Answer<Request> {
  const db = store.reader();
  try {
    return answerQuery(db, request, context);
  } finally {
    db.close();
  }
}
/** All pages of a list, one after the other. */
function pages<Item>(of: (cursor: string | undefined) => { items: readonly Item[]; cursor: string | null }): Item[] {
  const all: Item[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < 100 && cursor !== null; page += 1) {
    const answer = of(cursor);
    all.push(...answer.items);
    cursor = answer.cursor;
  }
  return all;
}
const at = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });

describe("series", () => {
  it("have the device's labels under their own, its unit, and the newest closed reading", () => {
    const store = record();
    const { series } = ask(store, { kind: "series", labels: { room: ["B2"] } });
    expect(series).toEqual([
      {
        id: 1,
        key: '{device="fz-2",metric="temperature"}',
        labels: { device: "fz-2", metric: "temperature", room: "B2" },
        source: "sensors/{device}/{metric}",
        unit: "°C",
        last: { ts: 4 * minute + 1, value: 20 },
      },
    ]);
  });

  it("are filtered by any of several values, and by a label that must not be there", () => {
    const store = record();
    const devices = (labels: Record<string, string[]>) => ask(store, { kind: "series", labels }).series.map((each) => each.labels["device"]);
    expect(devices({ device: ["fz-1", "fz-3"] })).toEqual(["fz-1", "fz-3"]);
    expect(devices({ room: [""] })).toEqual(["fz-1", "fz-3"]);
    expect(devices({ device: ["fz-1"], metric: ["humidity"] })).toEqual([]);
  });

  it("come in pages", () => {
    const store = record();
    const all = pages((cursor) => {
      const { series, cursor: next } = ask(store, { kind: "series", limit: 1, ...at(cursor) });
      return { items: series, cursor: next };
    });
    expect(all.map(({ id }) => id)).toEqual([0, 1, 2]);
  });
});

describe("alerts", () => {
  it("are newest first, the pending ones in front with what the plan says of them", () => {
    const store = record();
    const { alerts, cursor } = ask(store, { kind: "alerts" });
    expect(alerts.map(({ rule: name, state, labels, value, peak }) => [name, state, labels["device"], value, peak])).toEqual([
      ["slow", "pending", "fz-2", 35, null],
      ["warm", "firing", "fz-2", 35, 35],
      ["warm", "resolved", "fz-1", 20, 50],
      ["warm", "resolved", "fz-1", 20, 40],
    ]);
    expect(cursor).toBeNull();
    expect(alerts[0]).toMatchObject({ id: null, severity: "warning", firedAt: null, since: 5 * minute + 1, unit: "°C" });
    expect(alerts[0]?.labels).toMatchObject({ alertname: "slow", room: "B2" });
    expect(alerts[1]).toMatchObject({ severity: "critical", limit: 30, annotations: { summary: "{{device}}" }, firedAt: 5 * minute + 1, resolvedAt: null });
    expect(alerts[1]?.labels).toMatchObject({ alertname: "warm", team: "cold", device: "fz-2" });
  });

  it("are filtered by state, rule, label and time", () => {
    const store = record();
    const fired = (request: Omit<Extract<QueryRequest, { kind: "alerts" }>, "kind">) =>
      ask(store, { kind: "alerts", ...request }).alerts.map(({ firedAt }) => firedAt);
    expect(fired({ states: ["resolved"] })).toEqual([4 * minute, 2 * minute]);
    expect(fired({ states: ["pending"] })).toEqual([null]);
    expect(fired({ rule: "slow" })).toEqual([null]);
    expect(fired({ labels: { device: ["fz-2"], alertname: ["warm"] } })).toEqual([5 * minute + 1]);
    expect(fired({ from: 2 * minute, to: 4 * minute })).toEqual([2 * minute]);
    expect(fired({ from: 2 * minute + 1, to: 4 * minute + 1 })).toEqual([4 * minute]);
  });

  it("come in pages of which none repeats or skips one, those of one instant included", () => {
    const store = createRecorder(plan(rules, { maxFutureMs: 1e15 }));
    open = store;
    const devices = Array.from({ length: 9 }, (_, index) => `fz-${index}`);
    for (let step = 0; step < 3; step += 1) store.receive(devices.map((device) => ({ device, ts: step * minute, value: step % 2 === 0 ? 40 : 20 })));
    const all = pages((cursor) => {
      const { alerts, cursor: next } = ask(store, { kind: "alerts", states: ["firing", "resolved"], limit: 4, ...at(cursor) });
      return { items: alerts, cursor: next };
    });
    expect(all).toHaveLength(18);
    expect(new Set(all.map(({ id }) => id)).size).toBe(18);
    expect(all.map(({ firedAt }) => firedAt as number)).toEqual([...all.map(({ firedAt }) => firedAt as number)].sort((a, b) => b - a));
  });

  it("are told with all that happened to one", () => {
    const store = record();
    const [newest] = ask(store, { kind: "alerts", states: ["resolved"] }).alerts;
    const history = ask(store, { kind: "alert", id: newest?.id ?? "" });
    expect(history?.transitions.map(({ ordinal, to, ts, figures }) => [ordinal, to, ts, figures.value, figures.peak])).toEqual([
      [1, "firing", 4 * minute, 50, 50],
      [2, "resolved", 5 * minute, 20, 50],
    ]);
    expect(history?.transitions[0]?.evidence).toMatchObject({ measure: 50, trigger: "reading", from: "inactive" });
    expect(history?.notifications.map(({ seq, state, disposition }) => [seq, state, disposition])).toEqual([
      [1, "firing", "waiting"],
      [2, "resolved", "waiting"],
    ]);
    expect(ask(store, { kind: "alert", id: "none" })).toBeNull();
  });
});

describe("notifications", () => {
  it("come newest first, in pages, by disposition and alert", () => {
    const store = record();
    const all = pages((cursor) => {
      const { notifications, cursor: next } = ask(store, { kind: "notifications", limit: 2, ...at(cursor) });
      return { items: notifications, cursor: next };
    });
    expect(new Set(all.map(({ id }) => id)).size).toBe(5);
    expect(all.map(({ createdAt }) => createdAt)).toEqual([...all.map(({ createdAt }) => createdAt)].sort((a, b) => b - a));
    const [first] = all;
    store.finish([{ kind: "delivery", id: first?.id ?? "", disposition: "delivered", attempts: 1, nextAt: 0, endedAt: 7, reason: null }]);
    expect(ask(store, { kind: "notifications", disposition: "delivered" }).notifications).toMatchObject([{ id: first?.id, endedAt: 7 }]);
    expect(ask(store, { kind: "notifications", alert: first?.alert ?? "" }).notifications.every(({ alert }) => alert === first?.alert)).toBe(true);
  });

  it("wait in the outbox one per alert and channel, joined with what they tell of", () => {
    const store = record();
    const heads = () => ask(store, { kind: "outbox", limit: 10 }).rows;
    expect(heads().map(({ seq, state, alert, transition }) => [alert.labels["device"], seq, state, transition.ts, transition.figures.value])).toEqual([
      ["fz-1", 1, "firing", 2 * minute, 40],
      ["fz-1", 1, "firing", 4 * minute, 50],
      ["fz-2", 1, "firing", 5 * minute + 1, 35],
    ]);
    const [head] = heads();
    expect(head?.alert).toMatchObject({ state: "resolved", value: 20, peak: 40 });
    store.finish([{ kind: "delivery", id: head?.id ?? "", disposition: "delivered", attempts: 1, nextAt: 0, endedAt: 1, reason: null }]);
    expect(heads().find(({ alert }) => alert.id === head?.alert.id)).toMatchObject({
      seq: 2,
      state: "resolved",
      transition: { to: "resolved", figures: { value: 20 } },
    });
    expect(ask(store, { kind: "outbox", limit: 1 }).rows).toHaveLength(1);
  });
});

describe("the outbox's heads", () => {
  it("are given without what else they tell of, which is asked for one by one: many large groups are read at once", () => {
    const together = { receiver: "on-call", groupBy: null, groupWaitMs: 1_000, groupIntervalMs: 1_000 };
    const store = createRecorder({ ...plan([rule({ name: "warm", condition: { type: "threshold", above: 30 } })], { maxFutureMs: 1e15 }), route: together });
    open = store;
    store.receive(Array.from({ length: 600 }, (_, index) => ({ device: `d${index}`, ts: minute, value: 40 })));
    store.receive([{ device: "d0", ts: 2 * minute, value: 40 }]);
    const [head, ...others] = ask(store, { kind: "outbox", limit: 10 }).rows;
    expect([head?.members, others]).toEqual(["left_out", []]);
    const whole = ask(store, { kind: "outbox_row", id: head?.id ?? "" });
    expect(whole).toMatchObject({ ...head, members: { fresh: 500, more: 100 } });
    expect(new Set(whole?.members?.alerts.map(({ alert, transition }) => `${alert.id} ${transition.to}`)).size).toBe(500);
    expect(ask(store, { kind: "outbox_row", id: "none" })).toBeNull();
  });

  it("stay the first of their alert while it is tried again, though later ones are due before", () => {
    const store = record();
    const first = ask(store, { kind: "outbox", limit: 10 }).rows.filter(({ alert }) => alert.labels["device"] === "fz-1");
    for (const { id } of first) store.finish([{ kind: "delivery", id, disposition: "waiting", attempts: 3, nextAt: 9e12, endedAt: null, reason: "refused" }]);
    const second = ask(store, { kind: "outbox", limit: 10 }).rows.find(({ alert }) => alert.labels["device"] === "fz-2");
    store.finish([{ kind: "delivery", id: second?.id ?? "", disposition: "delivered", attempts: 1, nextAt: 0, endedAt: 1, reason: null }]);
    const [only, ...others] = ask(store, { kind: "outbox", limit: 1 }).rows;
    expect([only?.seq, only?.attempts, others]).toEqual([1, 3, []]);
  });
});

describe("summaries", () => {
  it("come by day and label, newest day first, in pages", async () => {
    const store = createRecorder(plan([], { maxFutureMs: 1e15 }));
    open = store;
    for (let index = 0; index < 3; index += 1) store.receive(["fz-1", "fz-2", "fz-3"].map((device) => ({ device, ts: index * day, value: index })));
    await runDailySummary(store.db, { zone: utc, now: 3 * day, devices: {} }, store.finish);
    const all = pages((cursor) => {
      const { summaries, cursor: next } = ask(store, { kind: "summaries", limit: 2, ...at(cursor) });
      return { items: summaries, cursor: next };
    });
    expect(all.map((each) => [each.day, each.series])).toEqual(
      ["1970-01-03", "1970-01-02", "1970-01-01"].flatMap((each) => [0, 1, 2].map((series) => [each, series])),
    );
    const { summaries } = ask(store, { kind: "summaries", day: "1970-01-02", labels: { room: ["B2"] } });
    expect(summaries).toMatchObject([
      { day: "1970-01-02", zone: "UTC", labels: { device: "fz-2", room: "B2" }, unit: "°C", avg: 1, version: 1, computed_at: 3 * day },
    ]);
    const range = ask(store, { kind: "summaries", from: "1970-01-02", to: "1970-01-02", series: [2] });
    expect(range.summaries.map((each) => [each.day, each.series])).toEqual([["1970-01-02", 2]]);
    expect(ask(store, { kind: "summaries", day: "1971-01-01" })).toEqual({ summaries: [], cursor: null });
  });

  it("say where the gaps lie and when the extremes were read; those from before say that they do not know", async () => {
    const store = createRecorder(plan([], { maxFutureMs: 1e15 }));
    open = store;
    for (const [ts, value] of [
      [1000, 5],
      [2000, 7],
    ] as const)
      store.receive([{ device: "fz-1", ts, value }]);
    await runDailySummary(store.db, { zone: utc, now: day, devices: {} }, store.finish);
    const known = { min_ts: 1000, max_ts: 2000, longest_gaps: [[2000, day]], gaps: 1 };
    expect(ask(store, { kind: "summaries" }).summaries).toMatchObject([known]);
    store.db.exec("UPDATE daily_summary SET body = json_remove(body, '$.min_ts', '$.max_ts', '$.longest_gaps')");
    expect(ask(store, { kind: "summaries" }).summaries).toMatchObject([{ min_ts: null, max_ts: null, longest_gaps: [], gaps: 1 }]);
  });
});

describe("rejected", () => {
  it("come newest first with their sample", () => {
    const store = record();
    const reject = (topic: string, when: number) =>
      store.finish([{ kind: "rejected", topic, reason: "undecodable", count: 2, at: when, detail: "no JSON", sample: Uint8Array.of(1, 2) }]);
    reject("a", 1);
    reject("b", 2);
    reject("a", 3);
    const { rejected } = ask(store, { kind: "rejected" });
    expect(rejected).toMatchObject([
      { topic: "a", count: 4, firstAt: 1, lastAt: 3, detail: "no JSON" },
      { topic: "b", count: 2 },
    ]);
    expect([...(rejected[0]?.sample ?? [])]).toEqual([1, 2]);
    expect(ask(store, { kind: "rejected", limit: 1 }).rejected).toHaveLength(1);
  });
});

describe("counts", () => {
  it("are of all notifications, not of a page, and of what was rejected by reason", () => {
    const store = record();
    const { notifications } = ask(store, { kind: "notifications" });
    const dated = notifications.map(({ createdAt }) => createdAt);
    expect(ask(store, { kind: "counts" })).toEqual({
      waiting: 5,
      oldestWaitingAt: Math.min(...dated),
      dead: 0,
      notifications: [{ disposition: "waiting", count: 5 }],
      rejected: [],
    });
    const copy = store.db.prepare(`INSERT INTO notification
      (id, alert, ordinal, receiver, channel, seq, state, disposition, created_at, created_seq, attempts, next_at, ended_at, reason)
      SELECT id || '-' || @index, alert, ordinal, receiver, channel, seq, state, @disposition,
      created_at - 1, created_seq, attempts, next_at, ended_at, reason FROM notification WHERE id = @id`);
    for (let index = 0; index < 2000; index++) copy.run({ index, id: notifications[0]?.id, disposition: index < 600 ? "waiting" : "dead" });
    const reject = (topic: string, reason: "undecodable" | "bad_quality", count: number) =>
      store.finish([{ kind: "rejected", topic, reason, count, at: 1, detail: "", sample: Uint8Array.of() }]);
    reject("a", "undecodable", 2);
    reject("b", "undecodable", 3);
    reject("b", "bad_quality", 4);
    expect(ask(store, { kind: "counts" })).toEqual({
      waiting: 605,
      notifications: [
        { disposition: "dead", count: 1400 },
        { disposition: "waiting", count: 605 },
      ],
      oldestWaitingAt: Math.min(...dated, (notifications[0]?.createdAt ?? 0) - 1),
      dead: 1400,
      rejected: [
        { reason: "bad_quality", count: 4 },
        { reason: "undecodable", count: 5 },
      ],
    });
    for (const { id } of notifications) store.finish([{ kind: "delivery", id, disposition: "delivered", attempts: 1, nextAt: 0, endedAt: 1, reason: null }]);
    store.db.exec("UPDATE notification SET disposition = 'dead' WHERE disposition = 'waiting'");
    expect(ask(store, { kind: "counts" })).toMatchObject({ waiting: 0, oldestWaitingAt: null, dead: 2000 });
  });
});
