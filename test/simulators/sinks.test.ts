// The sinks: what they show, what they store, and that a message cannot command the terminal.

import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, expect, test } from "vitest";
import { lostLine, mailLines, webhookLines } from "../../simulators/sink-lines.ts";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { email } from "../../src/notify/channels/email.ts";
import { webhook } from "../../src/notify/channels/webhook.ts";
import { readNotification } from "../../src/notify/notification.ts";
import { freezerRows, groupRow, type RowOptions, row } from "../notify/outbox-rows.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async function receive(options: RowOptions = {}, format = "alertmanager", told = row("firing", options)) {
  const store = mkdtempSync(join(tmpdir(), "highwater-sinks-"));
  closing.push(() => rmSync(store, { recursive: true }));
  let mail: ReceivedMail | undefined;
  let hook: ReceivedWebhook | undefined;
  const sinks = await createSinks({ store, secret, onMail: (one) => (mail = one), onWebhook: (one) => (hook = one) });
  closing.push(() => sinks.close());
  const notification = readNotification(told, { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" });
  const { signal } = new AbortController();
  await email.send(email.schema.parse({ smtp: sinks.smtpUrl, from: "highwater@example.org", to: "oncall@example.org" }), notification, signal);
  await webhook.send(webhook.schema.parse({ url: sinks.webhookUrl, secret, format }), notification, signal);
  if (mail === undefined || hook === undefined) throw new Error("something did not arrive");
  return { store, mail: mailLines(mail), hook: webhookLines(hook) };
}

test.each(["alertmanager", "standard", "cloudevents"])("shows a mail and a webhook (%s) in a few lines each, none wider than a terminal", async (format) => {
  const { mail, hook } = await receive({}, format);
  const plain = (lines: readonly string[]) => lines.map(stripVTControlCharacters);
  expect(plain(mail)).toEqual([
    expect.stringMatching(/^ {2}▲ \d\d:\d\d:\d\d mail {4}\[FIRING critical\] freezer-too-warm · freezer-7 −12\.4 °C$/),
    expect.stringContaining("freezer-7 in room B2 is at -12.4 °C"),
    expect.stringContaining("to oncall@example.org"),
  ]);
  expect(plain(hook)).toEqual([
    expect.stringMatching(/^ {2}▲ \d\d:\d\d:\d\d webhook firing freezer-too-warm · freezer-7$/),
    expect.stringContaining("freezer-7 in room B2 is at -12.4 °C"),
    expect.stringMatching(/^ {21}POST \/alerts · \S+$/),
    expect.stringMatching(/^ {21}seq 1$/),
    expect.stringMatching(/^ {21}signature fits$/),
  ]);
});

test.each(["alertmanager", "standard", "cloudevents"])("shows of a group (%s) how many alerts it has, and what they are", async (format) => {
  const { mail, hook } = await receive({}, format, groupRow(freezerRows(40), { more: 2 }));
  const plain = [...mail, ...hook].map(stripVTControlCharacters);
  expect(plain[0]).toMatch(/^ {2}▲ \S+ mail {4}\[FIRING 32, RESOLVED 8, 2 more\] freezer-too-warm · site$/);
  const hooked = plain.findIndex((line) => line.includes("webhook"));
  expect(plain[hooked]).toMatch(/ webhook firing 42 alerts$/);
  expect(plain[hooked + 1]).toMatch(format === "alertmanager" ? /^ +freezer-too-warm$/ : /32 alerts fire/);
});

test("what is longer than a terminal is wide goes on below", async () => {
  const summary = "avg of temperature of freezer-1 over 30 s is back at −17.09 °C after 20 s, and the door of the store is closed again";
  const { mail, hook } = await receive({ annotations: { summary } });
  const plain = [...mail, ...hook].map(stripVTControlCharacters);
  for (const line of plain) expect(line.length).toBeLessThanOrEqual(80);
  expect(plain.map((line) => line.trim()).join(" ")).toContain(summary);
});

test("keeps what arrived, in order", async () => {
  const { store } = await receive();
  expect(readdirSync(store).toSorted()).toEqual(["0001-mail.eml", "0002-webhook.json"]);
  expect(readFileSync(join(store, "0001-mail.eml"), "utf8")).toContain("Message-ID: <");
  expect(JSON.parse(readFileSync(join(store, "0002-webhook.json"), "utf8"))).toMatchObject({ body: { version: "4" }, isSigned: true });
});

test("escape sequences in labels do not reach the terminal", async () => {
  const labels = { alertname: "x", severity: "info", device: "\u001b[2J\u001b]0;owned\u0007", metric: "m" };
  const { mail, hook } = await receive({ labels, annotations: {} }, "standard");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  for (const line of [...mail, ...hook]) expect(line).not.toMatch(/\u001b\[2J|\u001b\]|\u0007/);
});

/** Says each line once the one before is answered, then what has no answer, and goes. */
async function sayAndLeave(url: string, lines: readonly string[], last: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  for (const line of lines) {
    await once(socket, "data");
    socket.write(`${line}\r\n`);
  }
  if (lines.length > 0) await once(socket, "data");
  await new Promise<void>((resolve) => socket.write(last, () => resolve()));
  socket.destroy();
}

test("a sender that goes away in the middle of its message is told in a line, and the next is taken", async () => {
  const [lost, mails, hooks]: [string[], ReceivedMail[], ReceivedWebhook[]] = [[], [], []];
  const sinks = await createSinks({ onLost: (line) => lost.push(line), onMail: (mail) => mails.push(mail), onWebhook: (hook) => hooks.push(hook) });
  closing.push(() => sinks.close());
  await sayAndLeave(sinks.smtpUrl, ["EHLO device", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.org>", "DATA"], "Subject: half\r\n\r\nthe fi");
  await sayAndLeave(sinks.webhookUrl, [], "POST /alerts HTTP/1.1\r\nHost: sink\r\nContent-Length: 1000\r\n\r\nthe fi");
  await expect.poll(() => lost.toSorted()).toEqual([expect.stringMatching(/^mail lost: .*closed/), "webhook lost: its sender went away before the end"]);
  expect(stripVTControlCharacters(lostLine("mail lost: \u001b[2J"))).toMatch(/^ {2}✗ \d\d:\d\d:\d\d mail lost: ·\[2J$/);

  await fetch(sinks.webhookUrl, { method: "POST", body: "{}" });
  const notification = readNotification(row("firing"), { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" });
  await email.send(email.schema.parse({ smtp: sinks.smtpUrl, from: "a@example.org", to: "b@example.org" }), notification, new AbortController().signal);
  expect([hooks.length, mails.length]).toEqual([1, 1]);
});
