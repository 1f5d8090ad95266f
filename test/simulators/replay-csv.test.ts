// Replay over a real aedes: order, count, timestamps as they stand in the file, resuming, pacing, a lost connection.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ReplayOptions, replayRecording } from "../../simulators/replay-csv.ts";
import { systemClock } from "../../src/clock.ts";
import { parseTimestamp, type RecordedReading, readRecording } from "../../src/recording.ts";
import { startBroker } from "./broker.ts";

let broker: Awaited<ReturnType<typeof startBroker>>;
let folder: string;
beforeEach(async () => {
  broker = await startBroker();
  folder = await mkdtemp(join(tmpdir(), "highwater-replay-"));
});
afterEach(async () => {
  await broker.close();
  await rm(folder, { recursive: true });
});

const options = (more: Partial<ReplayOptions> = {}): ReplayOptions => ({
  url: broker.url,
  topic: "sensors/lab/machine/temperature",
  inFlightMax: 50,
  speed: null,
  skip: 0,
  ...more,
});
const replay = (readings: AsyncIterable<RecordedReading>, more: Partial<ReplayOptions> = {}, signal = new AbortController().signal) =>
  replayRecording(readings, { clock: systemClock, signal }, options(more));

async function recording(lines: readonly string[]): Promise<string> {
  const file = join(folder, "recording.csv");
  await writeFile(file, `timestamp,value\n${lines.join("\n")}\n`);
  return file;
}
const lines = (count: number) => Array.from({ length: count }, (_, index) => `${new Date(index * 300_000).toISOString()},${index}.50`);
const payload = (index: number) => `{"ts":${index * 300_000},"value":${index}.50}`;

test("every reading arrives once, in the file's order, with its own timestamp and digits", async () => {
  const report = await replay(readRecording(await recording(lines(2000))));
  expect(report).toMatchObject({ acknowledged: 2000, position: 2000, finished: true });
  expect(broker.published.map((message) => message.payload)).toEqual(Array.from({ length: 2000 }, (_, index) => payload(index)));
  expect(new Set(broker.published.map((message) => `${message.topic} ${message.qos}`))).toEqual(new Set(["sensors/lab/machine/temperature 1"]));
});

test("an interrupted replay says where to go on, and --skip goes on there", async () => {
  const file = await recording(lines(500));
  const interruption = new AbortController();
  const first = await replayRecording(
    readRecording(file),
    { clock: systemClock, signal: interruption.signal, onProgress: (position) => position >= 100 && interruption.abort() },
    options({ inFlightMax: 10 }),
  );
  expect(first.finished).toBe(false);
  expect(first.position).toBeGreaterThanOrEqual(100);
  expect(first.position).toBeLessThan(500);
  broker.published.length = 0;
  const second = await replay(readRecording(file), { skip: first.position });
  expect(second).toMatchObject({ acknowledged: 500 - first.position, position: 500, finished: true });
  expect(broker.published[0]?.payload).toBe(payload(first.position));
});

test("--speed keeps the recording's distances", async () => {
  const readings = (async function* () {
    for (const ts of [1000, 61_000, 31_000, 121_000]) yield { ts, value: 1, text: "1" };
  })();
  const report = await replay(readings, { speed: 600 });
  expect(report.acknowledged).toBe(4);
  // 120 s at 600 × real time; nothing is said about how much later than that.
  expect(report.elapsedMs).toBeGreaterThanOrEqual(200);
});

test("a connection that is cut is opened again, and what was in flight is sent again", async () => {
  let cut = false;
  const report = await replayRecording(
    readRecording(await recording(lines(400))),
    {
      clock: systemClock,
      signal: new AbortController().signal,
      onProgress: (position) => {
        if (position < 100 || cut) return;
        cut = true;
        broker.cut();
      },
    },
    options({ inFlightMax: 20 }),
  );
  expect(report).toMatchObject({ acknowledged: 400, finished: true });
  const arrived = broker.published.map((message) => message.payload);
  expect([...new Set(arrived)].sort()).toEqual(Array.from({ length: 400 }, (_, index) => payload(index)).sort());
});

test("a gateway that is not there is an error", async () => {
  await expect(replay(readRecording(await recording(lines(1))), { url: "mqtt://127.0.0.1:1" })).rejects.toThrow("ECONNREFUSED");
});

test.each([
  ["timestamp;value", "1:1: the first line must name the columns timestamp and value"],
  ["timestamp,value\n2013-12-02 21:15:00,1\nyesterday,2", '3:1: "yesterday" is not a timestamp'],
  ["timestamp,value\n2013-12-02 21:15:00,", '2:21: "" is not a number'],
  ["timestamp,value\n2013-12-02 21:15:00,NaN", '2:21: "NaN" is not a number'],
])("a recording that cannot be read names the line: %j", async (text, message) => {
  const file = join(folder, "bad.csv");
  await writeFile(file, text);
  const readAll = async () => {
    for await (const _ of readRecording(file));
  };
  await expect(readAll()).rejects.toThrow(`${file}:${message}`);
});

test.each([
  ["2013-12-02 21:15:00", Date.UTC(2013, 11, 2, 21, 15)],
  ["2013-12-02T21:15:00.250Z", Date.UTC(2013, 11, 2, 21, 15, 0, 250)],
  ["2013-12-02T21:15:00+01:00", Date.UTC(2013, 11, 2, 20, 15)],
  ["1386018900", Date.UTC(2013, 11, 2, 21, 15)],
  ["1386018900123", Date.UTC(2013, 11, 2, 21, 15) + 123],
  ["2013-13-02 21:15:00", undefined],
  ["", undefined],
])("timestamp %j", (text, expected) => {
  expect(parseTimestamp(text)).toBe(expected);
});
