// What an alert says of itself, read from a real store: the lines of its transitions, and a sentence for each disposition that a
// notification can end in, with what caused it.

import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { utc } from "../../src/engine/calendar.ts";
import { type ExplainBody, explain, explainBody } from "../../src/http/routes/explain.ts";
import { explanationOf } from "../../src/reasons/explanation.ts";
import { requireSchema } from "../../src/storage/database.ts";
import type { ExplainAnswer } from "../../src/storage/explain-query.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";

const minute = 60_000;
const root = fileURLToPath(new URL("../..", import.meta.url));
const rules = [
  rule({ name: "warm", condition: { type: "threshold", above: 30, clear_below: 28 }, for: "1m", keep_firing_for: "2m", severity: "critical" }),
  rule({ name: "quiet", condition: { type: "absence", after: "5m" } }),
];

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

/** fz-1 is warm from minute 1 to 3 and silent after minute 10. */
function record(): Recorder {
  open = createRecorder(plan(rules, { maxFutureMs: 1e15 }));
  for (const [step, value] of [20, 40, 45, 20, 20, 20, 20, 20, 20, 20].entries()) {
    open.receive([{ device: "fz-1", ts: (step + 1) * minute, value }], minute);
  }
  open.silence(10 * minute);
  return open;
}

function ask(store: Recorder, id: string): ExplainAnswer {
  const db = store.reader();
  try {
    requireSchema(db);
    const found = answerQuery(db, { kind: "explain", id }, { devices: {}, zone: utc, clock: systemClock });
    if (found === null) throw new Error(`there is no alert ${id}`);
    return found;
  } finally {
    db.close();
  }
}
const idOf = (store: Recorder, name: string): string => store.db.prepare<[string], string>("SELECT id FROM alert WHERE rule = ?").pluck().get(name) ?? "";

describe("the lines", () => {
  it("say which reading, against which limit, since when, by which rule", () => {
    const store = record();
    const { transitions, lines } = explanationOf(ask(store, idOf(store, "warm")));
    const version = `warm@${(rules[0]?.logic ?? "").slice(0, 12)}`;
    expect(transitions).toEqual([
      [
        "The temperature of fz-1 was 45 at Thu 1 Jan 1970 00:03:00 UTC: above 30.",
        "It had been so since Thu 1 Jan 1970 00:02:00 UTC, for 1 min, when the rule fired.",
        `Rule ${version}: above 30, clears below 28, for 1 min, and clear for 2 min before it resolves.`,
      ],
      [
        "The temperature of fz-1 was 20 at Thu 1 Jan 1970 00:04:00 UTC: no longer above 30.",
        "It resolves when it stays so for 2 min, until Thu 1 Jan 1970 00:06:00 UTC.",
        `Rule ${version}: above 30, clears below 28, for 1 min, and clear for 2 min before it resolves.`,
      ],
      [
        "The temperature of fz-1 was 20 at Thu 1 Jan 1970 00:06:00 UTC: no longer above 30.",
        "It had been so since Thu 1 Jan 1970 00:04:00 UTC, for 2 min, when the rule resolved.",
        "It fired at Thu 1 Jan 1970 00:03:00 UTC and lasted 3 min; at its peak it was 45.",
        `Rule ${version}: above 30, clears below 28, for 1 min, and clear for 2 min before it resolves.`,
      ],
    ]);
    expect(lines).toEqual(transitions.at(-1));
  });

  it("say of a silence which reading was the last", () => {
    const store = record();
    const { lines } = explanationOf(ask(store, idOf(store, "quiet")));
    expect(lines[0]).toBe("The last reading of temperature from fz-1 was 20, at Thu 1 Jan 1970 00:10:00 UTC; none came in the 5 min after it.");
  });

  it("say that a series was never heard, what a changed rule made of it, and what the parts were", () => {
    const conditions = [
      { type: "threshold", above: 10 },
      { type: "absence", after: "1m" },
    ];
    const expected = { type: "absence", after: "1m", expect: [{ device: "fz-9", metric: "temperature" }] };
    const store = createRecorder(plan([rule({ name: "both", condition: { type: "all", conditions } }), rule({ name: "there", condition: expected })]));
    open = store;
    store.receive([{ device: "fz-1", ts: 1000, value: 20 }]);
    store.silence(5 * minute);
    expect(explanationOf(ask(store, idOf(store, "both"))).lines[1]).toBe("Its parts: above 10 (20: holds); no reading for 1 min (silent for 1 min: holds).");
    const never = store.db.prepare<[], string>("SELECT id FROM alert WHERE rule = 'there' AND subject LIKE '%fz-9%'").pluck().get() ?? "";
    expect(explanationOf(ask(store, never)).lines[0]).toContain("No reading of temperature from fz-9 was ever heard: the rule expects it since Thu 1 Jan 1970");
    store.use(plan([rule({ name: "both", condition: { type: "threshold", above: 30 } })]));
    expect(explanationOf(ask(store, idOf(store, "both"))).lines[0]).toMatch(/^The rule was changed .* by both@.* \(above 30\) this is no alert: it was 20\./);
  });
});

/** Every way in which a notification can end, as rows are written: disposition, cause and columns, and the words that must be said. */
const endings: readonly (readonly [disposition: string, cause: string | null, columns: Record<string, unknown>, words: readonly string[]])[] = [
  ["delivered", null, { attempts: 1, ended_at: 4 * minute }, ["Delivered to on-call by c", "at Thu 1 Jan 1970 00:04:00 UTC", "at the first attempt"]],
  ["delivered", null, { attempts: 3, ended_at: 4 * minute }, ["after 3 attempts"]],
  ["waiting", null, { attempts: 0 }, ["It waits since", "to be sent to on-call by c"]],
  ["waiting", null, { attempts: 2, next_at: 9 * minute, reason: "HTTP 503" }, ["2 attempts failed (HTTP 503)", "tried again for on-call by c", "00:09:00"]],
  ["waiting", null, { held_until: 8 * minute }, ["held until Thu 1 Jan 1970 00:08:00 UTC", "its group"]],
  ["waiting", "alert:QUIET", { held_until: 8 * minute }, ["held until", "the alert QUIET"]],
  ["waiting", null, { members: '{"alerts":[["a",1],["b",1]],"fresh":1,"more":0}' }, ["It tells of 2 transitions"]],
  ["dead", null, { ended_at: 5 * minute, reason: "given up after 7 attempts: HTTP 410" }, ["Given up at", "HTTP 410", "on-call was not told by c"]],
  ["grouped", "notification:N0", {}, ["together with others", "notification N0", "was delivered at Thu 1 Jan 1970 00:04:00 UTC"]],
  ["grouped", "storm:N0", {}, ["too many alerts came at once", "notification N0"]],
  ["grouped", "flapping:N2", {}, ["it fires again and again", "the notification of N2 said"]],
  ["grouped", "wait", {}, ["resolved before its wait was over"]],
  ["silenced", "silence:s1", {}, ["silenced until Thu 1 Jan 1970 02:00:00 UTC by ada: new compressor (silence s1)"]],
  ["silenced", "silence:gone", {}, ["by silence gone"]],
  ["inhibited", "alert:QUIET", {}, ["the alert quiet on device fz-1, metric temperature hides it", "fired at Thu 1 Jan 1970 00:15:00 UTC"]],
  ["muted", "interval:nights", {}, ["its route tells nobody then, by the time interval nights"]],
  ["shelved", "shelf:k1", {}, ["shelved until Thu 1 Jan 1970 03:00:00 UTC by bo: door is mended"]],
  ["shelved", "out_of_service:k2", {}, ["out of service, by bo: taken down"]],
  ["shelved", "shelf:k9", {}, ["it was shelved (k9)"]],
  ["shelved", "shelf:k3", { ended_at: 4 * minute }, ["shelved until Thu 1 Jan 1970 00:06:00 UTC by ada: defrosting"]],
  ["shelved", "shelf:k3", { ended_at: 9 * minute }, ["shelved until Thu 1 Jan 1970 02:00:00 UTC by bo: once more"]],
  ["shelved", "out_of_service:k3", { ended_at: 9 * minute }, ["out of service, by cy: sold"]],
  ["silenced", "acknowledged", { ended_at: 4 * minute }, ["it was acknowledged by ada at Thu 1 Jan 1970 00:04:00 UTC: looking"]],
  ["silenced", "acknowledged", {}, ["it was acknowledged by cy at Thu 1 Jan 1970 00:05:00 UTC: on my way"]],
];

/** fz-1's alert with one notification per ending, N0, N1, … */
function withEndings(): { store: Recorder; id: string } {
  const store = record();
  const [id, quiet] = [idOf(store, "warm"), idOf(store, "quiet")];
  const { db } = store;
  db.exec(`DELETE FROM notification;
    INSERT INTO silence VALUES ('s1', '[]', 0, ${120 * minute}, 'ada', 'new compressor', 0, NULL);
    INSERT INTO shelf VALUES ('k1', 'timed', 'warm', '{}', '{}', 'bo', 0, ${180 * minute}, 'door is mended');
    INSERT INTO shelf VALUES ('k2', 'out_of_service', 'warm', '{}', '{}', 'bo', 0, NULL, 'taken down');
    INSERT INTO shelf VALUES ('k3', 'out_of_service', 'warm', '{}', '{}', 'eve', ${30 * minute}, NULL, 'much later');
    INSERT INTO alert_event VALUES ('k3-a', 1, ${2 * minute}, 'shelved', 'ada', 'defrosting', ${6 * minute});
    INSERT INTO alert_event VALUES ('k3-a', 2, ${6 * minute}, 'shelf_expired', '', '', NULL);
    INSERT INTO alert_event VALUES ('k3-b', 1, ${7 * minute}, 'shelved', 'bo', 'once more', ${120 * minute});
    INSERT INTO alert_event VALUES ('k3-b', 2, ${8 * minute}, 'out_of_service', 'cy', 'sold', NULL);
    INSERT INTO alert_event VALUES ('k3-b', 3, ${20 * minute}, 'shelved', 'dan', 'later', ${30 * minute});
    INSERT INTO alert_event VALUES ('${id}', 1, ${4 * minute}, 'acknowledged', 'ada', 'looking', NULL);
    UPDATE alert SET acked_by = 'cy', acked_at = ${5 * minute}, ack_note = 'on my way' WHERE id = '${id}';`);
  for (const [index, [disposition, cause, columns]] of endings.entries()) {
    const row: Record<string, unknown> = {
      ...{ id: `N${index}`, alert: id, ordinal: 1, receiver: "on-call", channel: `c${index}`, seq: 1, state: "firing", disposition },
      ...{ created_at: 3 * minute, created_seq: 1, attempts: 0, next_at: 3 * minute, cause: cause?.replace("QUIET", quiet) ?? null, ...columns },
    };
    const names = Object.keys(row);
    db.prepare(`INSERT INTO notification (${names.join(", ")}) VALUES (${names.map((name) => `@${name}`).join(", ")})`).run(row);
  }
  return { store, id };
}

describe("what became of a notification", () => {
  it.each(endings.map((ending, index) => [`${ending[0]} ${ending[1] ?? ""} ${JSON.stringify(ending[2])}`, index] as const))("%s", (_name, index) => {
    const { store, id } = withEndings();
    const found = ask(store, id);
    const place = found.notifications.findIndex((each) => each.id === `N${index}`);
    const text = explanationOf(found).notifications[place] ?? "";
    const quiet = idOf(store, "quiet");
    for (const words of endings[index]?.[3] ?? []) expect(text).toContain(words.replace("QUIET", quiet));
    expect(text).not.toMatch(/undefined|null|NaN/);
    expect(text.endsWith(".")).toBe(true);
  });

  it("is in the API's answer, by its schema", () => {
    const { store, id } = withEndings();
    const body = explainBody(ask(store, id));
    expect(explain.answer.parse(body)).toEqual(body);
    expect(body.notifications).toHaveLength(endings.length);
    expect(body.notifications.find((each) => each.id === "N12")).toMatchObject({ disposition: "silenced", cause: "silence:s1", held_until: null });
  });

  it("is told by `highwater explain`", () => {
    const { store, id } = withEndings();
    const config = join(store.dir, "highwater.yaml");
    writeFileSync(config, "gateway: { name: cold-chain, timezone: UTC, data_dir: . }\n");
    const run = (...args: string[]) => execFileSync(process.execPath, [`${root}bin/highwater.js`, "explain", "-c", config, ...args], { encoding: "utf8" });
    const text = run(id);
    expect(text).toContain(`warm, critical, resolved (${id})`);
    expect(text).toContain("pending → firing  1970-01-01 00:03:00Z\n  The temperature of fz-1 was 45 at");
    expect(text).toContain("  - Not sent to on-call by c12: it was silenced until");
    store.db.exec(`UPDATE alert SET state = 'firing', resolved_at = NULL WHERE id = '${id}'`);
    expect(run(id.slice(0, 8))).toContain(`warm, critical, firing (${id})`);
    const body = JSON.parse(run(id, "--json")) as ExplainBody;
    expect(body).toEqual(explainBody(ask(store, id)));
    const { status, stderr } = spawnSync(process.execPath, [`${root}bin/highwater.js`, "explain", "-c", config, "nobody-1"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([1, "highwater: there is no alert of this id: nobody-1 (ids are listed at /api/v1/alerts, and by `highwater alerts`)\n"]);
  });
});
