// Alerts are of a series or of a group: the canonical text of its labels, and of pending groups the labels.

export const subjects = {
  version: 3,
  sql: `
    ALTER TABLE alert ADD COLUMN subject TEXT NOT NULL DEFAULT 'gateway';
    ALTER TABLE pending ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
  `,
} as const;
