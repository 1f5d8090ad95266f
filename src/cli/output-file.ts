// Files that a verb is to write where somebody says: over anything but a database. Who writes over the store of a running gateway sees
// nothing of it until the gateway ends, and then all is lost.

import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { GatewayError } from "../error.ts";

/** How SQLite's files begin: the database, and its write-ahead log. */
const BEGINNINGS = [Buffer.from("SQLite format 3\0"), Buffer.of(0x37, 0x7f, 0x06, 0x82), Buffer.of(0x37, 0x7f, 0x06, 0x83)];
const BESIDE = /-(wal|shm|journal)$/;

/** @throws GatewayError `output_is_database` */
export function refuseDatabase(file: string): void {
  if (!existsSync(file) || !(BESIDE.test(file) || isDatabase(file))) return;
  throw new GatewayError("output_is_database", `${file} is a database, and is not written over`, { hint: "write another name" });
}

function isDatabase(file: string): boolean {
  const start = Buffer.alloc(16);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } catch {
    // A folder: whoever writes says so.
    return false;
  } finally {
    closeSync(descriptor);
  }
  return BEGINNINGS.some((beginning) => start.subarray(0, beginning.length).equals(beginning));
}
