// What the list of alerts says of one that fires and that nobody is told of: by the newest notification of each channel.

import { expect, it } from "vitest";
import { attendedReader } from "../../src/storage/alert-query.ts";
import type { AlertRow } from "../../src/storage/alert-rows.ts";
import { freshDatabase } from "../fresh-database.ts";

function hiddenBy(state: string, rows: readonly (readonly [channel: string, disposition: string, cause: string | null])[]): readonly unknown[] {
  const db = freshDatabase();
  db.prepare(
    `INSERT INTO alert (id, rule, series, severity, labels, annotations, state, since, fired_at, value, peak, changed_seq, subject)
     VALUES ('k-1', 'warm', 0, 'warning', '{}', '{}', ?, 0, 0, 1, 1, 1, '{}')`,
  ).run(state);
  const insert = db.prepare(
    `INSERT INTO notification (id, alert, ordinal, receiver, channel, seq, state, disposition, cause, created_at, created_seq, attempts, next_at)
     VALUES (?, 'k-1', 1, 'on-call', ?, 0, 'firing', ?, ?, 0, ?, 0, 0)`,
  );
  rows.forEach((row, index) => insert.run(`n${index}`, ...row, index));
  return attendedReader(db)(db.prepare<[], AlertRow>("SELECT * FROM alert").get() as AlertRow).hidden ?? [];
}

it.each([
  ["told", "firing", [["email:0", "delivered", null]], []],
  [
    "silenced on each channel",
    "firing",
    [
      ["email:0", "silenced", "silence:s"],
      ["webhook:0", "silenced", "silence:s"],
    ],
    ["silence:s"],
  ],
  [
    "told, and then muted",
    "firing",
    [
      ["email:0", "delivered", null],
      ["email:0", "muted", "interval:nights"],
    ],
    ["interval:nights"],
  ],
  [
    "silenced, and then announced",
    "firing",
    [
      ["email:0", "silenced", "silence:s"],
      ["email:0", "waiting", null],
    ],
    [],
  ],
  ["told with others", "firing", [["email:0", "grouped", "notification:n9"]], []],
  ["flapping", "firing", [["email:0", "grouped", "flapping:k-0"]], ["flapping:k-0"]],
  ["over", "resolved", [["email:0", "inhibited", "alert:x"]], []],
] as const)("%s", (_name, state, rows, expected) => {
  expect(hiddenBy(state, rows)).toMatchObject(expected.map((cause) => ({ cause })));
  expect(hiddenBy(state, rows)).toHaveLength(expected.length);
});
