// Debian's chromium and the dashboard as it is built now, in front of a real server. Where there is no chromium the tests that
// need it skip and say so.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

const executablePath = "/usr/bin/chromium";
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why the page cannot be tried here; undefined: it can. */
export const noBrowser = existsSync(executablePath) ? undefined : "there is no /usr/bin/chromium (Debian: apt-get install chromium)";

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args });

/** Builds the page into a new folder. */
export async function buildDashboard(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "highwater-page-"));
  const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  await promisify(execFile)(process.execPath, [
    at("node_modules/vite/bin/vite.js"),
    "build",
    "--config",
    at("src/dashboard/vite.config.ts"),
    "--outDir",
    dir,
    "--emptyOutDir",
  ]);
  return { dir, remove: () => rm(dir, { recursive: true }) };
}

export type Look = { width?: number; height?: number; theme?: "light" | "dark" };

/** Opens the page; whatever it complains about (a broken policy included) is gathered in `complaints`. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 900, theme = "light" }: Look = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints };
}

/** A browser and the built page for the tests of one block; what they put into `open` is closed after each. */
export function useBrowser() {
  const shared = { open: [] as { close(): Promise<void> }[] } as { open: { close(): Promise<void> }[]; browser: Browser; dir: string; axe: string };
  let built: Awaited<ReturnType<typeof buildDashboard>>;
  beforeAll(async () => {
    [built, shared.browser] = await Promise.all([buildDashboard(), launch()]);
    shared.dir = built.dir;
    shared.axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  });
  afterEach(async () => {
    for (const each of shared.open.splice(0).reverse()) await each.close();
  });
  afterAll(async () => {
    await shared.browser.close();
    await built.remove();
  });
  return shared;
}
