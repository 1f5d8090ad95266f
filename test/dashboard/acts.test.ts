// What people do on the page, in a real browser: acts on a card, silences with a preview, what the gateway refuses, and that whoever
// may only read is offered nothing. Everybody can read it, and it fits a phone.

import type { Locator, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { refusals } from "../../src/engine/dispatch/life.ts";
import { createAccounts } from "../../src/http/accounts/accounts.ts";
import type { Caller } from "../../src/http/accounts/rights.ts";
import { createMetrics } from "../../src/metrics.ts";
import { alertOn, createFakeGateway } from "../http/fake-gateway.ts";
import { type Served, serve } from "../http/serve.ts";
import { type Look, noBrowser, openPage, useBrowser } from "./browser.ts";

if (noBrowser !== undefined) console.warn(`The tests of acts on the page are skipped: ${noBrowser}`);

describe.skipIf(noBrowser !== undefined)("acts on the page", () => {
  const shared = useBrowser();
  const viewer: Caller = { kind: "account", name: "vera", role: "viewer", rights: ["metrics", "read"], origin: "127.0.0.1" };

  const start = async (caller?: Caller): Promise<Served> => {
    const gateway = createFakeGateway({ series: 30, now: Date.now });
    // Whoever comes is this one; how one logs in is tried in login.test.ts.
    const clock = { now: Date.now, monotonic: () => performance.now() };
    const none = createAccounts({ write: async () => undefined, clock, metrics: createMetrics() });
    const accounts = caller === undefined ? none : { ...none, count: () => 1, bySession: () => ({ caller, session: "s" }) };
    const served = await serve({ dashboardDir: shared.dir, limits: { readingsEveryMs: 50, statusEveryMs: 200 } }, { ...gateway, accounts });
    shared.open.push(served);
    const now = Date.now();
    served.gateway.fire(alertOn(gateway.series[0] as never, { id: "a1", firedAt: now - 252_000 }));
    served.gateway.fire(alertOn(gateway.series[2] as never, { id: "a2", firedAt: now - 500_000, rule: "vibration-high", severity: "warning", limit: 7.1 }));
    const latched = { rule: "door-open", severity: "info", limit: 0.5, value: 1, peak: 1, state: "recovering", latchedAt: now - 60_000 } as const;
    served.gateway.fire(alertOn(gateway.series[3] as never, { id: "a3", firedAt: now - 900_000, ...latched }));
    return served;
  };
  const show = async (served: Served, look: Look = {}, address = ""): Promise<{ page: Page; complaints: string[] }> => {
    const shown = await openPage(shared.browser, `${served.url}/${address}`, look);
    shared.open.push({ close: () => shown.page.context().close() });
    await shown.page.getByText("Live", { exact: true }).waitFor();
    await shown.page.locator(".alert").nth(2).waitFor();
    return shown;
  };
  const cardOf = (page: Page, rule: string) => page.locator(".alert", { has: page.getByRole("heading", { name: rule }) });
  const focused = (card: Locator): Promise<void> => card.locator("form input:focus").waitFor();
  const overflow = (page: Page): Promise<number> => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(shared.axe);
    return await page.evaluate(
      "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))",
    );
  };

  test("acknowledge with a note, comment, unacknowledge: by keyboard, and in the history", async () => {
    const served = await start();
    const { page, complaints } = await show(served);
    const card = cardOf(page, "freezer-too-warm");
    await card.getByRole("button", { name: "Acknowledge", exact: true }).click();
    // The field has the focus: write, and Enter does it.
    await focused(card);
    await page.keyboard.type("on my way");
    await page.keyboard.press("Enter");
    await card.getByText(/Acknowledged by anonymous at .*: on my way/).waitFor();
    expect(await card.getByRole("button", { name: "Acknowledge", exact: true }).count()).toBe(0);
    await card.getByRole("button", { name: "History" }).click();
    await card.getByRole("button", { name: "Comment" }).click();
    await card.getByLabel("Comment").fill("the door was open");
    await card.locator("form").getByRole("button", { name: "Comment" }).click();
    await card.getByText(/comment by anonymous: the door was open/).waitFor();
    await card.getByText(/acknowledged by anonymous: on my way/).waitFor();
    await card.getByRole("button", { name: "Unacknowledge" }).click();
    await focused(card);
    await page.keyboard.press("Escape");
    await card.locator("form").waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Unacknowledge" }).click();
    await focused(card);
    await page.keyboard.press("Enter");
    await card.getByRole("button", { name: "Acknowledge", exact: true }).waitFor();
    expect(served.gateway.commands.map(({ command }) => command)).toEqual([
      { kind: "acknowledge", alert: "a1", note: "on my way" },
      { kind: "comment", alert: "a1", text: "the door was open" },
      { kind: "unacknowledge", alert: "a1", note: "" },
    ]);
    expect(complaints).toEqual([]);
  });

  test("shelve for a while or until it clears, with a reason; unshelve; out of service and back", async () => {
    const served = await start();
    const { page } = await show(served);
    const card = cardOf(page, "vibration-high");
    await card.getByRole("button", { name: "Shelve" }).click();
    await card.getByRole("button", { name: "2 hours" }).click();
    // Without a reason the browser asks for it, and nothing is sent.
    expect(served.gateway.commands).toEqual([]);
    await card.getByLabel("Why is it shelved?").fill("the motor is serviced");
    await card.getByRole("button", { name: "2 hours" }).click();
    await card.getByText(/Shelved until .* by anonymous: the motor is serviced/).waitFor();
    await page.getByText("1 alert shelved").waitFor();
    await card.getByRole("button", { name: "Unshelve" }).click();
    await card.locator("form").getByRole("button", { name: "Unshelve" }).click();
    await card.getByRole("button", { name: "Shelve", exact: true }).click();
    await card.getByLabel("Why is it shelved?").fill("again");
    await card.getByRole("button", { name: "until it clears" }).click();
    await card.getByText("Shelved until it clears by anonymous: again").waitFor();
    const [first, , last] = served.gateway.commands.map(({ command }) => command);
    expect([first, last]).toMatchObject([
      { kind: "shelve", until: expect.any(Number), why: "the motor is serviced" },
      { kind: "shelve", until: null },
    ]);
    const door = cardOf(page, "door-open");
    await door.getByRole("button", { name: "Take out of service" }).click();
    await focused(door);
    await page.keyboard.type("sold");
    await page.keyboard.press("Enter");
    await door.getByText("Out of service by anonymous: sold").waitFor();
    await page.getByText("1 alert shelved, 1 out of service").waitFor();
    await page.getByRole("link", { name: "Silences" }).click();
    const section = page.getByRole("region", { name: "Silences" });
    await section.getByRole("button", { name: "Return to service door-open freezer-1" }).click();
    await section.getByRole("button", { name: "Unshelve vibration-high freezer-1" }).click();
    await section.getByRole("heading", { name: "Shelved or out of service" }).waitFor({ state: "detached" });
  });

  test("only what is latched can be reset; what the gateway refuses is said in the form", async () => {
    const served = await start();
    const { page } = await show(served);
    expect(await page.getByRole("button", { name: "Reset" }).count()).toBe(1);
    const card = cardOf(page, "door-open");
    await card.getByText(/Latched: its condition has cleared at/).waitFor();
    await card.getByText(/latched for 15 min/).waitFor();
    await card.getByRole("button", { name: "Reset" }).click();
    await focused(card);
    served.gateway.answerNext({ kind: "refused", code: "still_active", ...refusals.still_active });
    await page.keyboard.press("Enter");
    await card.getByRole("alert").getByText("The condition still holds. A latched alert can be reset once its condition has cleared.").waitFor();
    await page.keyboard.press("Enter");
    await card.waitFor({ state: "detached" });
    await page.getByText("Resolved lately").waitFor();
  });

  test("a silence: filled in from a card, previewed, made, ended", async () => {
    const served = await start();
    const { page, complaints } = await show(served);
    await cardOf(page, "vibration-high").getByRole("link", { name: "Silence" }).click();
    const section = page.getByRole("region", { name: "Silences" });
    const labels = section.getByLabel("Alerts with these labels");
    expect(await labels.inputValue()).toBe("device=freezer-1 metric=vibration_rms alertname=vibration-high");
    expect(await section.getByLabel("For").inputValue()).toBe("2h");
    await labels.fill("device=freezer-1");
    await section.getByRole("button", { name: "What would it hide?" }).click();
    await section.getByText("It hides 3 of the alerts that are active now:").waitFor();
    expect(served.gateway.commands).toEqual([]);
    await labels.fill('device=freezer-1 site="ber*" site=oslo');
    await section.getByLabel("For").selectOption("a day");
    await section.getByLabel("Why", { exact: true }).fill("moving house");
    await section.getByRole("button", { name: "Silence", exact: true }).click();
    await section.getByText("It is in force.").waitFor();
    await section.locator("code", { hasText: "device=freezer-1 site=ber* site=oslo" }).waitFor();
    const made = served.gateway.commands[0]?.command;
    expect(made).toMatchObject({
      kind: "silence",
      matchers: [
        { label: "device", patterns: ["freezer-1"] },
        { label: "site", patterns: ["ber*", "oslo"] },
      ],
      why: "moving house",
    });
    expect(made?.kind === "silence" && made.endsAt - made.startsAt).toBe(86_400_000);
    await section.getByRole("link", { name: "Close them" }).click();
    await page.getByText("1 silence in force").waitFor();
    await page.getByRole("link", { name: "Silences" }).click();
    await section.getByRole("button", { name: /^End device=freezer-1/ }).click();
    await section.getByText("There are no silences.").waitFor();
    expect(complaints).toEqual([]);
  });

  test("one that would hide everything has to be meant; what is no label is said", async () => {
    const served = await start();
    const { page } = await show(served, {}, "#/silences");
    const section = page.getByRole("region", { name: "Silences" });
    await section.getByLabel("Why", { exact: true }).fill("fire drill");
    const labels = section.getByLabel("Alerts with these labels");
    await labels.fill("freezer-1");
    await section.getByRole("button", { name: "Silence", exact: true }).click();
    await section.getByRole("alert").getByText("freezer-1 is no label=pattern").waitFor();
    await labels.fill("device=*");
    await section.getByRole("button", { name: "Silence", exact: true }).click();
    await section.getByText("It would hide every alert, or nearly.").waitFor();
    expect(served.gateway.commands).toEqual([]);
    await section.getByRole("button", { name: "Silence everything" }).click();
    await section.getByText("It is in force.").waitFor();
    expect(served.gateway.commands).toHaveLength(1);
  });

  test("a viewer sees who attends to what, and no buttons", async () => {
    const served = await start(viewer);
    await served.gateway.command("ada", { kind: "acknowledge", alert: "a1", note: "mine" });
    await served.gateway.command("ada", { kind: "silence", matchers: [{ label: "device", patterns: ["x"] }], startsAt: 0, endsAt: 9e12, why: "x" });
    const { page } = await openPage(shared.browser, `${served.url}/login`);
    shared.open.push({ close: () => page.context().close() });
    await page.context().addCookies([{ name: "highwater_session", value: "s", url: served.url }]);
    await page.goto(`${served.url}/#/silences`);
    await page.getByText(/Acknowledged by ada at .*: mine/).waitFor();
    await page.locator("code", { hasText: "device=x" }).waitFor();
    await page.getByText("vera").waitFor();
    expect(await page.locator(".acts").count()).toBe(0);
    expect(await page.getByRole("form", { name: "A new silence" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: /End|Acknowledge|Shelve|Silence/ }).count()).toBe(0);
  });

  test.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("axe finds nothing in the %s theme at %i px, and it fits", async (theme, width) => {
    const served = await start();
    const long = "a-very-long-reason-without-any-place-to-break-it-0x00158d0001a2b3c4-0x00158d0001a2b3c4-0x00158d0001a2b3c4";
    await served.gateway.command("ada", { kind: "acknowledge", alert: "a1", note: long });
    const name = { id: "a2", rule: "vibration-high", subject: "{}", labels: { device: long } };
    await served.gateway.command("ada", { kind: "shelve", alert: name, until: null, why: long });
    await served.gateway.command("ada", { kind: "silence", matchers: [{ label: "device", patterns: [long] }], startsAt: 0, endsAt: 9e12, why: long });
    const { page, complaints } = await show(served, { theme, width, height: 900 }, "#/silences?device=freezer-1");
    await page.getByRole("button", { name: "What would it hide?" }).click();
    await page.getByText("It hides 3 of the alerts").waitFor();
    await cardOf(page, "door-open").getByRole("button", { name: "Shelve" }).click();
    await cardOf(page, "freezer-too-warm").getByRole("button", { name: "History" }).click();
    await page.getByText("What was done").waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
