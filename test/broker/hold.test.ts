// No acknowledgement before the commit, and what else follows from holding: order, retransmission, keep-alive, wills, the end.

import { describe, expect, it } from "vitest";
import { eventually, pause, runBroker } from "./running-broker.ts";

describe("before the commit", () => {
  it("no PUBACK, no PUBREC and nothing passed on; after it all of it, in order", async () => {
    const { inbox, raw, client } = await runBroker({ commits: "when told" });
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (_, payload) => got.push(String(payload)));
    await subscriber.subscribeAsync("#");
    const device = await raw();
    for (const id of [3, 1, 2]) device.publish("sensors/d/t", String(id), 1, id);
    device.publish("sensors/d/t", "9", 2, 9);
    device.publish("sensors/d/t", "0", 0, 0);
    await eventually(() => inbox.added.length === 5);
    await pause(50);
    expect([device.commands(), got]).toEqual([["connack"], []]);
    inbox.commit();
    await eventually(() => device.received.length >= 5 && got.length >= 5);
    expect(device.commands().filter((command) => command.startsWith("puback"))).toEqual(["puback 3", "puback 1", "puback 2"]);
    expect(device.commands()).toContain("pubrec 9");
    expect(got.sort()).toEqual(["0", "1", "2", "3", "9"]);
  });

  it("what comes later waits for its own commit", async () => {
    const { broker, inbox, raw } = await runBroker({ commits: "when told" });
    const device = await raw();
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(() => inbox.waiting() === 1);
    device.publish("sensors/d/t", "2", 1, 2);
    await eventually(() => inbox.waiting() === 2);
    expect(broker.status().held).toBe(2);
    inbox.commit();
    await eventually(() => device.received.length === 3);
    device.publish("sensors/d/t", "3", 1, 3);
    await eventually(() => inbox.waiting() === 1);
    await pause(20);
    expect(device.commands()).toEqual(["connack", "puback 1", "puback 2"]);
    expect(broker.status().held).toBe(1);
  });

  it("a commit that never comes is no acknowledgement", async () => {
    const { inbox, raw } = await runBroker({ commits: "when told" });
    const device = await raw();
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(() => inbox.waiting() === 1);
    inbox.commit(new Error("the gateway is closing"));
    await eventually(device.isClosed);
    expect(device.commands()).toEqual(["connack"]);
  });

  it("a connection that fills its share is read on once it is acknowledged", async () => {
    const { inbox, raw } = await runBroker({ commits: "when told", limits: { unacknowledged: 3 } });
    const device = await raw();
    for (let id = 1; id <= 5; id++) device.publish("sensors/d/t", String(id), 1, id);
    await eventually(() => inbox.added.length === 5);
    for (let id = 6; id <= 40; id++) {
      device.publish("sensors/d/t", String(id), 1, id);
      await pause(1);
    }
    await pause(50);
    expect(inbox.added.length).toBe(5);
    while (device.received.length < 41) {
      inbox.commit();
      await pause(2);
    }
    expect(inbox.added.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });
});

describe("QoS 2 that is sent again", () => {
  it("while the first is held is taken once, also over another connection of its session", async () => {
    const { broker, inbox, raw } = await runBroker({ commits: "when told" });
    const first = await raw({ clientId: "d", clean: false });
    first.publish("sensors/d/t", "1", 2, 7);
    first.publish("sensors/d/t", "1", 2, 7, true);
    await eventually(() => broker.status().held === 2);
    const second = await raw({ clientId: "d", clean: false });
    second.publish("sensors/d/t", "1", 2, 7, true);
    await eventually(() => broker.status().held === 3);
    inbox.commit();
    await eventually(() => second.commands().includes("pubrec 7"));
    expect(inbox.added.length).toBe(1);
  });

  it("between PUBREC and PUBREL is taken once; after PUBCOMP the number is free again", async () => {
    const { inbox, raw } = await runBroker();
    const device = await raw({ clientId: "d", clean: false });
    device.publish("sensors/d/t", "1", 2, 7);
    await eventually(() => device.commands().includes("pubrec 7"));
    device.publish("sensors/d/t", "1", 2, 7, true);
    await eventually(() => device.received.length === 3);
    expect(device.commands()).toEqual(["connack", "pubrec 7", "pubrec 7"]);
    expect(inbox.added.length).toBe(1);
    device.send({ cmd: "pubrel", messageId: 7 });
    await eventually(() => device.commands().includes("pubcomp 7"));
    device.publish("sensors/d/t", "2", 2, 7);
    await eventually(() => device.received.length === 5);
    expect(inbox.added.map(({ value }) => value)).toEqual([1, 2]);
  });

  it("is passed on once", async () => {
    const { broker, inbox, raw, client } = await runBroker({ commits: "when told" });
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (_, payload) => got.push(String(payload)));
    await subscriber.subscribeAsync("#");
    const device = await raw();
    device.publish("sensors/d/t", "1", 2, 7);
    device.publish("sensors/d/t", "1", 2, 7, true);
    await eventually(() => broker.status().held === 2);
    inbox.commit();
    await eventually(() => device.commands().filter((command) => command === "pubrec 7").length === 2);
    await pause(50);
    expect(got).toEqual(["1"]);
  });

  it("under the same number in a new clean session is another message", async () => {
    const { inbox, raw } = await runBroker({ commits: "when told" });
    const first = await raw({ clientId: "d" });
    first.publish("sensors/d/t", "1", 2, 7);
    await eventually(() => inbox.waiting() === 1);
    const second = await raw({ clientId: "d" });
    second.publish("sensors/d/t", "2", 2, 7);
    await eventually(() => inbox.waiting() === 2);
    inbox.commit();
    await eventually(() => second.commands().includes("pubrec 7"));
    expect(inbox.added.map(({ value }) => value)).toEqual([1, 2]);
  });
});

describe("a hold is not the device's doing", () => {
  it("the keep-alive does not run out meanwhile", async () => {
    const { inbox, raw } = await runBroker({ commits: "when told" });
    const device = await raw({ keepalive: 1, will: { topic: "sensors/d/alive", payload: "0" } });
    const silent = await raw({ keepalive: 1 });
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(silent.isClosed);
    await pause(500);
    expect(device.isClosed()).toBe(false);
    inbox.commit();
    await eventually(() => device.commands().includes("puback 1"));
    expect(inbox.added.length).toBe(1);
  });

  it("a device that gives up in a long hold leaves no will", async () => {
    const { broker, inbox, raw, metric } = await runBroker({ commits: "when told" });
    const patient = await raw({ will: { topic: "sensors/patient/alive", payload: "0" } });
    const device = await raw({ will: { topic: "sensors/d/alive", payload: "0" } });
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(() => inbox.waiting() === 1);
    await pause(1_100);
    device.socket.destroy();
    await eventually(() => broker.status().connections === 1);
    patient.socket.destroy();
    await eventually(() => inbox.added.length === 2);
    expect(inbox.added.map(({ series }) => series)).toEqual(['{device="d",metric="t"}', '{device="patient",metric="alive"}']);
    expect(await metric('highwater_broker_refused_total{reason="will_of_hold"}')).toBe(1);
  });

  it("one that lasts too long closes its connection without a will and refuses others, until it ends", async () => {
    const { broker, inbox, raw, metric } = await runBroker({ commits: "when told", limits: { hold: 300 } });
    const idle = await raw();
    const device = await raw({ will: { topic: "sensors/d/alive", payload: "0" } });
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(device.isClosed);
    expect(device.commands()).toEqual(["connack"]);
    expect(broker.status().refusing).toMatch(/waited more than 300 ms/);
    expect((await raw()).received).toMatchObject([{ cmd: "connack", returnCode: 3 }]);
    expect(idle.isClosed()).toBe(false);
    expect(inbox.added.length).toBe(1);
    expect(await metric('highwater_broker_refused_total{reason="held_too_long"}')).toBe(1);
    inbox.commit();
    await eventually(() => broker.status().refusing === null);
    expect((await raw()).received).toMatchObject([{ returnCode: 0 }]);
  });
});

describe("the end", () => {
  it("acknowledges what was taken, takes nothing more, and is not the devices' absence", async () => {
    const { broker, inbox, raw, client } = await runBroker({ commits: "when told" });
    const got: string[] = [];
    const subscriber = await client();
    subscriber.on("message", (topic) => got.push(topic));
    await subscriber.subscribeAsync("#");
    const device = await raw({ will: { topic: "sensors/d/alive", payload: "0" } });
    device.publish("sensors/d/t", "1", 1, 1);
    await eventually(() => inbox.waiting() === 1);
    broker.stopAccepting();
    device.publish("sensors/d/t", "2", 1, 2);
    await pause(50);
    expect(inbox.added.length).toBe(1);
    const late = await raw("no CONNECT").catch((error: NodeJS.ErrnoException) => error.code);
    expect(late).toBe("ECONNREFUSED");
    inbox.commit();
    await broker.close();
    await eventually(device.isClosed);
    expect(device.commands()).toEqual(["connack", "puback 1"]);
    expect(inbox.added.map(({ value }) => value)).toEqual([1]);
    expect(got.filter((topic) => topic !== "sensors/d/t")).toEqual([]);
  });

  it.each(["stored after all", "never stored"])("leaves what is held then in peace: %s", async (outcome) => {
    const { broker, inbox, raw } = await runBroker({ commits: "when told" });
    const device = await raw();
    for (const qos of [0, 1, 2] as const) device.publish("sensors/d/t", "1", qos, 7 + qos);
    await eventually(() => inbox.added.length === 3);
    await broker.close();
    inbox.commit(outcome === "never stored" ? new Error("the gateway is closing") : undefined);
    await eventually(() => device.isClosed() && broker.status().held === 0);
    expect(device.commands()).toEqual(["connack"]);
  });

  it("comes twice without harm, and nothing is published after it", async () => {
    const { broker, raw } = await runBroker();
    const device = await raw();
    await broker.close();
    await broker.close();
    broker.publish("highwater/status", "down", { retain: true });
    await eventually(device.isClosed);
    expect(broker.status().connections).toBe(0);
  });
});
