// The page in a real browser against a real server: what fires appears by itself, everybody can read it, it fits a phone,
// and it says so when the gateway is gone.

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { renderSummaryMail } from "../../src/batch/summary-mail.ts";
import { alertOn, createFakeGateway, type FakeGateway } from "../http/fake-gateway.ts";
import { type Served, serve } from "../http/serve.ts";
import { type Look, noBrowser, openPage, useBrowser } from "./browser.ts";

/** The machine may be busy with other tests. */
const poll = <Value>(ask: () => Promise<Value>) => expect.poll(ask, { timeout: 20_000 });

if (noBrowser !== undefined) console.warn(`The dashboard's tests are skipped: ${noBrowser}`);

describe.skipIf(noBrowser !== undefined)("the page", () => {
  const shared = useBrowser();

  const start = async (series = 30, port = 0): Promise<Served> => {
    const served = await serve(
      { dashboardDir: shared.dir, port, limits: { readingsEveryMs: 50, statusEveryMs: 200 } },
      createFakeGateway({ series, now: Date.now }),
    );
    shared.open.push(served);
    return served;
  };
  const show = async (served: Served, look: Look = {}): Promise<{ page: Page; complaints: string[] }> => {
    const shown = await openPage(shared.browser, `${served.url}/`, look);
    shared.open.push({ close: () => shown.page.context().close() });
    await shown.page.getByText("Live", { exact: true }).waitFor();
    await shown.page.locator(".tile").first().waitFor();
    return shown;
  };
  const trouble = (gateway: FakeGateway): void => {
    const now = Date.now();
    gateway.fire(alertOn(gateway.series[0] as never, { id: "a1", firedAt: now - 252_000 }));
    gateway.fire(
      alertOn(gateway.series[2] as never, { id: "a2", firedAt: now - 5_000_000, rule: "vibration-high", severity: "warning", limit: 7.1, value: 7.9, peak: 9 }),
    );
    gateway.fire(
      alertOn(gateway.series[3] as never, { id: "a3", firedAt: now - 90_000_000, rule: "door-open", severity: "info", limit: 0.5, value: 1, peak: 1 }),
    );
    gateway.fire(alertOn(gateway.series[9] as never, { id: "a4", firedAt: now - 900_000 }));
    gateway.resolve("a4", -18);
    gateway.pend({
      ...alertOn(gateway.series[5] as never, { id: "x", firedAt: now }),
      id: null,
      firedAt: null,
      peak: null,
      state: "pending",
      rule: "soon-too-warm",
    });
  };
  const tileOf = (page: Page, device: string, metric: string) =>
    page.locator(".tile", { has: page.getByText(device, { exact: true }) }).filter({ hasText: metric });
  const overflow = (page: Page): Promise<number> => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(shared.axe);
    return await page.evaluate(
      "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))",
    );
  };

  test("an alert appears, is told in full, and goes, without a reload", async () => {
    const served = await start();
    const { page, complaints } = await show(served);
    await page.getByText("Nothing fires. 30 sensors are watched, 1 silent.").waitFor();
    expect(await page.title()).toBe("cold-chain · Highwater");
    served.gateway.fire(alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: Date.now() - 252_000 }));
    const alert = page.locator(".alert");
    await alert.waitFor();
    await poll(() => page.title()).toBe("(1) firing · cold-chain · Highwater");
    await poll(() => alert.innerText()).toMatch(/Why: above −15, clears below −17, held for 5 min/);
    const text = await alert.innerText();
    for (const part of ["critical", "freezer-too-warm", "freezer-1", "temperature", "site bergen", "freezer-1 is at −11.4 °C", "−15 °C"])
      expect(text).toContain(part);
    // The peak is known at a transition only; a reading since then may be beyond it.
    served.gateway.beat({ series: 0, value: -8.5 });
    await poll(() => alert.innerText()).toContain("−8.5 °C");
    expect(await alert.innerText()).not.toMatch(/peak|−9\.8/);
    expect(text).toMatch(/firing for 4 min \d+ s/);
    expect(await alert.getByRole("link", { name: /Runbook/ }).getAttribute("href")).toBe("https://example.org/runbooks/freezer");
    served.gateway.resolve("a1", -18.2);
    await page.getByText("Nothing fires.").waitFor();
    expect(await page.title()).toBe("cold-chain · Highwater");
    await page.getByRole("heading", { name: "Resolved lately" }).waitFor();
    await page.goto(`${served.url}/#/alerts/a1`);
    await poll(() => alert.innerText()).toMatch(/peak\s+−9\.8 °C/);
    expect(complaints).toEqual([]);
  });

  test("a reading appears with its unit and age; a silent sensor says so", async () => {
    const served = await start();
    const { page } = await show(served);
    const tile = tileOf(page, "freezer-1", "temperature");
    served.gateway.beat({ series: 0, value: -12.345 });
    await poll(() => tile.locator(".value").innerText()).toBe("−12.35 °C");
    await poll(() => tile.locator(".age").innerText()).toMatch(/^now$|^\d s ago$/);
    const silent = page.locator(".tile.silent");
    expect(await silent.count()).toBe(1);
    expect(await silent.innerText()).toContain("silent for 31 min");
    await page.getByRole("button", { name: "Silent 1" }).click();
    await poll(() => page.locator(".tile").count()).toBe(1);
  });

  test("the books show what was rejected, and which topic nobody reads", async () => {
    const { page } = await show(await start());
    const gateway = page.getByRole("complementary", { name: "Gateway" });
    await poll(async () => (await gateway.innerText()).replace(/\s+/g, " ")).toContain("rejected 102");
    await gateway.getByText("1 topic matches no source").click();
    await gateway.getByText('- { topic: "zigbee2mqtt/{device}", codec: json }').waitFor();
  });

  test("the mail of the daily summary fits a phone: only its tables scroll", async () => {
    const sensor = {
      ...{ series: 1, labels: { device: "a-freezer-with-a-long-name", metric: "temperature" }, unit: "°C", days: 2, readings: 576, late: 0, alerts: 1 },
      ...{ coverage: 0.5, min: -21.503, avg: -18.24, max: -15, largestGapMs: 3_600_000 },
    };
    const day = { day: "2026-01-30", series: 1, readings: 123_456, late: 12, alerts: 1, coverage: 0.5 };
    const mail = renderSummaryMail(
      {
        ...{ zone: "Europe/Oslo", isWhole: true, readings: 576, late: 0, alerts: 1, coverage: 0.5, series: 1 },
        days: [day, { ...day, day: "2026-01-31" }],
        worst: [sensor],
        reconciliation: { series: [], left: 0, unjudged: 0 },
        damaged: 0,
      },
      { gatewayName: "cold-chain", externalUrl: "https://gateway-with-a-long-name.cold-store-in-bergen.example.org:8443/highwater" },
    );
    const context = await shared.browser.newContext({ viewport: { width: 390, height: 800 } });
    shared.open.push(context);
    const page = await context.newPage();
    await page.setContent(mail?.html ?? "");
    expect(await overflow(page)).toBe(0);
    expect(await page.getByRole("table").count()).toBe(2);
  });

  test("a gateway that is gone is said, and one that is back is heard", async () => {
    const served = await start();
    const { page } = await show(served);
    await served.close();
    await page.getByText("The gateway is not heard").waitFor();
    const again = await start(30, served.port);
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
    expect(await page.getByText("The gateway is not heard").count()).toBe(0);
    again.gateway.beat({ series: 0, value: 55 });
    await poll(() => tileOf(page, "freezer-1", "temperature").locator(".value").innerText()).toBe("55 °C");
  });

  test("the filter finds by text and by label; a thousand sensors are drawn some at a time", async () => {
    const served = await start(1000);
    const { page } = await show(served);
    await page.getByRole("heading", { name: "Sensors 1,000" }).waitFor();
    expect(await page.locator(".tile").count()).toBe(48);
    // Only what is seen is asked for and drawn.
    await page.locator(".tile .line").first().waitFor({ state: "attached" });
    expect(await page.locator(".tile .line").count()).toBeLessThan(48);
    await page.mouse.wheel(0, 20_000);
    await page.locator(".tile").last().locator(".line").waitFor({ state: "attached" });
    await page.getByRole("button", { name: /^Show 48 of 952 more/ }).click();
    await poll(() => page.locator(".tile").count()).toBe(96);
    const filter = page.getByRole("searchbox");
    await filter.fill("device=freezer-12 metric=temp*");
    await poll(() => page.locator(".tile .name").allInnerTexts()).toEqual(["freezer-12"]);
    await filter.fill("nothing-like-it");
    await page.getByText("No sensor is like that.").waitFor();
  });

  test("a notification's link shows its alert, also one that has ended; a link to none says so", async () => {
    const served = await start();
    trouble(served.gateway);
    const { page } = await show(served);
    await page.goto(`${served.url}/#/alerts/a4`);
    const asked = page.getByRole("region", { name: "One alert in full" });
    await asked.getByText(/^resolved \d+ s ago, after 15 min/).waitFor();
    await asked.getByText(/resolved at −18 kW: no longer above −15, clears below −17/).waitFor();
    // One that still fires is shown once, not twice.
    await page.goto(`${served.url}/#/alerts/a1`);
    await asked.getByText(/firing for 4 min/).waitFor();
    expect(await page.locator(".alert", { hasText: "freezer-too-warm" }).count()).toBe(1);
    await page.goto(`${served.url}/#/alerts/gone%2F..`);
    await asked.getByText("There is no such alert").waitFor();
    await asked.getByRole("link", { name: "Close it" }).click();
    await asked.waitFor({ state: "detached" });
  });

  test("a runbook in words is told as words", async () => {
    const served = await start();
    served.gateway.fire({ ...alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: Date.now() }), annotations: { runbook: "Close the door." } });
    const { page } = await show(served);
    await page.getByText("What to do: Close the door.").waitFor();
  });

  test("the keyboard opens a history", async () => {
    const served = await start();
    trouble(served.gateway);
    const { page } = await show(served);
    await page.locator(".alert").first().waitFor();
    await page.getByText("avg of 60 readings in 10 min above 7.1").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("To the alerts");
    for (let presses = 0; presses < 20 && (await page.evaluate("document.activeElement.textContent")) !== "History"; presses += 1)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.getAttribute('aria-expanded')")).toBe("true");
    await page.getByText("firing: 3 attempts failed (503 Service Unavailable)").waitFor();
    await page.getByRole("heading", { name: "Why" }).waitFor();
  });

  test("the theme is kept", async () => {
    const { page } = await show(await start());
    const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    const light = await ground();
    await page.getByRole("button", { name: "Theme: Auto. Switch to Light" }).click();
    await page.getByRole("button", { name: "Theme: Light. Switch to Dark" }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole("button", { name: "Theme: Dark. Switch to Auto" }).waitFor();
    expect(await ground()).toBe(dark);
  });

  test("labels and templates are text, whatever they hold", async () => {
    const served = await start();
    const evil = '<img src=x onerror="document.title=1">';
    const labels = { device: evil, metric: "{{7*7}}", site: "javascript:alert(1)" };
    const annotations = { summary: `{{device}} {% include "x" %}`, runbook: "javascript:document.title=2" };
    served.gateway.fire({ ...alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: Date.now() }), rule: evil, labels, annotations });
    const { page, complaints } = await show(served);
    const alert = page.locator(".alert");
    await alert.waitFor();
    expect(await alert.getByRole("heading").innerText()).toBe(evil);
    // Only the page's own, to a silence with these labels.
    expect(await alert.locator('a:not([href^="#/silences?device="])').count()).toBe(0);
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
    test.each(["calm", "in trouble"])("axe finds nothing when %s", async (state) => {
      const served = await start();
      if (state === "in trouble") trouble(served.gateway);
      const { page } = await show(served, { theme });
      if (state === "in trouble") {
        await page.getByRole("button", { name: "History" }).first().click();
        await page.getByText("Told to").waitFor();
      }
      expect(await violations(page)).toEqual([]);
    });

    test("it fits a phone, and axe finds nothing there", async () => {
      const served = await start();
      const long = "a-very-long-name-without-any-place-to-break-it-as-some-gateways-make-them-0x00158d0001a2b3c4";
      trouble(served.gateway);
      served.gateway.fire({
        ...alertOn(served.gateway.series[6] as never, { id: "a9", firedAt: Date.now(), rule: long, value: -1234567.89, unit: "µmol/m²/s" }),
        labels: { device: long, metric: "temperature", site: long },
      });
      const { page, complaints } = await show(served, { width: 390, height: 844, theme });
      await page.getByText(long).first().waitFor();
      expect(await overflow(page)).toBe(0);
      await page.getByText("1 topic matches no source").click();
      expect(await overflow(page)).toBe(0);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });

  test("when the gateway is gone axe finds nothing, in either theme", async () => {
    for (const theme of ["light", "dark"] as const) {
      const served = await start();
      const { page } = await show(served, { theme });
      await served.close();
      await page.getByText("The gateway is not heard").waitFor();
      expect(await violations(page)).toEqual([]);
    }
  });
});
