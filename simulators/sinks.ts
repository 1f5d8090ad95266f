// Receivers to try the gateway against: a local SMTP server and an HTTP endpoint for webhooks. They show what arrives,
// store it when asked, and can be told to misbehave: refuse, answer 503, hang, or take a message and drop the line.
// A library (createSinks) and a script: node simulators/sinks.ts --smtp 1025 --http 9000 --store DIR

import { type EventEmitter, once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { verifies } from "../src/notify/signature.ts";
import { numberOption, runScript, textOptions } from "./script.ts";
import { lostLine, mailLines, webhookLines } from "./sink-lines.ts";

/** A webhook that is larger is cut off. */
const BODY_BYTES_MAX = 1_000_000;

export type ReceivedMail = {
  readonly at: number;
  readonly to: readonly string[];
  readonly parsed: ParsedMail;
  readonly raw: Buffer;
  /** It came over TLS. */
  readonly isEncrypted: boolean;
};
export type ReceivedWebhook = {
  readonly at: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
  /** Whether the signature fits the sink's secret; null when it has none. */
  readonly isSigned: boolean | null;
};

/** What to do with the next message instead of taking it. */
export type Fault =
  /** HTTP: this status. SMTP: this reply to DATA. */
  | { readonly kind: "answer"; readonly code: number; readonly headers?: Readonly<Record<string, string>> }
  /** SMTP: this reply to one recipient. */
  | { readonly kind: "recipient"; readonly address: string; readonly code: number }
  /** Takes the message and never answers. */
  | { readonly kind: "hang" }
  /** Takes the message and breaks the connection before the answer. */
  | { readonly kind: "drop" };

export type SinkOptions = {
  readonly host?: string;
  /** 0 (default): any free port. */
  readonly smtpPort?: number;
  readonly httpPort?: number;
  readonly onMail?: (mail: ReceivedMail) => void;
  readonly onWebhook?: (webhook: ReceivedWebhook) => void;
  /** A message that did not come to its end, in a line: its sender went away, or what it sent is no message. */
  readonly onLost?: (line: string) => void;
  /** A folder for .eml and .json files. */
  readonly store?: string;
  /** Checks signatures: `whsec_…`. */
  readonly secret?: string;
  /** SMTP offers STARTTLS, with a certificate that nobody trusts. */
  readonly startTls?: boolean;
  /** SMTP asks for this login. */
  readonly login?: { readonly user: string; readonly pass: string };
};

/** Both servers, listening. Push to `faults` to make the next messages fail, one each. */
export async function createSinks(options: SinkOptions = {}) {
  const { host = "127.0.0.1", smtpPort = 0, httpPort = 0, store } = options;
  const faults = { smtp: [] as Fault[], http: [] as Fault[] };
  const file = store === undefined ? undefined : createStore(store);
  const smtp = createMailServer(options, faults.smtp, (mail) => {
    file?.("mail.eml", mail.raw);
    options.onMail?.(mail);
  });
  const http = createServer((request, response) => {
    takeWebhook(request, response, { secret: options.secret, faults: faults.http }, (webhook) => {
      file?.("webhook.json", JSON.stringify({ ...webhook, body: webhook.json ?? webhook.body, json: undefined }, undefined, 2));
      options.onWebhook?.(webhook);
    }).catch((error: unknown) => {
      options.onLost?.(`webhook lost: ${request.complete ? (error as Error).message : "its sender went away before the end"}`);
      request.destroy();
    });
  });
  smtp.listen(smtpPort, host);
  http.listen(httpPort, host);
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    await Promise.all([new Promise((resolve) => http.close(resolve)), new Promise<void>((resolve) => smtp.close(() => resolve()))]);
  };
  try {
    await Promise.all([listening(smtp.server), listening(http)]);
  } catch (error) {
    await close();
    throw error;
  }
  const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
  return {
    smtpUrl: `smtp://${host}:${portOf(smtp.server)}`,
    webhookUrl: `http://${host}:${portOf(http)}/alerts`,
    faults,
    close,
  };
}

/** @throws when the port is taken */
const listening = (server: EventEmitter): Promise<unknown> => once(server, "listening");

function createMailServer(options: SinkOptions, faults: Fault[], onMail: (mail: ReceivedMail) => void): SMTPServer {
  const { login } = options;
  const server = new SMTPServer({
    banner: "Highwater sink",
    hideSTARTTLS: options.startTls !== true,
    allowInsecureAuth: true,
    authOptional: login === undefined,
    closeTimeout: 200,
    logger: false,
    onAuth: (auth, _session, done) => {
      const isKnown = login !== undefined && auth.username === login.user && auth.password === login.pass;
      done(isKnown ? null : smtpError(535, "5.7.8 wrong user or password"), isKnown ? { user: login.user } : undefined);
    },
    onRcptTo: ({ address }, _session, done) => {
      const [fault] = faults;
      if (fault?.kind !== "recipient" || fault.address !== address) return done();
      faults.shift();
      done(smtpError(fault.code, `${address} is not taken`));
    },
    onData: (stream, session, done) => {
      const take = async (): Promise<void> => {
        const raw = await buffer(stream);
        const fault = faults[0]?.kind === "recipient" ? undefined : faults.shift();
        if (fault?.kind === "answer") return done(smtpError(fault.code, "told to refuse"));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        onMail({ at: Date.now(), to, parsed: await simpleParser(raw), raw, isEncrypted: session.secure });
        if (fault?.kind === "hang") return;
        if (fault?.kind === "drop") return closeConnections(server);
        done();
      };
      take().catch((error: unknown) => {
        options.onLost?.(`mail lost: ${(error as Error).message}`);
        done(smtpError(451, "the message could not be taken"));
      });
    },
  });
  server.on("error", () => {});
  return server;
}

/** smtp-server has no way to drop one line; in a sink all may go. */
function closeConnections(server: SMTPServer): void {
  for (const connection of (server as unknown as { connections: Set<{ _socket: { destroy(): void } }> }).connections) connection._socket.destroy();
}

const smtpError = (code: number, message: string): Error => Object.assign(new Error(message), { responseCode: code });

async function takeWebhook(
  request: IncomingMessage,
  response: ServerResponse,
  { secret, faults }: { secret: string | undefined; faults: Fault[] },
  onWebhook: (webhook: ReceivedWebhook) => void,
): Promise<void> {
  const body = (await buffer(request)).toString();
  const fault = faults.shift();
  if (fault?.kind === "answer") {
    response.writeHead(fault.code, fault.headers).end("told to refuse\n");
    return;
  }
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  onWebhook({
    at: Date.now(),
    path: request.url ?? "/",
    headers,
    body,
    json: jsonOf(body),
    isSigned: secret === undefined ? null : isSigned(secret, headers, body),
  });
  if (fault?.kind === "hang") return;
  if (fault?.kind === "drop") {
    request.socket.destroy();
    return;
  }
  response.writeHead(200, { "content-type": "text/plain" }).end("ok\n");
}

function isSigned(secret: string, headers: Record<string, string>, body: string): boolean {
  return verifies(secret, headers["webhook-id"] ?? "", Number(headers["webhook-timestamp"]), body, headers["webhook-signature"] ?? "");
}

async function buffer(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Numbers files in the order of arrival: 0001-mail.eml, 0002-webhook.json. */
function createStore(folder: string): (name: string, content: string | Buffer) => void {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  return (name, content) => {
    count += 1;
    writeFileSync(join(folder, `${String(count).padStart(4, "0")}-${name}`), content);
  };
}

const usage = `Receives what a gateway sends, and shows it.

  node simulators/sinks.ts [--smtp 1025] [--http 9000] [--store DIR] [--secret whsec_…]
                           [--fail N] [--retry-after SECONDS] [--hang N]

  --store DIR      keep each message as a file, .eml or .json
  --secret S       check the signatures of webhooks
  --fail N         refuse the first N messages of each kind: 451 and 503
  --retry-after S  with --fail: the 503 asks for S seconds
  --hang N         take the next N messages of each kind without ever answering`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { ...textOptions("smtp", "http", "host", "store", "secret", "fail", "retry-after", "hang"), help: { type: "boolean", short: "h" } },
  });
  const print = (lines: readonly string[]) => process.stdout.write(`${lines.join("\n")}\n`);
  if (values.help) {
    print([usage]);
    return 0;
  }
  const sinks = await createSinks({
    host: values.host ?? "127.0.0.1",
    smtpPort: numberOption(values, "smtp", 1025),
    httpPort: numberOption(values, "http", 9000),
    ...(values.store === undefined ? {} : { store: values.store }),
    ...(values.secret === undefined ? {} : { secret: values.secret }),
    onMail: (mail) => print(mailLines(mail)),
    onWebhook: (webhook) => print(webhookLines(webhook)),
    onLost: (line) => print([lostLine(line)]),
  });
  const headers = values["retry-after"] === undefined ? {} : { "retry-after": values["retry-after"] };
  for (let count = numberOption(values, "fail", 0); count > 0; count--) {
    sinks.faults.smtp.push({ kind: "answer", code: 451 });
    sinks.faults.http.push({ kind: "answer", code: 503, headers });
  }
  for (let count = numberOption(values, "hang", 0); count > 0; count--) for (const list of [sinks.faults.smtp, sinks.faults.http]) list.push({ kind: "hang" });
  print([`mail      ${sinks.smtpUrl}`, `webhooks  ${sinks.webhookUrl}`, ""]);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await sinks.close();
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runScript(main);
