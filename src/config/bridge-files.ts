// Files of certificates and keys that the config names: each must be there and readable when the config is read, so that a slip is
// said with its place and not found hours later by a connection that fails. What is in them is judged when they are used.

import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { reasonOf } from "../error.ts";
import type { Checked, Findings } from "./crosscheck.ts";
import { problem } from "./problem.ts";

export function checkBridgeFiles({ document, blocks }: Checked, { problems }: Findings): void {
  for (const [index, { tls }] of (blocks.mqtt?.bridges ?? []).entries()) {
    for (const name of ["ca", "cert", "key"] as const) {
      const path = tls?.[name];
      const reason = path === undefined ? undefined : whyUnreadable(resolve(dirname(document.file), path));
      if (reason === undefined) continue;
      const place = document.placeOf(["mqtt", "bridges", index, "tls", name]);
      problems.push(problem(document.file, place, `${path} cannot be read: ${reason}`, "relative paths start at the config's folder"));
    }
  }
}

function whyUnreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isFile() ? undefined : "it is no file";
  } catch (error) {
    return reasonOf(error);
  }
}
