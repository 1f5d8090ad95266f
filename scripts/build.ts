// Builds what a package runs: src as JavaScript in dist/ (types stripped, relative imports renamed to .js) and the dashboard in dist/dashboard.
// A clone needs only the second half, which `npm install` does by itself. Files that are neither code nor the dashboard's are copied beside the code.
// A type error ends it before anything is written; format and lint are for `npm run check`.

import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

rmSync(join(root, "dist"), { recursive: true, force: true });
run("tsc", ["-p", "tsconfig.build.json"]);
for (const path of globSync("src/**/*.*", { cwd: root })) {
  if (/\.tsx?$/.test(path) || path.startsWith(join("src", "dashboard"))) continue;
  const target = join(root, "dist", path.slice("src/".length));
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(root, path), target);
}
run("vite", ["build", "--config", "src/dashboard/vite.config.ts", "--logLevel", "warn"]);

/** Runs a program of node_modules/.bin; the build ends with its exit code if that is not 0. */
function run(name: string, args: readonly string[]): void {
  const { status, error } = spawnSync(join(root, "node_modules", ".bin", name), args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
