// How the sinks show what arrived: a small block for each message, coloured on a terminal that can.

import { styleText } from "node:util";
import type { ReceivedMail, ReceivedWebhook } from "./sinks.ts";
import { wrap } from "./wrap.ts";

/** Of a terminal, and where the text of a message begins in it. */
const COLUMNS = 79;
const INDENT = 21;

type Style = Parameters<typeof styleText>[0];

/** A mail: its time, subject, recipients and the first line of its text. */
export function mailLines({ at, to, parsed }: ReceivedMail): string[] {
  const subject = printable(parsed.subject ?? "(no subject)");
  const isResolved = subject.startsWith("[RESOLVED");
  const summary = (parsed.text ?? "").split("\n").slice(1, 2).map(printable).join("").trim();
  const isAlert = isResolved || subject.startsWith("[FIRING");
  return block({ at, kind: "mail", isResolved, isAlert }, subject, [faint(isAlert ? summary : ""), faint(printable(`to ${to.join(", ")}`))]);
}

/** A webhook: its time, state, alert and the notification's id. */
export function webhookLines({ at, path, headers, json, body, isSigned }: ReceivedWebhook): string[] {
  const told = webhookTold(json);
  const id = headers["webhook-id"];
  const about = printable(id === undefined ? `POST ${path}` : `POST ${path} · ${id} seq ${headers["highwater-seq"] ?? "?"}`);
  const details = [faint(about), signature(headers, isSigned)];
  if (told === undefined) return block({ at, kind: "webhook", isResolved: false, isAlert: false }, `${body.length} bytes`, details);
  const head = `${told.state} ${told.name}${told.device === "" ? "" : ` · ${told.device}`}`;
  return block({ at, kind: "webhook", isResolved: told.state === "resolved", isAlert: true }, head, [faint(told.summary), ...details]);
}

/** What did not come to its end. */
export const lostLine = (line: string): string => `  ${style("yellow", "✗")} ${style("dim", new Date().toTimeString().slice(0, 8))} ${printable(line)}`;

type Told = { readonly state: string; readonly name: string; readonly device: string; readonly summary: string };

type Alerts = { labels?: Labels; annotations?: Labels }[];
type Body = {
  status?: string;
  alerts?: Alerts;
  truncatedAlerts?: number;
  data?: { state?: string; labels?: Labels; summary?: string; alerts?: Alerts; more?: number };
};

/** Reads any of the three formats; undefined when it is none. */
function webhookTold(json: unknown): Told | undefined {
  const { status, alerts: sent, truncatedAlerts = 0, data } = (json ?? {}) as Body;
  const alerts = sent ?? data?.alerts ?? [];
  const [alert] = alerts;
  const labels = alert?.labels ?? data?.labels;
  if (labels === undefined) return undefined;
  const count = alerts.length + (data?.more ?? truncatedAlerts);
  const isOne = count <= 1;
  return {
    state: printable(status ?? data?.state ?? "?"),
    name: isOne ? printable(labels["alertname"] ?? "?") : `${count} alerts`,
    device: isOne ? printable(labels["device"] ?? "") : "",
    summary: printable(data?.summary ?? (isOne ? (alert?.annotations?.["summary"] ?? "") : alertNames(alerts))),
  };
}

const alertNames = (alerts: Alerts): string => [...new Set(alerts.map(({ labels }) => labels?.["alertname"] ?? "?"))].join(", ");
type Labels = Record<string, string>;

/** A line below the first; nothing is shown of one without text. */
type Detail = { readonly text: string; readonly look: Style };
const faint = (text: string): Detail => ({ text, look: "dim" });

function signature(headers: Readonly<Record<string, string>>, isSigned: boolean | null): Detail {
  if (isSigned === true) return { text: "signature fits", look: "green" };
  if (isSigned === false) return { text: "signature does not fit", look: "red" };
  return faint(headers["webhook-signature"] === undefined ? "" : "signed");
}

function block(
  { at, kind, isResolved, isAlert }: { at: number; kind: "mail" | "webhook"; isResolved: boolean; isAlert: boolean },
  head: string,
  details: readonly Detail[],
): string[] {
  const colour: Style = isAlert ? (isResolved ? "green" : "red") : "cyan";
  const mark = style(colour, isAlert ? (isResolved ? "●" : "▲") : "·");
  const time = style("dim", new Date(at).toTimeString().slice(0, 8));
  // Wrapped before it is styled: the marks of a style have no width.
  const wrapped = (text: string, look: Style): string[] => wrap(text, COLUMNS - INDENT).map((line) => style(look, line));
  const [first = "", ...more] = wrapped(head, "bold");
  const below = [...more, ...details.filter(({ text }) => text !== "").flatMap(({ text, look }) => wrapped(text, look))];
  return [`  ${mark} ${time} ${kind.padEnd(7)} ${first}`, ...below.map((line) => " ".repeat(INDENT) + line)];
}

/** A terminal must not obey what a message holds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, "·");
const style = (format: Style, text: string): string => styleText(format, text);
