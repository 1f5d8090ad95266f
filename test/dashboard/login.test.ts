// Coming in and going out in a real browser against a real server: the one-time link, the login with its complaints, the way back to
// the alert that was asked for, and what a page does whose session is ended elsewhere.

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { type Accounts, createAccounts } from "../../src/http/accounts/accounts.ts";
import { createMetrics } from "../../src/metrics.ts";
import { hashPassword } from "../../src/password.ts";
import { createFakeGateway } from "../http/fake-gateway.ts";
import { serve } from "../http/serve.ts";
import { type Look, noBrowser, openPage, useBrowser } from "./browser.ts";

const PASSWORD = "correct horse";

if (noBrowser !== undefined) console.warn(`The tests of the login are skipped: ${noBrowser}`);

describe.skipIf(noBrowser !== undefined)("the door", () => {
  const shared = useBrowser();

  async function start(): Promise<{ url: string; accounts: Accounts }> {
    const accounts = createAccounts({ write: async () => undefined, clock: systemClock, metrics: createMetrics() });
    const limits = { readingsEveryMs: 50, statusEveryMs: 200, accessEveryMs: 50 };
    const served = await serve({ dashboardDir: shared.dir, limits }, { ...createFakeGateway({ series: 3, now: Date.now }), accounts });
    shared.open.push(served);
    return { url: served.url, accounts };
  }
  async function startWithAda(): Promise<{ url: string; accounts: Accounts }> {
    const started = await start();
    await started.accounts.administer({ kind: "user add", name: "ada", role: "admin", scrypt: await hashPassword(PASSWORD), why: "" });
    return started;
  }
  async function show(url: string, look: Look = {}): Promise<{ page: Page; complaints: string[] }> {
    const shown = await openPage(shared.browser, url, look);
    shared.open.push({ close: () => shown.page.context().close() });
    return shown;
  }
  const fill = async (page: Page, name: string, password: string): Promise<void> => {
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password", { exact: true }).fill(password);
  };

  test("the link makes the administrator, who is in; log out leads to the login", async () => {
    const { url, accounts } = await start();
    const { page, complaints } = await show(`${url}/setup#${accounts.offerSetup()}`, { width: 390, height: 780 });
    await fill(page, "ada", PASSWORD);
    await page.getByRole("button", { name: "Make the administrator" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(page.url()).toBe(`${url}/`);
    expect(await page.locator(".account").textContent()).toContain("ada");
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    // What the page asks in the moment of going out may be refused, and the browser would complain of that.
    expect(complaints).toEqual([]);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.goto(url);
    expect(page.url()).toBe(`${url}/login`);
  });

  test("a wrong password is said, the right one leads to where one wanted to go", async () => {
    const { url } = await startWithAda();
    const { page } = await show(`${url}/#/alerts/a1`);
    expect(page.url()).toBe(`${url}/login#/alerts/a1`);
    await fill(page, "ada", "wrong horse");
    await page.keyboard.press("Enter");
    expect(await page.getByRole("alert").textContent()).toContain("Name or password is wrong.");
    await page.getByRole("button", { name: "Show the password" }).click();
    expect(await page.getByLabel("Password", { exact: true }).getAttribute("type")).toBe("text");
    await fill(page, "Ada", PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(page.url()).toBe(`${url}/#/alerts/a1`);
    // Who is logged in has no business at the door.
    await page.goto(`${url}/login`);
    await page.getByText("Live", { exact: true }).waitFor();
  });

  test("a page whose session is ended elsewhere goes to the login by itself", async () => {
    const { url, accounts } = await startWithAda();
    const { page } = await show(url);
    await fill(page, "ada", PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await accounts.administer({ kind: "user passwd", name: "ada", scrypt: await hashPassword("another horse"), why: "" });
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(page.url()).toBe(`${url}/login`);
  });

  test("without accounts the login leads straight in, nobody is shown, and half a link says what to do", async () => {
    const { url } = await start();
    const { page } = await show(`${url}/login`);
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.locator(".account").count()).toBe(0);
    await page.goto(`${url}/setup`);
    await page.getByRole("heading", { name: "The link is not whole" }).waitFor();
  });

  test.each([
    ["/login", 1280, "light"],
    ["/login", 390, "dark"],
    ["/setup#x", 390, "light"],
    ["/setup#x", 320, "dark"],
  ] as const)("%s fits %i pixels and can be read by all, %s", async (path, width, theme) => {
    const { url } = await startWithAda();
    const { page, complaints } = await show(`${url}${path}`, { width, theme });
    await page.getByLabel("Name").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.evaluate(shared.axe);
    const { violations } = (await page.evaluate("axe.run()")) as { violations: { id: string; nodes: { html: string }[] }[] };
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
