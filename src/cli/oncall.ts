// `highwater oncall`: who is on call, the gaps to come, and who would be paged for an alert. It reads the config and what is stored,
// beside a gateway and without one; overrides are made through the control socket of one that runs.

import { writeFileSync } from "node:fs";
import type { Command as Program } from "commander";
import { systemClock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { refusals } from "../engine/dispatch/life.ts";
import { noDispatch } from "../engine/dispatch/plan.ts";
import type { Labels } from "../engine/reading.ts";
import { parseDuration } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { reasonSchema } from "../http/alert-act.ts";
import { scheduleNamed } from "../http/oncall-asking.ts";
import { OVERRIDE_MS_MAX, overrideOf } from "../http/oncall-view.ts";
import { answerOncall, type OncallDeps } from "../http/routes/oncall.ts";
import { calendarOf } from "../http/routes/schedule-calendar.ts";
import { LIMIT_MAX, type OverrideView } from "../storage/query.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, USAGE } from "./command.ts";
import { momentOf } from "./local-time.ts";
import { dutiesText, overrideText, pagedText, type Zones } from "./oncall-text.ts";
import { type ActOptions, actOptions, alertOf, ask, readStore, type Store } from "./running-gateway.ts";
import { printLine } from "./text.ts";

type AskOptions = ActOptions & { readonly at?: string; readonly alert?: string };
type CalendarOptions = ActOptions & { readonly member?: string; readonly output?: string };
type WhyOptions = ActOptions & { readonly why?: string };

export const oncallCommand: CliCommand = {
  name: "oncall",
  summary: "who is on call, and who would be paged for an alert",
  register(program: Program): void {
    actOptions(program)
      .usage("[options] [LABEL=VALUE…]\n       highwater oncall calendar SCHEDULE | override SCHEDULE MEMBER FROM TO | overrides | remove ID")
      .argument("[labels...]", "of an alert, LABEL=VALUE each: who would be paged for it")
      .option("--at <time>", "when, such as 2026-01-14T12:00 (local) or with an offset; default: now")
      .option("--alert <id>", "who would be paged for this alert; the beginning of its id is enough")
      .action(show);
    actOptions(program.command("calendar").description("write the shifts of a schedule as iCalendar"))
      .argument("<schedule>")
      .option("--member <name>", "only the shifts of this one")
      .option("-o, --output <file>", "into this file; default: on the screen")
      .action((schedule: string, _options: unknown, command: Program) => calendar(schedule, command.optsWithGlobals()));
    actOptions(program.command("override").description("put somebody on call for a while"))
      .argument("<schedule>")
      .argument("<member>", "a receiver")
      .argument("<from>", "now, or a local time of the schedule such as 2026-01-14T12:00")
      .argument("<to>", "until then, or a duration such as 8h")
      .option("--why <reason>", "why, for whoever wonders")
      .action((...given: unknown[]) => override(given.slice(0, 4) as string[], (given.at(-1) as Program).optsWithGlobals()));
    actOptions(program.command("overrides").description("show the overrides that are not over")).action((_options: unknown, command: Program) =>
      overrides(command.optsWithGlobals()),
    );
    actOptions(program.command("remove").description("take an override away before its end"))
      .argument("<id>", "as the list names it; its beginning is enough")
      .option("--why <reason>", "for the audit log")
      .action((id: string, _options: unknown, command: Program) => remove(id, command.optsWithGlobals()));
  },
};

const zonesOf = ({ plan }: GatewayConfig): Zones => ({ gateway: plan.zone, byName: (plan.dispatch ?? noDispatch).zones });

/** Each question opens the store for itself. A gateway that never ran has nothing stored: no overrides, no silences. */
const depsOf = (config: GatewayConfig): OncallDeps => ({
  plan: () => config.plan,
  async query(request) {
    try {
      return readStore(config, ({ query }) => query(request));
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "database_missing") throw error;
      return (request.kind === "alert" ? null : { overrides: [], silences: [], cursor: null }) as never;
    }
  },
});

async function show(words: readonly string[], { config: file, json, at, alert }: AskOptions): Promise<void> {
  const config = configOf(file);
  const [labels, now] = [labelsOf(words), systemClock.now()];
  const when = at === undefined ? now : momentOf(at, config.plan.zone, now);
  const id = alert === undefined ? {} : { alert: readStore(config, (store) => alertOf(store, alert)).name.id };
  const answer = await answerOncall(depsOf(config), { at: when, labels, ...id });
  if (json) return void process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  const zones = zonesOf(config);
  process.stdout.write(`${answer.paged === null ? dutiesText(answer, zones) : pagedText(answer.at, answer.paged, zones)}\n`);
}

/** @throws GatewayError `usage` */
function labelsOf(words: readonly string[]): Labels {
  const labels: Record<string, string> = {};
  for (const word of words) {
    const [, name, value] = /^([a-zA-Z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw new GatewayError(USAGE, `${word} is no LABEL=VALUE`, { hint: "such as device=fz-7 or severity=critical" });
    if (labels[name] !== undefined) throw new GatewayError(USAGE, `${name} is given more than once`, { hint: "an alert has one value for each label" });
    labels[name] = value;
  }
  return labels;
}

async function calendar(schedule: string, { config: file, member, output }: CalendarOptions): Promise<void> {
  const config = configOf(file);
  const only = member === undefined ? {} : { member };
  const text = await calendarOf({ ...depsOf(config), gateway: config.gateway.name }, schedule, systemClock.now(), only);
  if (output === undefined) return void process.stdout.write(text);
  try {
    writeFileSync(output, text);
  } catch (cause) {
    throw new GatewayError("output_failed", `${output} cannot be written: ${(cause as Error).message}`, { hint: "give another file with -o", cause });
  }
}

async function override([schedule = "", member = "", from = "", to = ""]: readonly string[], { config: file, json, why }: WhyOptions): Promise<void> {
  const reason = reasonSchema.safeParse(why);
  if (!reason.success) throw new GatewayError(USAGE, "an override says why, in at most 500 characters", { hint: 'add --why "…"' });
  const config = configOf(file);
  const { zone: timezone } = scheduleNamed({ plan: () => config.plan }, schedule);
  const zones = zonesOf(config);
  const [zone, now] = [zones.byName[timezone] ?? zones.gateway, systemClock.now()];
  const start = momentOf(from, zone, now);
  const duration = parseDuration(to);
  const end = duration === undefined ? momentOf(to, zone, now) : start + duration;
  if (end - start > OVERRIDE_MS_MAX)
    throw new GatewayError(USAGE, "the override lasts more than 366 days", { hint: "make it several, or change the schedule" });
  const id = await ask(config, { kind: "override", schedule, member, from: start, to: end, why: reason.data });
  const made = readStore(config, (store) => overridesIn(store).find((each) => each.id === id)) as OverrideView;
  const text = overrideText(overrideOf(made), timezone, zones);
  process.stdout.write(`${json ? JSON.stringify(overrideOf(made), null, 2) : text}\n`);
}

const overridesIn = ({ query }: Pick<Store, "query">): readonly OverrideView[] =>
  query({ kind: "overrides", now: systemClock.now(), limit: LIMIT_MAX }).overrides;

async function overrides({ config: file, json }: ActOptions): Promise<void> {
  const config = configOf(file);
  const { overrides: found } = await depsOf(config).query({ kind: "overrides", now: systemClock.now(), limit: LIMIT_MAX });
  if (json) return found.forEach((each) => printLine(overrideOf(each)));
  const { schedules } = config.plan.dispatch ?? noDispatch;
  const zoneOf = (name: string): string => schedules.find((each) => each.name === name)?.zone ?? config.plan.zone.name;
  const lines = found.map((each) => overrideText(overrideOf(each), zoneOf(each.schedule), zonesOf(config)));
  process.stdout.write(`${lines.length === 0 ? "there are no overrides beside those of the config" : lines.join("\n")}\n`);
}

async function remove(prefix: string, { config: file, json, why }: WhyOptions): Promise<void> {
  const config = configOf(file);
  const found = readStore(config, (store) => overrideMeant(store, prefix));
  await ask(config, { kind: "remove_override", id: found.id }, why);
  process.stdout.write(`${json ? JSON.stringify({ id: found.id }, null, 2) : `override ${found.id} is taken away: ${found.member} for ${found.schedule}`}\n`);
}

/** @throws GatewayError `unknown_override`, `ambiguous_override` */
function overrideMeant(store: Store, prefix: string): OverrideView {
  const found = overridesIn(store).filter(({ id }) => id.startsWith(prefix));
  const exact = found.filter(({ id }) => id === prefix);
  const [meant, ...others] = exact.length > 0 ? exact : found;
  if (meant === undefined) throw new GatewayError("unknown_override", refusals.unknown_override.message, { hint: refusals.unknown_override.hint });
  if (others.length === 0) return meant;
  const ids = found.slice(0, 5).map(({ id }) => id);
  throw new GatewayError("ambiguous_override", `${found.length} overrides begin with ${prefix}`, { hint: `write more of the id: ${ids.join(", ")}` });
}
