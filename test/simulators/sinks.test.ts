// The sinks: what they show, what they store, and that a message cannot command the terminal.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, expect, test } from "vitest";
import { mailLines, webhookLines } from "../../simulators/sink-lines.ts";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { email } from "../../src/notify/channels/email.ts";
import { webhook } from "../../src/notify/channels/webhook.ts";
import { readNotification } from "../../src/notify/notification.ts";
import { type RowOptions, row } from "../notify/outbox-rows.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async function receive(options: RowOptions = {}, format = "alertmanager") {
  const store = mkdtempSync(join(tmpdir(), "highwater-sinks-"));
  closing.push(() => rmSync(store, { recursive: true }));
  let mail: ReceivedMail | undefined;
  let hook: ReceivedWebhook | undefined;
  const sinks = await createSinks({ store, secret, onMail: (one) => (mail = one), onWebhook: (one) => (hook = one) });
  closing.push(() => sinks.close());
  const notification = readNotification(row("firing", options), { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" });
  const { signal } = new AbortController();
  await email.send(email.schema.parse({ smtp: sinks.smtpUrl, from: "highwater@example.org", to: "oncall@example.org" }), notification, signal);
  await webhook.send(webhook.schema.parse({ url: sinks.webhookUrl, secret, format }), notification, signal);
  if (mail === undefined || hook === undefined) throw new Error("something did not arrive");
  return { store, mail: mailLines(mail), hook: webhookLines(hook) };
}

test.each(["alertmanager", "standard", "cloudevents"])("shows a mail and a webhook (%s) in three lines each", async (format) => {
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
    expect.stringMatching(/POST \/alerts · .* seq 1 · signature fits$/),
  ]);
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
