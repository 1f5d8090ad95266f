// Webhook bodies of groups and kinds, as a real HTTP server takes them.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../../simulators/sinks.ts";
import { notificationKinds } from "../../../src/engine/dispatch/record.ts";
import { webhook } from "../../../src/notify/channels/webhook.ts";
import { readNotification } from "../../../src/notify/notification.ts";
import type { OutboxRow } from "../../../src/storage/outbox-row.ts";
import { freezerRows, GROUP_KEY, type GroupOptions, groupRow, row } from "../outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const signal = new AbortController().signal;

let received: ReceivedWebhook[];
let sinks: Awaited<ReturnType<typeof createSinks>>;
beforeEach(async () => {
  received = [];
  sinks = await createSinks({ onWebhook: (one) => received.push(one) });
});
afterEach(() => sinks.close());

type Body = { alerts: Record<string, unknown>[]; data: Record<string, unknown> & { alerts: Record<string, unknown>[] } } & Record<string, unknown>;
async function send(told: OutboxRow, format = "alertmanager"): Promise<Body> {
  expect(await webhook.send(webhook.schema.parse({ url: sinks.webhookUrl, format }), readNotification(told, sender), signal)).toEqual({ kind: "delivered" });
  return received.at(-1)?.json as Body;
}

const labels = (device: string, severity: string) => ({
  alertname: "freezer-too-warm",
  device,
  metric: "temperature",
  room: "B2",
  severity,
  site: "oslo",
  team: "cold-chain",
});
const runbook = "https://wiki.example.org/freezers#warm";

describe("alertmanager", () => {
  test("a group to the letter: all alerts, what is grouped by, and what they have in common", async () => {
    const [, , third, , fifth] = freezerRows(5);
    expect(await send(groupRow([third as OutboxRow, fifth as OutboxRow], { more: 3 }))).toEqual({
      version: "4",
      groupKey: GROUP_KEY,
      truncatedAlerts: 3,
      status: "firing",
      receiver: "on-call",
      groupLabels: { site: "oslo" },
      commonLabels: { alertname: "freezer-too-warm", metric: "temperature", room: "B2", site: "oslo", team: "cold-chain" },
      commonAnnotations: { runbook },
      externalURL: "http://127.0.0.1:8080",
      notification_reason: "first notification",
      alerts: [
        {
          status: "firing",
          labels: labels("freezer-3", "warning"),
          annotations: { summary: "freezer-3 in room B2 is at -12.2 °C", value: "-12.2", runbook },
          startsAt: "2026-11-22T12:31:07.000Z",
          endsAt: "0001-01-01T00:00:00Z",
          generatorURL: "http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60002-mhx2k9",
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
        {
          status: "resolved",
          labels: labels("freezer-5", "critical"),
          annotations: { summary: "freezer-5 in room B2 is at -12 °C", value: "-12", peak: "-9.8", duration: "35 min", runbook },
          startsAt: "2026-11-22T12:31:07.000Z",
          endsAt: "2026-11-22T13:06:07.000Z",
          generatorURL: "http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60004-mhx2k9",
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
      ],
    });
  });

  test("500 alerts are all there", async () => {
    const { alerts, truncatedAlerts, groupLabels } = await send(groupRow(freezerRows(500), { kind: "storm", line: "storm/on-call@mhx2k9", more: 1 }));
    expect([alerts.length, truncatedAlerts, groupLabels]).toEqual([500, 1, {}]);
  });

  const [firing, second, , , over] = freezerRows(5) as unknown as [OutboxRow, OutboxRow, OutboxRow, OutboxRow, OutboxRow];
  test.each<[string, [OutboxRow, ...OutboxRow[]], GroupOptions]>([
    ["first notification", [firing, second], {}],
    ["new alerts added", [firing, second], { seq: 2, fresh: 1 }],
    ["new alerts added", [over, firing, second], { seq: 2, fresh: 2 }],
    ["some alerts resolved", [over, firing], { seq: 2, fresh: 1 }],
    ["some alerts resolved", [over, over, firing, second], { seq: 2, fresh: 2 }],
    ["all alerts resolved", [over, over], { seq: 2 }],
    ["repeat interval elapsed", [firing, second], { seq: 2, kind: "repeat" }],
    ["first notification", [firing], { kind: "escalation" }],
    ["unknown", [firing], { seq: 2, kind: "escalation" }],
    ["new alerts added", [firing], { seq: 2, kind: "storm" }],
  ])("its reason: %s", async (reason, rows, options) => {
    expect((await send(groupRow(rows, options)))["notification_reason"]).toBe(reason);
  });

  test("of an alert alone: repeated, and told again for what Alertmanager has no word for", async () => {
    const reasonOf = async (kind: OutboxRow["kind"], seq: number) => (await send({ ...row("firing"), kind, seq }))["notification_reason"];
    expect(await reasonOf("announced", 1)).toBe("first notification");
    expect(await reasonOf("repeat", 2)).toBe("repeat interval elapsed");
    expect(await reasonOf("announced", 2)).toBe("unknown");
  });
});

describe("standard and cloudevents", () => {
  test("a group is one event with its alerts, new ones first", async () => {
    const body = await send(groupRow(freezerRows(5), { seq: 3, fresh: 2 }), "standard");
    expect(body).toMatchObject({ type: "alert.group.firing", timestamp: "2026-11-22T13:06:07.000Z" });
    const { alerts, ...data } = body.data;
    expect(data).toEqual({
      notification_id: freezerRows(1)[0].id,
      seq: 3,
      kind: "transition",
      receiver: "on-call",
      gateway: "cold-chain",
      group: GROUP_KEY,
      state: "firing",
      group_labels: { site: "oslo" },
      common_labels: { alertname: "freezer-too-warm", metric: "temperature", room: "B2", site: "oslo", team: "cold-chain" },
      firing: 4,
      resolved: 1,
      event_time: "2026-11-22T13:06:07.000Z",
      processed_time: "2026-11-22T13:06:07.120Z",
      summary: "4 alerts fire, 3 of them critical, 2 new; 1 has resolved.",
      fresh: 2,
      more: 0,
    });
    expect(alerts.map(({ device, state }) => `${String(device)} ${String(state)}`)).toEqual([
      "freezer-1 firing",
      "freezer-2 firing",
      "freezer-3 firing",
      "freezer-4 firing",
      "freezer-5 resolved",
    ]);
    const { notification_id: _id, seq: _seq, kind: _kind, receiver: _receiver, gateway: _gateway, ...alone } = (await send(freezerRows(1)[0], "standard")).data;
    expect(alerts[0]).toEqual(alone);
  });

  test("a CloudEvent of a group has it in its type and subject", async () => {
    const over = freezerRows(5)[4] as OutboxRow;
    const { type, subject, id } = await send(groupRow([over], { seq: 2 }), "cloudevents");
    expect([type, subject, id]).toEqual(["highwater.alert.group.resolved.v1", "group/site%3Doslo", over.id]);
  });

  test.each(["standard", "cloudevents"])("%s stays below 20 kB: without why and evidence, then without alerts, and says how many", async (format) => {
    for (const [count, more] of [
      [10, 0],
      [20, 0],
      [500, 240],
    ] as const) {
      const { data } = await send(
        groupRow(
          freezerRows(count, () => ({ hall: "Kühlhaus" })),
          { more, kind: "storm", line: "storm/on-call@mhx2k9" },
        ),
        format,
      );
      expect(Buffer.byteLength(received.at(-1)?.body ?? "")).toBeLessThan(20_000);
      expect(data.alerts.length + Number(data["more"])).toBe(count + more);
      expect(data.alerts.length).toBeGreaterThan(count === 500 ? 20 : count - 1);
      expect(data.alerts.every((alert) => "evidence" in alert)).toBe(count === 10);
      expect(data).toMatchObject({ kind: "storm", firing: (count * 4) / 5, resolved: count / 5 });
    }
  });

  test("the last alert that fits is there, and no more", async () => {
    const { data } = await send(groupRow(freezerRows(500)), "standard");
    const bytes = Buffer.byteLength(received.at(-1)?.body ?? "");
    expect(bytes + Buffer.byteLength(JSON.stringify(data.alerts.at(-1))) + 8).toBeGreaterThan(20_000);
  });

  test.each(notificationKinds)("an event of one alert says its kind: %s", async (kind) => {
    expect((await send({ ...row("firing"), kind }, "standard")).data["kind"]).toBe(kind);
  });
});
