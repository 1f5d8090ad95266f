// `email`: one mail per notification over SMTP, text and HTML. Duplicates carry the same Message-ID, and all mails of an
// alert, or of a group, refer to one root, so that clients thread them. A connection per mail; no pool, nothing is left open.
// RFC 5321: a 5yz reply to this mail is final; a 4yz, a broken session and a refused login are tried again.

import { createHash } from "node:crypto";
import type { NodemailerError } from "nodemailer";
import { z } from "zod";
import { oneLine } from "../../reasons/format.ts";
import { alertsOf } from "../group.ts";
import type { Notification } from "../notification.ts";
import type { Channel, Delivery, FailureCause } from "./channel.ts";
import { mailBody } from "./email-body.ts";

/** Connecting, and waiting for the greeting. */
const CONNECT_MS_MAX = 10_000;
/** Silence of the server within a session. */
const SOCKET_MS_MAX = 20_000;

/**
 * `starttls` when the server offers it (default), `required`, from the first byte (`implicit`), or `off`. Certificates are
 * verified, except by `starttls` without a login: who could forge one could as well hide the offer (RFC 7435).
 */
const tlsSchema = z.enum(["starttls", "required", "implicit", "off"]);
type Server = { host: string; port: number; user?: string; pass?: string; tls: z.output<typeof tlsSchema> };

const addressSchema = z
  .string()
  .regex(/^[^\r\n]*[^\s@<>]+@[^\s@<>]+>?$/, "write an address such as oncall@example.org or Name <oncall@example.org>")
  .meta({ description: "oncall@example.org, or Name <oncall@example.org>" });

const urlSchema = z
  .string()
  .meta({ description: "smtp://[user:pass@]host[:port], or smtps:// for TLS from the first byte", pattern: "^smtps?://" })
  .transform((text, context): Server => {
    const server = serverOf(text);
    if (server !== undefined) return server;
    context.addIssue({ code: "custom", message: "not an SMTP URL; write smtp://host:port or smtps://user:pass@host" });
    return z.NEVER;
  });

const partsSchema = z.strictObject({
  host: z.string().min(1).meta({ description: "Name or address of the server" }),
  port: z.int().min(1).max(65_535).default(587).meta({ description: "TCP port" }),
  user: z.string().meta({ description: "Who logs in; nobody when absent" }).exactOptional(),
  pass: z.string().meta({ description: "The password" }).exactOptional(),
  tls: tlsSchema.default("starttls").meta({ description: "starttls: if the server offers it; required: or no mail; implicit: from the first byte; off" }),
});

const schema = z.strictObject({
  smtp: z.union([urlSchema, partsSchema], { error: "write smtp://host:port, or { host, port, user, pass, tls }" }),
  from: addressSchema,
  to: z.union([addressSchema.transform((one) => [one]), z.array(addressSchema).min(1).max(100)]),
});
export type EmailSettings = z.output<typeof schema>;

export type Mail = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments?: readonly { readonly filename: string; readonly content: string | Uint8Array; readonly contentType?: string; readonly cid?: string }[];
  /** Without angle brackets; the same for each attempt. Made by nodemailer when absent, and then duplicates differ. */
  readonly messageId?: string;
  /** Message-ID of the thread's root, without angle brackets. */
  readonly thread?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly important?: boolean;
};

export const email: Channel<EmailSettings> = {
  type: "email",
  schema: schema as z.ZodType<EmailSettings>,
  send(settings, notification, signal) {
    const domain = domainOf(settings.from);
    const mail: Mail = {
      ...mailBody(notification),
      messageId: `${idPart(notification.id)}@${domain}`,
      thread: `${threadOf(notification)}@${domain}`,
      important: alertsOf(notification).some(({ state, alert }) => state === "firing" && alert.severity === "critical"),
      headers: headersOf(notification),
    };
    return sendMail(settings, mail, signal);
  },
};

/** Recipients that took a mail of which others were put off, by Message-ID: a retry is for those others alone. */
const taken = new WeakMap<EmailSettings, Map<string, ReadonlySet<string>>>();
const TAKEN_MAX = 1_000;

/**
 * Sends one mail to the settings' recipients. Never rejects.
 * @returns delivered when each recipient took it or can never take it, and one did
 */
export async function sendMail(settings: EmailSettings, mail: Mail, signal: AbortSignal): Promise<Delivery> {
  const already = taken.get(settings)?.get(mail.messageId ?? "") ?? new Set<string>();
  const to = settings.to.filter((recipient) => !already.has(addressOf(recipient)));
  try {
    const transport = await transportTo(settings.smtp as Server);
    const sent = await transport.sendMail({
      from: settings.from,
      to: settings.to,
      envelope: { from: addressOf(settings.from), to: to.map(addressOf) },
      subject: oneLine(mail.subject),
      text: mail.text,
      html: mail.html,
      attachments: [...(mail.attachments ?? [])].map((attachment) => ({
        ...attachment,
        content: typeof attachment.content === "string" ? attachment.content : Buffer.from(attachment.content),
      })),
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", ...mail.headers },
      ...(mail.messageId === undefined ? {} : { messageId: `<${mail.messageId}>` }),
      ...(mail.thread === undefined ? {} : { references: `<${mail.thread}>`, inReplyTo: `<${mail.thread}>` }),
      ...(mail.important === true ? { priority: "high" as const } : {}),
      disableFileAccess: true,
      disableUrlAccess: true,
      signal,
    });
    const delivery = partial((sent as { rejectedErrors?: readonly NodemailerError[] }).rejectedErrors ?? []);
    rememberTaken(settings, mail.messageId, delivery.kind === "retry" ? new Set([...already, ...sent.accepted.map(String)]) : undefined);
    return delivery;
  } catch (error) {
    const failed = failure(error as NodemailerError, signal);
    // Some took it before; that the others never will is no reason to give it up.
    return failed.kind === "failed" && already.size > 0 ? { kind: "delivered", note: failed.reason } : failed;
  }
}

/** What is left to do when some recipients were refused and others took it. */
function partial(errors: readonly NodemailerError[]): Delivery {
  const deferred = errors.find((error) => (error.responseCode ?? 0) < 500);
  if (deferred !== undefined) return { kind: "retry", reason: oneLine(`one of the recipients was put off: ${deferred.message}`), cause: "server" };
  const [refused] = errors;
  return refused === undefined ? { kind: "delivered" } : { kind: "delivered", note: oneLine(`one of the recipients was refused: ${refused.message}`) };
}

function failure(error: NodemailerError, signal: AbortSignal): Delivery {
  const reason = oneLine(error.message);
  if (signal.aborted)
    return { kind: "retry", reason: `the SMTP server did not finish in time (${oneLine(String((signal.reason as Error)?.message ?? ""))})`, cause: "timeout" };
  const isAboutMail = error.code === "EENVELOPE" || error.code === "EMESSAGE";
  if (isAboutMail && (error.responseCode ?? 0) >= 500) return { kind: "failed", reason, cause: "refused" };
  return { kind: "retry", reason, cause: causeOf(error) };
}

function causeOf(error: NodemailerError): FailureCause {
  if (error.code === "ETIMEDOUT") return "timeout";
  if (error.code === "EAUTH" || error.code === "ETLS" || error.code === "ENOAUTH") return "config";
  return error.responseCode === undefined ? "network" : "server";
}

async function transportTo({ host, port, user, pass, tls }: Server) {
  // Threads that only read the settings need none of it, and it would take 15 MB in each.
  const { createTransport } = await import("nodemailer");
  return createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "required",
    ignoreTLS: tls === "off",
    tls: { rejectUnauthorized: tls !== "starttls" || user !== undefined },
    ...(user === undefined ? {} : { auth: { user, pass: pass ?? "" } }),
    connectionTimeout: CONNECT_MS_MAX,
    greetingTimeout: CONNECT_MS_MAX,
    dnsTimeout: CONNECT_MS_MAX,
    socketTimeout: SOCKET_MS_MAX,
  });
}

/** @param addresses undefined forgets the mail: it is sent to all that may have it */
function rememberTaken(settings: EmailSettings, messageId: string | undefined, addresses: ReadonlySet<string> | undefined): void {
  if (messageId === undefined) return;
  const byMail = taken.get(settings) ?? new Map<string, ReadonlySet<string>>();
  taken.set(settings, byMail);
  byMail.delete(messageId);
  if (addresses !== undefined) byMail.set(messageId, addresses);
  const oldest = byMail.keys().next();
  if (byMail.size > TAKEN_MAX && oldest.done !== true) byMail.delete(oldest.value);
}

function headersOf(notification: Notification): Record<string, string> {
  return {
    "X-Highwater-Notification": oneLine(notification.id),
    "X-Highwater-Seq": String(notification.seq),
    "X-Highwater-Alert": oneLine(notification.alert.id),
    "X-Highwater-State": notification.state,
    "X-Highwater-Kind": notification.kind,
    ...(notification.group !== null && { "X-Highwater-Group": idPart(notification.group) }),
  };
}

function serverOf(text: string): Server | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isImplicit = url.protocol === "smtps:";
  if ((!isImplicit && url.protocol !== "smtp:") || url.hostname === "" || url.search !== "" || !["", "/"].includes(url.pathname)) return undefined;
  const port = url.port === "" ? (isImplicit ? 465 : 587) : Number(url.port);
  const login = url.username === "" ? {} : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port, ...login, tls: isImplicit ? "implicit" : "starttls" };
}

/** Of all mails of a group the same, or else of all of an alert. */
const threadOf = ({ group, alert }: Notification): string => (group === null ? `alert.${idPart(alert.id)}` : `group.${idPart(group)}`);
const addressOf = (recipient: string): string => /<([^<>]*)>$/.exec(recipient)?.[1] ?? recipient;
const domainOf = (from: string): string => addressOf(from).split("@").at(-1) ?? "localhost";
/** What of an id may stand left of the @ as it is; any other id is hashed. */
const idPart = (id: string): string =>
  /^[\w-]+(?:[.+=:~][\w-]+)*$/.test(id) && id.length <= 200 ? id.replaceAll(":", "+") : createHash("sha256").update(id).digest("hex");
