// Mails of groups, of storms and of every kind, as a real SMTP server takes them.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSinks, type ReceivedMail } from "../../../simulators/sinks.ts";
import { email } from "../../../src/notify/channels/email.ts";
import { readNotification } from "../../../src/notify/notification.ts";
import type { OutboxRow } from "../../../src/storage/outbox-row.ts";
import { FIRED_AT, freezerRows, groupRow, row } from "../outbox-rows.ts";

const sender = { gatewayName: "cold-chain", externalUrl: "http://127.0.0.1:8080/", timezone: "Europe/Oslo" };
const signal = new AbortController().signal;

let mails: ReceivedMail[];
let sinks: Awaited<ReturnType<typeof createSinks>>;
beforeEach(async () => {
  mails = [];
  sinks = await createSinks({ onMail: (mail) => mails.push(mail) });
});
afterEach(() => sinks.close());

async function send(told: OutboxRow) {
  const settings = email.schema.parse({ smtp: sinks.smtpUrl, from: "Highwater <highwater@example.org>", to: "oncall@example.org" });
  expect(await email.send(settings, readNotification(told, sender), signal)).toEqual({ kind: "delivered" });
  const mail = mails.at(-1);
  if (mail === undefined) throw new Error("no mail came");
  const { parsed } = mail;
  const text = parsed.text ?? "";
  const html = parsed.html || "";
  return { ...parsed, text, html, lines: text.split("\n"), seen: html.replace(/<style>[^]*<\/style>|<[^>]*>/g, " ").replace(/\s+/g, " ") };
}

const rules = ["freezer-too-warm", "door-open", "humidity-high"];
const flood = (index: number) => ({ alertname: rules[index % 3] ?? "", gateway: `gw-${index % 2}`, room: `B${index}`, team: `t${index}` });

describe("a group", () => {
  test("subject, one summary, and each alert with its figure, since when and why; worst first", async () => {
    const { subject, text, seen, html } = await send(groupRow(freezerRows(5)));
    expect(subject).toBe("[FIRING 4, RESOLVED 1] freezer-too-warm · site oslo");
    for (const body of [text, seen]) {
      expect(body).toContain("4 alerts fire, 3 of them critical; 1 has resolved.");
      expect(body).toContain("critical · from 13:31, for 35 min");
      const places = ["Firing (4)", "freezer-1 ", "freezer-2 ", "freezer-4 ", "freezer-3 ", "Resolved (1)", "freezer-5 "].map((word) => body.indexOf(word));
      expect(places).not.toContain(-1);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(body).toContain("freezer-3 in room B2 is at -12.2 °C");
      expect(body).toContain("warning · since 13:31");
      expect(body).toContain("message 1 of this group");
    }
    expect(text).toContain("Look at them: http://127.0.0.1:8080/#/alerts\n");
    expect(html).toContain('href="http://127.0.0.1:8080/#/alerts/a1b2c3d4e5f60002-mhx2k9"');
  });

  test("of several rules names them in each row; of another day the day", async () => {
    const told = groupRow(
      freezerRows(3, (index) => ({ alertname: rules[index] ?? "" })),
      { createdAt: FIRED_AT + 20 * 3_600_000, kind: "repeat", seq: 2 },
    );
    const { subject, text } = await send(told);
    expect(subject).toBe("[FIRING 3, again] 3 rules · site oslo");
    expect(text).toContain("critical · door-open · since 22 Nov 13:31");
    expect(text).toMatch(/the first of it fired 20 h\s+ago\./);
  });

  test("after the first marks what is new", async () => {
    const { text, seen } = await send(groupRow(freezerRows(5), { seq: 2, fresh: 1 }));
    for (const body of [text, seen]) {
      expect(body).toContain("4 alerts fire, 3 of them critical, 1 new; 1 has resolved.");
      expect(body).toMatch(/freezer-1 in room B2 is at -12\.4 °C\s+new · critical · since 13:31/);
      expect(body.match(/new ·/g)).toHaveLength(1);
    }
    expect((await send(groupRow(freezerRows(5), { seq: 2, kind: "repeat" }))).text).not.toContain("new");
  });

  test("of which all has resolved says so, and is not important", async () => {
    const over = freezerRows(10).filter(({ state }) => state === "resolved");
    const { subject, text, headers } = await send(groupRow(over as [OutboxRow, ...OutboxRow[]], { seq: 4 }));
    expect(subject).toBe("[RESOLVED 2] freezer-too-warm · site oslo");
    expect(text).toContain("Both alerts have resolved.");
    expect(text).not.toContain("Firing");
    expect(headers.get("priority")).not.toBe("high");
  });

  test("is important when something critical fires in it", async () => {
    const [first, second, warning] = freezerRows(3);
    expect((await send(groupRow([first, second as OutboxRow]))).headers.get("priority")).toBe("high");
    expect((await send(groupRow([warning as OutboxRow, warning as OutboxRow]))).headers.get("priority")).not.toBe("high");
  });

  test("of one alert is told like an alert alone, in the thread of the group", async () => {
    const one = await send(groupRow(freezerRows(1)));
    expect(one.subject).toBe("[FIRING critical] freezer-too-warm · freezer-1 −12.4 °C");
    expect(one.text).toContain("The temperature of freezer-1 was −12.4 °C");
    expect(one.text).toContain("message 1 of this group");
    const more = await send(groupRow(freezerRows(2), { seq: 2 }));
    expect(more.references).toEqual(one.references);
  });

  test("has a thread of its own, an id of its own, and says in headers what it is", async () => {
    const [first, again, other, alone] = [
      await send(groupRow(freezerRows(2))),
      await send({ ...groupRow(freezerRows(3), { seq: 2, kind: "repeat" }), id: "second" }),
      await send(groupRow(freezerRows(2), { line: 'on-call/1f2e:{site="bergen"}@mhx2k9' })),
      await send(freezerRows(1)[0]),
    ];
    expect(again.references).toEqual(first.references);
    expect(again.inReplyTo).toEqual(first.references);
    expect(again.messageId).not.toBe(first.messageId);
    expect(new Set([first, other, alone].map(({ references }) => String(references))).size).toBe(3);
    expect(again.headers.get("x-highwater-kind")).toBe("repeat");
    expect(first.headers.get("x-highwater-group")).toMatch(/^[0-9a-f]{64}$/);
    expect(again.headers.get("x-highwater-group")).toBe(first.headers.get("x-highwater-group"));
    expect(alone.headers.has("x-highwater-group")).toBe(false);
  });

  test("hostile labels stay text, the columns hold, and nothing is loaded", async () => {
    const labelsOf = (index: number) => ({
      device: index === 0 ? `<script>alert(1)</script>\r\nBcc: thief@example.org` : "x".repeat(index * 50),
      alertname: index === 2 ? `"><img src=x onerror=alert(2)>` : "freezer-too-warm",
    });
    const key = `on-call/1f2e:{site=${JSON.stringify("<b>\r\nX-Evil: 1")}}@mhx2k9`;
    const { subject, html, lines, headers, bcc } = await send(groupRow(freezerRows(4, labelsOf), { line: key }));
    expect(subject).toBe("[FIRING 4] 2 rules · site <b> X-Evil: 1");
    expect([headers.has("x-evil"), bcc]).toEqual([false, undefined]);
    expect(html).not.toMatch(/<script|<img|<b>\s|<link|@import|url\(/i);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
  });
});

describe("a storm", () => {
  test("says that it is one, what its alerts have in common, the worst 50, and how many more there are", async () => {
    const { subject, text, seen, html, lines } = await send(groupRow(freezerRows(500, flood), { kind: "storm", line: "storm/on-call@mhx2k9", more: 240 }));
    expect(subject).toBe("[FIRING 400, RESOLVED 100, 240 more, storm] 3 rules · site oslo");
    for (const body of [text.replace(/\s+/g, " "), seen]) {
      expect(body).toContain("So many alerts came for on-call within so short a time, 740 within 1 s, that they are told together.");
      expect(body).toContain("What comes further is told together too, in a while, until it is calm.");
      expect(body).toContain("Firing (50 of 400)");
      expect(body).toContain("and 690 more");
      expect(body).not.toContain("Resolved (");
    }
    expect(text).toMatch(
      /In common\n {2}167 {2}rule freezer-too-warm\n {2}167 {2}rule door-open\n {2}166 {2}rule humidity-high\n {2}500 {2}site oslo\n {2}250 {2}gateway gw-0\n/,
    );
    expect(seen).toMatch(/rule door-open 167 /);
    expect(lines.filter((line) => line.startsWith("  freezer-"))).toHaveLength(50);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    // Gmail cuts what is longer than 102 kB.
    expect(Buffer.byteLength(html)).toBeLessThan(100_000);
  });
});

describe("an alert alone", () => {
  test.each([
    ["announced", "[FIRING critical, was held back]", "It was held back until now"],
    ["repeat", "[FIRING critical, again]", "Still firing after 4 h; nobody has acknowledged it."],
    ["escalation", "[FIRING critical, unacknowledged]", "Nobody has acknowledged it, 4 h after it fired: you are the next step."],
    ["flapping", "[FIRING critical, flapping]", "It fires again and again: "],
    ["storm", "[FIRING critical, storm]", "It came in a storm"],
  ] as const)("%s: the subject shows it, a line says why", async (kind, status, line) => {
    const { subject, text, seen } = await send({ ...row("firing", { createdAt: FIRED_AT + 4 * 3_600_000 }), kind });
    expect(subject).toBe(`${status} freezer-too-warm · freezer-7 −12.4 °C`);
    for (const body of [text, seen]) expect(body).toContain(line);
  });
});
