// The contract of channels (src/notify/channels/channel.ts), held against every one that the index lists, over real sockets.
// A new channel needs a receiver below; without one the suite fails.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { createSinks, type Fault, type SinkOptions } from "../../simulators/sinks.ts";
import { notificationKinds } from "../../src/engine/dispatch/record.ts";
import { channelOf, channels } from "../../src/notify/channels/index.ts";
import { type Notification, readNotification } from "../../src/notify/notification.ts";
import type { OutboxRow } from "../../src/storage/outbox-row.ts";
import { freezerRows, groupRow, row } from "../notify/outbox-rows.ts";

type Receiver = {
  /** As in the config. */
  readonly settings: Record<string, unknown>;
  /** What arrived, as the id that the receiver can know a duplicate by, and all of it as text. */
  received(): { readonly id: string | undefined; readonly text: string }[];
  /** The next message meets this. */
  next(fault: "busy" | "refuse" | "hang" | "drop"): void;
  close(): Promise<void>;
};

type Sinks = Awaited<ReturnType<typeof createSinks>>;
async function sinkReceiver(
  options: Pick<SinkOptions, "onMail" | "onWebhook">,
  use: { settings: (sinks: Sinks) => Record<string, unknown>; list: "smtp" | "http"; busy: number; refuse: number },
  received: Receiver["received"],
): Promise<Receiver> {
  const sinks = await createSinks(options);
  const faults: Record<string, Fault> = {
    busy: { kind: "answer", code: use.busy },
    refuse: { kind: "answer", code: use.refuse },
    hang: { kind: "hang" },
    drop: { kind: "drop" },
  };
  return { settings: use.settings(sinks), received, close: sinks.close, next: (fault) => sinks.faults[use.list].push(faults[fault] as Fault) };
}

const receivers: Record<string, () => Promise<Receiver>> = {
  email: () => {
    const arrived: { id: string | undefined; text: string }[] = [];
    const settings = ({ smtpUrl }: Sinks) => ({ smtp: smtpUrl, from: "highwater@example.org", to: ["oncall@example.org"] });
    return sinkReceiver(
      { onMail: ({ parsed, raw }) => arrived.push({ id: parsed.messageId, text: `${raw.toString()}\n${parsed.subject}\n${parsed.text}\n${parsed.html}` }) },
      { settings, list: "smtp", busy: 451, refuse: 554 },
      () => arrived,
    );
  },
  webhook: () => {
    const arrived: { id: string | undefined; text: string }[] = [];
    const settings = ({ webhookUrl }: Sinks) => ({ url: webhookUrl });
    return sinkReceiver(
      { onWebhook: ({ headers, body }) => arrived.push({ id: headers["webhook-id"], text: JSON.stringify(headers) + body }) },
      { settings, list: "http", busy: 503, refuse: 400 },
      () => arrived,
    );
  },
};

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const firing = readNotification(row("firing"), sender);

test("types are unique, and each has a receiver here", () => {
  const types = channels.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  expect(Object.keys(receivers).toSorted()).toEqual([...types].toSorted());
});

describe.each(channels.map(({ type }) => type))("%s", (type) => {
  const channel = channelOf(type);
  if (channel === undefined) throw new Error(`no channel ${type}`);
  let receiver: Receiver;
  beforeEach(async () => {
    const make = receivers[type];
    if (make === undefined) throw new Error(`no receiver for ${type}`);
    receiver = await make();
  });
  afterEach(() => receiver.close());
  const send = (notification: Notification, signal = new AbortController().signal) =>
    channel.send(channel.schema.parse(receiver.settings), notification, signal);

  test("its schema refuses unknown keys, and can be written as JSON Schema", () => {
    expect(channel.schema.safeParse(receiver.settings).success).toBe(true);
    expect(channel.schema.safeParse({ ...receiver.settings, extra: 1 }).success).toBe(false);
    expect(channel.schema.safeParse({}).success).toBe(false);
    expect(z.toJSONSchema(channel.schema, { io: "input" })).toMatchObject({ type: "object", additionalProperties: false });
  });

  test("delivers firing and resolved, each by its own id", async () => {
    expect(await send(firing)).toEqual({ kind: "delivered" });
    expect(await send(readNotification(row("resolved"), sender))).toEqual({ kind: "delivered" });
    expect(new Set(receiver.received().map(({ id }) => id)).size).toBe(2);
  });

  test("a duplicate carries the same id", async () => {
    await send(firing);
    await send(firing);
    const [first, second] = receiver.received();
    expect(first?.id).toContain(firing.id);
    expect(second?.id).toBe(first?.id);
  });

  test("busy is tried again; refused is not; each with a reason of one line", async () => {
    receiver.next("busy");
    receiver.next("refuse");
    const [busy, refused] = [await send(firing), await send(firing)];
    expect([busy.kind, refused.kind]).toEqual(["retry", "failed"]);
    for (const delivery of [busy, refused])
      expect(delivery).toEqual(expect.objectContaining({ reason: expect.stringMatching(/^[^\r\n]{3,300}$/), cause: expect.any(String) }));
    expect(receiver.received()).toEqual([]);
  });

  test("a connection that breaks, and nobody there, are tried again", async () => {
    receiver.next("drop");
    expect(await send(firing)).toMatchObject({ kind: "retry", cause: "network" });
    await receiver.close();
    expect(await send(firing)).toMatchObject({ kind: "retry", cause: "network" });
  });

  test("ends soon after its signal, also when that was aborted before", async () => {
    receiver.next("hang");
    const abort = new AbortController();
    const sending = send(firing, abort.signal);
    await expect.poll(() => receiver.received().length, { timeout: 5_000 }).toBe(1);
    abort.abort(new Error("closing"));
    expect(await sending).toMatchObject({ kind: "retry", cause: "timeout" });
    expect(await send(firing, abort.signal)).toMatchObject({ kind: "retry" });
    expect(receiver.received()).toHaveLength(1);
  });

  test("hostile labels change no header and no markup", async () => {
    const device = `<script>alert(1)</script>\r\nBcc: thief@example.org\r\n\r\n\u202e{{ 7 | times: 6 }}`;
    const labels = { alertname: "freezer-too-warm", severity: "critical", device, metric: "temperature" };
    expect(await send(readNotification(row("firing", { labels }), sender))).toEqual({ kind: "delivered" });
    const [head] = receiver.received()[0]?.text.split("\r\n\r\n", 1) ?? [];
    expect(head).toContain(firing.id);
    expect(head).not.toMatch(/^Bcc:/im);
  });

  test.each(notificationKinds)("%s: of one alert, and of a group with each of its alerts", async (kind) => {
    expect(await send(readNotification({ ...row("firing"), kind }, sender))).toEqual({ kind: "delivered" });
    expect(await send(readNotification(groupRow(freezerRows(5), { kind, seq: 2 }), sender))).toEqual({ kind: "delivered" });
    const [alone, together] = receiver.received();
    expect(alone?.text).toContain("freezer-7");
    for (const { alert } of freezerRows(5)) expect(together?.text).toContain(alert.labels["device"]);
  });

  test("a group that is more than a message holds: how many there was no room for, and still a message", async () => {
    const told = readNotification(groupRow(freezerRows(500), { kind: "storm", line: "storm/on-call@mhx2k9", more: 7_777 }), sender);
    expect(await send(told)).toEqual({ kind: "delivered" });
    const [one] = receiver.received();
    expect(one?.text).toContain("7777");
    expect(one?.text.length).toBeLessThan(500_000);
  });

  test("a group of one alert, one that has resolved, one that has lost its alerts, and one of a strange key", async () => {
    const [first, second] = freezerRows(10).filter(({ state }) => state === "resolved");
    const over = groupRow([first as OutboxRow, second as OutboxRow]);
    const lost = { ...groupRow(freezerRows(1)), members: { alerts: [], fresh: 0, more: 0 } };
    const strange = groupRow(freezerRows(2), { line: 'x\r\nBcc: thief@example.org/1f2e:{a="\\q"}@k' });
    for (const told of [groupRow(freezerRows(1)), over, lost, strange]) expect(await send(readNotification(told, sender))).toEqual({ kind: "delivered" });
    expect(receiver.received()).toHaveLength(4);
    for (const { text } of receiver.received()) expect(text.split("\r\n\r\n", 1)[0]).not.toMatch(/^Bcc:/im);
  });
});
