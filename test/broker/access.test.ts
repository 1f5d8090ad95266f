// Who may come in and what they may do, over real sockets: mqtt.js, and raw packets where the answer's code matters.

import { connect as connectMqtt, type IClientOptions } from "mqtt";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAccess } from "../../src/broker/access.ts";
import { aclEntrySchema } from "../../src/broker/acl.ts";
import { passwordLine } from "../../src/broker/password-file.ts";
import { connectRaw, eventually, pause, runBroker } from "./running-broker.ts";

const acl = [
  { user: "fz-*", publish: ["sensors/%u/#", "will/%u"] },
  { user: "page", publish: ["#"], subscribe: ["#"], deny_subscribe: ["secret/#"], deny_publish: ["plc/#"] },
].map((entry) => aclEntrySchema.parse(entry));

async function open(more: { anonymous?: boolean } = {}) {
  const passwords = [await passwordLine("fz-7", "cold"), await passwordLine("page", "look")].join("\n");
  const running = await runBroker({ access: { passwords, acl, anonymous: more.anonymous ?? false } });
  return { ...running, passwords };
}

const ofPage: IClientOptions = { username: "page", password: "look" };
const ofFreezer: IClientOptions = { username: "fz-7", password: "cold", clientId: "freezer" };

/** @returns the return code of CONNACK; 0 is in */
async function codeOf(port: number, options: IClientOptions): Promise<number> {
  const client = connectMqtt(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options });
  onTestFinished(() => void client.end(true));
  return new Promise((resolve) => {
    client.once("connect", () => resolve(0));
    client.once("error", (error) => resolve((error as Error & { code: number }).code));
  });
}

describe("a client", () => {
  it("comes in with its name and password, and not otherwise", async () => {
    const { port, metric } = await open();
    expect(await codeOf(port, ofFreezer)).toBe(0);
    expect(await codeOf(port, { ...ofFreezer, password: "warm" })).toBe(4);
    expect(await codeOf(port, { username: "fz-7" })).toBe(4);
    expect(await codeOf(port, { username: "nobody", password: "cold" })).toBe(4);
    expect(await codeOf(port, {})).toBe(5);
    expect(await metric('highwater_broker_refused_total{reason="bad_login"}')).toBe(3);
    expect(await metric('highwater_broker_refused_total{reason="anonymous"}')).toBe(1);
  });

  it("without a name is taken where the config says so, and may do what entries for everybody allow", async () => {
    const { port, client, inbox } = await open({ anonymous: true });
    expect(await codeOf(port, {})).toBe(0);
    const device = await client();
    device.publish("sensors/fz-7/temperature", "1", { qos: 1 });
    await eventually(() => !device.connected);
    expect(inbox.added).toEqual([]);
  });
});

describe("a publish that the list does not allow", () => {
  it("closes the connection, is counted and stores nothing; those before it stand", async () => {
    const { client, inbox, metric } = await open();
    const device = await client(ofFreezer);
    await device.publishAsync("sensors/fz-7/temperature", "-18", { qos: 1 });
    device.publish("sensors/fz-8/temperature", "99", { qos: 1 });
    await eventually(() => !device.connected);
    expect(inbox.added.map(({ value }) => value)).toEqual([-18]);
    expect(await metric('highwater_broker_refused_total{reason="acl_publish"}')).toBe(1);
  });

  it("is refused as a will too", async () => {
    const { client, inbox, metric } = await open();
    const will = (topic: string) => ({ topic, payload: Buffer.from("1"), qos: 0 as const, retain: false });
    const heard: string[] = [];
    const page = await client(ofPage);
    page.on("message", (topic) => heard.push(topic));
    await page.subscribeAsync("#");
    for (const topic of ["sensors/fz-8/temperature", "will/fz-7"]) {
      const device = await client({ ...ofFreezer, will: will(topic) });
      device.stream.destroy();
      await eventually(() => !device.connected);
    }
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(["will/fz-7"]);
    expect(inbox.added).toEqual([]);
    expect(await metric('highwater_broker_refused_total{reason="acl_publish"}')).toBe(1);
  });
});

describe("a subscription", () => {
  it("that the list does not allow gets 128, beside one that it allows", async () => {
    const { client, metric } = await open();
    const page = await client(ofPage);
    const granted = await page.subscribeAsync(["secret/#", "other"]).catch((error: { packet: { granted: number[] } }) => error.packet.granted);
    expect(granted).toEqual([128, 0]);
    expect(await metric('highwater_broker_refused_total{reason="acl_subscribe"}')).toBe(1);
  });

  it("of a wider filter does not get what is denied, live or retained", async () => {
    const { broker, client } = await open();
    broker.publish("secret/kept", "x", { retain: true });
    broker.publish("other/kept", "x", { retain: true });
    const page = await client(ofPage);
    const heard: string[] = [];
    page.on("message", (topic) => heard.push(topic));
    await page.subscribeAsync("#");
    broker.publish("secret/live", "x", { retain: false });
    broker.publish("other/live", "x", { retain: false });
    await eventually(() => heard.length >= 2);
    await pause(20);
    expect(heard.sort()).toEqual(["other/kept", "other/live"]);
  });
});

describe("a session that goes on", () => {
  const ofSession: IClientOptions = { ...ofPage, clientId: "session", clean: false };

  it("does not get what is denied either: live, retained, or queued before the right was taken away", async () => {
    const { broker, client, passwords } = await open();
    const heard: string[] = [];
    const tell = (topic: string, retain = false): void => broker.publish(topic, "x", { retain });
    tell("secret/kept", true);
    tell("other/kept", true);
    const page = await client(ofSession);
    page.on("message", (topic) => heard.push(topic));
    await page.subscribeAsync("#", { qos: 1 });
    tell("secret/live");
    tell("other/live");
    await eventually(() => heard.length >= 2);
    await pause(20);
    expect(heard.splice(0).sort()).toEqual(["other/kept", "other/live"]);
    await page.endAsync();
    broker.publish("other/away", "denied", { retain: false });
    broker.publish("new/away", "new", { retain: false });
    broker.reload([], {}, { passwords, acl: [aclEntrySchema.parse({ subscribe: ["#"], deny_subscribe: ["other/#"] })], anonymous: false });
    const payloads: string[] = [];
    await client(ofSession, (payload) => payloads.push(payload));
    await eventually(() => payloads.length > 0);
    await pause(20);
    expect(payloads).toEqual(["new"]);
  });
});

it("a client id under which another user has a session or a connection is not taken over", async () => {
  const { broker, port, client, metric } = await open();
  const session: IClientOptions = { ...ofPage, clientId: "dash", clean: false };
  const page = await client(session);
  await page.subscribeAsync("other/#", { qos: 1 });
  for (const clean of [true, false]) expect(await codeOf(port, { ...ofFreezer, clientId: "dash", clean })).toBe(2);
  expect(page.connected).toBe(true);
  await page.endAsync();
  broker.publish("other/away", "kept", { retain: false });
  for (const clean of [true, false]) expect(await codeOf(port, { ...ofFreezer, clientId: "dash", clean })).toBe(2);
  const heard: string[] = [];
  await client(session, (payload) => heard.push(payload));
  await eventually(() => heard.length > 0);
  expect(heard).toEqual(["kept"]);
  expect(await metric('highwater_broker_refused_total{reason="client_id_of_another"}')).toBe(4);
});

describe("when the users or the list change", () => {
  const reload = (running: Awaited<ReturnType<typeof open>>, passwords: string, list = acl) =>
    running.broker.reload([], {}, { passwords, acl: list, anonymous: false });

  it("who is gone or has another password is cut off at once, without a will; others stay", async () => {
    const running = await open();
    const { client, passwords, metric, port } = running;
    const page = await client(ofPage);
    const heard: string[] = [];
    page.on("message", (topic) => heard.push(topic));
    await page.subscribeAsync("#");
    const freezer = await client({ ...ofFreezer, will: { topic: "will/fz-7", payload: Buffer.from("1"), qos: 0, retain: false } });
    reload(running, passwords);
    await pause(20);
    expect(freezer.connected).toBe(true);
    reload(running, passwords.replace(/^fz-7.*$/m, await passwordLine("fz-7", "colder")));
    await eventually(() => !freezer.connected);
    expect([await codeOf(port, ofFreezer), await codeOf(port, { ...ofFreezer, password: "colder" })]).toEqual([4, 0]);
    reload(running, passwords.split("\n")[1] as string);
    await eventually(async () => (await metric('highwater_broker_refused_total{reason="revoked"}')) === 2);
    expect(await codeOf(port, { ...ofFreezer, password: "colder" })).toBe(4);
    await pause(20);
    expect([page.connected, heard]).toEqual([true, []]);
  });

  it("a topic that was allowed is not any more", async () => {
    const running = await open();
    const freezer = await running.client(ofFreezer);
    await freezer.publishAsync("sensors/fz-7/temperature", "-18", { qos: 1 });
    reload(running, running.passwords, [aclEntrySchema.parse({ publish: ["other"] })]);
    freezer.publish("sensors/fz-7/temperature", "-19", { qos: 1 });
    await eventually(() => !freezer.connected);
    expect(await running.metric('highwater_broker_refused_total{reason="acl_publish"}')).toBe(1);
  });
});

it("a login that is under way when its user goes, or gets another password, is none", async () => {
  const passwords = await passwordLine("fz-7", "cold");
  const access = createAccess({ passwords, acl, anonymous: false });
  const enter = () => access.enter("fz-7", Buffer.from("cold"), false);
  const [gone, changed] = [enter(), enter()];
  access.reload({ passwords: "", acl, anonymous: false });
  expect(await gone).toMatchObject({ kind: "out", code: 4 });
  access.reload({ passwords: await passwordLine("fz-7", "cold"), acl, anonymous: false });
  expect(await changed).toMatchObject({ kind: "out", code: 4 });
  expect(await enter()).toEqual({ kind: "in" });
});

it("logins that wait are bounded, and those whose client has left are not looked at", async () => {
  const access = createAccess({ passwords: await passwordLine("fz-7", "cold"), acl, anonymous: false });
  const entries = await Promise.all(Array.from({ length: 210 }, () => access.enter("fz-7", Buffer.from("cold"), false, () => true)));
  const reasons = entries.map((entry) => (entry.kind === "out" ? entry.reason : "in"));
  expect(reasons.filter((reason) => reason === "logins")).toHaveLength(8);
  expect(reasons.filter((reason) => reason === "bad_login")).toHaveLength(202);
  expect(await access.enter("fz-7", Buffer.from("cold"), false)).toEqual({ kind: "in" });
});

it("what somebody tried and may not stands in the audit log, a bounded number a second", async () => {
  const { port, client, inbox, metric } = await open();
  expect(await codeOf(port, { ...ofFreezer, password: "warm" })).toBe(4);
  const page = await client(ofPage);
  await page.subscribeAsync("secret/#").catch(() => {});
  const device = await client(ofFreezer);
  device.publish("sensors/fz-8/temperature", "99", { qos: 1 });
  await eventually(() => !device.connected);
  const told = () => inbox.audit.map(({ who, action, target }) => [who, action, target]);
  await eventually(() => told().length === 3);
  expect(told()).toEqual([
    ["", "mqtt login", "fz-7"],
    ["page", "mqtt subscribe", "secret/#"],
    ["fz-7", "mqtt publish", "sensors/fz-8/temperature"],
  ]);
  expect(inbox.audit[0]).toMatchObject({ kind: "audit", origin: "127.0.0.1", why: "", outcome: "refused" });
  await page.subscribeAsync(Array.from({ length: 90 }, (_, index) => `secret/${index}`)).catch(() => {});
  await eventually(async () => (await metric('highwater_broker_refused_total{reason="acl_subscribe"}')) === 91);
  expect(inbox.audit.length).toBeLessThan(91);
});

it("without users a name is only a name, and everything may be done", async () => {
  const { port, inbox, client } = await runBroker();
  expect(await codeOf(port, { username: "anybody", password: "x" })).toBe(0);
  await (await client({ username: "anybody" })).publishAsync("sensors/a/temperature", "1", { qos: 1 });
  expect(inbox.added.length).toBe(1);
  expect((await connectRaw(port)).isClosed()).toBe(false);
});
