// Runs the engine's tests over and over in one process, for `npm run mutate`: of a source that changed only what depends on it is
// loaded anew. It answers each message with the name of the first test that failed, or with none. Who sent it ends it if it hangs.

import { relative, resolve } from "node:path";
import { createVitest, type TestSpecification } from "vitest/node";

/** To the host: the source that changed, by its path from the root, and the test files to run, in their order. */
export type Question = { readonly changed: readonly string[]; readonly tests: readonly string[] };
/** What failed first; undefined: nothing. */
export type Answer = { readonly failed: string | undefined };

const root = process.cwd();
const vitest = await createVitest("test", {
  root,
  config: false,
  include: ["test/engine/**/*.test.ts"],
  setupFiles: ["test/setup.ts"],
  pool: "threads",
  isolate: false,
  maxWorkers: 1,
  watch: false,
  bail: 1,
  testTimeout: 60_000,
  reporters: [{}],
  sequence: {
    sequencer: class {
      shard = (files: TestSpecification[]) => Promise.resolve(files);
      sort = (files: TestSpecification[]) => Promise.resolve(files);
    },
  },
});
await vitest.standalone();
const specifications = new Map((await vitest.globTestSpecifications()).map((specification) => [specification.moduleId, specification]));

async function run({ changed, tests }: Question): Promise<Answer> {
  for (const path of changed) vitest.invalidateFile(resolve(root, path));
  const chosen = tests.map((test) => {
    const specification = specifications.get(resolve(root, test));
    if (specification === undefined) throw new Error(`${test} is no test`);
    return specification;
  });
  // What failed before would count as a failure of this run.
  vitest.state.clearFiles(vitest.getRootProject(), [...specifications.keys()]);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(chosen);
  const [error] = unhandledErrors;
  if (error !== undefined) return { failed: String(error) };
  for (const module of testModules) {
    if (module.state() !== "failed") continue;
    const [failed] = [...module.children.allTests("failed")];
    return { failed: `${relative(root, module.moduleId)}: ${failed?.fullName ?? "does not load"}` };
  }
  return { failed: undefined };
}

process.on("message", (question: Question) => {
  void run(question).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      throw error;
    },
  );
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
