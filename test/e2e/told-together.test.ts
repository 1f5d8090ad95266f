// Alerts that are told together by a gateway in a process of its own: devices over MQTT, routes of its config, mails and webhooks as they arrive.

import { afterEach, expect, it } from "vitest";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { connectClient, createFolder, startHighwater } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const WAIT = { timeout: 20_000 };

async function start(notify: object) {
  const [mails, hooks]: [ReceivedMail[], ReceivedWebhook[]] = [[], []];
  const sinks = await createSinks({ onMail: (mail) => mails.push(mail), onWebhook: (hook) => hooks.push(hook) });
  cleanUp.push(() => sinks.close());
  const folder = createFolder("told-together");
  cleanUp.push(() => folder.remove());
  const receiver = {
    name: "on-call",
    email: { smtp: sinks.smtpUrl, from: "highwater@example.org", to: "oncall@example.org" },
    webhook: { url: sinks.webhookUrl, format: "standard" },
  };
  const gateway = await startHighwater(folder.path, {
    rules: [{ name: "too-warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 8 } }],
    notify: { receivers: [receiver], ...notify },
  });
  cleanUp.push(() => gateway.stop());
  const device = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => device.endAsync(true));
  const say = (value: number, ...names: string[]) =>
    Promise.all(names.map((name) => device.publishAsync(`sensors/lab/${name}/temperature`, JSON.stringify({ value }), { qos: 1 })));
  return { say, subjects: () => mails.map(({ parsed }) => parsed.subject), mails, hooks };
}

it("a group: its mail names all, a later one what has resolved, the last that all has, in one thread", async () => {
  const { say, subjects, mails, hooks } = await start({ route: { receiver: "on-call", group_by: ["site"], group_wait: "1s", group_interval: "1s" } });
  await say(12, "fz-1", "fz-2", "fz-3");
  await expect.poll(subjects, WAIT).toEqual(["[FIRING 3] too-warm · site lab"]);
  await say(4, "fz-2");
  await expect.poll(() => subjects().at(-1), WAIT).toBe("[FIRING 2, RESOLVED 1] too-warm · site lab");
  await say(4, "fz-1", "fz-3");
  await expect.poll(() => subjects().at(-1), WAIT).toBe("[RESOLVED 2] too-warm · site lab");
  await expect.poll(() => hooks.length, WAIT).toBe(mails.length);
  expect(new Set(mails.map(({ parsed }) => String(parsed.references))).size).toBe(1);
  expect(hooks.map(({ json }) => (json as { type: string }).type)).toEqual(["alert.group.firing", "alert.group.firing", "alert.group.resolved"]);
  for (const name of ["fz-1", "fz-2", "fz-3"]) expect(mails[0]?.parsed.text).toContain(name);
});

it("a storm: a few alone, all others together, and their end together", async () => {
  const { say, subjects, mails } = await start({ route: { receiver: "on-call" }, storm: { above: 3, per: "1m", until: 2, interval: "1s" } });
  const names = Array.from({ length: 40 }, (_, index) => `fz-${index}`);
  await say(12, ...names);
  const alone = () => subjects().filter((subject) => (subject ?? "").startsWith("[FIRING warning")).length;
  const together = () => subjects().findLast((subject) => subject?.includes("storm"));
  await expect.poll(together, WAIT).toMatch(/^\[FIRING 3\d, storm\] too-warm/);
  expect(alone()).toBeLessThanOrEqual(4);
  await say(4, ...names);
  await expect.poll(together, WAIT).toMatch(/^\[RESOLVED \d+, storm\] too-warm/);
  expect(mails.length).toBeLessThan(20);
});
