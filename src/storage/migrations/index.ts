// The open list of migrations, in order; forward only.

import { initial } from "./001-initial.ts";
import { dailySnapshots } from "./002-daily-snapshots.ts";
import { subjects } from "./003-subjects.ts";
import { accounts } from "./004-accounts.ts";
import { mqttSessions } from "./005-mqtt-sessions.ts";
import { alertLife } from "./006-alert-life.ts";
import { rulesInForce } from "./007-rules-in-force.ts";
import { chunks } from "./008-chunks.ts";
import { reconciliation } from "./009-reconciliation.ts";
import { imports } from "./010-imports.ts";

export const migrations = [initial, dailySnapshots, subjects, accounts, mqttSessions, alertLife, rulesInForce, chunks, reconciliation, imports] as const;

/** What a database of this release has as its `user_version`. */
export const newestSchema: number = migrations[migrations.length - 1]?.version ?? 0;
