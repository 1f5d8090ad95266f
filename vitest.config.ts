// How the tests run: real sockets, real disks, real child processes, so the time limits are generous and nothing is asserted about speed.
// The last line of a run is `N passed, N failed`.

import { defineConfig } from "vitest/config";
import { createCountReporter } from "./test/count-reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/bench/**"],
    environment: "node",
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ["default", createCountReporter((line) => process.stdout.write(`${line}\n`))],
    coverage: { provider: "v8", include: ["src/**/*.ts"], exclude: ["src/dashboard/**"] },
  },
});
