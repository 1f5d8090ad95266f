// What people do to one alert: `highwater ack ID` and its like. The beginning of an id is enough where it is clear which alert is meant.

import type { Command as Program } from "commander";
import { systemClock } from "../clock.ts";
import type { AlertName, Command } from "../engine/dispatch/command.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { noteSchema, reasonSchema } from "../http/alert-act.ts";
import { alertOfView } from "../http/view.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, USAGE } from "./command.ts";
import { type ActOptions, actOptions, alertOf, ask, durationOf, readStore } from "./running-gateway.ts";
import { printable, secondText, subjectText } from "./text.ts";

type Options = ActOptions & { readonly note?: string; readonly why?: string; readonly untilClear?: true };
type Given = { readonly words: readonly string[]; readonly options: Options };
type Act = {
  readonly name: string;
  readonly summary: string;
  /** Besides the id, in commander's notation. */
  readonly argument?: readonly [syntax: string, description: string];
  options(program: Program): Program;
  commandOf(alert: AlertName, given: Given, now: EpochMs): Command;
  readonly done: string;
};

const withNote = (program: Program): Program => program.option("--note <text>", "for whoever looks at it next");
const withWhy = (program: Program): Program => program.option("--why <reason>", "for whoever looks at it next");
const needsWhy = (program: Program): Program => program.requiredOption("--why <reason>", "why, for whoever looks for it");
const note = ({ options }: Given): string => options.note ?? "";
const why = ({ options }: Given): string => options.why ?? "";

const acts: readonly Act[] = [
  {
    name: "ack",
    summary: "acknowledge an alert: its escalation stops",
    options: withNote,
    commandOf: ({ id }, given) => ({ kind: "acknowledge", alert: id, note: note(given) }),
    done: "acknowledged",
  },
  {
    name: "unack",
    summary: "take an acknowledgement back: escalation goes on",
    options: withNote,
    commandOf: ({ id }, given) => ({ kind: "unacknowledge", alert: id, note: note(given) }),
    done: "no longer acknowledged",
  },
  {
    name: "comment",
    summary: "comment on an alert",
    argument: ["<text...>", "what there is to say"],
    options: (program) => program,
    commandOf: ({ id }, { words }) => ({ kind: "comment", alert: id, text: textOf(words) }),
    done: "commented",
  },
  {
    name: "shelve",
    summary: "tell nobody of an alert for a time, or until it clears",
    argument: ["[duration]", "how long, such as 30m or 2h"],
    options: (program) => needsWhy(program).option("--until-clear", "until it clears, instead of a duration"),
    commandOf: (alert, given, now) => ({ kind: "shelve", alert, until: untilOf(given, now), why: why(given) }),
    done: "shelved",
  },
  {
    name: "unshelve",
    summary: "take an alert from the shelf before its time is over",
    options: withWhy,
    commandOf: (alert, given) => ({ kind: "unshelve", alert, why: why(given) }),
    done: "no longer shelved",
  },
  {
    name: "out-of-service",
    summary: "tell nobody of an alert until it is returned to service",
    options: needsWhy,
    commandOf: (alert, given) => ({ kind: "take_out_of_service", alert, why: why(given) }),
    done: "out of service",
  },
  {
    name: "in-service",
    summary: "return an alert to service",
    options: withWhy,
    commandOf: (alert, given) => ({ kind: "return_to_service", alert, why: why(given) }),
    done: "in service",
  },
  {
    name: "reset",
    summary: "reset a latched alert whose condition has cleared",
    options: withNote,
    commandOf: ({ id }, given) => ({ kind: "reset", alert: id, note: note(given) }),
    done: "reset",
  },
];

export const actCommands: readonly CliCommand[] = acts.map((act) => ({
  name: act.name,
  summary: act.summary,
  register(program: Program): void {
    program.argument("<id>", "the alert, as `highwater alerts` names it; its beginning is enough");
    if (act.argument !== undefined) program.argument(...act.argument);
    act.options(actOptions(program)).action(async (id: string, ...rest: unknown[]) => {
      const options = program.opts<Options>();
      await carryOut(act, id, { words: act.argument === undefined ? [] : [rest[0] ?? []].flat().map(String), options });
    });
  },
}));

async function carryOut(act: Act, id: string, given: Given): Promise<void> {
  checkTexts(given);
  const config = configOf(given.options.config);
  const { name } = readStore(config, (store) => alertOf(store, id));
  await ask(config, act.commandOf(name, given, systemClock.now()));
  const { alert } = readStore(config, (store) => alertOf(store, name.id));
  const until = act.name === "shelve" && alert.shelf?.until != null ? `, until ${secondText(alert.shelf.until)} at the latest` : "";
  const text = given.options.json ? JSON.stringify(alertOfView(alert), null, 2) : printable(`${act.done}: ${alert.rule} on ${subjectText(alert)}${until}`);
  process.stdout.write(`${text}\n`);
}

/** As long as over HTTP. @throws GatewayError `usage` */
function checkTexts({ words, options }: Given): void {
  const parsed = [noteSchema.safeParse(options.note ?? ""), reasonSchema.safeParse(options.why ?? "none"), noteSchema.safeParse(words.join(" "))];
  const [issue] = parsed.flatMap(({ error }) => error?.issues ?? []);
  if (issue !== undefined)
    throw new GatewayError(USAGE, `a text is not as it must be: ${issue.message}`, { hint: "say in a few words what the next one should know" });
}

function textOf(words: readonly string[]): string {
  const text = words.join(" ").trim();
  if (text === "") throw new GatewayError(USAGE, "there is nothing to say", { hint: "write the comment after the id" });
  return text;
}

/** @returns null: until it clears */
function untilOf({ words: [duration], options: { untilClear } }: Given, now: EpochMs): EpochMs | null {
  if ((duration === undefined) !== (untilClear === true)) throw new GatewayError(USAGE, "give a duration, such as 2h, or --until-clear");
  return duration === undefined ? null : now + durationOf(duration);
}
