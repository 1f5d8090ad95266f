// Rule tests: the values of a test are fed through the engine in the order of (ts, series), each heard at its own time
// (`at = up = ts`), and at each eval_time the alerts that fire are compared with those expected, labels and annotations alike.

import type { ExpectedAlert, RuleCheck, RuleTest, RuleTestFile } from "./config.ts";
import type { Engine } from "./engine/contract.ts";
import type { AlertRecord, Transition } from "./engine/effect.ts";
import { createEngine } from "./engine/engine.ts";
import type { Labels, ReadingBatch } from "./engine/reading.ts";
import type { EpochMs } from "./engine/units.ts";
import { readNotification, type Sender } from "./notify/notification.ts";

export type AlertTexts = { readonly labels: Labels; readonly annotations: Labels };
/** One expectation that was not met: without `expected` the alert should not fire, without `got` it does not. */
export type Difference = { readonly expected?: ExpectedAlert; readonly got?: AlertTexts };
export type CheckResult = { readonly check: RuleCheck; readonly got: readonly AlertTexts[]; readonly differences: readonly Difference[] };
export type TestResult = { readonly test: RuleTest; readonly checks: readonly CheckResult[] };

/** An alert that fires or recovers, and the transition by which it was told last. */
type Standing = { record: AlertRecord; told: Transition & { readonly at: EpochMs } };

/** Runs the tests of a file, each with a fresh engine, the checks of a test in their order in the file. */
export function runRuleTests({ plan, tests, gateway }: RuleTestFile): TestResult[] {
  const sender = { gatewayName: gateway.name, externalUrl: gateway.externalUrl, timezone: gateway.timezone };
  return tests.map((test) => {
    const run = createRun(createEngine(), plan, test);
    const inTime = [...test.checks].sort((a, b) => a.evalTime - b.evalTime);
    const results = new Map(inTime.map((check) => [check, judge(check, run.firing(check), sender)]));
    return { test, checks: test.checks.map((check) => results.get(check) as CheckResult) };
  });
}

function createRun(engine: Engine, plan: RuleTestFile["plan"], { series, interval }: RuleTest) {
  const standing = new Map<string, Standing>();
  const rows = Math.max(0, ...series.map(({ values }) => values.length));
  let row = 0;
  const step = (inputs: Parameters<Engine["step"]>[0], at: number): void => {
    const { transitions, alerts } = engine.step(inputs, { now: at, up: at });
    transitions.forEach((transition, index) => take(standing, transition, alerts[index] as AlertRecord, at));
  };
  const defined = series.map(({ labels }, id) => ({ id, labels, source: "test" }));
  step([{ kind: "rules", at: 0, up: 0, plan }], 0);
  return {
    /** The alerts of a rule that fire or recover at a time; times may not go back. */
    firing({ evalTime, alertname }: RuleCheck): Standing[] {
      for (; row < rows && row * interval <= evalTime; row++) {
        const at: number = row * interval;
        step([{ kind: "readings", at, up: at, batch: batchOf(series, row, at, row === 0 ? defined : []) }], at);
      }
      step([], evalTime as number);
      return [...standing.values()].filter(({ record }) => record.rule === alertname);
    },
  };
}

function batchOf(series: RuleTest["series"], row: number, ts: EpochMs, defined: ReadingBatch["defined"]): ReadingBatch {
  const present = series.flatMap(({ values }, id) => (Number.isNaN(values[row] ?? Number.NaN) ? [] : [{ id, value: values[row] as number }]));
  return {
    series: Uint32Array.from(present, ({ id }) => id),
    ts: new Float64Array(present.length).fill(ts),
    value: Float64Array.from(present, ({ value }) => value),
    defined,
    rejected: {},
  };
}

function take(standing: Map<string, Standing>, transition: Transition, record: AlertRecord, at: EpochMs): void {
  if (transition.to === "resolved") {
    standing.delete(record.id);
    return;
  }
  const before = standing.get(record.id);
  const isTold = before === undefined || (transition.to === "firing" && transition.evidence.from !== "recovering");
  standing.set(record.id, { record, told: isTold ? { ...transition, at } : before.told });
}

function judge(check: RuleCheck, firing: readonly Standing[], sender: Sender): CheckResult {
  const got = firing.map((alert) => textsOf(alert, sender));
  const isMet = new Set<ExpectedAlert>();
  const left = got.filter((alert) => {
    const expected = check.expected.find((each) => !isMet.has(each) && distance(each, alert) === 0);
    if (expected !== undefined) isMet.add(expected);
    return expected === undefined;
  });
  return {
    check,
    got,
    differences: pair(
      check.expected.filter((each) => !isMet.has(each)),
      left,
    ),
  };
}

/** Those that are most alike are shown beside each other. */
function pair(expected: readonly ExpectedAlert[], got: readonly AlertTexts[]): Difference[] {
  const [open, left] = [[...expected], [...got]];
  const differences: Difference[] = [];
  const candidates = open.flatMap((one) => left.map((other) => ({ one, other, far: distance(one, other) }))).sort((a, b) => a.far - b.far);
  for (const { one, other } of candidates) {
    if (!open.includes(one) || !left.includes(other)) continue;
    open.splice(open.indexOf(one), 1);
    left.splice(left.indexOf(other), 1);
    differences.push({ expected: one, got: other });
  }
  return [...differences, ...open.map((one) => ({ expected: one })), ...left.map((other) => ({ got: other }))];
}

/** How many labels and annotations differ; those that name the series count more. */
function distance(left: AlertTexts, right: AlertTexts): number {
  const differing = (a: Labels, b: Labels): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
  const labels = differing(left.labels, right.labels);
  return labels.length + differing(left.annotations, right.annotations).length + labels.filter((name) => name === "device" || name === "metric").length * 100;
}

function textsOf({ record, told }: Standing, sender: Sender): AlertTexts {
  const alone = { kind: "transition", line: null, members: null } as const;
  const sent = { ...alone, id: "", receiver: "", channel: "", seq: 1, state: "firing" as const, createdAt: told.at, attempts: 0, nextAt: told.at };
  const { annotations } = readNotification({ ...sent, alert: record, transition: told }, sender).alert;
  const { alertname: _, ...labels } = record.labels;
  return { labels, annotations };
}
