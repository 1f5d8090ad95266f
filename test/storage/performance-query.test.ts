// Which occurrences a span is about: read from a real database that holds hundreds drawn at random, and chosen once more by a plain
// filter over what was drawn. And the limits: on rows, on time, on spans that make no sense.

import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { FLOOD_LEAD_MS } from "../../src/engine/alarm-performance.ts";
import { utc } from "../../src/engine/calendar.ts";
import { BACKLOG_MS, readOccurrences, spanOf } from "../../src/storage/performance-query.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { QueryContext } from "../../src/storage/query.ts";
import { plan } from "../engine/harness.ts";
import { createRandom } from "../http/fake-gateway.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const span = { from: 100 * DAY, to: 101 * DAY };

type Drawn = {
  id: string;
  rule: string;
  device: string;
  firedAt: number;
  resolvedAt: number | null;
  toldAt: number;
  clearedAt: number | null;
  ackedAt: number | null;
};

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

const journalFrom = span.from - 60 * DAY;
/** A commit each hour, for two months and more; the recorder has written the first row. */
const seqAt = (at: number): number => 2 + Math.ceil((at - journalFrom) / HOUR);
function store(): Recorder {
  open = createRecorder(plan([]));
  const row = open.db.prepare("INSERT INTO journal VALUES (?, ?, 0, NULL, NULL, 0, x'', x'', x'')");
  for (let at = journalFrom; at < span.to + 20 * DAY; at += HOUR) row.run(seqAt(at), at);
  return open;
}

/** An alert as the committer writes it, but at times of our own. */
function insert({ db }: Recorder, drawn: Drawn): void {
  const { id, rule, device, firedAt, resolvedAt, toldAt, clearedAt, ackedAt } = drawn;
  const labels = JSON.stringify({ alertname: rule, device, severity: "warning" });
  db.prepare(
    `INSERT INTO alert (id, rule, series, severity, labels, annotations, state, since, fired_at, resolved_at, value, peak, changed_seq, subject, first_acked_at)
     VALUES (?, ?, 0, 'warning', ?, '{}', ?, ?, ?, ?, 1, 1, ?, ?, ?)`,
  ).run(
    id,
    rule,
    labels,
    resolvedAt !== null ? "resolved" : firedAt % 2 === 0 ? "firing" : "recovering",
    firedAt,
    firedAt,
    resolvedAt,
    seqAt(clearedAt ?? toldAt),
    device,
    ackedAt,
  );
  const transition = db.prepare("INSERT INTO transition VALUES (?, ?, ?, 'condition', ?, ?, 1, 1, '{}')");
  transition.run(id, 1, "firing", firedAt, toldAt);
  transition.run(id, 2, "recovering", firedAt, toldAt);
  if (resolvedAt !== null) transition.run(id, 3, "resolved", resolvedAt, clearedAt);
}

function draw(count: number, random: () => number): Drawn[] {
  const between = (low: number, high: number): number => Math.round(low + random() * (high - low));
  return Array.from({ length: count }, (_, index) => {
    const firedAt = between(span.from - (random() < 0.3 ? 40 * DAY : 2 * DAY), span.to + 2 * HOUR);
    const toldAt = firedAt + (random() < 0.2 ? between(0, BACKLOG_MS - DAY) : between(0, 1000));
    const stands = random() < 0.2;
    const lasted = between(1, random() < 0.5 ? HOUR : 5 * DAY);
    return {
      id: `a${index}`,
      rule: random() < 0.5 ? "warm" : "cold",
      device: `fz-${between(1, 4)}`,
      firedAt,
      toldAt,
      resolvedAt: stands ? null : firedAt + lasted,
      clearedAt: stands ? null : toldAt + lasted,
      ackedAt: random() < 0.3 ? toldAt + between(0, HOUR) : null,
    };
  });
}

describe("the occurrences of a span", () => {
  it("are those told in it, those of the hour before, and those that stood in it", () => {
    const filled = store();
    const { db } = filled;
    const all = draw(800, createRandom(5));
    for (const drawn of all) insert(filled, drawn);
    // Told in time, or standing: what fired and cleared long before, and was told then, is not of the span.
    const expected = all.filter(
      ({ firedAt, toldAt, clearedAt }) =>
        toldAt < span.to &&
        (toldAt >= span.from - FLOOD_LEAD_MS ||
          ((clearedAt === null || clearedAt > span.from) && (clearedAt === null || firedAt >= span.from - FLOOD_LEAD_MS - BACKLOG_MS))),
    );
    const found = readOccurrences(db, span, {}) ?? [];
    expect(expected.length).toBeGreaterThan(300);
    expect(expected.filter(({ firedAt }) => firedAt < span.from - FLOOD_LEAD_MS - BACKLOG_MS).length).toBeGreaterThan(10);
    expect(found.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort());
    const one = found.find(({ resolvedAt, firstAckedAt }) => resolvedAt !== null && firstAckedAt !== null);
    const drawn = all.find(({ id }) => id === one?.id) as Drawn;
    expect(one).toEqual({
      id: drawn.id,
      rule: drawn.rule,
      subject: drawn.device,
      labels: { alertname: drawn.rule, device: drawn.device, severity: "warning" },
      severity: "warning",
      firedAt: drawn.firedAt,
      resolvedAt: drawn.resolvedAt,
      toldAt: drawn.toldAt,
      clearedAt: drawn.clearedAt,
      firstAckedAt: drawn.ackedAt,
      hidden: false,
    });
    const some = readOccurrences(db, span, { rule: "warm", labels: { device: ["fz-1", "fz-2"] } }) ?? [];
    const wanted = expected.filter(({ rule, device }) => rule === "warm" && (device === "fz-1" || device === "fz-2"));
    expect(some.map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id).sort());
  });
});

describe("hidden", () => {
  it("is an alert of which nobody was notified, by what became of its notifications", () => {
    const filled = store();
    const told: [string, string[], boolean][] = [
      ["none", [], false],
      ["waiting", ["waiting", "silenced"], false],
      ["delivered", ["silenced", "delivered"], false],
      ["grouped", ["grouped"], false],
      ["dead", ["dead"], false],
      ["silenced", ["silenced", "silenced"], true],
      ["each", ["inhibited", "muted", "shelved"], true],
    ];
    const notify = filled.db.prepare(
      `INSERT INTO notification (id, alert, ordinal, receiver, channel, seq, state, disposition, created_at, created_seq, attempts, next_at)
       VALUES (?, ?, 1, 'a', 'email:0', 1, 'firing', ?, 0, 1, 0, 0)`,
    );
    for (const [id, dispositions] of told) {
      insert(filled, { id, rule: "warm", device: "a", firedAt: span.from, resolvedAt: null, toldAt: span.from, clearedAt: null, ackedAt: null });
      for (const [index, disposition] of dispositions.entries()) notify.run(`${id} ${index}`, id, disposition);
    }
    const found = new Map(readOccurrences(filled.db, span, {})?.map(({ id, hidden }) => [id, hidden]));
    expect([...found].sort()).toEqual(told.map(([id, , hidden]) => [id, hidden]).sort());
  });
});

describe("limits", () => {
  const context: QueryContext = { devices: {}, zone: utc, clock: systemClock, timeMs: 60_000 };

  it("more alerts than may be looked at are refused, not cut", () => {
    const filled = store();
    for (const drawn of draw(20, () => 0.9)) insert(filled, drawn);
    expect(readOccurrences(filled.db, span, { alertsMax: 19 })).toBeUndefined();
    expect(readOccurrences(filled.db, span, { alertsMax: 20 })).toHaveLength(20);
  });

  it("an answer that takes too long is ended", () => {
    const filled = store();
    for (const drawn of draw(5, () => 0.9)) insert(filled, drawn);
    let now = 0;
    const clock = { now: () => span.to, monotonic: () => (now += 10) };
    const ask = (timeMs: number) => () => answerQuery(filled.db, { kind: "performance", ...span }, { ...context, clock, timeMs });
    expect(ask(25)).toThrow(expect.objectContaining({ code: "query_too_long" }));
    expect(ask(1000)().alerts).toBe(5);
  });

  it("a span ends now at the latest, is a day long if nothing is said, and not empty", () => {
    expect(spanOf({}, 5 * DAY)).toEqual({ from: 4 * DAY, to: 5 * DAY });
    expect(spanOf({ to: 3 * DAY }, 5 * DAY)).toEqual({ from: 2 * DAY, to: 3 * DAY });
    expect(spanOf({ from: DAY, to: 9 * DAY }, 5 * DAY)).toEqual({ from: DAY, to: 5 * DAY });
    const code = (given: object) => () => spanOf(given, 5 * DAY);
    expect(code({ from: 2, to: 2 })).toThrow(expect.objectContaining({ code: "query_invalid", message: "`to` is not after `from`" }));
    expect(code({ from: 6 * DAY })).toThrow(expect.objectContaining({ code: "query_invalid", message: "`from` is in the future" }));
  });
});
