// The live stream over raw sockets and real fetch: what a listener is told, how many there may be, and what becomes of
// one that does not read.

import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { alertOn, createFakeGateway } from "./fake-gateway.ts";
import { type Served, serve } from "./serve.ts";

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** The machine may be busy with other tests. */
const poll = <Value>(ask: () => Value) => expect.poll(ask, { timeout: 30_000, interval: 20 });

const limits = { readingsEveryMs: 20, statusEveryMs: 60, heartbeatEveryMs: 200 };
const start = async (more: object = {}, series = 30): Promise<Served> => {
  const served = await serve({ limits: { ...limits, ...more } }, createFakeGateway({ series, now: Date.now }));
  open.push(served);
  return served;
};

type Event = { name: string; data: never };

/** Listens as a browser would. */
async function listen(served: Served, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await served.get("/api/v1/events", { signal: abort.signal, headers });
  const events: Event[] = [];
  let text = "";
  const decoder = new TextDecoder();
  const reading = (async () => {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() as string;
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined && data !== undefined) events.push({ name, data: JSON.parse(data) as never });
      }
    }
  })().catch(() => undefined);
  const close = async (): Promise<void> => {
    abort.abort();
    await reading;
  };
  open.push({ close });
  return { response, events, close, ended: reading, of: <Data>(name: string) => events.filter((event) => event.name === name).map(({ data }) => data as Data) };
}

type Readings = { series: number[]; ts: number[]; value: number[] };

test("a listener is greeted with everything, then told what changes", async () => {
  const served = await start();
  const listener = await listen(served);
  expect(listener.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  await poll(() => listener.of<Readings>("readings")[0]?.series.length).toBe(30);
  expect(listener.of("status")[0]).toMatchObject({ name: "cold-chain", readings: { rejected: 102 } });
  served.gateway.beat({ series: 7, value: 99.5 });
  await poll(() => listener.of<Readings>("readings").at(-1)).toMatchObject({ series: [7], value: [99.5] });
  await poll(() => listener.of("status").length).toBeGreaterThan(2);
});

test("many series come in several events, all of them once", async () => {
  const served = await start({}, 4500);
  const listener = await listen(served);
  await poll(() => listener.of<Readings>("readings").flatMap(({ series }) => series).length).toBe(4500);
  expect(listener.of<Readings>("readings").length).toBe(3);
  expect(new Set(listener.of<Readings>("readings").flatMap(({ series }) => series)).size).toBe(4500);
});

test("transitions come as they happen, in the API's words", async () => {
  const served = await start();
  const listener = await listen(served);
  await poll(() => listener.events.length).toBeGreaterThan(0);
  served.gateway.fire(alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: 1000 }));
  await poll(() => listener.of("alert")).toHaveLength(1);
  served.gateway.resolve("a1", -18);
  await poll(() => listener.of("alert")).toHaveLength(2);
  expect(listener.of("alert")).toMatchObject([
    { transition: "firing", reason: "condition", alert: { id: "a1", state: "firing", fired_at: "1970-01-01T00:00:01.000Z" } },
    { transition: "resolved", alert: { id: "a1", state: "resolved", value: -18 } },
  ]);
});

test("the gateway is asked only while someone listens", async () => {
  const served = await start();
  let asked = 0;
  const latest = served.gateway.latest;
  // The server holds its own copy of the deps; count through a gateway that is made for it.
  const gateway = createFakeGateway({ series: 3, now: Date.now });
  const counted = await serve({ limits }, { ...gateway, latest: (since) => ((asked += 1), latest(since)) });
  open.push(counted);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(asked).toBe(0);
  const listener = await listen(counted);
  await poll(() => asked).toBeGreaterThan(2);
  await listener.close();
  await poll(async () => (await counted.metrics.text()).includes("highwater_http_streams 0")).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const before = asked;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(asked).toBe(before);
});

test("a status that takes long holds up neither readings nor transitions", async () => {
  const gateway = createFakeGateway({ series: 3, now: Date.now });
  const served = await serve({ limits }, { ...gateway, status: () => new Promise<never>(() => undefined) });
  open.push(served);
  const listener = await listen(served);
  await poll(() => listener.of<Readings>("readings").length).toBe(1);
  gateway.beat({ series: 1, value: 5 });
  await poll(() => listener.of<Readings>("readings").at(-1)).toMatchObject({ series: [1], value: [5] });
  for (let index = 0; index < 100; index += 1) gateway.fire(alertOn(gateway.series[0] as never, { id: `a${index}`, firedAt: index }));
  await poll(() => listener.of<{ alert: { id: string } }>("alert").map(({ alert }) => alert.id)).toEqual(
    Array.from({ length: 100 }, (_, index) => `a${index}`),
  );
});

test("Last-Event-ID changes nothing", async () => {
  const served = await start();
  const listener = await listen(served, { "last-event-id": "../../99999999999999999999" });
  await poll(() => listener.of<Readings>("readings")[0]?.series.length).toBe(30);
});

test("one too many is refused in the usual shape, and there is room again when one has gone", async () => {
  const served = await start({ clientsMax: 2 });
  const [first] = [await listen(served), await listen(served)];
  const third = await served.get("/api/v1/events");
  expect(third.status).toBe(503);
  expect(third.headers.get("retry-after")).not.toBeNull();
  expect(await third.json()).toMatchObject({ error: { code: "too_many_streams", hint: expect.any(String) } });
  expect(await served.metrics.text()).toContain('highwater_http_streams_ended_total{reason="too_many"} 1');
  await first.close();
  await poll(async () => (await served.metrics.text()).includes("highwater_http_streams 1")).toBe(true);
  expect((await listen(served)).response.status).toBe(200);
});

const rawListener = async (served: Served): Promise<Socket> => {
  const socket = connect(served.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  open.push({ close: () => void socket.destroy() });
  socket.write("GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  return socket;
};

test("a reader that does not keep up is cut, and the others are not", async () => {
  const served = await start({ waitingBytesMax: 300_000, readingsEveryMs: 5 }, 2000);
  const good = await listen(served);
  const slow = await rawListener(served);
  slow.pause();
  await poll(async () => {
    for (let id = 0; id < 2000; id += 1) served.gateway.beat({ series: id, value: id + 0.123456789 });
    return (await served.metrics.text()).includes('highwater_http_streams_ended_total{reason="slow"} 1');
  }).toBe(true);
  const before = good.events.length;
  await poll(() => good.events.length).toBeGreaterThan(before);
});

test("a quiet stream beats, so that a dead one is found", async () => {
  const served = await start({ statusEveryMs: 60_000, heartbeatEveryMs: 50 });
  const socket = await rawListener(served);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await poll(() => text.split("event: beat\ndata: {}\n\n").length).toBeGreaterThan(2);
  expect(text).toContain("Content-Security-Policy: default-src 'none'");
});

test("closing the server ends the streams", async () => {
  const served = await serve({ limits });
  const listener = await listen(served);
  await poll(() => listener.events.length).toBeGreaterThan(0);
  await served.close();
  await listener.ended;
});
