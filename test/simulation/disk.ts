// The disk: a real SQLite file in a folder of its own, that can refuse. Statements of the writer are counted, so that a process
// can be killed between any two of them, at the begin, or after the commit; a full disk is SQLite's own page limit.

import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { Killed } from "./event-loop.ts";

/** `statements`: how many of the writer's statements still succeed; `afterCommit`: the transaction stands, nobody hears of it. */
export type Fault =
  | { readonly kind: "kill"; readonly statements: number; readonly afterCommit: boolean }
  | { readonly kind: "refuse"; readonly code: "SQLITE_FULL" | "SQLITE_BUSY" | "SQLITE_IOERR_WRITE"; readonly statements: number };

const PAGES_MAX = 0xffff_fffe;

/** In memory where the machine has such a folder: nothing here depends on what a real disk takes. */
const root = ((): string => {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return tmpdir();
  }
})();

let template: Buffer | undefined;

/** An empty database of this release, made once. */
function emptyDatabase(): Buffer {
  if (template !== undefined) return template;
  const folder = mkdtempSync(join(root, "highwater-empty-"));
  openDatabase(folder, { readonly: false }).close();
  template = readFileSync(join(folder, "highwater.db"));
  rmSync(folder, { recursive: true });
  return template;
}

export type Disk = ReturnType<typeof createDisk>;

export function createDisk() {
  const folder = mkdtempSync(join(root, "highwater-simulation-"));
  writeFileSync(join(folder, "highwater.db"), emptyDatabase());
  let db: Database | undefined;
  let fault: Fault | undefined;
  let left = 0;
  let isFull = false;

  function count(): void {
    if (fault === undefined || (fault.kind === "kill" && fault.afterCommit) || left-- > 0) return;
    const { kind } = fault;
    const error = kind === "kill" ? new Killed("killed within a transaction") : Object.assign(new Error(`the disk says ${fault.code}`), { code: fault.code });
    fault = undefined;
    throw error;
  }

  function committed(): void {
    if (fault?.kind !== "kill" || !fault.afterCommit) return;
    fault = undefined;
    throw new Killed("killed after the commit");
  }

  return {
    /** For the writer; what the process before had open is closed. */
    open(): Database {
      db?.close();
      db = openDatabase(folder, { readonly: false });
      db.pragma("synchronous = OFF"); // the machine does not lose power here
      if (isFull) fill(db);
      countStatements(db, count, committed);
      return db;
    },
    /** Strikes once. */
    arm(next: Fault): void {
      fault = next;
      left = next.kind === "kill" && next.afterCommit ? 0 : next.statements;
    },
    disarm(): void {
      fault = undefined;
    },
    full(refuses: boolean): void {
      isFull = refuses;
      if (db === undefined) return;
      if (refuses) fill(db);
      else db.pragma(`max_page_count = ${PAGES_MAX}`);
    },
    remove(): void {
      db?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const fill = (db: Database): unknown => db.pragma(`max_page_count = ${db.pragma("page_count", { simple: true })}`);

/** Whether a statement writes. */
const writes = /^\s*(?:INSERT|UPDATE|DELETE)/i;

function countStatements(db: Database, count: () => void, committed: () => void): void {
  const prepare = db.prepare.bind(db);
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    if (!writes.test(sql)) return statement;
    const run = statement.run.bind(statement);
    statement.run = ((...values: unknown[]) => {
      count();
      return run(...values);
    }) as typeof statement.run;
    return statement;
  }) as typeof db.prepare;
  const transaction = db.transaction.bind(db);
  db.transaction = ((work: (...values: unknown[]) => unknown) => {
    const whole = transaction(work);
    const immediate = (...values: unknown[]): unknown => {
      const result = whole.immediate(...values);
      committed();
      return result;
    };
    return Object.assign((...values: unknown[]) => whole(...values), { immediate });
  }) as typeof db.transaction;
}
