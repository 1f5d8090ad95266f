// `highwater alerts`: what fires, is about to, or recovers; newest first. It only reads, so that it works beside a gateway and
// without one.

import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../clock.ts";
import { formatDuration } from "../engine/units.ts";
import { alertOfView, alertStates } from "../http/view.ts";
import { formatQuantity } from "../reasons/format.ts";
import type { AlertView } from "../storage/query.ts";
import { configOf } from "./account-store.ts";
import type { CliCommand } from "./command.ts";
import { type ActOptions, actOptions, readStore } from "./running-gateway.ts";
import { block, printLine, secondText, subjectText } from "./text.ts";

type State = AlertView["state"];
type Options = ActOptions & { readonly state: readonly State[]; readonly limit: number };

const ACTIVE: readonly State[] = ["pending", "firing", "recovering"];
const LIMIT_SHOWN = 100;
const LIMIT_MAX = 1000;

export const alertsCommand: CliCommand = {
  name: "alerts",
  summary: "show alerts: what fires, is about to, or recovers",
  register(program: Command): void {
    actOptions(program)
      .option("--state <states>", `only those: ${alertStates.join(", ")}; several by commas`, statesOf, ACTIVE)
      .option("--limit <rows>", "how many, the newest", limitOf, LIMIT_SHOWN)
      .action(list);
  },
};

function statesOf(text: string): State[] {
  const given = text.split(",").map((part) => part.trim());
  const unknown = given.find((part) => !alertStates.includes(part as State));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no state ${JSON.stringify(unknown)}; use ${alertStates.join(", ")}`);
  return given as State[];
}

function limitOf(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw new InvalidArgumentError(`write a whole number from 1 to ${LIMIT_MAX}`);
  return limit;
}

function list({ config, json, state, limit }: Options): void {
  const { alerts, cursor } = readStore(configOf(config), ({ query }) => query({ kind: "alerts", states: state, limit }));
  if (json) return alerts.forEach((alert) => printLine(alertOfView(alert)));
  const now = systemClock.now();
  const more = cursor === null ? "" : "\nthere are more: --limit shows them\n";
  process.stdout.write(`${alerts.length === 0 ? "nothing of that" : alerts.map((alert) => textOf(alert, now)).join("\n")}\n${more}`);
}

/** Up to four lines: how grave and what, then its id and whose it is, who attends to it, what hides it. */
export function textOf(alert: AlertView, now: number): string {
  const { severity, rule, state, since, firedAt, resolvedAt, latchedAt, value, unit } = alert;
  const span = formatDuration(Math.floor(((resolvedAt ?? now) - (firedAt ?? since)) / 1000) * 1000);
  const how =
    latchedAt !== null && state !== "resolved" ? "latched, waits for a reset" : resolvedAt === null ? `${state} for ${span}` : `resolved after ${span}`;
  const lines = [
    `${severity.padEnd(8)} ${rule}, ${how}${Number.isFinite(value) ? `: ${formatQuantity(value, unit)}` : ""}`,
    `${alert.id ?? "(no id yet)"}  ${subjectText(alert)}`,
    ...attendance(alert),
  ];
  return block(lines, "         ");
}

function attendance({ ackedBy, ackedAt, ackNote, shelf, hidden = [] }: AlertView): string[] {
  const notTold = hidden
    .filter(({ disposition }) => disposition !== "shelved")
    .map(({ disposition, cause }) => `not told: ${disposition === "grouped" ? "it flaps" : disposition}, by ${cause.replace(":", " ")}`);
  const acked = [...(ackedBy == null ? [] : [`acknowledged by ${ackedBy} at ${secondText(ackedAt ?? 0)}${said(ackNote)}`]), ...notTold];
  if (shelf == null) return acked;
  const until = shelf.kind === "timed" ? ` until ${secondText(shelf.until ?? 0)}` : shelf.kind === "until_clear" ? " until it clears" : "";
  return [...acked, `${shelf.kind === "out_of_service" ? "out of service" : "shelved"}${until}, by ${shelf.by}${said(shelf.why)}`];
}

const said = (text: string | null | undefined): string => (text == null || text === "" ? "" : `: ${text}`);
