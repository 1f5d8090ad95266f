// The night and the month in the whole house: a gateway that starts summarises what was left over, mails it with its charts drawn in the job's
// thread, and gives the report of the device from the thread that reads the store.

import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Config, connectClient, createFolder, type RunningGateway, startHighwater, waitFor } from "./gateway-process.ts";

const DAY = 86_400_000;
const yesterday = Math.floor(Date.now() / DAY) * DAY - DAY;
const mails: Buffer[] = [];
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, _session, done) {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      mails.push(Buffer.concat(chunks));
      done();
    });
  },
});
const folder = createFolder("report");
let gateway: RunningGateway;

beforeAll(async () => {
  await new Promise<void>((resolve) => smtp.listen(0, "127.0.0.1", resolve));
  const { port } = smtp.server.address() as { port: number };
  const config: Config = {
    gateway: { name: "cold-chain", timezone: "UTC", data_dir: "./data" },
    sources: [{ topic: "sensors/{device}/{metric}", codec: "json" }],
    rules: [{ name: "warm", match: { metric: "temperature" }, condition: { type: "threshold", above: -15 }, severity: "critical" }],
    notify: {
      receivers: [{ name: "on-call", email: { smtp: `smtp://127.0.0.1:${port}`, from: "a@example.org", to: ["b@example.org"] } }],
      route: { receiver: "on-call" },
    },
  };
  gateway = await startHighwater(folder.path, config);
  const client = await connectClient(gateway.mqttUrl);
  for (let index = 0; index < 288; index += 1) {
    const payload = JSON.stringify({ ts: yesterday + index * 300_000, value: index >= 150 && index < 160 ? -10 : -19 });
    if (index < 20 || index > 60) await client.publishAsync("sensors/fz-7/temperature", payload, { qos: 1 });
  }
  await client.endAsync();
  await gateway.stop();
  // The first start may have summarised and mailed what had come by then.
  mails.length = 0;
  gateway = await startHighwater(folder.path, config);
});
afterAll(async () => {
  await gateway.stop();
  folder.remove();
  smtp.close();
});

it("mails the summary with a chart, which says the same in words", async () => {
  const isSummary = (mail: Buffer): boolean => mail.includes("coverage");
  await waitFor("the summary's mail", async () => mails.some(isSummary));
  const { html, attachments, text } = await simpleParser(mails.find(isSummary) as Buffer, { keepCidLinks: true });
  expect(attachments.map(({ contentType, contentDisposition }) => [contentType, contentDisposition])).toEqual([["image/png", "inline"]]);
  expect(html).toContain(`src="cid:${attachments[0]?.cid}"`);
  expect(html).toMatch(/alt="fz-7 temperature on [\d-]+: lowest -19 about 00:00, highest -10 about 12:30. No readings from 01:35 to 05:05. Alert at 12:30."/);
  expect(text).not.toContain("cid:");
});

it("gives the report by what the night worked out", async () => {
  const day = new Date(yesterday).toISOString().slice(0, 10);
  const ask = (format: string): Promise<Response> => fetch(`${gateway.httpUrl}/api/v1/reports/fz-7?from=${day}&to=${day}&format=${format}`);
  const state = async () => ((await (await ask("json")).json()) as { series: { days: { state: string }[] }[] }).series[0]?.days[0]?.state;
  await waitFor("the day's figures", async () => (await state()) === "exact");
  expect(await (await ask("json")).json()).toMatchObject({
    gateway: "cold-chain",
    version: expect.stringMatching(/^\d+\.\d+/),
    series: [{ figures: { readings: 247, min: -19, max: -10 }, days: [{ state: "exact" }] }],
    excursions: [{ rule: "warm", peak: -10, duration_ms: 3_000_000 }],
  });
  const page = await ask("html");
  expect(page.headers.get("content-security-policy")).toContain("style-src 'sha256-");
  expect(await page.text()).toContain("There is 1 gap.");
});
