// Writes a file as a whole or not at all: whoever reads it at any time finds the old one or the new one. Links stay links, and the file
// stays its owner's, with the rights that it had.

import { chmodSync, chownSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { GatewayError } from "../error.ts";

/**
 * @param options.mode of a file that is new
 * @param options.code of the error when it cannot be written
 * @throws GatewayError with that code; then nothing is changed
 */
export function writeWhole(link: string, text: string, { mode, code }: { readonly mode: number; readonly code: string }): void {
  const file = existsSync(link) ? realpathSync(link) : link;
  const beside = `${file}.${process.pid}.new`;
  try {
    writeFileSync(beside, text, { mode, flag: "wx" });
    if (existsSync(file)) keepOwner(file, beside);
    else chmodSync(beside, mode);
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new GatewayError(code, `${file} cannot be written: ${(cause as Error).message}`, { hint: "may this user write to its folder?", cause });
  }
}

/** The gateway may run as another user than who changes its files. */
function keepOwner(from: string, to: string): void {
  const { uid, gid, mode } = statSync(from);
  if (process.getuid?.() === 0) chownSync(to, uid, gid);
  chmodSync(to, mode & 0o777);
}
