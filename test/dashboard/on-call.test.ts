// The section that says who is on call: for each schedule who, until when and who is next, what is a gap in the warning colour; not there
// without schedules; it fits a phone, and axe finds nothing, in either theme.

import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { RulePlan } from "../../src/engine/rule.ts";
import { interval, layer, schedule } from "../engine/dispatch/plans.ts";
import { post } from "../http/accounts/door.ts";
import { createFakeGateway } from "../http/fake-gateway.ts";
import { oncallPlan } from "../http/fake-oncall.ts";
import { type Served, serve } from "../http/serve.ts";
import { type Look, noBrowser, openPage, useBrowser } from "./browser.ts";

if (noBrowser !== undefined) console.warn(`The tests of the section on call are skipped: ${noBrowser}`);

const long = "a-schedule-whose-name-is-as-long-as-somebody-wished";

/** Whatever day it is: nobody on the day after tomorrow. */
function planNow(): RulePlan {
  const free = (new Date().getUTCDay() + 2) % 7;
  const most = { ...interval({ weekdays: [0, 1, 2, 3, 4, 5, 6].filter((day) => day !== free) }), name: "most" };
  const ops = schedule([layer(["anna"], 1440, "2026-01-05 09:00", { active: "most" })], { zone: "UTC" });
  const always = schedule([layer(["bo"], 1440, "2026-01-05 09:00")], { name: "always", zone: "UTC" });
  const dispatch = { ...(oncallPlan.dispatch as NonNullable<RulePlan["dispatch"]>), intervals: [most], schedules: [ops, always, schedule([], { name: long })] };
  return { ...oncallPlan, dispatch };
}

// Without a browser there is no page to look at.
describe.skipIf(noBrowser !== undefined)("on call", () => {
  const shared = useBrowser();

  const start = async (plan?: RulePlan): Promise<Served> => {
    const gateway = createFakeGateway({ series: 6, now: Date.now });
    if (plan !== undefined) gateway.setPlan(plan);
    const served = await serve({ dashboardDir: shared.dir, limits: { readingsEveryMs: 50, statusEveryMs: 200 } }, gateway);
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
  const section = (page: Page) => page.getByRole("region", { name: "On call" });
  const colourOf = (page: Page, selector: string): Promise<string> => page.evaluate(`getComputedStyle(document.querySelector(".on-call ${selector}")).color`);

  test("says who, until when, who is next, and where the gaps are", async () => {
    const served = await start(planNow());
    const made = await post(served, "/api/v1/overrides", { schedule: "always", member: "carla", duration: "2h", why: "bo is ill" });
    expect(made.status).toBe(200);
    const { page, complaints } = await show(served);
    await section(page).waitFor();
    const rows = await section(page).getByRole("listitem").allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, " "))).toEqual([
      expect.stringMatching(/^anna ops ?until \d[^,]*, [\d:]+ ?nobody from \d.* for \d+ h$/),
      expect.stringMatching(/^carla always ?until \d.*, then bo override: bo is ill$/),
      `nobody ${long}`,
    ]);
    const warning = await colourOf(page, ".gap");
    expect(await colourOf(page, "li:last-child b")).toBe(warning);
    expect(await colourOf(page, "li:first-child b")).not.toBe(warning);
    expect(complaints).toEqual([]);
  });

  test("is not there without schedules", async () => {
    const { page } = await show(await start());
    await page.getByRole("complementary", { name: "Gateway" }).waitFor();
    expect(await section(page).count()).toBe(0);
  });

  describe.each(["light", "dark"] as const)("%s", (theme) => {
    test.each([390, 1280])("fits %i px, and axe finds nothing", async (width) => {
      const { page, complaints } = await show(await start(planNow()), { width, height: 900, theme });
      await section(page).waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
      await page.evaluate(shared.axe);
      const violations = await page.evaluate(
        "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))",
      );
      expect([violations, complaints]).toEqual([[], []]);
    });
  });
});
