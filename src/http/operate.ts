// Carries out what somebody asks of the engine, and writes into the audit log who asked, what, why, and what came of it: for the
// routes and for the command line alike. What the engine refuses is an answer, not an error.

import type { Command, CommandAnswer, RefusalCode } from "../engine/dispatch/command.ts";
import { refusals } from "../engine/dispatch/life.ts";
import type { AuditRow } from "../storage/audit.ts";
import { type Caller, whoIs } from "./accounts/rights.ts";
import { Refusal } from "./problem.ts";

export type OperateDeps = {
  /** Journals it; resolves when it is committed. @throws GatewayError */
  command(by: string, command: Command): Promise<CommandAnswer>;
  readonly accounts: { audit(row: Omit<AuditRow, "kind" | "at">): Promise<void> };
};

/** `by`: as alerts name who did something; `who`: as the audit log does. `why` stands in for a command that has none. */
export type Asking = { readonly by: string; readonly who: string; readonly origin: string; readonly why?: string };

/** What the command line asks through the control socket; only who may write into the data directory can. */
export type CommandOfCli = { readonly user: string; readonly why: string; readonly command: Command };

export async function operate({ command: ask, accounts }: OperateDeps, { by, who, origin, why = "" }: Asking, command: Command): Promise<CommandAnswer> {
  const told = wordsOf(command);
  const audit = (outcome: string, target = told.target): void =>
    void accounts.audit({ who, origin, action: told.action, target, why: told.why === "" ? why : told.why, outcome });
  try {
    const answer = await ask(by, command);
    audit(answer.kind === "done" ? "ok" : answer.code, answer.kind === "done" && told.target === "" ? (answer.id ?? "") : told.target);
    return answer;
  } catch (error) {
    audit("failed");
    throw error;
  }
}

/** Somebody on the gateway's machine, while there is no account, has no name; a token's is told from an account's. */
export const askingOf = (caller: Caller, why?: string): Asking => ({
  ...{ by: caller.kind === "local" ? "anonymous" : whoIs(caller), who: whoIs(caller), origin: caller.origin },
  ...(why === undefined ? {} : { why }),
});

/** @throws Refusal what the engine refused @returns id of what was made */
export async function operateOrRefuse(deps: OperateDeps, asking: Asking, command: Command): Promise<string | null> {
  const answer = await operate(deps, asking, command);
  if (answer.kind === "refused") throw refusalOf(answer);
  return answer.id;
}

const refusalOf = ({ code, message, hint }: { readonly code: RefusalCode; readonly message: string; readonly hint: string }): Refusal =>
  new Refusal(code.startsWith("unknown_") ? 404 : 409, code, message, hint);

type Words = { readonly action: string; readonly target: string; readonly why: string };

function wordsOf(command: Command): Words {
  switch (command.kind) {
    case "acknowledge":
      return { action: "ack", target: command.alert, why: command.note };
    case "unacknowledge":
      return { action: "unack", target: command.alert, why: command.note };
    case "comment":
      return { action: "comment", target: command.alert, why: command.text };
    case "shelve":
      return { action: "shelve", target: command.alert.id, why: command.why };
    case "unshelve":
      return { action: "unshelve", target: command.alert.id, why: command.why };
    case "take_out_of_service":
      return { action: "out-of-service", target: command.alert.id, why: command.why };
    case "return_to_service":
      return { action: "in-service", target: command.alert.id, why: command.why };
    case "reset":
      return { action: "reset", target: command.alert, why: command.note };
    case "silence":
      return { action: "silence", target: "", why: command.why };
    case "end_silence":
      return { action: "silence end", target: command.id, why: "" };
    case "override":
      return { action: "override", target: "", why: command.why };
    case "remove_override":
      return { action: "override remove", target: command.id, why: "" };
    default: {
      const never: never = command;
      return never;
    }
  }
}

/** In the words that the engine has for it. */
export const refusalNamed = (code: RefusalCode): Refusal => refusalOf({ code, ...refusals[code] });
