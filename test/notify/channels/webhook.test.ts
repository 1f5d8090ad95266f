// Webhooks as a real HTTP server takes them: the three bodies to the letter, signatures, and what each answer means.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../../simulators/sinks.ts";
import { webhook } from "../../../src/notify/channels/webhook.ts";
import { fingerprint } from "../../../src/notify/channels/webhook-body.ts";
import { readNotification } from "../../../src/notify/notification.ts";
import { type RowOptions, row } from "../outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const signal = new AbortController().signal;
const notificationOf = (state: "firing" | "resolved", options: RowOptions = {}) => readNotification(row(state, { channel: "webhook:0", ...options }), sender);

let received: ReceivedWebhook[];
let sinks: Awaited<ReturnType<typeof createSinks>>;
beforeEach(async () => {
  received = [];
  sinks = await createSinks({ secret, onWebhook: (one) => received.push(one) });
});
afterEach(() => sinks.close());

const send = (state: "firing" | "resolved", more: object = {}, options: RowOptions = {}) =>
  webhook.send(webhook.schema.parse({ url: sinks.webhookUrl, ...more }), notificationOf(state, options), signal);

const labels = {
  alertname: "freezer-too-warm",
  device: "freezer-7",
  metric: "temperature",
  room: "B2",
  severity: "critical",
  site: "oslo",
  team: "cold-chain",
};
const annotations = { summary: "freezer-7 in room B2 is at -12.4 °C", runbook: "https://wiki.example.org/freezers#warm" };

/** At most five lines, the rule and its version in the last. */
const why = expect.stringMatching(/^(?:[^\n]+\n){0,4}Rule freezer-too-warm@9f86d081884c: [^\n]+$/);

test("alertmanager: the webhook v4 body to the letter", async () => {
  await send("firing");
  expect(received[0]?.headers["content-type"]).toBe("application/json");
  expect(received[0]?.json).toEqual({
    version: "4",
    groupKey: '{}:{alertname="freezer-too-warm", device="freezer-7", metric="temperature", room="B2", severity="critical", site="oslo", team="cold-chain"}',
    truncatedAlerts: 0,
    status: "firing",
    receiver: "on-call",
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: { ...annotations, value: "-12.4", why },
    externalURL: "http://127.0.0.1:8080",
    notification_reason: "first notification",
    alerts: [
      {
        status: "firing",
        labels,
        annotations: { ...annotations, value: "-12.4", why },
        startsAt: "2026-11-22T12:31:07.000Z",
        endsAt: "0001-01-01T00:00:00Z",
        generatorURL: "http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60718-mhx2k9",
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      },
    ],
  });
});

test("alertmanager: resolved has the same labels, start and fingerprint, and an end", async () => {
  await send("firing");
  await send("resolved");
  const [firing, resolved] = received.map(({ json }) => json as { groupKey: string; alerts: Record<string, unknown>[] });
  expect(resolved).toMatchObject({ status: "resolved", notification_reason: "all alerts resolved", groupKey: firing?.groupKey });
  expect(resolved?.alerts[0]).toMatchObject({ status: "resolved", startsAt: "2026-11-22T12:31:07.000Z", endsAt: "2026-11-22T13:06:07.000Z" });
  expect(resolved?.alerts[0]?.["fingerprint"]).toBe(firing?.alerts[0]?.["fingerprint"]);
});

test("alertmanager: a rule without annotations tells the figures in them all the same, and one that has its own keeps them", async () => {
  const told = async (state: "firing" | "resolved", options: RowOptions) => {
    received = [];
    await send(state, {}, options);
    const [body] = received.map(({ json }) => json as { alerts: { annotations: object }[]; commonAnnotations: object });
    expect(body?.commonAnnotations).toEqual(body?.alerts[0]?.annotations);
    return body?.commonAnnotations;
  };
  expect(await told("firing", { annotations: {} })).toEqual({ summary: "temperature of freezer-7 is −12.4 °C, above −15 °C", value: "-12.4", why });
  expect(await told("resolved", { annotations: {} })).toEqual({
    summary: "temperature of freezer-7 is back at −17.3 °C after 35 min",
    value: "-17.3",
    peak: "-9.8",
    duration: "35 min",
    why,
  });
  expect(await told("resolved", { annotations: { value: "mine", peak: "{{peak}} °C" } })).toMatchObject({ value: "mine", peak: "-9.8 °C", duration: "35 min" });
  expect(await told("resolved", { annotations: {}, predicate: "no reading for 600000 ms" })).toEqual({
    summary: expect.any(String),
    value: "-17.3",
    duration: "35 min",
    why,
  });
});

test("fingerprints are those of prometheus/common", () => {
  // FNV-1a of nothing, and the vectors of the FNV reference for bytes that a label set can spell.
  expect(fingerprint({})).toBe("cbf29ce484222325");
  expect(fingerprint({ b: "2", a: "1" })).toBe(fingerprint({ a: "1", b: "2" }));
  expect(fingerprint({ a: "1" })).not.toBe(fingerprint({ a: "11" }));
  expect(fingerprint({ ab: "c" })).not.toBe(fingerprint({ a: "bc" }));
});

test("standard: type, timestamp, data, and the id and seq within", async () => {
  await send("firing", { format: "standard" });
  expect(received[0]?.json).toEqual({
    type: "alert.firing",
    timestamp: "2026-11-22T12:31:07.000Z",
    data: expect.objectContaining({
      notification_id: notificationOf("firing").id,
      seq: 1,
      state: "firing",
      value: -12.4,
      limit: -15,
      unit: "°C",
      rule: "freezer-too-warm@9f86d081884c7d65",
    }),
  });
  expect(received[0]?.body.length).toBeLessThan(20_000);
});

test("cloudevents: structured mode, required attributes, lower-case names", async () => {
  await send("resolved", { format: "cloudevents" });
  expect(received[0]?.headers["content-type"]).toBe("application/cloudevents+json");
  const event = received[0]?.json as Record<string, unknown>;
  expect(event).toMatchObject({
    specversion: "1.0",
    id: notificationOf("resolved").id,
    source: "/gateway/cold-chain",
    type: "highwater.alert.resolved.v1",
    subject: "device/freezer-7/temperature",
    time: "2026-11-22T13:06:07.000Z",
    datacontenttype: "application/json",
    data: { seq: 2, peak: -9.8, resolved_at: "2026-11-22T13:06:07.000Z" },
  });
  for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
});

test.each(["alertmanager", "standard", "cloudevents"])("%s is signed when there is a secret, and has id and seq in any case", async (format) => {
  await send("firing", { format, secret });
  await send("firing", { format });
  const [signed, plain] = received;
  expect(signed?.isSigned).toBe(true);
  expect(plain?.headers["webhook-signature"]).toBeUndefined();
  for (const one of received) {
    expect(one.headers).toMatchObject({ "webhook-id": notificationOf("firing").id, "highwater-seq": "1" });
    expect(Math.abs(Number(one.headers["webhook-timestamp"]) - Date.now() / 1_000)).toBeLessThan(60);
  }
  expect(notificationOf("firing").id).not.toContain(".");
});

test("headers of the settings go along, but not over our own", async () => {
  await send("firing", { headers: { Authorization: "Bearer x", "webhook-id": "forged" } });
  expect(received[0]?.headers).toMatchObject({ authorization: "Bearer x", "webhook-id": notificationOf("firing").id });
});

describe("what answers mean", () => {
  test.each([
    [200, "delivered"],
    [204, "delivered"],
    [301, "retry"],
    [307, "retry"],
    [400, "failed"],
    [401, "failed"],
    [404, "failed"],
    [408, "retry"],
    [410, "failed"],
    [429, "retry"],
    [500, "retry"],
    [502, "retry"],
    [503, "retry"],
  ])("%i: %s", async (code, kind) => {
    sinks.faults.http.push({ kind: "answer", code, headers: code < 400 && code > 300 ? { location: "/elsewhere" } : {} });
    const delivery = await send("firing");
    expect(delivery.kind).toBe(kind);
    if (delivery.kind !== "delivered") expect(delivery.reason).toContain(`HTTP ${code}`);
    expect(received).toEqual([]);
  });

  test("Retry-After is handed on, as seconds and as a date", async () => {
    sinks.faults.http.push(
      { kind: "answer", code: 503, headers: { "retry-after": "7" } },
      { kind: "answer", code: 429, headers: { "retry-after": new Date(Date.now() + 90_000).toUTCString() } },
    );
    expect(await send("firing")).toMatchObject({ kind: "retry", afterMs: 7_000, cause: "server" });
    const delivery = await send("firing");
    expect(delivery).toMatchObject({ kind: "retry", cause: "throttled" });
    expect(Math.abs((delivery.kind === "retry" ? (delivery.afterMs ?? 0) : 0) - 90_000)).toBeLessThan(10_000);
  });

  test("an endless reply is not read to its end", async () => {
    let written = 0;
    const server = createServer((_request, response) => {
      const write = () => {
        if (response.destroyed) return;
        written += 1;
        response.write("x".repeat(1_000), () => setImmediate(write));
      };
      response.writeHead(500);
      write();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const delivery = await send("firing", { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    expect(delivery).toMatchObject({ kind: "retry", cause: "server" });
    expect(written).toBeLessThan(100_000);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("a reply whose body never comes has said its status", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-length": "10" }).flushHeaders();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    expect(await send("firing", { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })).toEqual({ kind: "delivered" });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("its own timeout ends an attempt", async () => {
    sinks.faults.http.push({ kind: "hang" });
    expect(await send("firing", { timeout: "100ms" })).toMatchObject({ kind: "retry", cause: "timeout" });
  });
});

test.each([
  [{ url: "ftp://x/" }],
  [{ url: "127.0.0.1:9000" }],
  [{ url: "http://user:pass@127.0.0.1/" }],
  [{ url: "http://x/", secret: "whsec_short" }],
  [{ url: "http://x/", format: "slack" }],
  [{ url: "http://x/", headers: { "X-A": "1\r\nX-B: 2" } }],
  [{ url: "http://x/", headers: { "X A": "1" } }],
])("%o is refused", (settings) => {
  expect(webhook.schema.safeParse(settings).success).toBe(false);
});
