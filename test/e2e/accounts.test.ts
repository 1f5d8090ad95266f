// Accounts on a running gateway: the link of the first start, a login, what a viewer and a token may not, and the command line that
// takes effect at once; all of it still there after a kill.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { createFolder, type RunningGateway, runToEnd, startHighwater, waitFor } from "./gateway-process.ts";

const HIGHWATER = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const PASSWORD = "correct horse";
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const post = (gateway: RunningGateway, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.httpUrl}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
const statusOf = async (gateway: RunningGateway, path: string, headers: Record<string, string>): Promise<number> => {
  const response = await fetch(`${gateway.httpUrl}${path}`, { headers });
  await response.body?.cancel();
  return response.status;
};
const cookieFrom = (response: Response): { cookie: string } => ({ cookie: (response.headers.get("set-cookie") ?? "").split(";", 1)[0] as string });
const setupLink = ({ log }: RunningGateway): string | undefined => log.find(({ setup }) => typeof setup === "string")?.["setup"] as string | undefined;

it("from the first start to a gateway that knows who asks, and again after a kill", async () => {
  const folder = createFolder("accounts");
  cleanUp.push(() => folder.remove());
  const cli = async <Answer>(...args: string[]): Promise<Answer> => {
    const { code, stdout, stderr } = await runToEnd(process.execPath, [HIGHWATER, ...args, "--json", "-c", join(folder.path, "highwater.yaml")]);
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as Answer;
  };
  let gateway = await startHighwater(folder.path, {});
  cleanUp.push(() => gateway.stop());
  expect((await gateway.status()).readings.received).toBe(0);

  const [page, token] = (setupLink(gateway) ?? "").split("#") as [string, string];
  expect(page).toBe(`${gateway.httpUrl}/setup`);
  const made = await post(gateway, "/api/v1/setup", { token, name: "ada", password: PASSWORD });
  expect(made.status).toBe(200);
  const admin = cookieFrom(made);
  expect(await statusOf(gateway, "/api/v1/status", {})).toBe(401);
  expect(await statusOf(gateway, "/healthz", {})).toBe(200);
  expect(await statusOf(gateway, "/api/v1/status", admin)).toBe(200);
  expect((await post(gateway, "/api/v1/rules/reload", { why: "a new freezer" }, admin)).status).toBe(200);
  expect((await post(gateway, "/api/v1/rules/reload", {}, { ...admin, origin: "http://evil.example" })).status).toBe(403);

  const bob = await cli<{ password: string }>("user", "add", "bob", "--generate", "--why", "night shift");
  const prometheus = await cli<{ token: string }>("token", "create", "prometheus", "--scope", "metrics");
  const bearer = { authorization: `Bearer ${prometheus.token}` };
  const viewer = cookieFrom(await post(gateway, "/api/v1/login", { name: "bob", password: bob.password }));
  expect(await statusOf(gateway, "/api/v1/series", viewer)).toBe(200);
  expect((await post(gateway, "/api/v1/rules/reload", {}, viewer)).status).toBe(403);
  expect([await statusOf(gateway, "/metrics", bearer), await statusOf(gateway, "/api/v1/series", bearer)]).toEqual([200, 403]);

  await gateway.kill();
  gateway = await startHighwater(folder.path);
  expect(setupLink(gateway)).toBeUndefined();
  expect([await statusOf(gateway, "/api/v1/status", admin), await statusOf(gateway, "/metrics", bearer)]).toEqual([200, 200]);

  const stream = await fetch(`${gateway.httpUrl}/api/v1/events`, { headers: viewer });
  const ended = stream.text().then(
    () => true,
    () => true,
  );
  await cli("user", "remove", "bob", "--why", "left");
  expect(await statusOf(gateway, "/api/v1/series", viewer)).toBe(401);
  expect(await ended).toBe(true);
  await cli("token", "revoke", "prometheus");
  expect(await statusOf(gateway, "/metrics", bearer)).toBe(401);

  for (let count = 0; count < 5; count += 1) expect((await post(gateway, "/api/v1/login", { name: "ada", password: "wrong horse" })).status).toBe(401);
  const throttled = await post(gateway, "/api/v1/login", { name: "ada", password: PASSWORD });
  expect([throttled.status, Number(throttled.headers.get("retry-after")) > 0]).toEqual([429, true]);
  expect(await (await fetch(`${gateway.httpUrl}/metrics`, { headers: admin })).text()).toContain('highwater_http_logins_total{outcome="throttled"} 1\n');

  type Entry = { who: string; action: string; target: string; why: string; outcome: string; count: number };
  const lines = await waitFor("the last refusal in the audit log", async () => {
    const response = await fetch(`${gateway.httpUrl}/api/v1/audit`, { headers: admin });
    const { audit } = (await response.json()) as { audit: Entry[] };
    const told = audit.map(({ who, action, target, why, outcome, count }) => [who, action, target, why, outcome, count].join("|")).reverse();
    return told.at(-1)?.includes("throttled") === true && told;
  });
  expect(lines).toEqual([
    "ada|setup|ada||ok|1",
    "ada|reload||a new freezer|ok|1",
    "local|user add|bob (viewer)|night shift|ok|1",
    "local|token create|prometheus (metrics)||ok|1",
    "bob|login|bob||ok|1",
    "bob|request|/api/v1/rules/reload||refused|1",
    "local|user remove|bob|left|ok|1",
    "local|token revoke|prometheus||ok|1",
    "|login|ada||failed|5",
    "|login|||throttled|1",
  ]);
});
