// What whoever runs the gateway relies on: SIGTERM, SIGHUP, one gateway for one data directory, topics that nobody reads, and QoS 0 and 2.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { generate, type Packet, parser } from "mqtt-packet";
import { afterEach, expect, it } from "vitest";
import {
  type AlertAnswer,
  connectClient,
  createFolder,
  highwater,
  type ReadingsAnswer,
  type RunningGateway,
  startHighwater,
  waitFor,
} from "./gateway-process.ts";

const T0 = Date.UTC(2026, 0, 5, 12);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

function newFolder(name: string): string {
  const folder = createFolder(name);
  cleanUp.push(() => folder.remove());
  return folder.path;
}

async function start(folder: string, config?: Parameters<typeof startHighwater>[1]): Promise<RunningGateway> {
  const gateway = await startHighwater(folder, config);
  cleanUp.push(() => gateway.stop());
  return gateway;
}

async function client(gateway: RunningGateway) {
  const opened = await connectClient(gateway.mqttUrl);
  opened.on("error", () => {});
  cleanUp.push(() => opened.endAsync(true));
  return opened;
}

const rawValues = async (gateway: RunningGateway, query = ""): Promise<number[]> => {
  const { series } = await gateway.get<ReadingsAnswer>(`/api/v1/readings?step=raw${query}`);
  return series.flatMap(({ buckets }) => buckets.map(({ min }) => min));
};

it("SIGTERM under load drains, exits 0, and nothing acknowledged is lost", async () => {
  const folder = newFolder("drain");
  let gateway = await start(folder, {});
  const device = await client(gateway);
  const acknowledged: number[] = [];
  let [sent, inFlight, isOver] = [0, 0, false];
  const over = new Promise<void>((resolve) => {
    device.once("close", () => {
      isOver = true;
      resolve();
    });
  });
  // Whatever is acknowledged is followed at once, so that something is always under way.
  const fill = (): void => {
    for (; inFlight < 100 && !isOver; inFlight++) {
      const value = sent++;
      device.publish("sensors/lab/device/count", `{"ts":${T0 + value},"value":${value}}`, { qos: 1 }, (error) => {
        inFlight--;
        if (error) return;
        acknowledged.push(value);
        fill();
      });
    }
  };
  fill();
  await waitFor("a load under way", () => acknowledged.length > 500);
  expect(await gateway.stop()).toBe(0);
  await over;
  await device.endAsync(true);
  expect(sent).toBeGreaterThan(acknowledged.length);

  gateway = await start(folder);
  const stored = new Set<number>();
  for (let from = T0; from < T0 + sent; from += 10_000) for (const value of await rawValues(gateway, `&from=${from}&to=${from + 10_000}`)) stored.add(value);
  expect(acknowledged.filter((value) => !stored.has(value))).toEqual([]);
});

it("SIGHUP with a bad file keeps the old rules and says why; with a good one the new rules hold", async () => {
  const folder = newFolder("hang-up");
  const rule = (name: string, above: number) => ({ name, match: { metric: "temperature" }, condition: { type: "threshold", above } });
  const config = { rules: [rule("old", 50)] };
  const gateway = await start(folder, config);
  const device = await client(gateway);
  const send = (ts: number, value: number) => device.publishAsync("sensors/lab/oven/temperature", JSON.stringify({ ts: T0 + ts, value }), { qos: 1 });
  const firing = async () => (await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing")).alerts.map((alert) => alert.rule).toSorted();
  const file = join(folder, "highwater.yaml");
  const old = readFileSync(file, "utf8");

  writeFileSync(file, old.replace('"above": 50', '"above": "fifty"'));
  gateway.hangUp();
  const said = await waitFor("the refusal in the log", () => gateway.log.find(({ level, msg }) => level === "error" && msg.includes("the old one stays")));
  expect(said["problems"]).toMatchObject([
    { file, line: expect.any(Number), message: expect.stringContaining("fifty"), hint: expect.stringContaining("number") },
  ]);
  await send(0, 60);
  expect(await firing()).toEqual(["old"]);

  writeFileSync(file, old.replace('"rules": [', `"rules": [${JSON.stringify(rule("new", 55))},`));
  gateway.hangUp();
  await waitFor("the reload", () => gateway.log.some(({ msg }) => msg === "reloaded"));
  await send(1, 61);
  expect(await firing()).toEqual(["new", "old"]);
});

// What a process was started with is read from /proc, which only Linux has.
it.runIf(process.platform === "linux")("the gateway runs with bounded room, in the process that was started", async () => {
  const gateway = await start(newFolder("room"), {});
  // Its pid is that of the program that was started; what it was replaced by has its flags.
  const args = readFileSync(`/proc/${gateway.pid}/cmdline`, "utf8").split("\0");
  const environment = readFileSync(`/proc/${gateway.pid}/environ`, "utf8").split("\0");
  expect(args).toContain("--heap-growing-percent=10");
  expect(environment).toContain("MALLOC_ARENA_MAX=2");
  const logged = gateway.log.find(({ msg }) => msg === "ready");
  expect(logged?.["pid"]).toBe(gateway.pid);
});

it("a second gateway on the same data directory ends with 1 and a sentence, and the first goes on", async () => {
  const folder = newFolder("second");
  const gateway = await start(folder, {});
  const { code, stdout, stderr } = await highwater("run", "--config", join(folder, "highwater.yaml"));
  expect(code).toBe(1);
  expect(`${stdout}${stderr}`).toMatch(/another highwater uses .*data/);
  expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at /);
  await (await client(gateway)).publishAsync("sensors/lab/device/count", JSON.stringify({ ts: T0, value: 1 }), { qos: 1 });
  expect(await rawValues(gateway)).toEqual([1]);
});

it.each([
  { what: "JSON with a time", topic: "plant/line-4/pump/flow", payload: JSON.stringify({ ts: T0, value: 7.5 }) },
  { what: "a bare number", topic: "home/kitchen/humidity", payload: "7.5" },
  {
    what: "several values and a local time",
    topic: "tele/boiler/SENSOR",
    payload: JSON.stringify({ Time: "2026-01-05T13:00:00", DS18B20: { Temperature: 7.5 } }),
  },
])("an unmatched topic ($what) is listed with a line that works when it is pasted", async ({ topic, payload }) => {
  const folder = newFolder("unmatched");
  const gateway = await start(folder, {});
  const device = await client(gateway);
  for (let count = 0; count < 3; count++) await device.publishAsync(topic, payload, { qos: 1 });
  const { unmatched, readings } = await gateway.status();
  expect(unmatched).toMatchObject([{ topic, count: 3, sample: payload }]);
  expect(readings.received).toBe(0);

  writeFileSync(join(folder, "highwater.yaml"), `gateway: { data_dir: ./data }\nsources:\n  ${unmatched[0]?.suggestion}\n`);
  gateway.hangUp();
  await waitFor("the reload", () => gateway.log.some(({ msg }) => msg === "reloaded"));
  await device.publishAsync(topic, payload, { qos: 1 });
  const after = await gateway.status();
  expect(after.unmatched).toEqual([]);
  expect(after.readings).toMatchObject({ received: 1, accepted: 1 });
  expect(await rawValues(gateway)).toEqual([7.5]);
});

it("readings of QoS 0 and of QoS 2, sent again with DUP, count once", async () => {
  const gateway = await start(newFolder("qos"), {});
  const [host, port] = [new URL(gateway.mqttUrl).hostname, Number(new URL(gateway.mqttUrl).port)];
  const session = async (clientId: string, clean: boolean) => {
    const socket = connect(port, host);
    const reader = parser();
    const packets: Packet[] = [];
    reader.on("packet", (packet: Packet) => packets.push(packet));
    socket.on("data", (bytes) => reader.parse(bytes));
    await once(socket, "connect");
    cleanUp.push(() => socket.destroy());
    const send = (packet: Packet) => socket.write(generate(packet));
    const expectPackets = async (...cmds: Packet["cmd"][]) => {
      await waitFor(`${cmds.join(", ")}; came: ${packets.map(({ cmd }) => cmd).join(", ")}`, () => packets.length >= cmds.length);
      expect(packets.splice(0).map(({ cmd }) => cmd)).toEqual(cmds);
    };
    send({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean, clientId, keepalive: 30 });
    await expectPackets("connack");
    return { socket, send, expectPackets };
  };
  // No time in the payload: a second taking would be a second reading, not a duplicate.
  const publish = (payload: string, qos: 0 | 2, dup: boolean): Packet => ({
    cmd: "publish",
    topic: "sensors/lab/device/count",
    payload,
    qos,
    dup,
    retain: false,
    ...(qos === 2 && { messageId: 7 }),
  });

  const first = await session("qos-device", false);
  first.send(publish("1", 0, false));
  first.send(publish("2", 2, false));
  await first.expectPackets("pubrec");
  first.send(publish("2", 2, true));
  await first.expectPackets("pubrec");
  first.socket.destroy();
  const second = await session("qos-device", false);
  second.send(publish("2", 2, true));
  await second.expectPackets("pubrec");
  second.send({ cmd: "pubrel", messageId: 7 });
  await second.expectPackets("pubcomp");
  second.send({ cmd: "pubrel", messageId: 7 });
  await second.expectPackets("pubcomp");
  // The packet id is free again: this one is new.
  second.send(publish("3", 2, false));
  await second.expectPackets("pubrec");
  second.send({ cmd: "pubrel", messageId: 7 });
  await second.expectPackets("pubcomp");

  expect((await gateway.status()).readings).toMatchObject({ received: 3, accepted: 3 });
  expect(await rawValues(gateway)).toEqual([1, 2, 3]);
});
