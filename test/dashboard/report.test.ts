// The report of a device in a real browser, from a real server with its policy: reached from the sensor's tile, readable on a desk, on a phone and on
// paper, by everybody, and without a script.

import { describe, expect, test } from "vitest";
import { renderRoute } from "../../src/http/answer.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { QueryRequest } from "../../src/storage/query.ts";
import { createFakeGateway } from "../http/fake-gateway.ts";
import { type Served, serve } from "../http/serve.ts";
import { devices, FREEZER, oct, oslo, recordOctober } from "../storage/report-store.ts";
import { noBrowser, openPage, useBrowser } from "./browser.ts";

if (noBrowser !== undefined) console.warn(`The report's tests are skipped: ${noBrowser}`);

describe.skipIf(noBrowser !== undefined)("the report of a device", () => {
  const shared = useBrowser();

  const start = async (): Promise<Served> => {
    const store = await recordOctober();
    shared.open.push({ close: async () => store.close() });
    const context = { devices, zone: oslo, clock: { now: () => oct(33), monotonic: () => 0 }, gateway: { name: "cold-chain", version: "1.2.3" } };
    const query = <Request extends QueryRequest>(request: Request) => answerQuery(store.db, request, context);
    const gateway = createFakeGateway({ series: 3, now: Date.now });
    const served = await serve({ dashboardDir: shared.dir }, { ...gateway, render: (path, request) => renderRoute(path, request, query) });
    shared.open.push(served);
    return served;
  };
  const open = async (url: string, width: number) => {
    const shown = await openPage(shared.browser, url, { width });
    shared.open.push({ close: () => shown.page.context().close() });
    return shown;
  };

  test.each([1200, 380])("fits %d pixels, keeps the policy, and axe finds nothing", async (width) => {
    const served = await start();
    const { page, complaints } = await open(`${served.url}/api/v1/reports/${encodeURIComponent(FREEZER)}?month=2026-10&format=html`, width);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe(FREEZER);
    // The style is in force.
    expect(await page.evaluate("getComputedStyle(document.querySelector('.verdict')).borderLeftStyle")).toBe("solid");
    expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
    expect(complaints.filter((each) => !each.includes("favicon"))).toEqual([]);
    const policy = await page.context().newCDPSession(page);
    await policy.send("Page.setBypassCSP", { enabled: true });
    await page.reload();
    await page.evaluate(shared.axe);
    const found = await page.evaluate(
      "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))",
    );
    expect(found).toEqual([]);
  });

  test("prints on A4", async () => {
    const served = await start();
    const { page } = await open(`${served.url}/api/v1/reports/${encodeURIComponent(FREEZER)}?month=2026-10&format=html`, 1200);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    const pages = [...pdf.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, width, height]) => [
      Math.round(Number(width)),
      Math.round(Number(height)),
    ]);
    expect(pages.length).toBeGreaterThan(1);
    for (const size of pages) expect(size).toEqual([595, 842]);
    // Nothing is cut at the right: what is wider than the paper would scroll.
    await page.setViewportSize({ width: 688, height: 1000 });
    await page.emulateMedia({ media: "print" });
    expect(await page.evaluate("Math.max(...[...document.querySelectorAll('table')].map((table) => table.getBoundingClientRect().right))")).toBeLessThanOrEqual(
      688,
    );
  });

  test("is reached from the tile of a sensor", async () => {
    const served = await start();
    const { page } = await open(`${served.url}/`, 1200);
    const device = served.gateway.series[0]?.labels["device"] ?? "";
    const link = page.locator(".tile .name a", { hasText: device }).first();
    await link.waitFor();
    expect(await link.getAttribute("href")).toBe(`/api/v1/reports/${encodeURIComponent(device)}?format=html`);
  });
});
