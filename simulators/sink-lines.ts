// How the sinks show what arrived: a small block for each message, coloured on a terminal that can.

import { styleText } from "node:util";
import type { ReceivedMail, ReceivedWebhook } from "./sinks.ts";

type Style = Parameters<typeof styleText>[0];

/** A mail: its time, subject, recipients and the first line of its text. */
export function mailLines({ at, to, parsed }: ReceivedMail): string[] {
  const subject = printable(parsed.subject ?? "(no subject)");
  const isResolved = subject.startsWith("[RESOLVED");
  const summary = (parsed.text ?? "").split("\n").slice(1, 2).map(printable).join("").trim();
  const isAlert = isResolved || subject.startsWith("[FIRING");
  return block({ at, kind: "mail", isResolved, isAlert }, subject, [...(isAlert && summary !== "" ? [summary] : []), printable(`to ${to.join(", ")}`)]);
}

/** A webhook: its time, state, alert and the notification's id. */
export function webhookLines({ at, path, headers, json, body, isSigned }: ReceivedWebhook): string[] {
  const told = webhookTold(json);
  const id = headers["webhook-id"];
  const about = [printable(`POST ${path}`), id === undefined ? "" : printable(`${id} seq ${headers["highwater-seq"] ?? "?"}`), signature(headers, isSigned)];
  const detail = about.filter((text) => text !== "").join(" · ");
  if (told === undefined) return block({ at, kind: "webhook", isResolved: false, isAlert: false }, `${body.length} bytes`, [detail]);
  const head = `${told.state} ${told.name}${told.device === "" ? "" : ` · ${told.device}`}`;
  return block(
    { at, kind: "webhook", isResolved: told.state === "resolved", isAlert: true },
    head,
    [told.summary, detail].filter((text) => text !== ""),
  );
}

type Told = { readonly state: string; readonly name: string; readonly device: string; readonly summary: string };

/** Reads any of the three formats; undefined when it is none. */
function webhookTold(json: unknown): Told | undefined {
  const body = json as
    | { alerts?: { status?: string; labels?: Labels; annotations?: Labels }[]; data?: { state?: string; labels?: Labels; summary?: string } }
    | undefined;
  const alert = body?.alerts?.[0];
  const labels = alert?.labels ?? body?.data?.labels;
  if (labels === undefined) return undefined;
  return {
    state: printable(alert?.status ?? body?.data?.state ?? "?"),
    name: printable(labels["alertname"] ?? "?"),
    device: printable(labels["device"] ?? ""),
    summary: printable(alert?.annotations?.["summary"] ?? body?.data?.summary ?? ""),
  };
}
type Labels = Record<string, string>;

function signature(headers: Readonly<Record<string, string>>, isSigned: boolean | null): string {
  if (isSigned === true) return style("green", "signature fits");
  if (isSigned === false) return style("red", "signature does not fit");
  return headers["webhook-signature"] === undefined ? "" : "signed";
}

function block(
  { at, kind, isResolved, isAlert }: { at: number; kind: "mail" | "webhook"; isResolved: boolean; isAlert: boolean },
  head: string,
  details: readonly string[],
): string[] {
  const colour: Style = isAlert ? (isResolved ? "green" : "red") : "cyan";
  const mark = style(colour, isAlert ? (isResolved ? "●" : "▲") : "·");
  const time = style("dim", new Date(at).toTimeString().slice(0, 8));
  const lines = details.map((line) => `    ${" ".repeat(17)}${style("dim", line)}`);
  return [`  ${mark} ${time} ${kind.padEnd(7)} ${style("bold", head)}`, ...lines];
}

/** A terminal must not obey what a message holds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]/g, "·");
const style = (format: Style, text: string): string => styleText(format, text);
