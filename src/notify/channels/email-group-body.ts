// The mail of several alerts that are told together, a group or a storm: what they are, then a list of them, worst first, each with one
// line that says why. The text part stays within 78 columns; the HTML with all its rows stays below the size at which mail clients cut.

import { formatShort, formatSpan, oneLine, wrapText } from "../../reasons/format.ts";
import { agreement, alertsOf, countsOf, groupSummary, newOnes, rulesText, type Share, shares, worstFirst } from "../group.ts";
import { groupKindLine, kindMark } from "../kind.ts";
import type { Notification } from "../notification.ts";
import { compileHtml } from "../template.ts";
import type { MailBody } from "./email-body.ts";
import { colours, HEADING, page, RULE } from "./email-frame.ts";

/** Alerts that are listed; more are on the page. */
const ROWS_MAX = 50;
/** Rules, and labels, that are counted. */
const SHARES_MAX = 5;
/** Of the line below a row. */
const WHY_CHARS_MAX = 160;
/** A figure that is longer may be broken. */
const FIGURE_CHARS_WHOLE = 14;
const COLUMNS = 78;

type Row = {
  readonly url: string;
  readonly device: string;
  readonly figure: string;
  /** Of the figure: `−12.4 °C` is never broken, words may be. */
  readonly breaks: "nowrap" | "normal";
  readonly severity: string;
  /** Empty where all have the same. */
  readonly rule: string;
  readonly since: string;
  /** `new`, where others are not. */
  readonly mark: string;
  readonly why: string;
  readonly colour: (typeof colours)[keyof typeof colours];
};
type Section = { readonly name: string /** `3`, or `50 of 312`. */; readonly count: string; readonly rows: readonly Row[] };
type Told = {
  readonly status: string;
  readonly title: string;
  readonly about: string;
  readonly rules: string;
  readonly summary: string;
  readonly told: string;
  readonly shares: readonly (Share & { readonly percent: number })[];
  readonly sections: readonly Section[];
  /** How many alerts are not listed. */
  readonly hidden: number;
  readonly url: string;
  readonly thread: string;
};

/** @param notification of more than one alert */
export function groupMailBody(notification: Notification): MailBody {
  const told = read(notification);
  const [worst = notification] = worstFirst(alertsOf(notification));
  return {
    subject: oneLine(`[${told.status}] ${told.title}`),
    text: textBody(notification, told),
    html: renderBody({
      ...told,
      headline: told.title,
      colour: colours[notification.state === "resolved" ? "resolved" : worst.alert.severity],
      gateway: notification.gateway,
      receiver: notification.receiver,
      seq: notification.seq,
      id: notification.id,
    }),
  };
}

function read(notification: Notification): Told {
  const alerts = alertsOf(notification);
  const more = notification.members?.more ?? 0;
  const isStorm = notification.kind === "storm";
  const [rules, about] = [rulesText(alerts), agreement(notification, alerts)];
  const listed = worstFirst(alerts).slice(0, ROWS_MAX);
  const hasOneRule = new Set(alerts.map(({ alert }) => alert.rule)).size === 1;
  const fresh = newOnes(notification);
  const section = (name: string, state: Notification["state"]): Section[] => {
    const rows = listed.filter((each) => each.state === state).map((each) => rowOf(each, { hasOneRule, isNew: fresh.has(each) }));
    const all = countsOf(alerts)[state];
    return rows.length === 0 ? [] : [{ name, count: rows.length === all ? `${all}` : `${rows.length} of ${all}`, rows }];
  };
  const found = isStorm || alerts.length > ROWS_MAX ? shares(alerts, SHARES_MAX) : { rules: [], labels: [] };
  return {
    status: statusOf(notification),
    title: [rules, about].filter((text) => text !== "").join(" · "),
    about,
    rules,
    summary: groupSummary(notification),
    told: groupKindLine(notification),
    shares: [...found.rules, ...found.labels].map((share) => ({ ...share, percent: Math.max(1, Math.round((100 * share.count) / alerts.length)) })),
    sections: [...section("Firing", "firing"), ...section("Resolved", "resolved")],
    hidden: alerts.length - listed.length + more,
    url: `${notification.gateway.externalUrl.replace(/\/+$/, "")}/#/alerts`,
    thread: isStorm ? "storm" : "group",
  };
}

/** `FIRING 3, RESOLVED 1`, `FIRING 500, 240 more, storm`. */
function statusOf(notification: Notification): string {
  const { firing, resolved } = countsOf(alertsOf(notification));
  const more = notification.members?.more ?? 0;
  return [firing > 0 && `FIRING ${firing}`, resolved > 0 && `RESOLVED ${resolved}`, more > 0 && `${more} more`, markOf(notification)]
    .filter((text) => text !== false && text !== "")
    .join(", ");
}

/** What holds for all of them: that one was held back, or flaps, its line says. */
const markOf = (notification: Notification): string => (["repeat", "escalation", "storm"].includes(notification.kind) ? kindMark(notification) : "");

function rowOf(notification: Notification, { hasOneRule, isNew }: { hasOneRule: boolean; isNew: boolean }): Row {
  const { alert, state, device, figure, summary, madeAt, gateway } = notification;
  const since = formatShort(alert.startsAt, gateway.timezone, madeAt);
  return {
    url: alert.url,
    device,
    figure,
    breaks: figure.length <= FIGURE_CHARS_WHOLE ? "nowrap" : "normal",
    severity: alert.severity,
    rule: hasOneRule ? "" : oneLine(alert.rule),
    since: alert.endsAt === null ? `since ${since}` : `from ${since}, for ${formatSpan(alert.endsAt - alert.startsAt)}`,
    mark: isNew ? "new" : "",
    why: summary.length <= WHY_CHARS_MAX ? summary : `${summary.slice(0, WHY_CHARS_MAX - 1)}…`,
    colour: colours[state === "resolved" ? "resolved" : alert.severity],
  };
}

function textBody(notification: Notification, told: Told): string {
  const { gateway } = notification;
  const blocks = [
    [...wrapText(`${told.status}: ${told.title}`, COLUMNS), ...wrapText(told.summary, COLUMNS)],
    wrapText(told.told, COLUMNS),
    told.shares.length === 0 ? [] : ["In common", ...told.shares.flatMap(shareLines)],
    ...told.sections.flatMap(({ name, count, rows }) => [[`${name} (${count})`], ...rows.map(rowLines)]),
    told.hidden === 0 ? [] : [`and ${told.hidden} more`],
    [`Look at them: ${told.url}`, ...wrapText(`Times are in ${gateway.timezone}.`, COLUMNS)],
    [
      "-- ",
      ...wrapText(`Highwater ${oneLine(gateway.gatewayName)} to ${notification.receiver} · message ${notification.seq} of this ${told.thread}`, COLUMNS),
      ...wrapText(notification.id, COLUMNS),
    ],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

const shareLines = ({ name, text, count }: Share): string[] => wrapText(`${String(count).padStart(5)}  ${name} ${text}`, COLUMNS, 7);

/** The device with its figure at the right edge where there is room; below it why, and since when. */
function rowLines({ device, figure, severity, rule, since, mark, why }: Row): string[] {
  const room = COLUMNS - 2 - device.length - figure.length;
  const head = room >= 2 ? [`  ${device}${" ".repeat(room)}${figure}`] : [...wrapText(`  ${device}`, COLUMNS, 2), ...wrapText(`    ${figure}`, COLUMNS, 4)];
  const about = [mark, severity, rule, since].filter((text) => text !== "").join(" · ");
  return [...head, ...wrapText(`    ${why}`, COLUMNS, 4), ...wrapText(`    ${about}`, COLUMNS, 4)];
}

const ROW = "font-size:15px;line-height:21px;font-weight:600;color:#1c1e21;";

const renderBody = compileHtml(
  page(`<tr><td class="pad head" style="padding:28px 32px 24px;background:{{ colour.soft }};">
  <p class="tint" style="margin:0;font-size:13px;line-height:18px;font-weight:700;color:{{ colour.solid }};overflow-wrap:anywhere;"><span style="letter-spacing:.06em;text-transform:uppercase;">{{ status }}</span></p>
  <h1 class="ink" style="margin:8px 0 0;font-size:26px;line-height:32px;font-weight:700;letter-spacing:-.01em;color:#1c1e21;overflow-wrap:anywhere;">{{ rules }}</h1>
  {%- if about != "" %}
  <p class="ink" style="margin:2px 0 0;font-size:17px;line-height:24px;font-weight:600;color:#1c1e21;overflow-wrap:anywhere;">{{ about }}</p>
  {%- endif %}
  <p class="ink" style="margin:10px 0 0;font-size:16px;line-height:24px;color:#1c1e21;">{{ summary }}</p>
  {%- if told != "" %}
  <p class="dim" style="margin:10px 0 0;font-size:14px;line-height:21px;color:#4d5157;overflow-wrap:anywhere;">{{ told }}</p>
  {%- endif %}
</td></tr>
{%- if shares.size > 0 %}
<tr><td class="pad" style="padding:20px 32px 8px;">
  <p class="dim" style="${HEADING}">In common</p>
  {%- for share in shares %}
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 8px;"><tr>
    <td class="ink" valign="top" style="font-size:14px;line-height:20px;color:#1c1e21;overflow-wrap:anywhere;"><span class="dim" style="color:#6b6f76;">{{ share.name }}</span> {{ share.text }}</td>
    <td class="ink" valign="top" align="right" style="padding-left:12px;font-size:14px;line-height:20px;font-weight:600;color:#1c1e21;font-variant-numeric:tabular-nums;">{{ share.count }}</td>
  </tr><tr><td colspan="2" class="chip" style="padding:0;background:#efefec;border-radius:2px;font-size:0;line-height:0;"><div class="bar" style="width:{{ share.percent }}%;height:4px;border-radius:2px;background:{{ colour.solid }};font-size:0;line-height:0;">&nbsp;</div></td></tr></table>
  {%- endfor %}
</td></tr>
{%- endif %}
{%- for section in sections %}
<tr><td class="pad line" style="padding:20px 32px 8px;${RULE}">
  <p class="dim" style="${HEADING}margin-bottom:4px;">{{ section.name }} ({{ section.count }})</p>
  {%- for row in section.rows %}
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="margin:0 0 4px;border-left:4px solid {{ row.colour.solid }};"><tr>
    <td valign="top" style="padding:6px 0 0 12px;${ROW}overflow-wrap:anywhere;"><a class="ink" href="{{ row.url }}" style="color:#1c1e21;text-decoration:none;">{{ row.device }}</a></td>
    <td class="ink" valign="top" align="right" style="padding:6px 0 0 12px;${ROW}white-space:{{ row.breaks }};font-variant-numeric:tabular-nums;">{{ row.figure }}</td>
  </tr><tr><td colspan="2" style="padding:0 0 8px 12px;font-size:13px;line-height:19px;overflow-wrap:anywhere;">
    <span class="ink" style="color:#3a3d42;">{{ row.why }}</span><br>
    <span class="dim" style="color:#6b6f76;">{% if row.mark != "" %}<b class="ink" style="color:#1c1e21;">{{ row.mark }}</b> · {% endif %}{{ row.severity }}{% if row.rule != "" %} · {{ row.rule }}{% endif %} · {{ row.since }}</span>
  </td></tr></table>
  {%- endfor %}
</td></tr>
{%- endfor %}
<tr><td class="pad" style="padding:8px 32px 24px;">
  {%- if hidden > 0 %}
  <p class="ink" style="margin:0 0 16px;font-size:14px;line-height:21px;color:#3a3d42;">and <b style="font-weight:600;">{{ hidden }} more</b></p>
  {%- endif %}
  <a class="button" href="{{ url }}" style="display:inline-block;padding:11px 20px;border-radius:8px;background:{{ colour.solid }};color:#ffffff;font-size:15px;line-height:20px;font-weight:600;text-decoration:none;">Look at these alerts</a>
</td></tr>
<tr><td class="pad dim line" style="padding:16px 32px 22px;${RULE}font-size:12px;line-height:18px;color:#6b6f76;overflow-wrap:anywhere;">
  Times are in {{ gateway.timezone }}.<br>Highwater <b style="font-weight:600;">{{ gateway.gatewayName }}</b> to {{ receiver }} · message {{ seq }} of this {{ thread }}<br>{{ id }}
</td></tr>
`),
);
