// A disk of a few megabytes that is really full: a memory file system. Where none may be mounted (it takes root), tests of a full disk are
// skipped, and say so.

import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = { readonly path: string; remove(): void };

/** @returns undefined where it may not be mounted */
export function mountSmallDisk(megabytes: number): SmallDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), "highwater-small-disk-"));
  const remove = (): void => rmSync(path, { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]).status !== 0) {
    remove();
    console.warn("The tests of a full disk are skipped: a tmpfs cannot be mounted here (it takes root)");
    return undefined;
  }
  return {
    path,
    remove() {
      spawnSync("umount", ["-l", path]);
      remove();
    },
  };
}

/** Takes what room there is, to the last page. */
export function fill(file: string): void {
  const [descriptor, block] = [openSync(file, "w"), Buffer.alloc(4096)];
  try {
    for (;;) writeSync(descriptor, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(descriptor);
  }
}
