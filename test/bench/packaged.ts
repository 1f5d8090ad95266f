// The gateway as a package holds it: built, so that no thread of it strips types. Its dependencies are the clone's.

import { spawnSync } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** @returns its program, in a folder that is made in `folder` */
export async function packaged(folder: string): Promise<string> {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/build.ts")], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
  const target = join(folder, "package");
  await mkdir(target);
  for (const part of ["bin", "dist", "package.json"]) await cp(join(root, part), join(target, part), { recursive: true });
  await symlink(join(root, "node_modules"), join(target, "node_modules"));
  return join(target, "bin/highwater.js");
}
