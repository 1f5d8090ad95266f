// Ends a test run with one line that a machine can read: `N passed, N failed`, and before it each skipped test by name.
// A file that could not be loaded, an error outside of any test and an interrupted run count as failed: silence must never look like success.

import type { Reporter, TestCase, TestModule } from "vitest/node";

/** A vitest reporter for use beside the default one; `print` gets whole lines without their end. */
export function createCountReporter(print: (line: string) => void): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors, reason) {
      const count = countTests(modules);
      const failed = count.failed + unhandledErrors.length;
      for (const name of count.skipped) print(`skipped: ${name}`);
      // A run that failed for a reason outside of its tests, such as no test at all, still says so.
      const failedAtAll = failed === 0 && (reason !== "passed" || modules.length === 0) ? 1 : failed;
      print(`${count.passed} passed, ${failedAtAll} failed`);
    },
  };
}

function countTests(modules: readonly TestModule[]): { passed: number; failed: number; skipped: string[] } {
  const count = { passed: 0, failed: 0, skipped: [] as string[] };
  for (const module of modules) {
    count.failed += module.errors().length;
    for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const state = test.result().state;
      if (state === "passed") count.passed += 1;
      else if (state === "skipped") count.skipped.push(nameOf(module, test));
      else count.failed += 1;
    }
  }
  return count;
}

function nameOf(module: TestModule, test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
  return `${module.relativeModuleId} > ${test.fullName}${note}`;
}
