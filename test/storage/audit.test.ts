// The audit log in a real database: what is repeated is counted, what is old falls off, and pages follow each other.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AUDIT_ROWS_MAX, type AuditRow, answerAudit } from "../../src/storage/audit.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";

let dir = "";
let db: Database;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "highwater-audit-"));
  db = openDatabase(dir, { readonly: false });
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const T0 = Date.UTC(2026, 0, 5);
const row = (more: Partial<AuditRow>): AuditRow => ({
  ...{ kind: "audit", at: T0, who: "", origin: "203.0.113.1", action: "login", target: "", why: "", outcome: "failed" },
  ...more,
});

test("the same refusal within a minute is one row with a count; another, a later one or a success is a row of its own", () => {
  writeFinished(db, [
    row({}),
    row({ at: T0 + 30_000 }),
    row({ at: T0 + 60_000 }),
    row({ at: T0 + 60_001 }),
    row({ at: T0 + 60_002, origin: "203.0.113.2" }),
    row({ at: T0 + 60_003, target: "ada" }),
    row({ at: T0 + 60_004, who: "ada", outcome: "ok" }),
    row({ at: T0 + 60_005, who: "ada", outcome: "ok" }),
  ]);
  const { audit } = answerAudit(db, {});
  expect(audit.map(({ at, lastAt, count, origin, target }) => [at - T0, lastAt - T0, count, origin, target]).reverse()).toEqual([
    [0, 60_000, 3, "203.0.113.1", ""],
    [60_001, 60_001, 1, "203.0.113.1", ""],
    [60_002, 60_002, 1, "203.0.113.2", ""],
    [60_003, 60_003, 1, "203.0.113.1", "ada"],
    [60_004, 60_004, 1, "203.0.113.1", ""],
    [60_005, 60_005, 1, "203.0.113.1", ""],
  ]);
});

test("pages, newest first, also of one person or one action", () => {
  writeFinished(
    db,
    Array.from({ length: 7 }, (_, index) =>
      row({ at: T0 + index, who: index % 2 === 0 ? "ada" : "bob", action: index < 4 ? "login" : "reload", outcome: "ok" }),
    ),
  );
  const first = answerAudit(db, { limit: 5 });
  const second = answerAudit(db, { limit: 5, cursor: first.cursor ?? "" });
  expect([...first.audit, ...second.audit].map(({ at }) => at - T0)).toEqual([6, 5, 4, 3, 2, 1, 0]);
  expect(second.cursor).toBeNull();
  expect(answerAudit(db, { who: "bob" }).audit.map(({ at }) => at - T0)).toEqual([5, 3, 1]);
  expect(answerAudit(db, { who: "ada", action: "reload" }).audit.map(({ at }) => at - T0)).toEqual([6, 4]);
});

test("only the newest rows stay, and long texts are cut", () => {
  writeFinished(db, [row({ outcome: "ok" })]);
  db.prepare("UPDATE audit SET id = ?").run(500);
  db.prepare("INSERT INTO audit SELECT ?, at, last_at, count, who, origin, action, target, why, outcome FROM audit").run(500 + AUDIT_ROWS_MAX - 1);
  writeFinished(db, [row({ outcome: "ok", why: "x".repeat(5000) })]);
  expect(db.prepare("SELECT id, length(why) AS length FROM audit ORDER BY id").all()).toEqual([
    { id: 500 + AUDIT_ROWS_MAX - 1, length: 0 },
    { id: 500 + AUDIT_ROWS_MAX, length: 500 },
  ]);
});
