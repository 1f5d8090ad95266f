// `npm run mutate -- [source…] [--sample N] [--seed S]`: makes mistakes in a copy of the engine, one at a time, and asks its tests.
// A mistake that no test minds survives and is printed with its line; what tests are worth is what they kill. The copy stands in the
// temporary folder, so the working tree is never touched. Each mistake that makes the tests hang is killed by a time limit.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { numberOption, runScript, textOptions } from "../../simulators/script.ts";
import { createRandom } from "../../simulators/signals.ts";
import type { Answer, Question } from "./host.ts";
import { type Mutant, mutantsOf, mutated } from "./mutants.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...textOptions("sample", "seed", "jobs"),
    /** Only mistakes on these lines, `path:line`: those that survived before. */
    line: { type: "string", multiple: true },
  },
});

/** The score of anomalies is judged by recordings, which takes minutes; what is here takes seconds. */
const NOT_JUDGED = /\/deviation|\/effect\.ts|\/input\.ts/;
/** Most mistakes are found by these, and the slow ones are only asked when nobody else minds. */
const FIRST = /\/(golden|regressions|levels|groups|group-members|engine|combination)\.test\.ts$/;
const SLOW = /\/(properties|oracle)\.test\.ts$/;
/** Minutes long, or about sources that are asked for by their names only. */
const NOT_ASKED = /\/(deviation\/deviation|windows\/work|group-limit)\.test\.ts$/;
/** Those of parts that stand alone: asked only about those parts. */
const ALONE = /\/(calendar|summary|sketch|history|settings|aggregates|memory|due-queue|aligned-tree|windows\/[a-z-]+)\.test\.ts$/;
const SETTINGS = /\/(predicate|limits|rule|matcher|units|duration-schema|conditions\/[a-z-]+)\.ts$/;
/** For all tests without a mistake; with one they may take as long again as they did then. */
const LIMIT_MS = 600_000;
/** How often a property is tried, of what `npm test` tries. */
const RUNS = "0.04";

const HUNG: Answer = { failed: "the time limit" };
const ENDED: Answer = { failed: "the end of the process" };

type Verdict = { readonly mutant: Mutant; readonly killed: string | undefined };

const print = (line: string): void => void process.stdout.write(`${line}\n`);

function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), "highwater-mutation-"));
  for (const name of ["src", "test", "simulators", "package.json", "tsconfig.json"]) cpSync(name, join(copy, name), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  return copy;
}

/** The tests of what has the same name or folder first. @param root of the tree that holds them */
function testsFor(path: string, root: string): string[] {
  const [folder = "", name = ""] = path.replace(/\.ts$/, "").split("/").slice(-2);
  const isAboutWindows = /\/(windows|aggregates)\/|\/(aggregate|sketch|compensated-sum|select)\.ts$/.test(path);
  const isNear = (test: string): boolean => test.includes(`/${name}.`) || (folder !== "engine" && test.includes(`/${folder}`));
  const rank = (test: string): number => (isNear(test) ? 0 : FIRST.test(test) ? 1 : 2) + (SLOW.test(test) ? (isNear(test) ? 0.5 : 3) : 0);
  return globSync("test/engine/**/*.test.ts", { cwd: root })
    .filter((test) => !NOT_ASKED.test(test) && (!ALONE.test(test) || isNear(test) || isAboutWindows || SETTINGS.test(path)))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** A process that runs the tests of a copy of the tree; started again after one that hangs. */
function createJudge(copy: string) {
  let host: ChildProcess | undefined;
  let changed: string[] = [];
  let limitMs = LIMIT_MS;

  async function ask(question: Question): Promise<Answer> {
    if (host === undefined) {
      host = fork(resolve("test/mutation/host.ts"), {
        cwd: copy,
        env: { ...process.env, HIGHWATER_RUNS: RUNS },
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      await once(host, "message");
    }
    const limit = new AbortController();
    const { signal } = limit;
    host.send(question);
    const first = await Promise.race([
      once(host, "message", { signal }).then(([message]) => message as Answer),
      once(host, "exit", { signal }).then(() => ENDED),
      pause(limitMs, HUNG, { signal }),
    ]);
    limit.abort();
    if (first === ENDED || first === HUNG) stop();
    return first;
  }

  function stop(): void {
    host?.kill("SIGKILL");
    host = undefined;
  }

  return {
    /** Runs the tests of the engine as it is. @throws Error when one fails */
    async calibrate(): Promise<void> {
      const began = performance.now();
      const { failed } = await ask({ changed: [], tests: testsFor("src/engine/engine.ts", copy) });
      if (failed !== undefined) throw new Error(`the tests fail without a mistake: ${failed}`);
      limitMs = 2 * (performance.now() - began);
    },
    /** @returns the name of the test that failed; undefined: all passed */
    async judge(mutant: Mutant): Promise<string | undefined> {
      const { path } = mutant;
      const text = readFileSync(join(copy, path), "utf8");
      writeFileSync(join(copy, path), mutated(text, mutant));
      const { failed } = await ask({ changed: [...changed, path], tests: testsFor(path, copy) });
      writeFileSync(join(copy, path), text);
      changed = [path];
      return failed;
    },
    close: stop,
  };
}

function sampled(mutants: Mutant[], seed: number): Mutant[] {
  const random = createRandom(seed);
  const drawn = mutants.map((mutant) => ({ mutant, ticket: random() })).sort((a, b) => a.ticket - b.ticket);
  return drawn.slice(0, numberOption(values, "sample", 100)).map(({ mutant }) => mutant);
}

async function judgeAll(mutants: readonly Mutant[], copies: readonly string[]): Promise<Verdict[]> {
  const queue = [...mutants];
  const verdicts: Verdict[] = [];
  const work = async (copy: string): Promise<void> => {
    const judge = createJudge(copy);
    try {
      await judge.calibrate();
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const killed = await judge.judge(mutant);
        verdicts.push({ mutant, killed });
        print(`${killed === undefined ? "SURVIVED" : "killed  "} ${describe(mutant)}${killed === undefined ? "" : `  by ${killed}`}`);
      }
    } finally {
      judge.close();
    }
  };
  await Promise.all(copies.map(work));
  return verdicts;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").slice(0, 90);

const describe = ({ path, line, was, becomes }: Mutant): string => `${path}:${line}  ${oneLine(was)} → ${oneLine(becomes)}`;

function report(verdicts: readonly Verdict[], root: string): void {
  const survivors = verdicts.filter(({ killed }) => killed === undefined).map(({ mutant }) => mutant);
  for (const mutant of survivors.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.start - b.start))) {
    const source = readFileSync(join(root, mutant.path), "utf8").split("\n")[mutant.line - 1] ?? "";
    print(`\n${describe(mutant)}\n    ${source.trim()}`);
  }
  const killed = verdicts.length - survivors.length;
  print(`\n${verdicts.length} mutants, ${killed} killed (${((100 * killed) / Math.max(1, verdicts.length)).toFixed(1)} %), ${survivors.length} survived`);
}

async function main(): Promise<number> {
  const seed = numberOption(values, "seed", 1);
  const copies = Array.from({ length: numberOption(values, "jobs", 1) }, copyTree);
  try {
    const [root = "."] = copies;
    const sources = positionals.length > 0 ? positionals : globSync("src/engine/**/*.ts", { cwd: root }).filter((path) => !NOT_JUDGED.test(path));
    const all = sources.toSorted().flatMap((path) => mutantsOf(path, readFileSync(join(root, path), "utf8")));
    const chosen = all.filter(({ path, line }) => values.line === undefined || values.line.includes(`${path}:${line}`));
    const mutants = sampled(chosen, seed);
    print(`${mutants.length} of ${all.length} mutants, seed ${seed}`);
    report(await judgeAll(mutants, copies), root);
    return 0;
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true });
  }
}

runScript(main);
