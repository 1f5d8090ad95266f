// `highwater silence device=fz-7 2h --why "…"`: nobody is told of alerts with these labels for a time. Beside it: list, preview, end.

import { InvalidArgumentError, type Command as Program } from "commander";
import { systemClock } from "../clock.ts";
import { refusals } from "../engine/dispatch/life.ts";
import type { LabelMatcher } from "../engine/matcher.ts";
import { GatewayError } from "../error.ts";
import { reasonSchema } from "../http/alert-act.ts";
import { matchesEverything, silenceMatchersSchema } from "../http/silence-matchers.ts";
import { silenceOfView } from "../http/silence-view.ts";
import { alertOfView } from "../http/view.ts";
import { LIMIT_MAX, type SilenceState, type SilenceView, silenceStates } from "../storage/query.ts";
import { configOf } from "./account-store.ts";
import { textOf } from "./alerts.ts";
import { type CliCommand, USAGE } from "./command.ts";
import { type ActOptions, actOptions, ask, durationOf, readStore, type Store } from "./running-gateway.ts";
import { block, counted, printLine, secondText } from "./text.ts";

/** Alerts of a preview that are shown. */
const SHOWN = 20;

export const silenceCommand: CliCommand = {
  name: "silence",
  summary: "tell nobody of alerts with these labels for a time",
  register(program: Program): void {
    actOptions(program)
      .usage('[options] LABEL=GLOB… DURATION --why "…"\n       highwater silence list | end ID | preview LABEL=GLOB…')
      .argument("<what...>", "labels, LABEL=GLOB each, all of which must match, then how long, such as 2h")
      .option("--why <reason>", "why, for whoever looks for these alerts")
      .option("--all", "it is meant to hide every alert")
      .action(make);
    actOptions(program.command("list").description("show the silences"))
      .option("--state <states>", `only those: ${silenceStates.join(", ")}; several by commas`, statesOf, ["active", "pending"])
      .action((_options: unknown, command: Program) => list(command.optsWithGlobals()));
    actOptions(program.command("preview").description("show which active alerts they would hide"))
      .argument("<labels...>", "LABEL=GLOB each")
      .action((labels: string[], _options: unknown, command: Program) => preview(labels, command.optsWithGlobals()));
    actOptions(program.command("end").description("end a silence before its time"))
      .argument("<id>", "as the list names it; its beginning is enough")
      .option("--why <reason>", "for the audit log")
      .action((id: string, _options: unknown, command: Program) => end(id, command.optsWithGlobals()));
  },
};

function statesOf(text: string): SilenceState[] {
  const given = text.split(",").map((part) => part.trim());
  const unknown = given.find((part) => !silenceStates.includes(part as SilenceState));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no state ${JSON.stringify(unknown)}; use ${silenceStates.join(", ")}`);
  return given as SilenceState[];
}

/** The same label more than once: any of its patterns. @throws GatewayError `usage` */
function matchersOf(words: readonly string[]): LabelMatcher[] {
  const given: Record<string, string[]> = {};
  for (const word of words) {
    const [, label, pattern] = /^([a-zA-Z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (label === undefined || pattern === undefined) throw new GatewayError(USAGE, `${word} is no LABEL=GLOB`, { hint: "such as device=fz-7 or site=oslo-*" });
    given[label] = [...(given[label] ?? []), pattern];
  }
  const parsed = silenceMatchersSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new GatewayError(USAGE, parsed.error.issues[0]?.message ?? "these are no matchers", { hint: "write LABEL=GLOB, such as device=fz-*" });
}

type MakeOptions = ActOptions & { readonly why?: string; readonly all?: true };

async function make(words: string[], { config, json, why, all }: MakeOptions): Promise<void> {
  const duration = durationOf(words.at(-1) ?? "");
  const matchers = matchersOf(words.slice(0, -1));
  const reason = reasonSchema.safeParse(why);
  if (!reason.success) throw new GatewayError(USAGE, "a silence says why, in at most 500 characters", { hint: 'add --why "…"' });
  if (all === undefined && matchesEverything(matchers))
    throw new GatewayError(USAGE, "this would hide every alert, or nearly", { hint: "add --all where that is meant" });
  const gateway = configOf(config);
  const startsAt = systemClock.now();
  const id = await ask(gateway, { kind: "silence", matchers, startsAt, endsAt: startsAt + duration, why: reason.data });
  const { silence, count } = readStore(gateway, (store) => ({
    silence: store.query({ kind: "silences", now: systemClock.now(), id: id ?? "" }).silences[0] as SilenceView,
    count: store.query({ kind: "silenced", matchers, limit: 1 }).count,
  }));
  const text = `silence ${silence.id} until ${secondText(silence.endsAt)}: it hides ${counted(count, "active alert")}`;
  process.stdout.write(`${json ? JSON.stringify(silenceOfView(silence), null, 2) : text}\n`);
}

function list({ config, json, state }: ActOptions & { readonly state: readonly SilenceState[] }): void {
  const { silences } = readStore(configOf(config), ({ query }) => query({ kind: "silences", now: systemClock.now(), states: state }));
  if (json) return silences.forEach((silence) => printLine(silenceOfView(silence)));
  process.stdout.write(`${silences.length === 0 ? "there are no such silences" : silences.map(lineOf).join("\n")}\n`);
}

function lineOf({ id, state, matchers, startsAt, endsAt, by, why, endedBy }: SilenceView): string {
  const labels = matchers.flatMap(({ label, patterns }) => patterns.map((pattern) => `${label}=${pattern}`)).join(" ");
  const when =
    state === "pending" ? `from ${secondText(startsAt)} until ${secondText(endsAt)}` : `${state === "expired" ? "ended" : "until"} ${secondText(endsAt)}`;
  return block([`${id}  ${labels}`, `${state}, ${when}${endedBy === null ? "" : ` by ${endedBy}`}`, `by ${by}: ${why}`], "  ");
}

function preview(words: readonly string[], { config, json }: ActOptions): void {
  const matchers = matchersOf(words);
  const { count, alerts } = readStore(configOf(config), ({ query }) => query({ kind: "silenced", matchers, limit: json ? LIMIT_MAX : SHOWN }));
  if (json) return void process.stdout.write(`${JSON.stringify({ count, alerts: alerts.map(alertOfView) }, null, 2)}\n`);
  const now = systemClock.now();
  const rest = count > alerts.length ? [`and ${count - alerts.length} more`] : [];
  const lines = [`it would hide ${counted(count, "active alert")}`, ...alerts.map((alert) => textOf(alert, now)), ...rest];
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function end(prefix: string, { config, json, why }: ActOptions & { readonly why?: string }): Promise<void> {
  const gateway = configOf(config);
  const { id } = readStore(gateway, (store) => silenceMeant(store, prefix));
  await ask(gateway, { kind: "end_silence", id }, why);
  const [silence] = readStore(gateway, ({ query }) => query({ kind: "silences", now: systemClock.now(), id }).silences);
  process.stdout.write(`${json && silence !== undefined ? JSON.stringify(silenceOfView(silence), null, 2) : `silence ${id} has ended`}\n`);
}

/** @throws GatewayError `unknown_silence`, `silence_over`, `ambiguous_silence` */
function silenceMeant({ query }: Store, prefix: string): SilenceView {
  const found = query({ kind: "silences", now: systemClock.now(), limit: LIMIT_MAX }).silences.filter(({ id }) => id.startsWith(prefix));
  const exact = found.filter(({ id }) => id === prefix);
  const [silence, ...others] = exact.length > 0 ? exact : found.filter(({ state }) => state !== "expired");
  const refusal = (code: "unknown_silence" | "silence_over") => new GatewayError(code, refusals[code].message, { hint: refusals[code].hint });
  if (silence === undefined) throw refusal(found.length === 0 ? "unknown_silence" : "silence_over");
  if (silence.state === "expired") throw refusal("silence_over");
  if (others.length === 0) return silence;
  const ids = [silence, ...others].map(({ id }) => id).slice(0, 5);
  throw new GatewayError("ambiguous_silence", `${others.length + 1} silences begin with ${prefix}`, { hint: `write more of the id: ${ids.join(", ")}` });
}
