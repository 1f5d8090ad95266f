// Which plan was in force from when on. Plans are kept by hash in rule_version; one that comes again has a row of its own here.

export const rulesInForce = {
  version: 7,
  sql: `
    CREATE TABLE rules_in_force (
      number INTEGER PRIMARY KEY,      -- 1, 2, … in the order in which they came into force
      at INTEGER NOT NULL,             -- arrival of the change
      plan TEXT NOT NULL               -- rule_version.hash
    );
    INSERT INTO rules_in_force (at, plan) SELECT at, hash FROM rule_version ORDER BY at, hash;
  `,
} as const;
