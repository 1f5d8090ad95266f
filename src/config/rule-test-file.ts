// Files of rule tests, in promtool's notation: which rules, which readings, which alerts at which time. Read and checked as the
// config is; what is found wrong has its line and column, and so has each expectation, for when it is not met.

import { dirname, resolve } from "node:path";
import { z } from "zod";
import { durationOrZeroSchema, durationSchema } from "../engine/duration-schema.ts";
import type { Labels } from "../engine/reading.ts";
import { type Device, type Rule, type RulePlan, ruleSchema } from "../engine/rule.ts";
import type { DurationMs } from "../engine/units.ts";
import { zoneTable } from "../zone.ts";
import { crosscheck } from "./crosscheck.ts";
import { type ConfigDocument, type Path, type Place, readDocument } from "./document.ts";
import { type Environment, type Outside, substitute } from "./environment.ts";
import { explain, type Subject, shown, within } from "./explain.ts";
import { toDevice } from "./gateway-config.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { finished, loadConfig } from "./load.ts";
import { createPlan, toRule } from "./plan.ts";
import { type Problem, problem } from "./problem.ts";
import { findRulesFiles, type LocatedRule, readRules, readRulesFile, readText } from "./rules.ts";
import { blocks, configSchema } from "./schema.ts";
import { type Notated, parseSeries, parseValues, SAMPLES_MAX } from "./series-notation.ts";
import { nearest } from "./suggest.ts";

/** Labels and rendered annotations of an alert; `alertname` is not among the labels. */
export type ExpectedAlert = { readonly labels: Labels; readonly annotations: Labels; readonly place: Place };
export type RuleCheck = {
  /** From the beginning of the test. */
  readonly evalTime: DurationMs;
  readonly alertname: string;
  readonly expected: readonly ExpectedAlert[];
  /** Where the expectation stands. */
  readonly place: Place;
};
export type RuleTest = {
  readonly name: string | null;
  readonly interval: DurationMs;
  /** Values one `interval` apart, the first at 0; NaN: no reading. */
  readonly series: readonly { readonly labels: Labels; readonly values: Float64Array }[];
  readonly checks: readonly RuleCheck[];
};
export type RuleTestFile = {
  readonly file: string;
  readonly plan: RulePlan;
  readonly tests: readonly RuleTest[];
  /** As in notifications, for templates. */
  readonly gateway: { readonly name: string; readonly timezone: string; readonly externalUrl: string };
};
export type RuleTestsResult =
  | { readonly kind: "ok"; readonly tests: RuleTestFile }
  | { readonly kind: "invalid"; readonly file: string; readonly problems: readonly Problem[] };

const notated =
  <Value>(parse: (text: string) => Notated<Value>) =>
  (text: string, context: z.core.$RefinementCtx) => {
    const parsed = parse(text);
    if (parsed.kind === "ok") return parsed.value;
    context.addIssue({ code: "custom", message: parsed.message, params: { hint: parsed.hint, offset: parsed.offset } });
    return z.NEVER;
  };

/** Expected texts: numbers and true/false may be written without quotes. */
const textsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).prefault({});
const expectedSchema = z.strictObject({
  exp_labels: textsSchema.meta({ description: "All labels of the alert, but alertname" }),
  exp_annotations: textsSchema.meta({ description: "All annotations, as they were rendered when it fired" }),
});
const checkSchema = z.strictObject({
  eval_time: durationOrZeroSchema.meta({ description: "When it is looked, from the beginning of the test" }),
  alertname: z.string().min(1).meta({ description: "Name of the rule" }),
  exp_alerts: z.array(expectedSchema).prefault([]).meta({ description: "The alerts of the rule that fire then; none when empty" }),
});
const seriesSchema = z.strictObject({
  series: z.string().transform(notated(parseSeries)).meta({ description: 'temperature{device="freezer-7"}' }),
  values: z
    .union([z.string(), z.number().transform(String)])
    .transform(notated(parseValues))
    .meta({ description: "One per interval: 20 21x5 20+0.5x9 _ _x3 stale" }),
});
const testSchema = z
  .strictObject({
    name: z.string().exactOptional().meta({ description: "What it is about" }),
    interval: durationSchema.exactOptional().meta({ description: "Between two values; default: evaluation_interval" }),
    input_series: z.array(seriesSchema).prefault([]).meta({ description: "What the sensors send" }),
    alert_rule_test: z.array(checkSchema).prefault([]).meta({ description: "What must fire, and when" }),
  })
  .superRefine(({ input_series: series }, context) => {
    if (series.reduce((sum, { values }) => sum + values.length, 0) <= SAMPLES_MAX) return;
    context.addIssue({
      code: "custom",
      path: ["input_series"],
      message: `the series of a test hold more than ${SAMPLES_MAX} values; choose a longer interval`,
    });
  });
const shape = {
  config: z.string().min(1).exactOptional().meta({ description: "A config, whose rules, devices and zone are taken; relative to this file" }),
  rule_files: blocks.rules_files.meta({ description: "Files with a key `rules`; relative to this file" }),
  devices: blocks.devices,
  timezone: blocks.gateway.unwrap().shape.timezone.unwrap().exactOptional(),
  evaluation_interval: durationSchema.prefault("1m").meta({ description: "The interval of tests that name none" }),
  tests: z.array(testSchema).prefault([]).meta({ description: "The tests, each with a gateway of its own" }),
};
const fileSchema = z.strictObject(shape);
const root: JsonSchema = jsonSchemaOf(z.strictObject({ ...shape, rules: z.array(ruleSchema).prefault([]) }));
const rulesRoot: JsonSchema = jsonSchemaOf(configSchema);
type FileSettings = z.output<typeof fileSchema>;

/** Reads and checks a file of rule tests; never throws. */
export function loadRuleTests(path: string, env: Environment = process.env): RuleTestsResult {
  const outside: Outside = { env, secrets: new Map(), problems: [] };
  const tests = read(path, outside);
  if (tests !== undefined && outside.problems.length === 0) return { kind: "ok", tests };
  return { kind: "invalid", file: path, problems: finished(outside.problems, path, outside) };
}

function read(path: string, outside: Outside): RuleTestFile | undefined {
  const { problems } = outside;
  const text = readText(path);
  if (text.kind === "failed") {
    problems.push(problem(path, { line: 1, column: 1 }, `this file cannot be read: ${text.reason}`));
    return undefined;
  }
  const document = readDocument(path, text.text);
  problems.push(...document.problems);
  if (document.broken) return undefined;
  const unset: Path[] = [];
  const raw = substitute(document.value ?? {}, document, outside, unset);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    problems.push(
      problem(path, document.placeOf([]), `a file of tests must be a map with the key tests, not ${shown(raw)}`, "write tests: and below it - name: …"),
    );
    return undefined;
  }
  const subject: Subject = { document, value: raw, root, isCovered: within(unset) };
  const own = readRules(subject, problems);
  const { rules: _, ...rest } = raw as Record<string, unknown>;
  const parsed = fileSchema.safeParse(rest);
  if (!parsed.success) problems.push(...explain(parsed.error.issues as z.core.$ZodIssue[], [], subject));
  const settings = parsed.success ? parsed.data : undefined;
  const patterns = settings?.rule_files ?? stringsOf((rest as { rule_files?: unknown }).rule_files);
  const files = findRulesFiles(patterns, document, problems, problems, "rule_files");
  const located = [...own, ...files.flatMap((file) => readRulesFile(file, outside, rulesRoot))];
  problems.push(...crosscheck({ document, raw: {}, blocks: {}, rules: located }).problems);
  if (settings === undefined) return undefined;
  return assemble(settings, located, document, outside);
}

const stringsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item) => typeof item === "string") : []);

function assemble(settings: FileSettings, located: readonly LocatedRule[], document: ConfigDocument, { env, problems }: Outside): RuleTestFile | undefined {
  const loaded = settings.config === undefined ? undefined : loadConfig(resolve(dirname(document.file), settings.config), env);
  if (loaded?.kind === "invalid") {
    problems.push(...loaded.problems);
    return undefined;
  }
  const config = loaded?.config;
  const rules = [...(config?.plan.rules ?? []), ...located.map((rule) => toRule(rule.settings))];
  if (rules.length === 0) problems.push(problem(document.file, document.placeOf([]), "there are no rules to test", "name them by rule_files, config or rules"));
  checkNames(rules, settings, document, problems);
  const timezone = settings.timezone ?? config?.gateway.timezone ?? "UTC";
  const devices = Object.fromEntries(Object.entries(settings.devices).map(([name, device]) => [name, toDevice(device)]));
  return {
    file: document.file,
    plan: planOf(rules, { ...config?.plan.devices, ...devices }, timezone),
    tests: settings.tests.map((test, index) => toTest(test, settings.evaluation_interval, (path) => document.placeOf(["tests", index, ...path]))),
    gateway: { name: config?.gateway.name ?? "highwater", timezone, externalUrl: config?.gateway.externalUrl ?? "http://127.0.0.1:8080" },
  };
}

/** Without sources: readings come in the order of their own times, and a source's tolerance of disorder would only delay what is told. */
function planOf(rules: readonly Rule[], devices: Readonly<Record<string, Device>>, timezone: string): RulePlan {
  const zone = zoneTable(timezone);
  if (zone === undefined) throw new Error(`${timezone} was checked to be a zone`);
  return createPlan({ rules, devices, zone, sources: {}, receivers: [], route: { receiver: "" } });
}

/** A name that no rule has would be met by "nothing fires", for ever. */
function checkNames(rules: readonly Rule[], settings: FileSettings, document: ConfigDocument, problems: Problem[]): void {
  const names = new Set(rules.map(({ name }) => name));
  const twin = rules.find(({ name }, index) => rules.findIndex((other) => other.name === name) < index);
  if (twin !== undefined && settings.config !== undefined)
    problems.push(
      problem(document.file, document.placeOf(["config"]), `the rule ${twin.name} is in the config and in another file`, "take one of the two out"),
    );
  settings.tests.forEach(({ alert_rule_test: checks, input_series: series }, index) => {
    checks.forEach(({ alertname }, check) => {
      if (names.has(alertname) || names.size === 0) return;
      const near = nearest(alertname, names);
      const hint = near === undefined ? `rules there are: ${[...names].slice(0, 12).join(", ")}` : `did you mean ${near}?`;
      problems.push(problem(document.file, document.placeOf(["tests", index, "alert_rule_test", check, "alertname"]), `there is no rule ${alertname}`, hint));
    });
    const keys = series.map(({ series: labels }) => JSON.stringify(labels));
    keys.forEach((key, at) => {
      if (keys.indexOf(key) === at) return;
      const place = document.placeOf(["tests", index, "input_series", at, "series"]);
      problems.push(problem(document.file, place, "this series is there already", "write all its values in one place"));
    });
  });
}

function toTest(test: FileSettings["tests"][number], interval: DurationMs, placeOf: (path: Path) => Place): RuleTest {
  return {
    name: test.name ?? null,
    interval: test.interval ?? interval,
    series: test.input_series.map(({ series: labels, values }) => ({ labels, values })),
    checks: test.alert_rule_test.map(({ eval_time: evalTime, alertname, exp_alerts }, index) => ({
      evalTime,
      alertname,
      place: placeOf(["alert_rule_test", index]),
      expected: exp_alerts.map(({ exp_labels: labels, exp_annotations: annotations }, at) => ({
        labels,
        annotations,
        place: placeOf(["alert_rule_test", index, "exp_alerts", at]),
      })),
    })),
  };
}
