// The outbox's promises, over real SMTP and HTTP servers: at least once, in order, nobody held up by another, nothing lost.

import { afterEach, expect, test } from "vitest";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import type { Clock } from "../../src/clock.ts";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { ATTEMPTS_MIN, RETRY_FOR_MS } from "../../src/notify/backoff.ts";
import { email } from "../../src/notify/channels/email.ts";
import { webhook } from "../../src/notify/channels/webhook.ts";
import { createOutbox, type OutboxOptions, type Receiver } from "../../src/notify/outbox.ts";
import type { OutboxHead, OutboxRow } from "../../src/storage/outbox-row.ts";
import { FIRED_AT, freezerRows, groupRow, row, rowStore } from "./outbox-rows.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function sinks() {
  const [mails, webhooks]: [ReceivedMail[], ReceivedWebhook[]] = [[], []];
  const made = await createSinks({ onMail: (mail) => mails.push(mail), onWebhook: (webhook) => webhooks.push(webhook) });
  closing.push(() => made.close());
  return { ...made, mails, webhooks };
}

/** A clock that a test moves; both hands go together. */
function movableClock(): Clock & { pass(ms: number): void } {
  let passed = 0;
  return { now: () => FIRED_AT + 1_000 + passed, monotonic: () => performance.now() + passed, pass: (ms) => (passed += ms) };
}

const mailTo = (name: string, smtp: string): Receiver => ({
  name,
  channels: [{ key: "email:0", type: "email", settings: email.schema.parse({ smtp, from: "highwater@example.org", to: "oncall@example.org" }) }],
});
const postTo = (name: string, url: string, timeout = "5s"): Receiver => ({
  name,
  channels: [{ key: "webhook:0", type: "webhook", settings: webhook.schema.parse({ url, timeout }) }],
});

function outboxOf(
  store: ReturnType<typeof rowStore>,
  receivers: readonly Receiver[],
  { clock = systemClock, ...options }: Partial<OutboxOptions> & { clock?: Clock } = {},
) {
  const metrics = createMetrics();
  const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080/", timezone: "Europe/Oslo" };
  const deps = {
    waiting: store.waiting,
    whole: store.whole,
    report: store.report,
    deadLetter: store.deadLetter,
    clock,
    log: createLog({ level: process.env.LOG ?? "silent", name: "test" }),
    metrics,
  };
  const outbox = createOutbox(deps, { ...sender, receivers, graceMs: 50, ...options });
  closing.push(() => outbox.close());
  return { outbox, metrics };
}

const ids = (received: readonly ReceivedWebhook[]) => received.map(({ headers }) => headers["webhook-id"]);
const delivered = (store: ReturnType<typeof rowStore>) => store.reports.filter(({ disposition }) => disposition === "delivered").map(({ id }) => id);
const viaWebhook = { channel: "webhook:0" };

test("delivers mail and webhook and reports each once", async () => {
  const sink = await sinks();
  const store = rowStore([row("firing"), row("firing", viaWebhook)]);
  const receiver = { name: "on-call", channels: [...mailTo("", sink.smtpUrl).channels, ...postTo("", sink.webhookUrl).channels] };
  const { outbox, metrics } = outboxOf(store, [receiver]);
  outbox.wake();
  await store.until(() => delivered(store).length === 2);
  expect(sink.mails.map(({ parsed }) => parsed.subject)).toEqual(["[FIRING critical] freezer-too-warm · freezer-7 −12.4 °C"]);
  expect(ids(sink.webhooks)).toEqual([row("firing", viaWebhook).id]);
  expect(store.reports).toEqual(expect.arrayContaining([expect.objectContaining({ attempts: 1, reason: null, disposition: "delivered" })]));
  expect(await metrics.text()).toContain('highwater_notify_deliveries_total{receiver="on-call",channel="email:0"} 1');
});

test("keeps the order of an alert while the first of it fails: resolved never overtakes firing", async () => {
  const sink = await sinks();
  sink.faults.http.push({ kind: "answer", code: 503 }, { kind: "answer", code: 500 });
  const clock = movableClock();
  const [firing, resolved] = [row("firing", viaWebhook), row("resolved", viaWebhook)];
  const store = rowStore([resolved, firing]);
  const { outbox } = outboxOf(store, [postTo("on-call", sink.webhookUrl)], { clock });
  outbox.wake();
  for (const failures of [1, 2]) {
    await store.until(() => store.reports.length === failures);
    clock.pass(10_000);
    outbox.wake();
  }
  await store.until(() => delivered(store).length === 2);
  expect(ids(sink.webhooks)).toEqual([firing.id, resolved.id]);
  expect(store.reports.map(({ disposition, attempts }) => `${disposition} ${attempts}`)).toEqual(["waiting 1", "waiting 2", "delivered 3", "delivered 1"]);
  expect(store.reports[0]?.reason).toBe("HTTP 503: told to refuse");
});

test("an answer of Retry-After is waited for, by all that is for that channel, and nobody else", async () => {
  const [slow, other] = [await sinks(), await sinks()];
  slow.faults.http.push({ kind: "answer", code: 429, headers: { "retry-after": "120" } });
  const clock = movableClock();
  const first = row("firing", viaWebhook);
  const second = row("firing", { ...viaWebhook, alert: "second" });
  const elsewhere = row("firing", { ...viaWebhook, receiver: "other" });
  const store = rowStore([first]);
  const { outbox } = outboxOf(store, [postTo("on-call", slow.webhookUrl), postTo("other", other.webhookUrl)], { clock });
  outbox.wake();
  await store.until(() => store.reports.length === 1);
  const [report] = store.reports;
  expect((report?.nextAt ?? 0) - clock.now()).toBeGreaterThan(119_000);
  store.add(second, elsewhere);
  clock.pass(119_000);
  outbox.wake();
  await store.until(() => delivered(store).length === 1);
  expect(ids(other.webhooks)).toEqual([elsewhere.id]);
  expect(ids(slow.webhooks)).toEqual([]);
  clock.pass(20_000);
  outbox.wake();
  await store.until(() => delivered(store).length === 3);
  expect(ids(slow.webhooks).toSorted()).toEqual([first.id, second.id].toSorted());
});

test("a receiver that hangs holds up nobody else and not more of its own than its share", async () => {
  const [hung, quick] = [await sinks(), await sinks()];
  for (let count = 0; count < 100; count++) hung.faults.http.push({ kind: "hang" });
  const rows = (receiver: string) => Array.from({ length: 30 }, (_, index) => row("firing", { ...viaWebhook, receiver, alert: `${receiver}-${index}` }));
  const store = rowStore([...rows("hung"), ...rows("quick")]);
  const { outbox } = outboxOf(store, [postTo("hung", hung.webhookUrl, "1h"), postTo("quick", quick.webhookUrl)], { perChannelMax: 4, overallMax: 6 });
  outbox.wake();
  await store.until(() => delivered(store).length === 30);
  expect(quick.webhooks).toHaveLength(30);
  expect(hung.webhooks).toHaveLength(4);
  expect(outbox.inFlight()).toBe(4);
});

test("close aborts what hangs within its bound, reports nothing of it, and a new outbox sends it again", async () => {
  const sink = await sinks();
  sink.faults.http.push({ kind: "hang" });
  const store = rowStore([row("firing", viaWebhook)]);
  const receivers = [postTo("on-call", sink.webhookUrl, "1h")];
  const { outbox } = outboxOf(store, receivers);
  outbox.wake();
  while (sink.webhooks.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await outbox.close();
  expect(store.reports).toEqual([]);
  outboxOf(store, receivers).outbox.wake();
  await store.until(() => delivered(store).length === 1);
  expect(ids(sink.webhooks)).toEqual([row("firing", viaWebhook).id, row("firing", viaWebhook).id]);
});

test("a crash between the receiver's yes and the commit gives a duplicate that can be known: same id, Message-ID and seq", async () => {
  const sink = await sinks();
  const rows = [row("firing"), row("firing", viaWebhook)];
  const receivers = [{ name: "on-call", channels: [...mailTo("", sink.smtpUrl).channels, ...postTo("", sink.webhookUrl).channels] }];
  const crashed = rowStore(rows, { commits: false });
  const before = outboxOf(crashed, receivers);
  before.outbox.wake();
  await crashed.until(() => delivered(crashed).length === 2);
  await before.outbox.close();
  const restarted = rowStore(rows);
  outboxOf(restarted, receivers).outbox.wake();
  await restarted.until(() => delivered(restarted).length === 2);
  expect(sink.mails.map(({ parsed }) => parsed.messageId)).toEqual(Array(2).fill(`<${row("firing").id.replaceAll(":", "+")}@example.org>`));
  expect(sink.webhooks.map(({ headers }) => `${headers["webhook-id"]} ${headers["highwater-seq"]}`)).toEqual(Array(2).fill(`${rows[1]?.id} 1`));
  expect(sink.webhooks[0]?.body).toBe(sink.webhooks[1]?.body);
});

test("the answer lost on the way is a failure: sent again, with the same id", async () => {
  const sink = await sinks();
  sink.faults.smtp.push({ kind: "drop" });
  const clock = movableClock();
  const store = rowStore([row("firing")]);
  const { outbox } = outboxOf(store, [mailTo("on-call", sink.smtpUrl)], { clock });
  outbox.wake();
  await store.until(() => store.reports.length === 1);
  clock.pass(5_000);
  outbox.wake();
  await store.until(() => delivered(store).length === 1);
  expect(new Set(sink.mails.map(({ parsed }) => parsed.messageId)).size).toBe(1);
  expect(sink.mails).toHaveLength(2);
});

test("a store that lags behind the reports makes nothing go twice", async () => {
  const sink = await sinks();
  const rows = Array.from({ length: 20 }, (_, index) => row("firing", { ...viaWebhook, alert: `a${index}` }));
  const store = rowStore(rows, { commits: false });
  const { outbox } = outboxOf(store, [postTo("on-call", sink.webhookUrl)]);
  outbox.wake();
  await store.until(() => {
    outbox.wake();
    return delivered(store).length === rows.length;
  });
  for (let count = 0; count < 5; count++) {
    outbox.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(ids(sink.webhooks).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
});

test("what a receiver refuses for good is a dead letter at once, and the next of that alert goes", async () => {
  const sink = await sinks();
  sink.faults.http.push({ kind: "answer", code: 410 });
  sink.faults.smtp.push({ kind: "answer", code: 550 });
  const store = rowStore([row("firing"), row("resolved"), row("firing", viaWebhook), row("resolved", viaWebhook)]);
  const receivers = [{ name: "on-call", channels: [...mailTo("", sink.smtpUrl).channels, ...postTo("", sink.webhookUrl).channels] }];
  const { outbox } = outboxOf(store, receivers);
  outbox.wake();
  await store.until(() => delivered(store).length === 2);
  expect(store.dead.map(({ id }) => id).toSorted()).toEqual([row("firing").id, row("firing", viaWebhook).id].toSorted());
  expect(store.dead.map(({ reason }) => reason).toSorted()).toEqual([expect.stringContaining("HTTP 410"), expect.stringContaining("550")]);
  expect(delivered(store).toSorted()).toEqual([row("resolved").id, row("resolved", viaWebhook).id].toSorted());
});

test("after 72 hours of retries a notification is a dead letter; an old one still gets the head of the schedule", async () => {
  const sink = await sinks();
  const refusals = 1_000;
  for (let count = 0; count < refusals; count++) sink.faults.http.push({ kind: "answer", code: 503 });
  const clock = movableClock();
  const old = row("firing", { ...viaWebhook, alert: "old", createdAt: FIRED_AT - 2 * RETRY_FOR_MS });
  const young = row("firing", { ...viaWebhook, alert: "young" });
  const store = rowStore([old, young]);
  const { outbox } = outboxOf(store, [postTo("on-call", sink.webhookUrl)], { clock });
  const started = clock.now();
  while (store.dead.length < 2) {
    const before = store.reports.length + store.dead.length;
    outbox.wake();
    await store.until(() => store.reports.length + store.dead.length > before);
    const next = Math.min(...(await store.waiting(9)).map(({ nextAt }) => nextAt));
    if (Number.isFinite(next)) clock.pass(Math.max(0, next - clock.now()) + 1);
  }
  expect(store.dead.map(({ id }) => id)).toEqual([old.id, young.id]);
  expect(store.dead[0]?.reason).toContain(`given up after ${ATTEMPTS_MIN} attempts`);
  expect(Math.abs(clock.now() - started - RETRY_FOR_MS)).toBeLessThan(60_000);
});

test("a receiver taken out of the config is tried again, and goes once it is back", async () => {
  const sink = await sinks();
  const clock = movableClock();
  const store = rowStore([row("firing", viaWebhook)]);
  const { outbox } = outboxOf(store, [], { clock });
  outbox.wake();
  await store.until(() => store.reports.length === 1);
  expect(store.reports[0]).toMatchObject({ disposition: "waiting", reason: "the config no longer has this receiver's channel" });
  clock.pass(5_000);
  outbox.reload([postTo("on-call", sink.webhookUrl)]);
  await store.until(() => delivered(store).length === 1);
});

test("an alert that flaps is told by the config in force: of the start, and after a reload of the new one", async () => {
  const sink = await sinks();
  const flaps = (alert: string): OutboxRow => ({ ...row("firing", { alert }), kind: "flapping" });
  const store = rowStore([flaps("first")]);
  const receivers = [mailTo("on-call", sink.smtpUrl)];
  const { outbox } = outboxOf(store, receivers, { flapping: { firings: 5, withinMs: 1_800_000 } });
  outbox.wake();
  await store.until(() => delivered(store).length === 1);
  store.add(flaps("second"));
  outbox.reload(receivers, { firings: 3, withinMs: 60_000 });
  await store.until(() => delivered(store).length === 2);
  store.add(flaps("third"));
  outbox.reload(receivers);
  await store.until(() => delivered(store).length === 3);
  expect(sink.mails.map(({ parsed }) => /It (?:has fired .*?:|fires again and again:)/.exec(parsed.text ?? "")?.[0])).toEqual([
    "It has fired 5 times within 30 min:",
    "It has fired 3 times within 1 min:",
    "It fires again and again:",
  ]);
});

test("a wall clock set back does not delay what waits", async () => {
  const sink = await sinks();
  sink.faults.http.push({ kind: "answer", code: 503 });
  let offset = 1_000;
  let up = 0;
  const clock: Clock = { now: () => FIRED_AT + offset, monotonic: () => performance.now() + up };
  const store = rowStore([row("firing", viaWebhook)]);
  const { outbox } = outboxOf(store, [postTo("on-call", sink.webhookUrl)], { clock });
  outbox.wake();
  await store.until(() => store.reports.length === 1);
  offset -= 86_400_000;
  up = 3_000;
  store.add(row("firing", { ...viaWebhook, alert: "fresh" }));
  outbox.wake();
  await store.until(() => delivered(store).length === 2);
});

test("a store that cannot be read is asked again", async () => {
  const sink = await sinks();
  const store = rowStore([row("firing", viaWebhook)]);
  let failures = 2;
  const flaky = {
    ...store,
    waiting: async (limit: number): Promise<OutboxHead[]> => {
      if (failures-- > 0) throw new Error("the query thread was restarted");
      return store.waiting(limit);
    },
  };
  outboxOf(flaky, [postTo("on-call", sink.webhookUrl)]).outbox.wake();
  await store.until(() => delivered(store).length === 1);
});

test("what is told together is read whole when its turn comes; where it cannot be read, it is tried again and holds up no other", async () => {
  const sink = await sinks();
  const store = rowStore([groupRow(freezerRows(3), viaWebhook), row("firing", { alert: "other", ...viaWebhook })]);
  const flaky = { ...store, whole: async () => Promise.reject(new Error("the question took too long")) };
  outboxOf(flaky, [postTo("on-call", sink.webhookUrl)]).outbox.wake();
  await store.until(() => store.reports.length === 2);
  expect(delivered(store)).toEqual([row("firing", { alert: "other", ...viaWebhook }).id]);
  expect(store.reports).toContainEqual(
    expect.objectContaining({ disposition: "waiting", attempts: 1, reason: "the channel broke: the question took too long" }),
  );
  outboxOf(rowStore([groupRow(freezerRows(3), viaWebhook)]), [postTo("on-call", sink.webhookUrl)]).outbox.wake();
  await expect.poll(() => sink.webhooks.map(({ json }) => (json as { alerts: object[] }).alerts.length)).toEqual([1, 3]);
});

test("a failure that the store does not know yet is not tried again at once", async () => {
  const sink = await sinks();
  for (let count = 0; count < 50; count++) sink.faults.http.push({ kind: "answer", code: 503 });
  const store = rowStore([row("firing", viaWebhook)], { commits: false });
  const { outbox } = outboxOf(store, [postTo("on-call", sink.webhookUrl)], { clock: movableClock() });
  outbox.wake();
  await store.until(() => store.reports.length === 1);
  for (let count = 0; count < 5; count++) {
    outbox.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(store.reports).toHaveLength(1);
});

test("a store that gives more than the first of each alert, in any order, does not upset the order", async () => {
  const sink = await sinks();
  const [firing, resolved] = [row("firing", viaWebhook), row("resolved", viaWebhook)];
  const store = rowStore([firing, resolved], { commits: false });
  outboxOf({ ...store, waiting: async () => [resolved, firing] }, [postTo("on-call", sink.webhookUrl)]).outbox.wake();
  await store.until(() => delivered(store).length === 2);
  expect(ids(sink.webhooks)).toEqual([firing.id, resolved.id]);
});

test("an attempt ends after its limit, whatever its channel allows", async () => {
  const sink = await sinks();
  sink.faults.http.push({ kind: "hang" });
  const store = rowStore([row("firing", viaWebhook)]);
  outboxOf(store, [postTo("on-call", sink.webhookUrl, "1h")], { attemptMs: 100 }).outbox.wake();
  await store.until(() => store.reports.length === 1);
  expect(store.reports[0]).toMatchObject({ disposition: "waiting", attempts: 1, reason: "the receiver did not answer in time" });
});

test("a timer that fires before its time by the steady clock plans again: nothing stays waiting", async () => {
  const sink = await sinks();
  const store = rowStore([]);
  const slow = {
    ...store,
    async waiting(limit: number) {
      await new Promise((resolve) => setTimeout(resolve, 60)); // so that each read is followed by a rest
      return store.waiting(limit);
    },
  };
  // Timers run by the machine's clock; this one lags behind it, so that each fires early.
  const clock: Clock = { now: systemClock.now, monotonic: () => performance.now() * 0.8 };
  const { outbox } = outboxOf(slow, [postTo("on-call", sink.webhookUrl)], { clock });
  outbox.wake();
  await new Promise((resolve) => setTimeout(resolve, 90));
  store.add(row("firing", viaWebhook));
  outbox.wake();
  await store.until(() => delivered(store).length === 1);
  expect(ids(sink.webhooks)).toHaveLength(1);
});
