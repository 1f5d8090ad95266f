// Two real recordings through the whole house at full speed: journal, books, serving layers, alerts and daily summaries agree with what a second,
// independent reckoning makes of the files. Rules are drawn by a seed besides the two that are given.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replayRecording } from "../../simulators/replay-csv.ts";
import { systemClock } from "../../src/clock.ts";
import { readRecording } from "../../src/recording.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { readJournal } from "../../src/storage/journal.ts";
import { drawRules, type NamedRule, ruleOf } from "./drawn-rules.ts";
import {
  type AlertAnswer,
  type AlertHistoryAnswer,
  type BucketAnswer,
  booksBalance,
  createDraw,
  createFolder,
  drawSeed,
  highwater,
  type ReadingsAnswer,
  type RunningGateway,
  startHighwater,
} from "./gateway-process.ts";
import { expectedOf, firstOfEachInstant, type Recorded, type Verdict } from "./independent-evaluator.ts";
import { byDay, createDayOf, type Figures, figuresOf } from "./independent-summary.ts";

const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const FILES = {
  machine: join(DATA, "machine_temperature_system_failure.csv"),
  ambient: join(DATA, "ambient_temperature_system_failure.csv"),
} as const;
type Device = keyof typeof FILES;
const DEVICES = Object.keys(FILES) as Device[];
const TOLD = { machine: 22_695, ambient: 7_267 };
const KEPT = { machine: 22_683, ambient: 7_267 };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ZONE = "America/New_York";
const [FIRST_DAY, LAST_DAY] = ["2013-12-02", "2014-02-19"];
const WIDTH: Readonly<Record<string, number>> = { "5m": 5 * MINUTE_MS, "1h": HOUR_MS };
/** Occurrences of one rule whose transitions are looked at one by one; of all the others the ends are compared. */
const HISTORIES_MAX = 60;

type SummaryAnswer = Figures & { day: string; zone: string; labels: Record<string, string>; alerts: number; version: number; late: number };

if (!existsSync(FILES.machine)) console.warn("The tests of whole recordings are skipped: they are not there, in ../shared/data");

// Skipped where the recordings are not there: they lie in a folder beside the repository and are not part of it.
describe.skipIf(!existsSync(FILES.machine))("both recordings at full speed", () => {
  const folder = createFolder("recordings");
  const seed = drawSeed("test/e2e/recordings.test.ts");
  const history = {} as Record<Device, Recorded[]>;
  let rules: (NamedRule & { readonly expected: Verdict })[] = [];
  let gateway: RunningGateway;

  beforeAll(async () => {
    for (const device of DEVICES) {
      const readings: Recorded[] = [];
      for await (const { ts, value } of readRecording(FILES[device])) readings.push({ ts, value });
      history[device] = firstOfEachInstant(readings);
    }
    const draw = createDraw(seed);
    const given: NamedRule[] = [
      { name: "machine-cold", device: "machine", condition: { type: "threshold", below: 40 }, forMs: 10 * MINUTE_MS, keepFiringForMs: 0 },
      { name: "office-uncomfortable", device: "ambient", condition: { type: "threshold", outside: [58.5, 85] }, forMs: 0, keepFiringForMs: 0 },
    ];
    const drawn = [...drawRules(draw, "machine", history.machine, 5 * MINUTE_MS), ...drawRules(draw, "ambient", history.ambient, HOUR_MS)];
    rules = [...given, ...drawn].map((rule) => ({ ...rule, expected: expectedOf(rule, history[rule.device]) }));
    gateway = await startHighwater(folder.path, { gateway: { timezone: ZONE }, rules: rules.map(ruleOf) });
    const replay = (device: Device) =>
      replayRecording(
        readRecording(FILES[device]),
        { clock: systemClock, signal: new AbortController().signal },
        { url: gateway.mqttUrl, topic: `sensors/lab/${device}/temperature`, inFlightMax: 500, speed: null, skip: 0 },
      );
    for (const device of DEVICES) expect((await replay(device)).acknowledged).toBe(TOLD[device]);
  });
  afterAll(async () => {
    await gateway?.stop();
    folder.remove();
  });

  it("the books hold every one, and 12 conflicts", async () => {
    const { readings } = await gateway.status();
    expect(readings).toEqual({ received: 29_962, accepted: 29_950, late: 0, duplicate: 0, conflict: 12, quarantined: 0, rejected: 0 });
    expect(booksBalance(readings)).toBe(true);
  });

  it.each(["", "5m", "1h", "day"])("readings by step %j: each reading is in one bucket, and in the right one", async (step) => {
    const dayOf = createDayOf(ZONE);
    for (const device of DEVICES) {
      const buckets = await bucketsOf(gateway, device, step === "" ? "" : `&step=${step}`);
      expect(sumOf(buckets), device).toBe(KEPT[device]);
      const [min, max] = [Math.min(...buckets.map((bucket) => bucket.min)), Math.max(...buckets.map((bucket) => bucket.max))];
      const values = history[device].map(({ value }) => value);
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
      const [first] = buckets as [BucketAnswer];
      const size = first.end - first.t;
      const keyOf = step === "day" ? dayOf : (ts: number) => Math.floor(ts / size) * size;
      const counts = [...Map.groupBy(history[device], ({ ts }) => keyOf(ts))].map(([key, readings]) => [key, readings.length]);
      expect(buckets.map(({ t, count }) => [step === "day" ? dayOf(t) : t, count])).toEqual(counts);
      if (step !== "day") expect(new Set(buckets.map(({ t, end }) => end - t))).toEqual(new Set([WIDTH[step] ?? size]));
    }
  });

  it("each raw reading is the one of the file", async () => {
    const half = Date.UTC(2014, 0, 7, 2, 30);
    for (const device of DEVICES) {
      const [before, after] = await Promise.all([`&to=${half}`, `&from=${half}`].map((span) => bucketsOf(gateway, device, `&step=raw${span}`)));
      const raw = [...(before ?? []), ...(after ?? [])].map(({ t, min }) => ({ ts: t, value: min }));
      expect(raw, device).toEqual(history[device]);
    }
  });

  it(`alerts are those of the independent evaluator, in event time (HIGHWATER_SEED=${seed})`, async () => {
    const { alerts: pending } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=pending");
    let occurrencesSeen = 0;
    for (const { expected, ...rule } of rules) {
      const alerts = await alertsOf(gateway, rule.name);
      const about = JSON.stringify(rule);
      expect(
        alerts.map(({ fired_at, resolved_at }) => [fired_at, resolved_at]),
        about,
      ).toEqual(expected.occurrences.map(({ firedAt, transitions }) => [iso(firedAt), endOf(transitions)]));
      alerts.forEach((alert, index) => {
        const { goodValue, peak } = expected.occurrences[index] ?? { goodValue: null, peak: null };
        if (goodValue !== null) expect(alert.value, about).toBeCloseTo(goodValue, 9);
        if (peak !== null) expect(alert.peak, about).toBeCloseTo(peak, 9);
      });
      for (const [index, { id }] of alerts.slice(0, HISTORIES_MAX).entries()) {
        const { transitions } = await gateway.get<AlertHistoryAnswer>(`/api/v1/alerts/${id}`);
        expect(
          transitions.map(({ to, ts }) => `${to}@${Date.parse(ts)}`),
          about,
        ).toEqual(expected.occurrences[index]?.transitions);
        expect(transitions.map(({ reason }) => reason)).toEqual(transitions.map(() => "condition"));
      }
      const since = expected.pendingSince;
      expect(
        pending.filter((alert) => alert.rule === rule.name).map((alert) => alert.since),
        about,
      ).toEqual(since === null ? [] : [iso(since)]);
      occurrencesSeen += alerts.length;
    }
    const machine = await alertsOf(gateway, "machine-cold");
    expect(machine.length).toBeGreaterThan(0);
    for (const { fired_at } of machine) expect(["2013", "2014"]).toContain(fired_at?.slice(0, 4));
    // A draw that never fires would prove nothing.
    expect(occurrencesSeen).toBeGreaterThan(100);
  });

  it("summarize writes every day, by the running gateway and without it; its figures are those of the plain sums; twice changes nothing", async () => {
    const file = join(folder.path, "highwater.yaml");
    const summarize = async (from: string, to: string) => {
      const { code, stderr } = await highwater("summarize", "--config", file, "--from", from, "--to", to);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    };
    const summaries = () => gateway.text(`/api/v1/summaries?from=${FIRST_DAY}&to=${LAST_DAY}&limit=10000`);

    await summarize(FIRST_DAY, "2014-01-10");
    expect(await gateway.stop()).toBe(0);
    await summarize("2014-01-11", LAST_DAY);
    const journaled = journalCounts(join(folder.path, "data"));
    expect(journaled).toEqual([22_695 + 7_267, 12]);

    gateway = await startHighwater(folder.path);
    const once = await summaries();
    const written = (JSON.parse(once) as { summaries: SummaryAnswer[] }).summaries;
    await summarize(FIRST_DAY, LAST_DAY);
    expect(await summaries()).toBe(once);

    const dayOf = createDayOf(ZONE);
    for (const device of DEVICES) {
      const days = byDay(history[device], dayOf);
      const ofDevice = written.filter(({ labels }) => labels["device"] === device).toSorted((a, b) => (a.day < b.day ? -1 : 1));
      const wanted = [...days].filter(([day]) => day >= FIRST_DAY && day <= LAST_DAY);
      expect(ofDevice.map(({ day }) => day)).toEqual(wanted.map(([day]) => day));
      expect(wanted.length).toBe(80);
      const fired = rules.filter((rule) => rule.device === device).flatMap(({ expected }) => expected.occurrences.map(({ firedAt }) => dayOf(firedAt)));
      wanted.forEach(([day, readings], index) => {
        const summary = ofDevice[index] as SummaryAnswer;
        const { avg, stddev, sum, coverage, ...exact } = figuresOf(readings, dayOf);
        expect(summary, `${device} ${day}`).toMatchObject({ ...exact, zone: ZONE, late: 0, alerts: fired.filter((each) => each === day).length });
        const reckoned = { avg, stddev, sum, coverage };
        for (const [name, figure] of Object.entries(reckoned)) near(summary[name as keyof typeof reckoned], figure, `${device} ${day} ${name}`);
      });
    }
  });
});

/** To 1e-9 of its size: floats are added in another order. */
function near(given: number | null, figure: number | null, about: string): void {
  if (given === null || figure === null) return expect(given, about).toBe(figure);
  expect(Math.abs(given - figure), `${about}: ${given} and ${figure}`).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(figure)));
}

async function bucketsOf(gateway: RunningGateway, device: string, more: string): Promise<readonly BucketAnswer[]> {
  const { series } = await gateway.get<ReadingsAnswer>(`/api/v1/readings?device=${device}${more}`);
  expect(series.map(({ labels }) => labels)).toEqual([{ site: "lab", device, metric: "temperature" }]);
  return series[0]?.buckets ?? [];
}

/** Occurrences of one rule, oldest first. */
async function alertsOf(gateway: RunningGateway, rule: string): Promise<AlertAnswer[]> {
  const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>(`/api/v1/alerts?rule=${rule}&state=firing,recovering,resolved&limit=10000`);
  return alerts.toReversed();
}

/** All readings in the journal, and those of another value for an instant that was there. */
function journalCounts(dataDir: string): [number, number] {
  const db = openDatabase(dataDir, { readonly: true });
  const counts: [number, number] = [0, 0];
  for (const { count, verdict } of readJournal(db, {})) {
    counts[0] += count;
    counts[1] += verdict.filter((each) => (each & 7) === 3).length;
  }
  db.close();
  return counts;
}

const sumOf = (buckets: readonly BucketAnswer[]): number => buckets.reduce((total, { count }) => total + count, 0);
const iso = (ts: number): string => new Date(ts).toISOString();

function endOf(transitions: readonly string[]): string | null {
  const last = transitions.at(-1) ?? "";
  return last.startsWith("resolved@") ? iso(Number(last.slice("resolved@".length))) : null;
}
