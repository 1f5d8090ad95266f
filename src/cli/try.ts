// `highwater try`: rules over a recording, by event time, through the same engine as live. Sends nothing, stores nothing.
// A reading counts as heard at its own time (`at = up = ts`), so that gaps of the recording are silence.

import { styleText } from "node:util";
import { createPlan, type GatewayConfig, loadConfig, loadRules, type Problem } from "../config.ts";
import type { Engine } from "../engine/contract.ts";
import type { Transition } from "../engine/effect.ts";
import { createEngine } from "../engine/engine.ts";
import { type Labels, VERDICT_MASK, verdicts } from "../engine/reading.ts";
import type { RulePlan } from "../engine/rule.ts";
import { formatDuration } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { formatNumber, rfc3339 } from "../reasons/format.ts";
import { type RecordedReading, readRecording } from "../recording.ts";
import { zoneTable } from "../zone.ts";
import { type CliCommand, EXIT_USAGE, USAGE } from "./command.ts";
import { printProblems } from "./problems.ts";
import { counted, printLine, timeText } from "./text.ts";

type Options = { rules?: string; config?: string; device: string; metric: string; label: string[]; trace?: true; json?: true };
type Sent = { readonly reading: RecordedReading; readonly verdict: string; readonly transitions: readonly Transition[] };

const SOURCE = "try";

export const tryCommand: CliCommand = {
  name: "try",
  summary: "run rules over a recording and print the alerts",
  register(program) {
    program
      .argument("<file.csv>", "a recording with the columns timestamp,value")
      .option("-r, --rules <file>", "a YAML file with the key rules")
      .option("-c, --config <file>", "a config; its rules (without --rules) and devices")
      .option("--device <name>", "the label device of the readings", "device")
      .option("--metric <name>", "the label metric of the readings", "temperature")
      .option("--label <name=value>", "a further label; may be given again", (text: string, all: string[]) => [...all, text], [])
      .option("--trace", "one JSON line per reading and rule: ts, value, verdict, rule, measure, score, state")
      .option("--json", "one JSON line per transition")
      .action(tryRules);
  },
};

async function tryRules(file: string, options: Options): Promise<void> {
  const plan = planOf(options);
  if (plan === undefined) return;
  const labels = labelsOf(options);
  const engine = createEngine();
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<string, number>;
  const told: Transition[] = [];
  const scored = new Set(plan.rules.filter(({ condition }) => condition.type === "deviation").map(({ name }) => name));
  for await (const sent of feed(engine, plan, labels, readRecording(file))) {
    counts[sent.verdict] = (counts[sent.verdict] ?? 0) + 1;
    told.push(...sent.transitions);
    if (options.trace === true) printTrace(engine, sent, scored);
    else if (options.json === true) for (const transition of sent.transitions) printLine(transitionLine(transition));
  }
  if (options.trace !== true && options.json !== true) printSummary(plan, told, counts);
}

/** Feeds readings to the engine one by one; arrival follows the latest event time. */
async function* feed(engine: Engine, plan: RulePlan, labels: Labels, readings: AsyncIterable<RecordedReading>): AsyncGenerator<Sent> {
  let at = Number.NEGATIVE_INFINITY;
  for await (const reading of readings) {
    const isFirst = at === Number.NEGATIVE_INFINITY;
    at = Math.max(at, reading.ts);
    if (isFirst) engine.step([{ kind: "rules", at, up: at, plan }], { now: at, up: at });
    const defined = isFirst ? [{ id: 0, labels, source: SOURCE }] : [];
    const open = { series: Uint32Array.of(0), ts: Float64Array.of(reading.ts), value: Float64Array.of(reading.value), defined, rejected: {} };
    const { verdicts: marks, transitions } = engine.step([{ kind: "readings", at, up: at, batch: open }], { now: at, up: at });
    yield { reading, verdict: verdicts[(marks[0]?.[0] ?? 0) & VERDICT_MASK] ?? "accepted", transitions };
  }
}

function planOf(options: Options): RulePlan | undefined {
  if (options.rules === undefined && options.config === undefined)
    throw new GatewayError(USAGE, "there are no rules to try", { hint: "give a file with --rules, or a config with --config" });
  const config = options.config === undefined ? undefined : loadConfig(options.config);
  if (config?.kind === "invalid") return fail(config.problems);
  const rules = options.rules === undefined ? undefined : loadRules(options.rules);
  if (rules?.kind === "invalid") return fail(rules.problems);
  return createPlan({ ...partsOf(config?.config), ...(rules === undefined ? {} : { rules: rules.rules }) });
}

function partsOf(config: GatewayConfig | undefined): Omit<RulePlan, "hash"> {
  // A source that no plan names tolerates no disorder.
  const nobody = { sources: {}, receivers: [], route: { receiver: "" } };
  if (config !== undefined) return { rules: config.plan.rules, devices: config.plan.devices, zone: config.plan.zone, ...nobody };
  const zone = zoneTable("UTC");
  if (zone === undefined) throw new Error("UTC is a zone");
  return { rules: [], devices: {}, zone, ...nobody };
}

function fail(problems: readonly Problem[]): undefined {
  printProblems(problems);
  process.exitCode = EXIT_USAGE;
}

function labelsOf({ device, metric, label }: Options): Labels {
  const more = label.map((text) => {
    const [name = "", ...rest] = text.split("=");
    if (rest.length === 0 || name === "") throw new GatewayError(USAGE, `--label ${text} is not name=value`, { hint: "write --label site=oslo" });
    return [name, rest.join("=")] as const;
  });
  return { ...Object.fromEntries(more), device, metric };
}

/** @param scored rules whose measure is an anomaly score: of this reading, if it was accepted */
function printTrace(engine: Engine, { reading: { ts, value }, verdict }: Sent, scored: ReadonlySet<string>): void {
  for (const { rule, measure: latest, state } of engine.standing(0)) {
    const measure = Number.isNaN(latest) ? null : latest;
    const score = scored.has(rule) && verdict === "accepted" ? measure : null;
    printLine({ ts, value, verdict, rule, measure, score, state });
  }
}

const transitionLine = ({ alert, evidence, to, ts, figures, reason }: Transition): object => ({
  alert,
  rule: evidence.rule,
  state: to,
  ts: rfc3339(ts),
  value: figures.value,
  peak: figures.peak,
  predicate: evidence.predicate,
  since: rfc3339(evidence.since),
  reason,
});

/** Six significant digits, with the minus of the predicates: what binary fractions add says nothing to people. */
const figure = (value: number): string => formatNumber(value).replace("−", "-");

/** Durations as people write them, and figures. */
const inWords = (predicate: string): string =>
  predicate
    .replace(/\d+(?= ms$)/, (ms) => formatDuration(Number(ms)))
    .replace(/ ms$/, "")
    .replace(/(?<![\w.])-?\d+\.\d+(?![\w.])/g, (number) => figure(Number(number)));

const marks = { firing: "●", recovering: "○", resolved: "✓" } as const;
const colours = { firing: "red", recovering: "yellow", resolved: "green" } as const;

function printSummary(plan: RulePlan, told: readonly Transition[], counts: Readonly<Record<string, number>>): void {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const firedAt = new Map<string, number>();
  for (const { alert, to, ts, evidence, figures } of told) {
    const head = styleText(colours[to], `${marks[to]} ${to.padEnd(10)}`);
    const since = firedAt.get(alert);
    const tail =
      to === "resolved" && since !== undefined ? ` after ${formatDuration(ts - since)}, peak ${figure(figures.peak)}` : ` ${inWords(evidence.predicate)}`;
    if (to === "firing" && since === undefined) firedAt.set(alert, ts);
    write(`${head} ${timeText(ts)}  ${evidence.rule}  ${figure(figures.value)}${tail}`);
  }
  const readings = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const verdictText = Object.entries(counts).filter(([, count]) => count > 0);
  if (told.length > 0) write("");
  const verdictWords = verdictText.map(([verdict, count]) => `${count} ${verdict}`).join(", ");
  write([counted(readings, "reading"), verdictWords].filter((words) => words !== "").join(": "));
  write(`${counted(plan.rules.length, "rule")}: ${counted(firedAt.size, "alert")}`);
}
