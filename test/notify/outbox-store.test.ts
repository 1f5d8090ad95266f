// The outbox over the real store: what the writer commits, the query gives, and a delivery is written back; across a restart too.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { systemClock } from "../../src/clock.ts";
import type { Effects } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { webhook } from "../../src/notify/channels/webhook.ts";
import { createOutbox } from "../../src/notify/outbox.ts";
import { createAlertWriter } from "../../src/storage/alerts.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";
import { answerOutbox, answerOutboxRow } from "../../src/storage/notification-query.ts";
import { row } from "./outbox-rows.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const none: Effects = createEngine().step([], { now: 0, up: 0 });

/** Writes the firing and the resolved of alerts, as commits of the pipeline would. */
function commitAlerts(db: Database, names: readonly string[]): void {
  const write = createAlertWriter(db);
  for (const state of ["firing", "resolved"] as const) {
    const rows = names.map((alert) => row(state, { alert, channel: "webhook:0" }));
    const transitions = rows.map(({ transition: { at: _at, ...transition } }) => transition);
    const notifications = rows.map(
      ({ id, receiver, channel, seq, alert, transition }) =>
        ({
          id,
          receiver,
          channel,
          seq,
          state,
          alert: alert.id,
          ordinal: transition.ordinal,
          kind: "transition",
          disposition: "waiting",
          cause: null,
          line: null,
          heldUntil: null,
          members: null,
        }) as const,
    );
    write({ ...none, transitions, alerts: rows.map(({ alert }) => alert), notifications }, { seq: state === "firing" ? 1 : 2, now: systemClock.now() });
  }
}

function start(db: Database, url: string) {
  const outbox = createOutbox(
    {
      waiting: async (limit) => answerOutbox(db, { limit }).rows,
      whole: async (id) => answerOutboxRow(db, { id }),
      report: (report) => {
        writeFinished(db, [report]);
        outbox.wake();
      },
      deadLetter: (id, reason) => {
        createAlertWriter(db)({ ...none, dead: [{ notification: id, reason }] }, { seq: 3, now: systemClock.now() });
        outbox.wake();
      },
      clock: systemClock,
      log: createLog({ level: "silent", name: "test" }),
      metrics: createMetrics(),
    },
    {
      receivers: [{ name: "on-call", channels: [{ key: "webhook:0", type: "webhook", settings: webhook.schema.parse({ url }) }] }],
      gatewayName: "cold-chain",
      externalUrl: "http://127.0.0.1:8080",
      timezone: "Europe/Oslo",
      graceMs: 50,
    },
  );
  closing.push(() => outbox.close());
  outbox.wake();
  return { close: outbox.close, settle: (isTrue: () => boolean) => expect.poll(isTrue, { timeout: 20_000 }).toBe(true) };
}

async function setUp() {
  const folder = mkdtempSync(join(tmpdir(), "highwater-outbox-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const db = openDatabase(folder, { readonly: false });
  closing.push(() => db.close());
  const received: ReceivedWebhook[] = [];
  const sinks = await createSinks({ onWebhook: (one) => received.push(one) });
  closing.push(() => sinks.close());
  const count = (disposition: string) => db.prepare("SELECT count(*) FROM notification WHERE disposition = ?").pluck().get(disposition) as number;
  return { db, sinks, received, count };
}

test("a hundred alerts: each firing before its resolved, each once, all written as delivered", async () => {
  const { db, sinks, received, count } = await setUp();
  const names = Array.from({ length: 100 }, (_, index) => `alert-${index}`);
  commitAlerts(db, names);
  const { settle } = start(db, sinks.webhookUrl);
  await settle(() => count("delivered") === 200);
  const ids = received.map(({ headers }) => headers["webhook-id"] ?? "");
  expect(new Set(ids).size).toBe(200);
  expect(ids).toHaveLength(200);
  for (const alert of names)
    expect(ids.indexOf(row("firing", { alert, channel: "webhook:0" }).id)).toBeLessThan(ids.indexOf(row("resolved", { alert, channel: "webhook:0" }).id));
});

test("attempts, the reason and the next time are in the store, and go on after a restart", async () => {
  const { db, sinks, received, count } = await setUp();
  commitAlerts(db, ["a"]);
  sinks.faults.http.push({ kind: "answer", code: 500 });
  const first = start(db, sinks.webhookUrl);
  const read = () => db.prepare("SELECT disposition, attempts, next_at - created_at AS wait, reason FROM notification ORDER BY seq").all();
  await first.settle(() => (read()[0] as { attempts: number }).attempts === 1);
  expect(read()[0]).toEqual({ disposition: "waiting", attempts: 1, wait: expect.any(Number), reason: "HTTP 500: told to refuse" });
  await first.close();
  const second = start(db, sinks.webhookUrl);
  await second.settle(() => count("delivered") === 2);
  expect(read()).toEqual([
    { disposition: "delivered", attempts: 2, wait: expect.any(Number), reason: null },
    { disposition: "delivered", attempts: 1, wait: expect.any(Number), reason: null },
  ]);
  expect(received.map(({ headers }) => headers["highwater-seq"])).toEqual(["1", "2"]);
});

test("a dead letter is written with its reason, and the next of its alert goes", async () => {
  const { db, sinks, count } = await setUp();
  commitAlerts(db, ["a"]);
  sinks.faults.http.push({ kind: "answer", code: 410 });
  const { settle } = start(db, sinks.webhookUrl);
  await settle(() => count("delivered") === 1 && count("dead") === 1);
  expect(db.prepare("SELECT seq, reason FROM notification WHERE disposition = 'dead'").get()).toEqual({ seq: 1, reason: expect.stringContaining("HTTP 410") });
});
