// What people did outlives a kill: an alert that was acknowledged over HTTP still is, a silence from the command line still hides,
// and what was shelved is announced again when its time is over, as if the gateway had never been away.

import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { connectClient, createFolder, highwater, type RunningGateway, startHighwater, waitFor } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

type Alert = { id: string; labels: Record<string, string>; acked_by: string | null; ack_note: string | null; shelved: { kind: string; why: string } | null };
type History = {
  alert: Alert;
  events: { kind: string; by: string; text: string }[];
  notifications: { kind: string; state: string; disposition: string; cause: string | null }[];
};

const post = async (gateway: RunningGateway, path: string, body: unknown): Promise<Alert> => {
  const response = await fetch(`${gateway.httpUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return ((await response.json()) as { alert: Alert }).alert;
};
const fire = async (gateway: RunningGateway, device: string): Promise<Alert> => {
  const client = await connectClient(gateway.mqttUrl);
  await client.publishAsync(`sensors/${device}/temperature`, "41", { qos: 1 });
  await client.endAsync();
  return waitFor(`an alert of ${device}`, async () => (await gateway.get<{ alerts: Alert[] }>(`/api/v1/alerts?state=firing&device=${device}`)).alerts[0]);
};
/** Devices of the webhooks that tell of something firing, in order. */
const toldOf = (webhooks: readonly ReceivedWebhook[]): string[] =>
  webhooks.flatMap(({ json }) => (json as { alerts: { status: string; labels: Record<string, string> }[] }).alerts.map(({ labels }) => labels["device"] ?? ""));

it("acknowledged, silenced and shelved, killed, and all of it is still so", async () => {
  const webhooks: ReceivedWebhook[] = [];
  const sinks = await createSinks({ onWebhook: (webhook) => webhooks.push(webhook) });
  cleanUp.push(() => sinks.close());
  const folder = createFolder("alert-life");
  cleanUp.push(() => folder.remove());
  const config = {
    sources: [{ topic: "sensors/{device}/{metric}", codec: "json" }],
    rules: [{ name: "warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 30 } }],
    notify: { receivers: [{ name: "on-call", webhook: { url: sinks.webhookUrl } }], route: { receiver: "on-call" } },
  };
  let gateway = await startHighwater(folder.path, config);
  cleanUp.push(() => gateway.stop());

  const acked = await fire(gateway, "fz-7");
  const shelved = await fire(gateway, "fz-8");
  await waitFor("both are told", () => toldOf(webhooks).length === 2);
  expect(await post(gateway, `/api/v1/alerts/${acked.id}/ack`, { note: "on my way" })).toMatchObject({ acked_by: "anonymous" });
  await post(gateway, `/api/v1/alerts/${acked.id}/comment`, { text: "the door was open" });
  await post(gateway, `/api/v1/alerts/${shelved.id}/shelve`, { duration: "15s", why: "defrosting" });
  const silence = await highwater("silence", "device=fz-9", "1h", "--why", "maintenance", "--json", "-c", join(folder.path, "highwater.yaml"));
  expect([silence.code, silence.stderr]).toEqual([0, ""]);
  const { id: silenceId } = JSON.parse(silence.stdout) as { id: string };

  await gateway.kill();
  gateway = await startHighwater(folder.path);
  const historyOf = ({ id }: Alert): Promise<History> => gateway.get<History>(`/api/v1/alerts/${id}`);

  const still = await historyOf(acked);
  expect(still.alert).toMatchObject({ acked_by: "anonymous", ack_note: "on my way" });
  expect(still.events.map(({ kind, by, text }) => `${kind} ${by}: ${text}`)).toEqual([
    "acknowledged anonymous: on my way",
    "commented anonymous: the door was open",
  ]);
  expect(await gateway.get("/api/v1/silences?state=active")).toMatchObject({ silences: [{ id: silenceId, matchers: { device: "fz-9" }, why: "maintenance" }] });
  const silenced = await fire(gateway, "fz-9");
  await waitFor("what the silence hides has its disposition", async () => {
    const { notifications } = await historyOf(silenced);
    return notifications.some(({ disposition, cause }) => disposition === "silenced" && cause === `silence:${silenceId}`);
  });

  await waitFor("the shelf expires, and what was on it is announced again", () => toldOf(webhooks).filter((device) => device === "fz-8").length === 2);
  const back = await historyOf(shelved);
  expect(back.alert.shelved).toBeNull();
  expect(back.events.map(({ kind, by }) => [kind, by])).toEqual([
    ["shelved", "anonymous"],
    ["shelf_expired", ""],
  ]);
  expect(back.notifications.map(({ kind, state }) => [kind, state])).toEqual([
    ["transition", "firing"],
    ["announced", "firing"],
  ]);
  expect(await gateway.get("/api/v1/shelves")).toEqual({ shelves: [], cursor: null });

  const ended = await highwater("silence", "end", silenceId.slice(0, 8), "-c", join(folder.path, "highwater.yaml"));
  expect([ended.code, ended.stdout]).toEqual([0, `silence ${silenceId} has ended\n`]);
  await waitFor("what it hid is told", () => toldOf(webhooks).includes("fz-9"));
  expect(toldOf(webhooks).filter((device) => device === "fz-7")).toEqual(["fz-7"]);
});
