// What is written of sessions and retained messages, when, and what is refused. The inbox here commits when the test says so and shows
// the rows that went with each commit; that rows come back from a real disk is test/e2e/sessions.test.ts.

import { describe, expect, it } from "vitest";
import type { MqttRow } from "../../src/storage/mqtt-rows.ts";
import { connectPeer } from "./conformance-client.ts";
import { eventually, pause, runBroker } from "./running-broker.ts";

const away = { clientId: "away", clean: false };
const changesOf = (rows: readonly MqttRow[], ...changes: string[]): string[] => rows.map(({ change }) => change).filter((one) => changes.includes(one));

/** A broker with a session that subscribed with QoS 2 and went, and whose commits the test makes from now on. */
async function withSessionAway(limits: Record<string, number> = {}) {
  const running = await runBroker({ commits: "when told", limits });
  const { inbox, port } = running;
  const committing = setInterval(() => inbox.commit(), 5);
  const reader = await connectPeer(port, away);
  await reader.subscribe(["q/#", 2]);
  await reader.drop();
  const device = await connectPeer(port);
  await eventually(() => inbox.rows.some((row) => row.change === "session" && row.endedAt !== null));
  clearInterval(committing);
  inbox.rows.splice(0);
  const whileCommitting = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const timer = setInterval(() => inbox.commit(), 5);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  };
  return { ...running, device, whileCommitting };
}

describe("what is written", () => {
  it("nothing, when nobody keeps a session and nothing is retained", async () => {
    const { port, inbox } = await runBroker();
    const [device, reader] = [await connectPeer(port), await connectPeer(port)];
    await reader.subscribe(["sensors/#", 2]);
    for (const qos of [0, 1, 2] as const) await device.deliver("sensors/d/t", "1", qos);
    expect((await reader.messages(3)).length).toBe(3);
    await device.drop();
    await pause(300);
    expect(inbox.rows).toEqual([]);
  });

  it("a message for a session, with the commit that its PUBACK waits for", async () => {
    const { inbox, device } = await withSessionAway();
    device.publish("q/a", "1", 1);
    await eventually(() => inbox.waiting() > 0);
    await pause(50);
    expect(device.received).toEqual([]);
    inbox.commit();
    await device.next("puback");
    expect(inbox.rows).toMatchObject([{ change: "outgoing", client: "away", topic: "q/a", qos: 1, packet: 1 }]);
  });

  it("a message before it is sent, also to a client that comes while the commit is under way", async () => {
    const { inbox, device, port } = await withSessionAway();
    device.publish("q/a", "1", 1);
    await eventually(() => inbox.waiting() > 0);
    const reader = await connectPeer(port, away);
    await reader.quiet();
    expect(reader.received).toEqual([]);
    inbox.commit();
    expect(await reader.messages(1)).toEqual(["q/a 1 1"]);
  });

  it("a retained message likewise; readers see it after the commit", async () => {
    const { inbox, device, port, whileCommitting } = await withSessionAway();
    device.publish("r", "1", 1, { retain: true });
    await eventually(() => inbox.waiting() > 0);
    const early = await connectPeer(port);
    await early.subscribe(["r", 1]);
    expect(await early.messages(0)).toEqual([]);
    inbox.commit();
    await device.next("puback");
    expect(inbox.rows).toMatchObject([{ change: "retained", topic: "r", qos: 1 }]);
    const late = await connectPeer(port);
    await late.subscribe(["r", 1]);
    expect(await whileCommitting(() => late.messages(1))).toEqual(["r 1 1 retained"]);
  });

  it("a QoS 2 publish of a session before its PUBREC, and its end before its PUBCOMP", async () => {
    const { inbox, port, whileCommitting } = await withSessionAway();
    const device = await whileCommitting(() => connectPeer(port, { clientId: "device", clean: false }));
    inbox.rows.splice(0);
    device.publish("x", "1", 2);
    await eventually(() => inbox.waiting() > 0);
    expect(device.received).toEqual([]);
    inbox.commit();
    await device.next("pubrec");
    expect(changesOf(inbox.rows, "incoming", "incoming-gone")).toEqual(["incoming"]);
    device.send({ cmd: "pubrel", messageId: 5 });
    await eventually(() => inbox.waiting() > 0);
    await pause(50);
    expect(device.received).toEqual([]);
    inbox.commit();
    await device.next("pubcomp");
    expect(changesOf(inbox.rows, "incoming", "incoming-gone")).toEqual(["incoming", "incoming-gone"]);
  });

  it("a subscription before its SUBACK, its end before UNSUBACK, a PUBREC before PUBREL", async () => {
    const { inbox, port, device, whileCommitting } = await withSessionAway();
    const reader = await whileCommitting(() => connectPeer(port, away));
    inbox.rows.splice(0);
    const answered = async (act: () => void, cmd: "suback" | "unsuback" | "pubrel"): Promise<void> => {
      act();
      await eventually(() => inbox.waiting() > 0);
      await pause(30);
      expect(reader.received).toEqual([]);
      inbox.commit();
      await reader.next(cmd);
    };
    await answered(() => reader.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "z", qos: 0 }] }), "suback");
    await answered(() => reader.send({ cmd: "unsubscribe", messageId: 2, unsubscriptions: ["z"] }), "unsuback");
    expect(changesOf(inbox.rows, "subscription", "subscription-gone")).toEqual(["subscription", "subscription-gone"]);
    await whileCommitting(() => device.deliver("q/a", "1", 2));
    const { messageId } = await reader.next("publish");
    inbox.commit();
    await answered(() => reader.send({ cmd: "pubrec", messageId: messageId as number }), "pubrel");
    expect(changesOf(inbox.rows, "outgoing", "outgoing-released", "outgoing-gone")).toEqual(["outgoing", "outgoing-released"]);
  });

  it("of a message that was acknowledged, only its end, by itself a little later", async () => {
    const { inbox, port, device, whileCommitting } = await withSessionAway();
    const reader = await whileCommitting(() => connectPeer(port, away));
    await whileCommitting(async () => {
      await device.deliver("q/a", "1", 1);
      await reader.messages(1);
      await eventually(() => changesOf(inbox.rows, "outgoing-gone").length > 0);
    });
    expect(changesOf(inbox.rows, "outgoing", "outgoing-released", "outgoing-gone")).toEqual(["outgoing", "outgoing-gone"]);
  });
});

describe("what is refused", () => {
  it.each([
    ["queued", "queued", { queued: 2 }],
    ["queued_bytes", "queued_bytes", { queued_bytes: 250 }],
    ["queued_bytes_all", "queued_bytes", { queued_bytes_all: 250 }],
  ])("messages over %s are dropped and counted; the rest comes", async (_, reason, limits) => {
    const { port, device, metric, whileCommitting } = await withSessionAway(limits);
    await whileCommitting(async () => {
      for (const payload of ["1", "2", "3", "4"]) await device.deliver("q/a", payload.padEnd(40), 1);
      const reader = await connectPeer(port, away);
      expect((await reader.messages(2)).map((line) => line.slice(4, 5))).toEqual(["1", "2"]);
      await eventually(async () => (await metric("highwater_broker_queued")) === 0);
      expect(await metric("highwater_broker_queued_bytes")).toBe(0);
      // There is room again.
      await device.deliver("q/a", "5", 1);
      expect(await reader.messages(1)).toEqual(["q/a 5 1"]);
    });
    expect(await metric(`highwater_broker_refused_total{reason="${reason}"}`)).toBe(2);
  });

  it("retained messages over their bytes are passed on and not kept; replacing and deleting makes room", async () => {
    const { port, metric } = await runBroker({ limits: { retained_bytes: 300 } });
    const device = await connectPeer(port);
    const keep = (topic: string, bytes: number): Promise<void> => device.deliver(topic, "x".repeat(bytes), 1, { retain: true });
    await keep("a", 100);
    await keep("b", 100);
    expect(await metric('highwater_broker_refused_total{reason="retained_bytes"}')).toBe(1);
    await keep("a", 10);
    await keep("b", 100);
    await keep("a", 0);
    expect(await metric("highwater_broker_retained")).toBe(1);
    expect(await metric("highwater_broker_retained_bytes")).toBe(165);
    expect(await metric('highwater_broker_refused_total{reason="retained_bytes"}')).toBe(1);
    const reader = await connectPeer(port);
    await reader.subscribe(["#", 0]);
    expect((await reader.messages(1)).map((line) => line[0])).toEqual(["b"]);
  });

  it("a packet id that waits for its acknowledgement, when the ids begin again", async () => {
    const message = { topic: "q", payload: Buffer.from("x"), qos: 1, retain: false, released: false } as const;
    const outgoing = [65_534, 1, 65_535].map((packet, index) => ({ ...message, ordinal: index + 1, packet }));
    const stored = { client: "away", endedAt: Date.now(), sent: 2, owner: "", subscriptions: [{ filter: "q", qos: 1 as const }], outgoing, incoming: [] };
    const { port } = await runBroker({ stored: { sessions: [stored], retained: [] } });
    await (await connectPeer(port)).deliver("q", "new", 1);
    const reader = await connectPeer(port, away);
    await eventually(() => reader.received.length === 4);
    expect(reader.received).toMatchObject([
      { messageId: 65_534, dup: true },
      { messageId: 1, dup: true },
      { messageId: 65_535, dup: false },
      { messageId: 2, dup: false },
    ]);
  });

  it("a filter of a session that is not allowed any more: nothing more is queued for it", async () => {
    const subscriptions = ["$share/g/a", "a"].map((filter) => ({ filter, qos: 1 as const }));
    const session = { client: "away", endedAt: Date.now(), sent: 0, owner: "", subscriptions, outgoing: [], incoming: [] };
    const { port, inbox } = await runBroker({ stored: { sessions: [session], retained: [] } });
    const reader = await connectPeer(port, away);
    const device = await connectPeer(port);
    for (const topic of ["$share/g/a", "a"]) await device.deliver(topic, "x", 1);
    expect(await reader.messages(1)).toEqual(["a x 1"]);
    expect(changesOf(inbox.rows, "outgoing", "subscription-gone")).toEqual(["subscription-gone", "outgoing"]);
  });

  it("a session that was away too long, with all that it had", async () => {
    const { port } = await runBroker({
      sessionExpiry: 1_000,
      stored: {
        sessions: [
          {
            client: "away",
            endedAt: Date.now() - 2_000,
            sent: 0,
            owner: "",
            subscriptions: [{ filter: "q", qos: 1 }],
            outgoing: [{ ordinal: 1, packet: 1, topic: "q", payload: Buffer.from("old"), qos: 1, retain: false, released: false }],
            incoming: [5],
          },
          { client: "here", endedAt: null, sent: 0, owner: "", subscriptions: [{ filter: "q", qos: 1 }], outgoing: [], incoming: [] },
        ],
        retained: [],
      },
    });
    const back = await connectPeer(port, away);
    expect([back.sessionPresent, await back.messages(0)]).toEqual([false, []]);
    expect((await connectPeer(port, { clientId: "here", clean: false })).sessionPresent).toBe(true);
  });
});
