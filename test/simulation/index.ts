// `npm run sim -- --seed N --runs M`: simulates M runs from seed N on. One seed is one run, the same each time. Of a run that
// fails it looks for the least that still fails, and prints the command that repeats it; `--trace` tells the story of each.

import { parseArgs } from "node:util";
import { numberOption, runScript, textOptions } from "../../simulators/script.ts";
import { fromTop } from "./event-loop.ts";
import { type Outcome, type Run, simulate } from "./world.ts";

const { values } = parseArgs({
  options: {
    ...textOptions("seed", "runs", "without", "devices", "minutes"),
    trace: { type: "boolean", default: false },
    shrink: { type: "boolean", default: true },
    "keep-going": { type: "boolean", default: false },
  },
  allowNegative: true,
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** A mistake that throws is a problem too. */
async function outcomeOf(run: Run): Promise<Outcome> {
  try {
    return await fromTop(() => simulate(run));
  } catch (error) {
    return { problems: [(error as Error).stack ?? String(error)], troubles: [], devices: run.devices ?? 8, minutes: run.minutes ?? 240, figures: undefined };
  }
}

/** A problem without what differs from run to run. */
const kindOf = (problem: string | undefined): string | undefined => problem?.split("\n")[0]?.replace(/\{.*?\}|[\w:.-]*\d[\w:.-]*/g, "…");

/** The least that still fails alike: one trouble, device and half of the time after the other is taken away. */
async function shrunk(run: Run, outcome: Outcome): Promise<Run> {
  const kind = kindOf(outcome.problems[0]);
  const fails = async (less: Run): Promise<boolean> => (await outcomeOf(less)).problems.some((problem) => kindOf(problem) === kind);
  let least: Run = { ...run, devices: outcome.devices, minutes: outcome.minutes };
  if (!(await fails(least))) return run;
  for (const trouble of outcome.troubles) {
    const less = { ...least, without: [...(least.without ?? []), trouble] };
    if (await fails(less)) least = less;
  }
  while ((least.devices ?? 1) > 1 && (await fails({ ...least, devices: (least.devices ?? 2) - 1 }))) least = { ...least, devices: (least.devices ?? 2) - 1 };
  for (let share = 0.5; share < 0.95; share += 0.2) {
    while ((least.minutes ?? 0) > 0.05 && (await fails({ ...least, minutes: (least.minutes ?? 0) * share }))) {
      least = { ...least, minutes: (least.minutes ?? 0) * share };
    }
  }
  return least;
}

function commandOf({ seed, without, devices, minutes }: Run): string {
  const more = [
    without?.length ? `--without ${without.join(",")}` : "",
    devices === undefined ? "" : `--devices ${devices}`,
    minutes === undefined ? "" : `--minutes ${minutes}`,
  ];
  return ["npm run sim --", `--seed ${seed}`, ...more, "--trace"].filter((word) => word !== "").join(" ");
}

async function main(): Promise<number> {
  const [first, count] = [numberOption(values, "seed", 1), numberOption(values, "runs", 1)];
  const totals: Record<string, number> = {};
  let failed = 0;
  const began = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    const run: Run = {
      seed,
      ...(values.without !== undefined && { without: values.without.split(",") }),
      ...(values.devices !== undefined && { devices: numberOption(values, "devices", 1) }),
      ...(values.minutes !== undefined && { minutes: numberOption(values, "minutes", 1) }),
      ...(values.trace && { trace: print }),
    };
    const outcome = await outcomeOf(run);
    for (const [name, figure] of Object.entries(outcome.figures ?? {})) totals[name] = (totals[name] ?? 0) + figure;
    if (outcome.problems.length === 0) continue;
    failed += 1;
    print(`seed ${seed} failed:`);
    for (const problem of outcome.problems.slice(0, 5)) print(`  ${problem.slice(0, 2000)}`);
    const least = values.trace || !values.shrink ? run : await shrunk(run, outcome);
    print(`  repeat it: ${commandOf(least)}`);
    if (!values["keep-going"]) break;
  }
  const seconds = (performance.now() - began) / 1000;
  const told = Object.entries(totals).map(([name, total]) => `${total} ${name}`);
  print(told.join(", "));
  print(`${count} runs from seed ${first} in ${seconds.toFixed(1)} s, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

runScript(main);
