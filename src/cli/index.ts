// The verbs of the command line. To add one: a file beside this, a line here.

import { actCommands } from "./act.ts";
import { alertsCommand } from "./alerts.ts";
import { auditCommand } from "./audit.ts";
import { backupCommand } from "./backup.ts";
import { checkCommand } from "./check.ts";
import type { CliCommand } from "./command.ts";
import { explainCommand } from "./explain.ts";
import { exportCommand } from "./export.ts";
import { importCommand } from "./import.ts";
import { oncallCommand } from "./oncall.ts";
import { performanceCommand } from "./performance.ts";
import { rebuildCommand } from "./rebuild.ts";
import { replayCommand } from "./replay.ts";
import { reportCommand } from "./report.ts";
import { restoreCommand } from "./restore.ts";
import { rulesCommand } from "./rules.ts";
import { runCommand } from "./run.ts";
import { schemaCommand } from "./schema.ts";
import { silenceCommand } from "./silence.ts";
import { summarizeCommand } from "./summarize.ts";
import { testCommand } from "./test.ts";
import { tokenCommand } from "./token.ts";
import { tryCommand } from "./try.ts";
import { tuneCommand } from "./tune.ts";
import { userCommand } from "./user.ts";
import { verifyCommand } from "./verify.ts";

export const commands: readonly CliCommand[] = [
  runCommand,
  checkCommand,
  tryCommand,
  testCommand,
  replayCommand,
  explainCommand,
  rulesCommand,
  summarizeCommand,
  importCommand,
  exportCommand,
  reportCommand,
  verifyCommand,
  rebuildCommand,
  performanceCommand,
  tuneCommand,
  ...[alertsCommand, ...actCommands, silenceCommand, oncallCommand],
  userCommand,
  tokenCommand,
  auditCommand,
  ...[backupCommand, restoreCommand],
  schemaCommand,
];
