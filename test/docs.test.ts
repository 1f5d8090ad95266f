// What the docs show is true: each YAML block of the reference with rules is a rules file or a file of tests that pass, the README's config is a config.

import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { limitsSchema } from "../src/broker/limits.ts";
import { handshakeReasons } from "../src/broker/tls-listener.ts";
import { loadConfig, loadRules, loadRuleTests } from "../src/config.ts";
import { runRuleTests } from "../src/rule-test.ts";
import { createAuthority, KEY } from "./broker/certificates.ts";

const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "highwater-docs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const blocks = (page: string): string[] => [...readFileSync(join(root, page), "utf8").matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text as string);

function written(text: string, name: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function expectToPass(file: string): void {
  const loaded = loadRuleTests(file);
  if (loaded.kind === "invalid") return expect(loaded.problems).toEqual([]);
  const checks = runRuleTests(loaded.tests).flatMap((test) => test.checks);
  expect(checks).not.toEqual([]);
  expect(checks.flatMap(({ differences }) => differences)).toEqual([]);
}

/** Pages with rules, each with its YAML blocks that hold some. */
const pages = globSync("docs/reference/*.md", { cwd: root })
  .sort()
  .map((page) => [page, blocks(page).filter((text) => /^(rules|tests):/m.test(text))] as const)
  .filter(([, found]) => found.length > 0);

describe.each(pages)("%s", (page, found) => {
  it.each(found.map((text, index) => [index + 1, text] as const))("block %i is a rules file, and its tests pass", (index, text) => {
    const file = written(text, `${basename(page)}-${index}.yaml`);
    if (/^tests:$/m.test(text)) return expectToPass(file);
    const loaded = loadRules(file);
    expect(loaded.kind === "invalid" ? loaded.problems : []).toEqual([]);
  });
});

describe("docs/reference/rules.md", () => {
  it("shows every condition there is", async () => {
    const { conditions } = await import("../src/engine/conditions/index.ts");
    const page = readFileSync(join(root, "docs/reference/rules.md"), "utf8");
    for (const { type } of conditions) expect(page).toContain(`## \`${type}\``);
  });
});

describe("docs/reference/listeners.md", () => {
  const page = readFileSync(join(root, "docs/reference/listeners.md"), "utf8");

  it("shows a config that is one, with certificates that are named as its commands name them", () => {
    const [text = ""] = blocks("docs/reference/listeners.md");
    const authority = createAuthority("CA");
    mkdirSync(join(folder, "tls"), { recursive: true });
    for (const [name, pem] of Object.entries({ "server.pem": authority.server(), "server.key": KEY, "ca.pem": authority.cert })) {
      expect(page).toMatch(new RegExp(`out ${name}`));
      written(pem, `tls/${name}`);
    }
    const loaded = loadConfig(written(text, "listeners.yaml"), {});
    expect(loaded.kind === "invalid" ? loaded.problems : loaded.notes).toEqual([]);
  });

  it("names every limit of the broker, and every reason of a handshake", () => {
    const sessions = ["sessions", "retained", "retained_bytes", "queued", "queued_bytes", "queued_bytes_all"];
    const mqttPage = readFileSync(join(root, "docs/reference/mqtt.md"), "utf8");
    for (const name of sessions) expect(mqttPage).toContain(`\`${name}\``);
    const elsewhere = ["payload_bytes", "values_per_message", "depth", "topics", ...sessions];
    for (const name of Object.keys(limitsSchema.parse({})).filter((limit) => !elsewhere.includes(limit))) expect(page).toContain(`\`${name}\``);
    for (const reason of handshakeReasons) expect(page).toContain(`\`${reason}\``);
  });
});

describe("docs/guides/connect-your-devices.md", () => {
  const authority = createAuthority("home");
  mkdirSync(join(folder, "tls"), { recursive: true });
  for (const [name, text] of Object.entries({ "mqtt-users": "", "tls/server.pem": authority.server(), "tls/server.key": KEY })) written(text, name);
  const configs = blocks("docs/guides/connect-your-devices.md").map((text, index) => [index + 1, text] as const);

  it.each(configs)("config %i is one", (index, text) => {
    const loaded = loadConfig(written(text, `guide-${index}.yaml`), { MOSQUITTO_PASSWORD: "secret" });
    expect(loaded.kind === "invalid" ? loaded.problems : []).toEqual([]);
  });

  it("has one for each step", () => {
    expect(configs).toHaveLength(5);
  });
});

describe("docs/reference/bridges.md", () => {
  it("shows a config that is one", () => {
    const [text = ""] = blocks("docs/reference/bridges.md");
    mkdirSync(join(folder, "secrets"));
    for (const name of ["broker-password", "ca.pem"]) written("open sesame\n", `secrets/${name}`);
    const loaded = loadConfig(written(text, "bridges.yaml"), {});
    expect(loaded).toMatchObject({ kind: "ok", notes: [], config: { mqtt: { bridges: [{ username: "highwater", password: "open sesame" }] } } });
  });
});

describe("README.md", () => {
  it("shows a config that is one", () => {
    const [text = ""] = blocks("README.md");
    const loaded = loadConfig(written(text, "highwater.yaml"), {});
    expect(loaded.kind === "invalid" ? loaded.problems : []).toEqual([]);
  });

  it("is short enough to be read", () => {
    expect(readFileSync(join(root, "README.md"), "utf8").split("\n").length).toBeLessThan(200);
  });
});
