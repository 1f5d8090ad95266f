// An escalation whose first step is a schedule, with a real gateway: the alert pages the one on call, nobody acknowledges, and the second
// step is paged after its wait; an acknowledgement stops it; an override by the command line changes who is paged, and who would have been.

import { join } from "node:path";
import ICAL from "ical.js";
import { afterEach, expect, it } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { connectClient, createFolder, highwater, type RunningGateway, startHighwater, waitFor } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

type Paged = { paged: { routes: { events: { kind: string; after_ms: number; receivers?: { receiver: string }[] }[] }[] } };
type Notifications = { notifications: { receiver: string; kind: string; state: string; disposition: string }[] };

const fire = async (gateway: RunningGateway, device: string): Promise<string> => {
  const client = await connectClient(gateway.mqttUrl);
  await client.publishAsync(`sensors/${device}/temperature`, "41", { qos: 1 });
  await client.endAsync();
  const found = await waitFor(
    `an alert of ${device}`,
    async () => (await gateway.get<{ alerts: { id: string }[] }>(`/api/v1/alerts?state=firing&device=${device}`)).alerts[0],
  );
  return found.id;
};

it("pages the one on call, then the next step, until somebody acknowledges", async () => {
  const webhooks: ReceivedWebhook[] = [];
  const sinks = await createSinks({ onWebhook: (webhook) => webhooks.push(webhook) });
  cleanUp.push(() => sinks.close());
  const folder = createFolder("oncall");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, {
    sources: [{ topic: "sensors/{device}/{metric}", codec: "json" }],
    rules: [{ name: "warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 30 } }],
    notify: {
      receivers: ["anna", "bo", "carla"].map((name) => ({ name, webhook: { url: sinks.webhookUrl } })),
      schedules: [{ name: "ops", timezone: "Europe/Oslo", layers: [{ members: ["anna"], rotation: "daily", start: "2020-01-05" }] }],
      escalations: [{ name: "urgent", steps: [{ notify: ["ops"], wait: "3s" }, { notify: ["bo"], wait: "4s" }, { notify: ["anna", "bo"] }] }],
      route: { receiver: "urgent" },
    },
  });
  cleanUp.push(() => gateway.stop());
  const cli = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await highwater("oncall", ...args, "-c", join(folder.path, "highwater.yaml"));
    expect([code, stderr]).toEqual([0, ""]);
    // Where lines are broken does not matter here.
    return stdout.replace(/\s+/g, " ");
  };
  /** Whom an alert has been sent to so far, in the order of what was made. */
  const told = async (alert: string): Promise<string[]> => {
    const { notifications } = await gateway.get<Notifications>(`/api/v1/notifications?alert=${alert}`);
    const delivered = notifications.filter(({ disposition, state }) => disposition === "delivered" && state === "firing");
    return delivered.map(({ kind, receiver }) => `${kind} ${receiver}`).reverse();
  };
  const wouldTell = async (query: string): Promise<string[]> => {
    const { paged } = await gateway.get<Paged>(`/api/v1/oncall?${query}`);
    return paged.routes.flatMap(({ events }) =>
      events.map(({ after_ms, receivers = [] }) => `${after_ms} ${receivers.map(({ receiver }) => receiver).join(", ")}`),
    );
  };

  expect(await wouldTell("device=fz-1&metric=temperature&alertname=warm")).toEqual(["0 anna", "3000 bo", "7000 anna, bo"]);
  const first = await fire(gateway, "fz-1");
  await waitFor("the second step", async () => (await told(first)).length === 2);
  const ack = await fetch(`${gateway.httpUrl}/api/v1/alerts/${first}/ack`, { method: "POST" });
  expect(ack.status).toBe(200);
  expect(await told(first)).toEqual(["transition anna", "escalation bo"]);

  const made = JSON.parse(await cli("override", "ops", "carla", "now", "2h", "--why", "anna is ill", "--json")) as { id: string };
  expect(await wouldTell(`alert=${first}`)).toEqual(["0 carla", "3000 bo", "7000 anna, bo"]);
  expect(await cli()).toContain("ops carla (override: anna is ill), until ");
  expect(await cli("--alert", first.slice(0, 12))).toContain("step 1: carla (ops, override: anna is ill) by webhook:0");
  const second = await fire(gateway, "fz-2");
  await waitFor("all steps", async () => (await told(second)).length === 4);
  const all = await told(second);
  expect([...all.slice(0, 2), ...all.slice(2).sort()]).toEqual(["transition carla", "escalation bo", "escalation anna", "escalation bo"]);
  // The third step of the alert that was acknowledged would have been long before.
  expect(await told(first)).toEqual(["transition anna", "escalation bo"]);
  expect(webhooks).toHaveLength(6);

  const calendar = new ICAL.Component(ICAL.parse(await gateway.text("/api/v1/schedules/ops/calendar?member=carla")));
  const events = calendar.getAllSubcomponents("vevent").map((event) => new ICAL.Event(event));
  expect(events.map(({ summary, description }) => [summary, description])).toEqual([["carla on call: ops", "Override: anna is ill"]]);

  await cli("remove", made.id);
  expect(await wouldTell(`alert=${second}`)).toEqual(["0 anna", "3000 bo", "7000 anna, bo"]);
}, 90_000);
