// A foreign MQTT client, a real mail server, a real web server: one threshold is crossed and left again, and everyone is told.

import { createHmac } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { createSinks, type ReceivedMail, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { createFolder, runToEnd, startHighwater, waitFor } from "./gateway-process.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
const T0 = Date.UTC(2026, 0, 15, 3, 0, 0);
const MINUTE_MS = 60_000;

type Body = {
  version: string;
  status: string;
  receiver: string;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string>; startsAt: string; endsAt: string; fingerprint: string }[];
};

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const { code: mosquittoPub } = await runToEnd("mosquitto_pub", ["--help"]);
if (mosquittoPub === 127) console.warn("The test with a foreign MQTT client is skipped: there is no mosquitto_pub (Debian: apt-get install mosquitto-clients)");

describe("mosquitto_pub, SMTP and HTTP", () => {
  // Skipped where Debian's mosquitto-clients are not installed: mosquitto_pub is the foreign peer of this test.
  it.skipIf(mosquittoPub === 127)(
    "a threshold that is crossed is mailed and posted, and so is its end with the good value, the peak and the duration",
    async () => {
      const mails: ReceivedMail[] = [];
      const webhooks: ReceivedWebhook[] = [];
      const sinks = await createSinks({
        secret: `whsec_${KEY}`,
        // The daily summary may be mailed meanwhile.
        onMail: (mail) => void (mail.parsed.subject?.includes("freezer-too-warm") && mails.push(mail)),
        onWebhook: (webhook) => webhooks.push(webhook),
      });
      cleanUp.push(() => sinks.close());
      const folder = createFolder("mosquitto");
      cleanUp.push(() => folder.remove());
      const gateway = await startHighwater(folder.path, {
        gateway: { name: "cold-chain", timezone: "Europe/Oslo", external_url: "http://gateway.example.org:8080" },
        sources: [{ topic: "sensors/{site}/{device}/{metric}", codec: "json" }],
        devices: { "freezer-7": { labels: { room: "B2" }, limits: { high: -15 }, unit: "°C" } },
        rules: [
          {
            name: "freezer-too-warm",
            match: { metric: "temperature", device: "freezer-*" },
            condition: { type: "threshold", above: "limit.high", clear_below: -17 },
            severity: "critical",
            labels: { team: "cold-chain" },
            annotations: { summary: "{{device}} is at {{value}} °C", runbook: "https://example.org/runbook" },
          },
        ],
        notify: {
          receivers: [
            {
              name: "on-call",
              email: { smtp: sinks.smtpUrl, from: "highwater@example.org", to: ["oncall@example.org", "chief@example.org"] },
              webhook: { url: sinks.webhookUrl, secret: `whsec_${KEY}` },
            },
          ],
          route: { receiver: "on-call" },
        },
      });
      cleanUp.push(() => gateway.stop());

      const port = new URL(gateway.mqttUrl).port;
      const publish = async (minutes: number, value: number, qos: string) => {
        const payload = JSON.stringify({ ts: T0 + minutes * MINUTE_MS, value });
        const { code, stderr } = await runToEnd("mosquitto_pub", [
          "-h",
          "127.0.0.1",
          "-p",
          port,
          "-t",
          "sensors/oslo/freezer-7/temperature",
          "-m",
          payload,
          "-q",
          qos,
        ]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      };

      await publish(0, -18.2, "1");
      await publish(5, -12.4, "1");
      await waitFor("the mail and the webhook of firing", () => mails.length === 1 && webhooks.length === 1);
      await publish(10, -9.25, "0");
      await publish(15, -16, "2");
      await publish(20, -18.75, "1");
      await waitFor("the mail and the webhook of resolved", () => mails.length === 2 && webhooks.length === 2);

      const [firing, resolved] = webhooks.map(({ json }) => json as Body) as [Body, Body];
      const labels = {
        alertname: "freezer-too-warm",
        severity: "critical",
        team: "cold-chain",
        room: "B2",
        site: "oslo",
        device: "freezer-7",
        metric: "temperature",
      };
      const [firingAlert, resolvedAlert] = [firing.alerts[0], resolved.alerts[0]];
      expect(firing).toMatchObject({ version: "4", status: "firing", receiver: "on-call", groupLabels: labels, truncatedAlerts: 0 });
      expect(firingAlert).toMatchObject({ status: "firing", labels, startsAt: "2026-01-15T03:05:00.000Z", endsAt: "0001-01-01T00:00:00Z" });
      const why = expect.stringMatching(
        /^The temperature of freezer-7 was −12.4 °C at [\s\S]*\nRule freezer-too-warm@[0-9a-f]{12}: above −15 °C, clears below −17 °C\.$/,
      );
      expect(firingAlert?.annotations).toEqual({ summary: "freezer-7 is at -12.4 °C", runbook: "https://example.org/runbook", value: "-12.4", why });
      expect(resolved.status).toBe("resolved");
      expect(resolvedAlert).toMatchObject({ status: "resolved", labels, startsAt: "2026-01-15T03:05:00.000Z", endsAt: "2026-01-15T03:20:00.000Z" });
      expect(resolvedAlert?.annotations).toMatchObject({ value: "-18.75", peak: "-9.25", duration: "15 min" });
      expect(resolvedAlert?.fingerprint).toBe(firingAlert?.fingerprint);
      for (const { headers, body } of webhooks) expect(headers["webhook-signature"]).toBe(signatureOf(headers, body));
      expect(webhooks.map(({ headers }) => headers["highwater-seq"])).toEqual(["1", "2"]);
      expect(new Set(webhooks.map(({ headers }) => headers["webhook-id"])).size).toBe(2);

      const [fired, ended] = mails as [ReceivedMail, ReceivedMail];
      expect(fired.to).toEqual(["oncall@example.org", "chief@example.org"]);
      expect(fired.parsed.from?.text).toContain("highwater@example.org");
      expect(fired.parsed.subject).toMatch(/freezer-too-warm/);
      for (const part of [fired.parsed.text, fired.parsed.html || ""])
        for (const text of ["freezer-7", "−12.4 °C", "−15 °C", "04:05"]) expect(part).toContain(text);
      for (const part of [ended.parsed.text, ended.parsed.html || ""]) for (const text of ["−18.75 °C", "−9.25 °C", "15 min"]) expect(part).toContain(text);
      expect(ended.parsed.references ?? ended.parsed.inReplyTo).toBeDefined();

      expect(await gateway.get("/api/v1/alerts")).toMatchObject({
        alerts: [{ state: "resolved", value: -18.75, peak: -9.25, fired_at: "2026-01-15T03:05:00.000Z", resolved_at: "2026-01-15T03:20:00.000Z" }],
      });
      expect((await gateway.status()).readings).toMatchObject({ received: 5, accepted: 5 });
      expect(await gateway.stop()).toBe(0);
    },
  );
});

/** By the Standard Webhooks specification, with nothing of the product's own. */
function signatureOf(headers: Readonly<Record<string, string>>, body: string): string {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return `v1,${createHmac("sha256", Buffer.from(KEY, "base64")).update(signed).digest("base64")}`;
}
