// Who is on call and who would be paged, for people: lines of at most 80 columns, local times, what is amiss in yellow.

import { styleText } from "node:util";
import type { ZoneTable } from "../engine/calendar.ts";
import type { DurationMs } from "../engine/units.ts";
import type { Duty, Override } from "../http/oncall-view.ts";
import type { PagedRouteView } from "../http/paged-view.ts";
import type { OncallAnswer, PagedAnswer } from "../http/routes/oncall.ts";
import { formatSpan } from "../reasons/format.ts";
import { localText } from "./local-time.ts";
import { screenOf, wrap } from "./problems.ts";
import { printable } from "./text.ts";

const COLUMNS = 80;
const NAME_MAX = 24;
const INDENT = 2;
/** Of each schedule; --json has more. */
const GAPS_SHOWN = 5;

export type Zones = { /** The gateway's. */ readonly gateway: ZoneTable; readonly byName: Readonly<Record<string, ZoneTable>> };

type Tone = "plain" | "bold" | "amiss";

/** One line, or several where it is longer than the screen: a first column as wide as `width`, then text that is wrapped behind it. */
function row(first: string, text: string, width: number, tone: Tone = "plain"): string {
  const screen = screenOf(process.stdout);
  const columns = Math.min(screen.columns ?? COLUMNS, COLUMNS);
  const start = width === 0 ? "" : `${printable(first).padEnd(width)}  `;
  const lines = wrap(printable(text), columns - start.length, "").split("\n");
  const whole = lines.map((each, index) => `${index === 0 ? start : " ".repeat(start.length)}${each}`.trimEnd()).join("\n");
  if (!screen.colour || tone === "plain") return whole;
  return styleText(tone === "bold" ? "bold" : "yellow", whole, { validateStream: false });
}

const heading = (text: string): string => row("", text, 0, "bold");
/** Below a heading. */
const detail = (text: string, tone: Tone = "plain"): string => row("", text, INDENT, tone).replace(/^ {2}/gm, "");

/** With the zone's name where it is not the gateway's. */
function timeIn(name: string, { gateway, byName }: Zones): (time: string) => string {
  const zone = byName[name] ?? gateway;
  const behind = zone.name === gateway.name ? "" : ` ${zone.name}`;
  return (time) => `${localText(zone, Date.parse(time))}${behind}`;
}

const reason = (by: Duty["by"]): string => (by?.kind === "override" ? ` (override${by.why === "" ? "" : `: ${by.why}`})` : "");

export function dutiesText({ at, schedules }: OncallAnswer, zones: Zones): string {
  if (schedules.length === 0) return "there are no schedules; notify.schedules takes them";
  const width = 2 + Math.min(NAME_MAX, Math.max(...schedules.map(({ schedule }) => schedule.length)));
  const duties = schedules.map(({ schedule, timezone, member, by, until, next }) => {
    const end = until === null ? "" : `, until ${timeIn(timezone, zones)(until)}, then ${next?.member ?? "nobody"}`;
    return row(`  ${schedule}`, `${member ?? "nobody"}${reason(by)}${end}`, width, member === null ? "amiss" : "plain");
  });
  const gaps = schedules.flatMap(({ schedule, timezone, gaps: found }) => {
    const text = timeIn(timezone, zones);
    const shown = found.slice(0, GAPS_SHOWN).map(({ start, end }) => {
      const minutes = Math.ceil((Date.parse(end) - Date.parse(start)) / 60_000);
      return row(`  ${schedule}`, `${text(start)}, for ${formatSpan(minutes * 60_000)}`, width, "amiss");
    });
    return found.length > GAPS_SHOWN ? [...shown, row(`  ${schedule}`, `and ${found.length - GAPS_SHOWN} more`, width, "amiss")] : shown;
  });
  const covered = gaps.length === 0 ? ["somebody is on call at all times of the next 30 days"] : [heading("nobody is on call, in the next 30 days"), ...gaps];
  return [heading(`on call at ${localText(zones.gateway, Date.parse(at))} ${zones.gateway.name}`), ...duties, "", ...covered].join("\n");
}

export function pagedText(at: string, { labels, routes, silences, shelved, until }: PagedAnswer, zones: Zones): string {
  const time = timeIn(zones.gateway.name, zones);
  const { alertname = "an alert", severity, ...others } = labels;
  const words = Object.entries(others).map(([name, value]) => `${name}=${value}`);
  const head = [
    heading(`${severity === undefined ? "" : `${severity} `}${alertname}, if it fires at ${time(at)} ${zones.gateway.name}`),
    ...(words.length === 0 ? [] : [detail(words.join(" "))]),
    ...silences.map((silence) => detail(`silenced until ${time(silence.ends_at)} by ${silence.by}: ${silence.why}`, "amiss")),
    ...(shelved === null
      ? []
      : [detail(`${shelved.kind === "out_of_service" ? "out of service" : "shelved"} now, by ${shelved.by}: ${shelved.why}; nobody is told`, "amiss")]),
  ];
  const none = routes.length === 0 ? ["", row("", "no route takes it: nobody is told", 0, "amiss")] : [];
  return [...head, ...routes.flatMap((route) => ["", ...routeText(route, time, until)]), ...none].join("\n");
}

function routeText(route: PagedRouteView, time: (time: string) => string, until: string): string[] {
  const { target, kind, group, group_wait_ms, repeat_ms, muted, events, complete } = route;
  const waits = [
    ...(group === null ? [] : [`in the group ${group.slice(group.indexOf(":") + 1)} after ${formatSpan(group_wait_ms)}`]),
    ...(repeat_ms === null ? [] : [`again each ${formatSpan(repeat_ms)}`]),
  ];
  const steps = kind === "escalation";
  const width = Math.max(...events.map(({ after_ms }) => afterText(after_ms).length), 0);
  const lines = events.map((event) => {
    const first = `  ${afterText(event.after_ms).padEnd(width)}  ${time(event.at)}`;
    if (event.kind === "hidden") return row(first, hiddenText(event, time), first.length, "amiss");
    const step = steps ? `step ${event.step}${event.round > 1 ? `, round ${event.round}` : ""}: ` : "";
    if (event.kind === "skipped") return row(first, `${step}skipped, nobody is on call in ${event.targets.join(", ")}`, first.length, "amiss");
    return row(first, `${step}${event.receivers.map(receiverText).join("; ") || "told by another route"}`, first.length);
  });
  const mute = muted === null ? [] : [detail(`muted by ${muted.interval}${muted.until === null ? "" : ` until ${time(muted.until)}`}`, "amiss")];
  const open = complete ? [] : [detail(`what comes after ${time(until)} is not shown`)];
  return [heading(`${kind} ${target}${waits.length === 0 ? "" : `: ${waits.join(", ")}`}`), ...mute, ...lines, ...open];
}

const afterText = (ms: DurationMs): string => (ms === 0 ? "at once" : `+${formatSpan(ms)}`);

function hiddenText({ cause, until }: { readonly cause: string; readonly until: string | null }, time: (time: string) => string): string {
  const colon = cause.indexOf(":");
  const [kind, name] = [cause.slice(0, colon), cause.slice(colon + 1)];
  const what = kind === "interval" ? `muted by ${name}` : kind === "silence" ? `silence ${name}` : `nobody is on call in ${name}`;
  return `${what}${until === null ? "" : ` until ${time(until)}`}`;
}

type Receiver = Extract<PagedRouteView["events"][number], { kind: "told" }>["receivers"][number];

function receiverText({ receiver, channels, via }: Receiver): string {
  const by =
    via.kind === "schedule"
      ? ` (${via.schedule}, ${via.by.kind === "layer" ? `layer ${via.by.layer}` : `override${via.by.why === "" ? "" : `: ${via.by.why}`}`})`
      : "";
  return `${receiver}${by}${via.kind === "before" ? " again" : ""} by ${channels.join(", ")}`;
}

export const overrideText = ({ id, schedule, member, from, to, by, why }: Override, timezone: string, zones: Zones): string => {
  const time = timeIn(timezone, zones);
  return [row(id, `${member} for ${schedule}, from ${time(from)} to ${time(to)}`, id.length), detail(`by ${by}: ${why}`)].join("\n");
};
