// From the engine to the mailbox: what the engine decides is committed, read by the outbox and taken by a real SMTP and a real HTTP server.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { email } from "../../src/notify/channels/email.ts";
import { webhook } from "../../src/notify/channels/webhook.ts";
import { createOutbox } from "../../src/notify/outbox.ts";
import { createAlertWriter } from "../../src/storage/alerts.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";
import { answerOutbox, answerOutboxRow } from "../../src/storage/notification-query.ts";
import { desk } from "../engine/dispatch/desk.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Commits what the engine gave so far, and waits until all of it is delivered. */
async function post(setting: Parameters<typeof desk>[0]) {
  const folder = mkdtempSync(join(tmpdir(), "highwater-told-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const db = openDatabase(folder, { readonly: false });
  closing.push(() => db.close());
  const mails: ReceivedMail[] = [];
  const hooks: ReceivedWebhook[] = [];
  const sinks = await createSinks({ onMail: (mail) => mails.push(mail), onWebhook: (hook) => hooks.push(hook) });
  closing.push(() => sinks.close());
  const channels = [
    { key: "email:0", type: "email", settings: email.schema.parse({ smtp: sinks.smtpUrl, from: "highwater@example.org", to: "oncall@example.org" }) },
    { key: "webhook:0", type: "webhook", settings: webhook.schema.parse({ url: sinks.webhookUrl }) },
  ];
  const outbox = createOutbox(
    {
      waiting: async (limit) => answerOutbox(db, { limit }).rows,
      whole: async (id) => answerOutboxRow(db, { id }),
      report: (report) => {
        writeFinished(db, [report]);
        outbox.wake();
      },
      deadLetter: (id, reason) => expect.fail(`${id} is dead: ${reason}`),
      clock: systemClock,
      log: createLog({ level: "silent", name: "test" }),
      metrics: createMetrics(),
    },
    { receivers: [{ name: "on-call", channels }], gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo", graceMs: 50 },
  );
  closing.push(() => outbox.close());
  const run = desk({ receivers: [{ name: "on-call", channels: channels.map(({ key }) => key) }], ...setting });
  const write = createAlertWriter(db);
  let written = 0;
  return {
    run,
    async deliver(): Promise<{ subject: string; text: string; thread: string; body: Record<string, unknown> & { alerts: object[] } }> {
      for (const effect of run.effects.slice(written)) write(effect, { seq: ++written, now: run.now() });
      outbox.wake();
      const waiting = db.prepare("SELECT count(*) FROM notification WHERE disposition = 'waiting' AND held_until IS NULL").pluck();
      await expect.poll(() => waiting.get(), { timeout: 20_000 }).toBe(0);
      const { subject = "", text = "", references = "" } = mails.at(-1)?.parsed ?? {};
      return { subject, text: text.replace(/\s+/g, " "), thread: String(references), body: hooks.at(-1)?.json as never };
    },
  };
}

test("a group: its first alerts, one that comes as another goes, a repeat, and its end, in one thread", async () => {
  const { run, deliver } = await post({ route: { groupBy: ["site"], groupWaitMs: 10_000, groupIntervalMs: 60_000, repeatMs: 600_000 } });
  run.say(1, "a,site=north", "b,site=north");
  run.pass(11);
  const first = await deliver();
  expect(first.subject).toBe("[FIRING 2] on · site north");
  expect(first.body).toMatchObject({ status: "firing", groupLabels: { site: "north" }, notification_reason: "first notification", truncatedAlerts: 0 });
  run.say(0, "a,site=north");
  run.say(1, "c,site=north");
  run.pass(60);
  const second = await deliver();
  expect(second.subject).toBe("[FIRING 2, RESOLVED 1] on · site north");
  expect(second.body).toMatchObject({
    notification_reason: "new alerts added",
    groupKey: first.body["groupKey"],
    commonLabels: { site: "north", metric: "on" },
  });
  run.pass(600);
  const repeated = await deliver();
  expect(repeated.subject).toBe("[FIRING 2, again] on · site north");
  expect(repeated.text).toContain("Told again because not all of it is acknowledged; the first of it fired 11 min 11 s ago.");
  expect(repeated.body["notification_reason"]).toBe("repeat interval elapsed");
  run.say(0, "b,site=north", "c,site=north");
  run.pass(60);
  const last = await deliver();
  expect(last.subject).toBe("[RESOLVED 2] on · site north");
  expect(last.body).toMatchObject({ status: "resolved", notification_reason: "all alerts resolved" });
  expect(new Set([first, second, repeated, last].map(({ thread }) => thread)).size).toBe(1);
});

test("a storm: the first alone, then the others together", async () => {
  const { run, deliver } = await post({ dispatch: { storm: { above: 3, perMs: 60_000, until: 2, intervalMs: 30_000 } } });
  for (let index = 0; index < 20; index++) run.say(1, `d${index},site=north`);
  run.pass(31);
  const { subject, text, body } = await deliver();
  expect(subject).toMatch(/^\[FIRING 1\d, storm\] on · site north$/);
  expect(text).toMatch(/The storm goes on: .* What comes further is told together too/);
  expect(body).toMatchObject({ groupLabels: {}, status: "firing", commonLabels: { site: "north" } });
});

test("what still fires long after a storm is told again, and not as a storm", async () => {
  const { run, deliver } = await post({ route: { repeatMs: 3_600_000 }, dispatch: { storm: { above: 3, perMs: 60_000, until: 2, intervalMs: 30_000 } } });
  for (let index = 0; index < 20; index++) run.say(1, `d${index},site=north`);
  run.pass(31);
  for (let index = 0; index < 18; index++) run.say(0, `d${index},site=north`);
  run.pass(60);
  const over = await deliver();
  expect(over.subject).toMatch(/^\[FIRING 2, RESOLVED 1\d, storm\] on · site north$/);
  expect(over.text).toContain("Nothing new came of the storm: below is what fires of it");
  run.pass(3_600);
  const again = await deliver();
  expect(again.subject).toBe("[FIRING 2, again] on · site north");
  expect(again.text).toContain("Told again because not all of it is acknowledged");
  expect(again.body).toMatchObject({ notification_reason: "repeat interval elapsed" });
  expect(again.thread).toBe(over.thread);
});

test("an alert alone that nobody acknowledges is told again, in its own thread", async () => {
  const { run, deliver } = await post({ route: { repeatMs: 14_400_000 } });
  run.say(1, "a");
  const first = await deliver();
  run.pass(14_400, 600);
  const again = await deliver();
  expect([first.subject, again.subject]).toEqual(["[FIRING warning] on · a 1", "[FIRING warning, again] on · a 1"]);
  expect(again.text).toContain("Still firing after 4 h; nobody has acknowledged it.");
  expect(again.thread).toBe(first.thread);
});
