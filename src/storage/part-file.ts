// A file that is there as a whole or not at all: written under a name beside its own, flushed, and renamed when it is checked. The
// name carries the process, so that what one that was killed left behind is known and taken away by the next.

import { chownSync, closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { GatewayError } from "../error.ts";

const OWNER_ONLY = 0o600;
const PART = /\.highwater-(\d+)\.part(?:-journal|-wal|-shm)?$/;
/** What SQLite may leave beside a database. */
export const sideFiles = ["-wal", "-shm", "-journal"] as const;

export type PartFile = {
  /** Empty at first, and readable to its owner only. */
  readonly path: string;
  /** Flushes it and gives it its name. @throws GatewayError `file_exists` */
  finish(): void;
  /** Takes it away; nothing after `finish`. */
  discard(): void;
};

/**
 * @param file its name once it is whole
 * @param options.overwrites whether it takes the place of a file that is there
 */
export function createPartFile(file: string, { overwrites }: { readonly overwrites: boolean }): PartFile {
  const [folder, path] = [dirname(file), `${file}.highwater-${process.pid}.part`];
  removeDeadParts(folder);
  closeSync(openSync(path, "wx", OWNER_ONLY));
  ownAs(path, folder);
  return {
    path,
    finish() {
      flush(path);
      if (!overwrites) refuseExisting(file);
      renameSync(path, file);
      flush(folder);
    },
    discard() {
      for (const side of ["", ...sideFiles]) rmSync(`${path}${side}`, { force: true });
    },
  };
}

/** @throws GatewayError `file_exists` */
export function refuseExisting(file: string): void {
  if (existsSync(file)) throw new GatewayError("file_exists", `${file} is there already`, { hint: "nothing is overwritten: write another name" });
}

/** What processes that are gone left in a folder. One with this process's number was an earlier one's: this one begins only now. */
function removeDeadParts(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(PART.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && (pid === process.pid || !isAlive(pid))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Of a file or a folder: what was written, or which names are in it, outlasts a loss of power. */
export function flush(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What the administrator makes in a data directory is its owner's, or the gateway could not use it. */
export function ownAs(path: string, like: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(like);
  chownSync(path, uid, gid);
}

/** `20260131T041500Z`, for names of files that sort by their time. */
export const stamp = (now: number): string => `${new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
