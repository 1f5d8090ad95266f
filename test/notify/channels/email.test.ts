// Mails as a real SMTP server takes them: words, headers, escaping, and what each reply of the server means.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSinks, type ReceivedMail, type SinkOptions } from "../../../simulators/sinks.ts";
import { email, sendMail } from "../../../src/notify/channels/email.ts";
import { readNotification } from "../../../src/notify/notification.ts";
import { type RowOptions, row } from "../outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080", timezone: "Europe/Oslo" };
const signal = new AbortController().signal;
const notificationOf = (state: "firing" | "resolved", options: RowOptions = {}) => readNotification(row(state, options), sender);

let mails: ReceivedMail[];
let sinks: Awaited<ReturnType<typeof createSinks>>;
const open = async (options: SinkOptions = {}) => {
  mails = [];
  sinks = await createSinks({ ...options, onMail: (mail) => mails.push(mail) });
};
beforeEach(() => open());
afterEach(() => sinks.close());

const settingsOf = (more: object = {}) =>
  email.schema.parse({ smtp: sinks.smtpUrl, from: "Highwater <highwater@example.org>", to: "oncall@example.org", ...more });
const send = (state: "firing" | "resolved", options: RowOptions = {}, more: object = {}) =>
  email.send(settingsOf(more), notificationOf(state, options), signal);
const last = () => {
  const mail = mails.at(-1);
  if (mail === undefined) throw new Error("no mail came");
  return mail.parsed;
};

describe("the mail", () => {
  test("of a firing alert: subject, value, limit, since, rule, link", async () => {
    await send("firing");
    const { subject, text, html, from, to } = last();
    expect(subject).toBe("[FIRING critical] freezer-too-warm · freezer-7 −12.4 °C");
    expect(from?.text).toContain("highwater@example.org");
    expect(to).toMatchObject({ text: "oncall@example.org" });
    for (const body of [text, html || ""]) {
      expect(body).toContain("freezer-7 in room B2 is at -12.4 °C");
      expect(body).toContain("The temperature of freezer-7 was −12.4 °C at Sun 22 Nov 2026 13:31:07 CET (12:31:07 UTC): above −15 °C.");
      expect(body).toContain("since Sun 22 Nov 2026 13:26:07 CET (12:26:07 UTC), for 5 min, when the rule fired.");
      expect(body).toContain("Rule freezer-too-warm@9f86d081884c: above −15 °C, clears below −17 °C.");
      expect(body).toContain("http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60718-mhx2k9");
      expect(body).toContain("https://wiki.example.org/freezers#warm");
    }
  });

  test("of a resolved one: good value, peak and duration", async () => {
    await send("resolved");
    const { subject, text, html } = last();
    expect(subject).toBe("[RESOLVED] freezer-too-warm · freezer-7 −17.3 °C");
    expect(text).toMatch(/Good value +−17\.3 °C/);
    expect(text).toMatch(/Peak +−9\.8 °C/);
    expect(text).toMatch(/Duration +35 min/);
    for (const figure of ["−17.3 °C", "−9.8 °C", "35 min"]) expect(html).toContain(figure);
  });

  test("mails of one alert refer to one root; each has its own id, the same when sent again", async () => {
    await send("firing");
    await send("resolved");
    await send("resolved");
    await send("firing", { alert: "other" });
    const [firing, resolved, again, other] = mails.map(({ parsed }) => parsed);
    expect(resolved?.references).toEqual(firing?.references);
    expect(resolved?.inReplyTo).toEqual(firing?.references);
    expect(other?.references).not.toEqual(firing?.references);
    expect(again?.messageId).toBe(resolved?.messageId);
    expect(resolved?.messageId).not.toBe(firing?.messageId);
    expect(firing?.headers.get("x-highwater-seq")).toBe("1");
    expect(resolved?.headers.get("x-highwater-seq")).toBe("2");
    expect(firing?.headers.get("auto-submitted")).toBe("auto-generated");
  });

  test("critical is marked important, its end is not", async () => {
    await send("firing");
    expect(last().headers.get("priority")).toBe("high");
    await send("resolved");
    expect(last().headers.get("priority")).not.toBe("high");
  });

  test("a device that calls itself a script stays text, and line breaks in labels stay out of the headers", async () => {
    const device = "<script>alert(1)</script>\r\nBcc: thief@example.org\r\nX-Evil: 1";
    const labels = { alertname: "freezer-too-warm", severity: "critical", device, metric: "<b>temperature", room: `"><img src=x onerror=alert(2)>` };
    const annotations = { summary: "{{device}} {{room}}", runbook: "javascript:alert(3)", wiki: `https://x.example/"><script>` };
    await send("firing", { labels, annotations });
    const { html, subject, headers, bcc } = last();
    expect(subject).toBe("[FIRING critical] freezer-too-warm · <script>alert(1)</script> Bcc: thief@example.org X-Evil: 1 −12.4 °C");
    expect(bcc).toBeUndefined();
    expect(headers.has("x-evil")).toBe(false);
    expect(mails.at(-1)?.to).toEqual(["oncall@example.org"]);
    expect(html).not.toMatch(/<script|<img|<b>temp|href="javascript/i);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test("a broken template stands raw, with a note, and the mail goes", async () => {
    expect(await send("firing", { annotations: { summary: "{{ device | shout }} is warm" } })).toEqual({ kind: "delivered" });
    expect(last().text).toContain("{{ device | shout }} is warm");
    expect(last().text).toContain('Note: The template of annotation "summary" is broken and stands as it was written: undefined filter: shout');
  });

  test("loads nothing from elsewhere and runs nothing", async () => {
    await send("firing");
    expect(last().html).not.toMatch(/<script|<img|<link|@import|url\(/i);
  });
});

describe("what replies mean", () => {
  test.each([
    [421, "retry"],
    [450, "retry"],
    [552, "failed"],
    [554, "failed"],
  ])("%i to the message: %s", async (code, kind) => {
    sinks.faults.smtp.push({ kind: "answer", code });
    expect(await send("firing")).toMatchObject({ kind, reason: expect.stringContaining(String(code)) });
  });

  test.each([
    [450, "retry"],
    [550, "failed"],
  ])("%i to the only recipient: %s", async (code, kind) => {
    sinks.faults.smtp.push({ kind: "recipient", address: "oncall@example.org", code });
    expect((await send("firing")).kind).toBe(kind);
  });

  test("one of two recipients does not exist: delivered, with a note", async () => {
    sinks.faults.smtp.push({ kind: "recipient", address: "gone@example.org", code: 550 });
    const delivery = await send("firing", {}, { to: ["gone@example.org", "oncall@example.org"] });
    expect(delivery).toEqual({ kind: "delivered", note: expect.stringContaining("550") });
    expect(mails.map(({ to }) => to)).toEqual([["oncall@example.org"]]);
  });

  test("one of two is put off: the next attempt is for that one alone", async () => {
    const settings = settingsOf({ to: ["oncall@example.org", "Boss <boss@example.org>"] });
    sinks.faults.smtp.push({ kind: "recipient", address: "boss@example.org", code: 451 });
    expect(await email.send(settings, notificationOf("firing"), signal)).toMatchObject({ kind: "retry", cause: "server" });
    expect(await email.send(settings, notificationOf("firing"), signal)).toEqual({ kind: "delivered" });
    expect(mails.map(({ to }) => to)).toEqual([["oncall@example.org"], ["boss@example.org"]]);
    expect(await email.send(settings, notificationOf("firing"), signal)).toEqual({ kind: "delivered" });
    expect(mails.at(-1)?.to).toHaveLength(2);
  });

  test("a wrong password is tried again: it says nothing of the mail", async () => {
    await sinks.close();
    await open({ login: { user: "gateway", pass: "right" } });
    const { hostname: host, port } = new URL(sinks.smtpUrl);
    const smtp = { host, port: Number(port), user: "gateway", tls: "off" };
    expect(await send("firing", {}, { smtp: { ...smtp, pass: "wrong" } })).toMatchObject({ kind: "retry", cause: "config" });
    expect(await send("firing", {}, { smtp: { ...smtp, pass: "right" } })).toEqual({ kind: "delivered" });
    expect(await send("firing", {}, { smtp: sinks.smtpUrl.replace("//", "//gateway:right@") })).toEqual({ kind: "delivered" });
  });

  test("TLS that is required but not to be trusted is tried again, and nothing is sent in the clear", async () => {
    const { hostname: host, port } = new URL(sinks.smtpUrl);
    for (const tls of ["required", "implicit"]) expect(await send("firing", {}, { smtp: { host, port: Number(port), tls } })).toMatchObject({ kind: "retry" });
    expect(mails).toEqual([]);
  });

  test("STARTTLS is used where it is offered; its certificate must be good once there is a login", async () => {
    await sinks.close();
    await open({ startTls: true });
    expect(await send("firing")).toEqual({ kind: "delivered" });
    expect(mails.at(-1)?.isEncrypted).toBe(true);
    expect(await send("firing", {}, { smtp: sinks.smtpUrl.replace("//", "//gateway:secret@") })).toMatchObject({ kind: "retry" });
  });
});

test("sendMail sends any other mail, with attachments and an id of the caller's", async () => {
  const mail = {
    subject: "Daily summary 2026-11-21",
    text: "all well",
    html: "<p>all well</p>",
    messageId: "summary.2026-11-21@example.org",
    attachments: [{ filename: "a.csv", content: "x" }],
  };
  expect(await sendMail(settingsOf(), mail, signal)).toEqual({ kind: "delivered" });
  expect(last()).toMatchObject({ subject: mail.subject, messageId: `<${mail.messageId}>`, attachments: [expect.objectContaining({ filename: "a.csv" })] });
});

describe("settings", () => {
  const parsed = (smtp: unknown) => email.schema.safeParse({ smtp, from: "a@b.c", to: "d@e.f" });
  test.each([
    ["smtp://127.0.0.1:1025", { host: "127.0.0.1", port: 1025, tls: "starttls" }],
    ["smtp://mail.example.org", { host: "mail.example.org", port: 587, tls: "starttls" }],
    ["smtps://u%40x:p%2Fw@mail.example.org", { host: "mail.example.org", port: 465, tls: "implicit", user: "u@x", pass: "p/w" }],
    ["smtp://[::1]:25", { host: "::1", port: 25, tls: "starttls" }],
    [
      { host: "mail", tls: "off" },
      { host: "mail", port: 587, tls: "off" },
    ],
  ])("%o", (smtp, expected) => {
    expect(parsed(smtp).data?.smtp).toEqual(expected);
  });

  test.each(["http://mail", "mail.example.org", "smtp://", "smtp://mail/path", "smtp://mail?pool=true", { host: "mail", tls: "yes" }, { port: 25 }])(
    "%o is refused",
    (smtp) => {
      expect(parsed(smtp).success).toBe(false);
    },
  );

  test.each(["a", "a@b\r\nBcc: x@y.z", "", "a b@c d"])("%o is no address", (to) => {
    expect(email.schema.safeParse({ smtp: "smtp://mail", from: "a@b.c", to }).success).toBe(false);
  });
});
