// The words and looks of the mail of one alert: one text and one HTML body that say the same. Several alerts that are told together
// have a mail of their own. The HTML is a Liquid template in which every output is escaped.

import { oneLine, wrapText } from "../../reasons/format.ts";
import { alertsOf, tellsOfSeveral } from "../group.ts";
import { kindLine, kindMark } from "../kind.ts";
import type { Notification } from "../notification.ts";
import { compileHtml } from "../template.ts";
import { colours, HEADING, page, RULE } from "./email-frame.ts";
import { groupMailBody } from "./email-group-body.ts";

/** Shown among the facts, or in the head of the mail, already. */
const SHOWN_LABELS = new Set(["alertname", "severity", "device", "metric"]);

export type MailBody = { readonly subject: string; readonly text: string; readonly html: string };

/** Writes the mail of a notification. The subject is one line whatever the labels hold. */
export function mailBody(notification: Notification): MailBody {
  return tellsOfSeveral(notification) ? groupMailBody(notification) : alertMailBody(alertsOf(notification)[0]);
}

function alertMailBody(notification: Notification): MailBody {
  const { alert, state } = notification;
  const status = [state === "firing" ? `FIRING ${alert.severity}` : "RESOLVED", kindMark(notification)].filter((text) => text !== "").join(", ");
  const labels = Object.entries(alert.labels)
    .filter(([name]) => !SHOWN_LABELS.has(name))
    .map(([name, text]) => ({ name, text: oneLine(text) }));
  const annotations = Object.entries(alert.annotations)
    .filter(([name, text]) => name !== "summary" && text.trim() !== "")
    .map(([name, text]) => ({ name, text, href: /^https?:\/\/\S+$/.test(text.trim()) ? text.trim() : "" }));
  return {
    subject: oneLine(`[${status}] ${notification.headline}`),
    text: textBody(notification, status, labels, annotations),
    html: renderBody({
      ...notification,
      status,
      told: kindLine(notification),
      thread: threadWord(notification),
      colour: colours[state === "resolved" ? "resolved" : alert.severity],
      labels,
      annotations,
    }),
  };
}

/** What `seq` counts the messages of. */
const threadWord = ({ group }: Notification): string => (group === null ? "alert" : "group");

function textBody(
  notification: Notification,
  status: string,
  labels: readonly { readonly name: string; readonly text: string }[],
  annotations: readonly { readonly name: string; readonly text: string }[],
): string {
  const { alert, gateway, facts, why, notes } = notification;
  const width = Math.max(...facts.map(({ name }) => name.length));
  const rows = facts.map(({ name, text }) => `  ${name.padEnd(width)}  ${text}`);
  const blocks = [
    [`${status}: ${alert.rule}`, oneLine(notification.summary)],
    wrapText(kindLine(notification), 78),
    rows,
    annotations.map(({ name, text }) => `${name}: ${text}`),
    ["Why", ...why.map((line) => `- ${oneLine(line)}`)],
    labels.length === 0 ? [] : [`Labels: ${labels.map(({ name, text }) => `${name}=${JSON.stringify(text)}`).join(", ")}`],
    notes.map((note) => `Note: ${oneLine(note)}`),
    [`Look at it: ${alert.url}`],
    [
      "-- ",
      `Highwater ${oneLine(gateway.gatewayName)} to ${notification.receiver} · message ${notification.seq} of this ${threadWord(notification)} · ${notification.id}`,
    ],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

const renderBody = compileHtml(
  page(`<tr><td class="pad head" style="padding:28px 32px 24px;background:{{ colour.soft }};">
  <p class="tint" style="margin:0;font-size:13px;line-height:18px;font-weight:700;color:{{ colour.solid }};overflow-wrap:anywhere;"><span style="letter-spacing:.06em;text-transform:uppercase;">{{ status }}</span>&nbsp; {{ alert.rule }}</p>
  <p class="ink" style="margin:10px 0 0;font-size:17px;line-height:24px;font-weight:600;color:#1c1e21;overflow-wrap:anywhere;">{{ device }}</p>
  <h1 class="figure ink" style="margin:2px 0 0;font-size:46px;line-height:54px;font-weight:700;letter-spacing:-.02em;color:#1c1e21;font-variant-numeric:tabular-nums;">{{ figure }}</h1>
  <p class="ink" style="margin:10px 0 0;font-size:16px;line-height:24px;color:#1c1e21;overflow-wrap:anywhere;">{{ summary }}</p>
  {%- if told != "" %}
  <p class="dim" style="margin:10px 0 0;font-size:14px;line-height:21px;color:#4d5157;">{{ told }}</p>
  {%- endif %}
</td></tr>
<tr><td class="pad" style="padding:20px 32px 4px;">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0">
  {%- for fact in facts %}
  <tr>
    <td class="name dim" width="112" valign="top" style="padding:4px 12px 4px 0;font-size:14px;line-height:21px;color:#6b6f76;white-space:nowrap;">{{ fact.name }}</td>
    <td class="ink" valign="top" style="padding:4px 0;font-size:14px;line-height:21px;color:#1c1e21;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;">{{ fact.text }}</td>
  </tr>
  {%- endfor %}
  {%- for annotation in annotations %}
  <tr>
    <td class="name dim" width="112" valign="top" style="padding:4px 12px 4px 0;font-size:14px;line-height:21px;color:#6b6f76;text-transform:capitalize;">{{ annotation.name }}</td>
    <td class="ink" valign="top" style="padding:4px 0;font-size:14px;line-height:21px;color:#1c1e21;overflow-wrap:anywhere;white-space:pre-line;">{% if annotation.href != "" %}<a href="{{ annotation.href }}">{{ annotation.text }}</a>{% else %}{{ annotation.text }}{% endif %}</td>
  </tr>
  {%- endfor %}
  </table>
</td></tr>
<tr><td class="pad" style="padding:16px 32px 24px;">
  <a class="button" href="{{ alert.url }}" style="display:inline-block;padding:11px 20px;border-radius:8px;background:{{ colour.solid }};color:#ffffff;font-size:15px;line-height:20px;font-weight:600;text-decoration:none;">Look at this alert</a>
</td></tr>
<tr><td class="pad line" style="padding:20px 32px 16px;${RULE}">
  <p class="dim" style="${HEADING}">Why</p>
  {%- for line in why %}
  <p class="ink" style="margin:0 0 8px;font-size:14px;line-height:21px;color:#3a3d42;overflow-wrap:anywhere;">{{ line }}</p>
  {%- endfor %}
</td></tr>
{%- if labels.size > 0 %}
<tr><td class="pad line" style="padding:20px 32px 14px;${RULE}">
  <p class="dim" style="${HEADING}">Labels</p>
  <p style="margin:0;">
  {%- for label in labels %}
    <span class="chip" style="display:inline-block;margin:0 6px 6px 0;padding:3px 10px;border-radius:6px;background:#efefec;color:#3a3d42;font-size:13px;line-height:20px;overflow-wrap:anywhere;">{{ label.name }} <b style="font-weight:600;">{{ label.text }}</b></span>
  {%- endfor %}
  </p>
</td></tr>
{%- endif %}
{%- if notes.size > 0 %}
<tr><td class="pad line" style="padding:20px 32px 14px;${RULE}">
  <p class="dim" style="${HEADING}">Notes</p>
  {%- for note in notes %}
  <p class="dim" style="margin:0 0 8px;font-size:13px;line-height:20px;color:#6b6f76;overflow-wrap:anywhere;">{{ note }}</p>
  {%- endfor %}
</td></tr>
{%- endif %}
<tr><td class="pad dim line" style="padding:16px 32px 22px;${RULE}font-size:12px;line-height:18px;color:#6b6f76;overflow-wrap:anywhere;">
  Highwater <b style="font-weight:600;">{{ gateway.gatewayName }}</b> to {{ receiver }} · message {{ seq }} of this {{ thread }}<br>{{ id }}
</td></tr>
`),
);
