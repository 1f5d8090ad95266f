// A week of devices that misbehave, in a zone whose clocks change in it, sent within a minute to a gateway that is killed again and again, also in the
// midst of compaction and of the nightly summary. Afterwards nothing that was acknowledged is missing, every day equals plain sums over what was
// sent, and where stream and batch differ the lateness that the journal has written down explains it. Everything is drawn by a seed.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import type { Step } from "../../src/storage/query.ts";
import { booksBalance, type Config, createDraw, createFolder, drawSeed, highwater, type RunningGateway, startHighwater } from "./gateway-process.ts";
import { createDayOf } from "./independent-summary.ts";
import { DAY_MS, drawDevices, HOUR_MS, type Message, MINUTE_MS, readingOf, SOURCES, WEEKS } from "./week-devices.ts";
import { createFleet } from "./week-fleet.ts";
import { type Arrival, expectBooks, expectLedgerKept, expectVerdicts, type Histories, historiesOf, readArrivals } from "./week-history.ts";
import { killAfter, killInCompaction, killInSummary, killSummarizeAlone, killWhileStopping } from "./week-kills.ts";
import {
  expectBuckets,
  expectChunks,
  expectRawHistory,
  expectSeries,
  expectStored,
  expectStream,
  expectSummaries,
  type SummaryAnswer,
  summariesOf,
} from "./week-layers.ts";
import { checkReconciliation } from "./week-reconciliation.ts";

const DEVICES = 10;
const CONNECTIONS = 4;
const WEEK_MS = 7 * DAY_MS;
const BLOCK_MS = 4 * HOUR_MS;
/** In this order. The first comes when compaction has days to do, so that it can be met in its midst. */
const KINDS = ["compaction", "load", "summary", "start", "compaction", "stopping", "load", "stop"] as const;
/** Blocks before the first. */
const CALM = 12;
/** Of PUBACKs from the begin of a block. */
const LOAD_KILL_MAX = 2000;

/** Off the hour. */
const OTHER_ZONE = "Asia/Kathmandu";

const configIn = (zone: string): Config => ({
  gateway: { timezone: zone },
  sources: SOURCES.map(({ name, outOfOrdernessMs, idleAfter }) => ({
    topic: `${name}/{site}/{device}`,
    labels: { patience: name },
    out_of_orderness: `${outOfOrdernessMs / 1000}s`,
    idle_after: idleAfter,
  })),
  // Only where ten seconds of silence, which borrow a clock, fire nothing: what fires between two summaries rightly changes its day.
  rules: [
    { name: "warm", match: { metric: "temperature", patience: "patient" }, condition: { type: "threshold", above: 8, clear_below: 7 }, for: "5m" },
    { name: "dry", match: { metric: "humidity", patience: ["strict", "patient"] }, condition: { type: "threshold", below: 45 } },
  ],
});

describe("a week with disorder, outages, backfill and kills", () => {
  const seed = drawSeed("test/e2e/week.test.ts");
  const draw = createDraw(seed);
  const { zone, from: begin } = draw.oneOf(WEEKS);
  const from = Date.parse(begin);
  const devices = drawDevices(draw, seed, DEVICES, { from, to: from + WEEK_MS });
  const fleet = createFleet(devices, CONNECTIONS, createDraw(seed + 1));
  const folder = createFolder("week");
  const dataDir = join(folder.path, "data");
  const configFile = join(folder.path, "highwater.yaml");
  const dayOf = createDayOf(zone);
  const landed = { compaction: 0, summary: 0 };
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startHighwater(folder.path, configIn(zone));
  });
  afterAll(async () => {
    await gateway?.stop();
    folder.remove();
  });

  /** Reads the store beside the gateway. */
  function withStore<Result>(use: (db: Database) => Result): Result {
    const db = openDatabase(dataDir, { readonly: true });
    try {
      return use(db);
    } finally {
      db.close();
    }
  }
  const arrivals = (): Arrival[] => withStore(readArrivals);
  const histories = (): Histories => historiesOf(arrivals());
  const summarize = async (...days: string[]): Promise<void> => {
    const { code, stderr } = await highwater("summarize", "--config", configFile, ...days);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  };
  const sendAll = async (messages: readonly Message[]): Promise<void> => expect(await fleet.sendMore(gateway.mqttUrl, messages)).toBe(true);
  const versionsOf = (summaries: ReadonlyMap<string, SummaryAnswer>) => new Map([...summaries].map(([key, { version }]) => [key, version]));

  /** At one moment, as silence may close buckets at any. */
  const expectStreamBy = (steps: readonly Step[]): void =>
    withStore((db) => db.transaction(() => expectStream(db, historiesOf(readArrivals(db)), steps, zone))());

  /** After whatever end. */
  async function start(): Promise<void> {
    const there = arrivals();
    const kept = historiesOf(there);
    expectLedgerKept(fleet.ledger, kept);
    withStore((db) => expectStored(db, kept));
    gateway = await startHighwater(folder.path);
    const { readings } = await gateway.status();
    expect(booksBalance(readings)).toBe(true);
    expectBooks(readings, there, fleet.ledger);
    // While it catches up, of chunks and what is not compacted yet.
    await expectSeries(gateway, kept, draw.oneOf([...fleet.ledger.readings.keys()]), zone);
  }

  async function sendAndKill(kind: (typeof KINDS)[number], until: number): Promise<void> {
    const send = (onAcknowledged?: () => void) => fleet.send(gateway.mqttUrl, until, onAcknowledged);
    switch (kind) {
      case "load": {
        let left = draw.whole(1, LOAD_KILL_MAX);
        let killed: Promise<void> | undefined;
        await send(() => {
          left -= 1;
          if (left === 0) killed = gateway.kill();
        });
        return killed ?? gateway.kill();
      }
      case "compaction": {
        // Readings come on while it works: they are of the days whose chunks the killed pass leaves behind.
        const [isMidPass] = await Promise.all([killInCompaction(gateway, dataDir), fleet.send(gateway.mqttUrl, until + 4 * BLOCK_MS)]);
        landed.compaction += isMidPass ? 1 : 0;
        return;
      }
      case "summary": {
        // What a start found due is done first, so that the killed run has work of its own.
        await summarize();
        expect(await fleet.send(gateway.mqttUrl, until - BLOCK_MS / 2)).toBe(true);
        const [hasBegun] = await Promise.all([killInSummary(gateway, dataDir), send()]);
        landed.summary += hasBegun ? 1 : 0;
        return;
      }
      case "start":
        await gateway.kill();
        gateway = await startHighwater(folder.path);
        await Promise.all([killAfter(gateway, draw.between(0, 1000)), send()]);
        return;
      case "stopping":
        await Promise.all([killWhileStopping(gateway, draw.between(0, 400)), send()]);
        return;
      case "stop":
        await send();
        expect(await gateway.stop()).toBe(0);
        await killSummarizeAlone(configFile, draw.between(300, 1200));
        return draw.whole(0, 1) === 0 ? summarize() : undefined;
      default: {
        const never: never = kind;
        return never;
      }
    }
  }

  it(`the week is sent; after each kill all that was acknowledged is there (HIGHWATER_SEED=${seed}, ${zone})`, { timeout: 240_000 }, async () => {
    const blocks = Math.ceil(WEEK_MS / BLOCK_MS);
    const stretch = (blocks - CALM) / KINDS.length;
    const places = new Map(KINDS.map((kind, index) => [CALM + Math.floor((index + draw.between(0, 0.9)) * stretch), kind]));
    const freeAfter = (block: number): number => (places.has(block + 1) ? freeAfter(block + 1) : block + 1);
    for (let block = 0; block < blocks; block++) {
      const [until, kind] = [from + (block + 1) * BLOCK_MS, places.get(block)];
      if (kind !== undefined) {
        await sendAndKill(kind, until);
        await start();
        // It had ended, or had nothing to do, before the kill came: again, later.
        if ((kind === "compaction" || kind === "summary") && landed[kind] === 0) places.set(freeAfter(block), kind);
      }
      expect(await fleet.send(gateway.mqttUrl, until)).toBe(true);
    }
    expect(await fleet.send(gateway.mqttUrl, Number.POSITIVE_INFINITY)).toBe(true);
    // Else the kills were none of what they are named after.
    expect(landed.compaction).toBeGreaterThan(0);
    expect(landed.summary).toBeGreaterThan(0);
  });

  it("each reading is there once, in the journal and by the API, before compaction and after it", { timeout: 120_000 }, async () => {
    const [{ readings }, there] = [await gateway.status(), arrivals()];
    expectBooks(readings, there, fleet.ledger);
    expectLedgerKept(fleet.ledger, historiesOf(there));
    const unanswered = expectVerdicts(there, devices);
    expect(unanswered).toBeLessThan((readings.duplicate + readings.conflict) / 10);
    await expectRawHistory(gateway, historiesOf(there));
    await summarize();
    await expectRawHistory(gateway, historiesOf(there));
    withStore((db) => expectChunks(db, historiesOf(there), zone));
  });

  it("every day equals plain sums over the history", async () => {
    await expectSummaries(gateway, histories(), zone);
  });

  it("buckets by day, hour and minute equal plain sums, whichever layer answers", { timeout: 120_000 }, async () => {
    await expectBuckets(gateway, histories(), zone);
    expectStreamBy(["day", HOUR_MS, MINUTE_MS]);
  });

  it("a second summary changes nothing, nor does one that works all days out anew", async () => {
    const once = await gateway.text("/api/v1/summaries?limit=10000");
    await summarize();
    expect(await gateway.text("/api/v1/summaries?limit=10000")).toBe(once);
    await summarize("--from", dayOf(from), "--to", dayOf(from + WEEK_MS));
    expect(await gateway.text("/api/v1/summaries?limit=10000")).toBe(once);
  });

  it("readings that come days late change the days that they are of, and nothing else", { timeout: 120_000 }, async () => {
    const before = versionsOf(await summariesOf(gateway));
    const [first, second, third] = devices.filter((_, index) => index % 4 === 1) as [(typeof devices)[0], (typeof devices)[0], (typeof devices)[0]];
    const isNew = ({ values }: Message) => values.some(({ series, ts }) => fleet.ledger.readings.get(series)?.has(ts) !== true);
    const fresh = [
      ...Array.from({ length: 40 }, (_, index) => readingOf(first, seed, from + 2 * DAY_MS + index * 61_001 + 7)),
      ...Array.from({ length: 3 }, (_, index) => readingOf(second, seed, from + (1 + 2 * index) * DAY_MS + 13)),
    ].filter(isNew);
    expect(fresh.length).toBeGreaterThan(30);
    const repeated = third.sendings.filter(({ message }) => message.kind === "reading").slice(100, 140);
    expect(repeated.length).toBe(40);
    await sendAll([...fresh, ...repeated.map(({ message }) => message)]);
    await summarize();
    const after = await summariesOf(gateway);
    await expectSummaries(gateway, histories(), zone);
    const touched = new Set(fresh.flatMap(({ values }) => values.map(({ series, ts }) => `${series} ${dayOf(ts)}`)));
    const wanted = new Map([...before].map(([key, version]) => [key, touched.has(key) ? version + 1 : version]));
    for (const key of touched) if (!before.has(key)) wanted.set(key, 1);
    expect(versionsOf(after)).toEqual(wanted);
    withStore((db) => expectChunks(db, histories(), zone));
    expectStreamBy([HOUR_MS]);
  });

  it("what stream and batch say differently is explained", async () => {
    await checkReconciliation(gateway, { arrivals: arrivals(), ledger: fleet.ledger, zone });
  });

  it("a clean stop and a start keep all of it", async () => {
    const [once, before] = [await gateway.text("/api/v1/summaries?limit=10000"), histories()];
    expect(await gateway.stop()).toBe(0);
    await start();
    await expectRawHistory(gateway, before);
    expect(await gateway.text("/api/v1/summaries?limit=10000")).toBe(once);
  });

  it(`in another zone, ${OTHER_ZONE}, its days are worked out of chunks that were cut by the days of the first`, { timeout: 120_000 }, async () => {
    expect(await gateway.stop()).toBe(0);
    gateway = await startHighwater(folder.path, configIn(OTHER_ZONE));
    await sendAll(devices.map((device, index) => readingOf(device, seed, from + (index % 7) * DAY_MS + 5_000_011)));
    await summarize();
    await expectSummaries(gateway, histories(), OTHER_ZONE);
    await expectBuckets(gateway, histories(), OTHER_ZONE);
    await expectRawHistory(gateway, histories());
  });
});
