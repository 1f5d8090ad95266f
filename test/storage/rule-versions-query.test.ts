// The versions of a rule, from what the committer keeps: which there were, when each was in force, and how they are named.

import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { utc } from "../../src/engine/calendar.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import { findVersion, type RuleVersion } from "../../src/storage/rule-versions-query.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const minute = 60_000;
const warm = (above: number, severity = "warning") => rule({ name: "warm", condition: { type: "threshold", above }, severity });
const other = rule({ name: "other", condition: { type: "absence", after: "5m" } });

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});

function versionsOf(store: Recorder, name: string): readonly RuleVersion[] {
  const db = store.reader();
  try {
    return answerQuery(db, { kind: "rule_versions", rule: name }, { devices: {}, zone: utc, clock: systemClock }).versions;
  } finally {
    db.close();
  }
}
const spans = (versions: readonly RuleVersion[]) => versions.map(({ number, inForce }) => [number, inForce.map(({ from, until }) => [from, until])]);

describe("the versions of a rule", () => {
  it("are told apart by logic and text; one that comes again has several spans; other rules do not matter", () => {
    const first = plan([warm(30)]);
    const store = createRecorder(first);
    open = store;
    const change = (rules: Parameters<typeof plan>[0]): void => {
      store.silence(minute);
      store.use(plan(rules));
    };
    change([warm(30), other]); // 1 min: the same rule
    change([warm(25), other]); // 2 min: another logic
    change([warm(25, "critical")]); // 3 min: another text
    change([warm(30)]); // 4 min: the first again
    change([other]); // 5 min: gone
    change([warm(30)]); // 6 min: back
    const versions = versionsOf(store, "warm");
    expect(spans(versions)).toEqual([
      [
        1,
        [
          [0, 2 * minute],
          [4 * minute, 5 * minute],
          [6 * minute, null],
        ],
      ],
      [2, [[2 * minute, 3 * minute]]],
      [3, [[3 * minute, 4 * minute]]],
    ]);
    expect(versions[0]?.rule).toEqual(JSON.parse(JSON.stringify(warm(30))));
    expect(versions[0]?.inForce[0]?.plan).toBe(first.hash);
    expect(spans(versionsOf(store, "other"))).toEqual([
      [
        1,
        [
          [minute, 3 * minute],
          [5 * minute, 6 * minute],
        ],
      ],
    ]);
    expect(versionsOf(store, "never")).toEqual([]);
  });

  it("a plan that comes again at once, as with each start, is no change", () => {
    const store = createRecorder(plan([warm(30)]));
    open = store;
    store.silence(minute);
    store.use(plan([warm(30)]));
    expect(store.db.prepare("SELECT count(*) FROM rules_in_force").pluck().get()).toBe(1);
    expect(spans(versionsOf(store, "warm"))).toEqual([[1, [[0, null]]]]);
  });

  it("what is pending is told by the rules that came last, also when they had been in force before", () => {
    const slow = (severity: string) => rule({ name: "slow", condition: { type: "threshold", above: 30 }, for: "1h", severity });
    const store = createRecorder(plan([slow("info")]));
    open = store;
    store.receive([{ device: "fz-1", ts: minute, value: 40 }], minute);
    store.use(plan([slow("critical")]));
    store.silence(minute);
    store.use(plan([slow("info")]));
    const db = store.reader();
    const { alerts } = answerQuery(db, { kind: "alerts", states: ["pending"] }, { devices: {}, zone: utc, clock: systemClock });
    db.close();
    expect(alerts).toMatchObject([{ rule: "slow", severity: "info" }]);
  });
});

it("a version is named by its number, or by the beginning of its hashes", () => {
  const of = (number: number, logic: string, text: string): RuleVersion => ({ number, rule: { ...warm(1), logic, text }, inForce: [] });
  const versions = [of(1, "9f86d081884c", "aaaa"), of(2, "5f1d00000000", "bbbb"), of(3, "9f86d081884c", "cccc")];
  const numberOf = (text: string) => findVersion(versions, text)?.number;
  expect(["1", "3", "5f1d", "9f86d081884c", "9f86d081884c.aa", "4", "9f8", "x", ""].map(numberOf)).toEqual([
    1,
    3,
    2,
    3,
    1,
    ...[undefined, undefined, undefined, undefined],
  ]);
});
