// Accounts on a real server and a real database: who comes in by which way, what each may do, and what ends it at once.

import { describe, expect, test } from "vitest";
import { needsLogin } from "../../../src/http/access.ts";
import { createServer } from "../../../src/http/server.ts";
import { createLog } from "../../../src/log.ts";
import { hashPassword } from "../../../src/password.ts";
import { readAccounts } from "../../../src/storage/accounts.ts";
import { answerAudit } from "../../../src/storage/audit.ts";
import { createFakeGateway } from "../fake-gateway.ts";
import {
  audited,
  codeOf,
  cookieFrom,
  db,
  endOf,
  loggedIn,
  login,
  openAccounts,
  PASSWORD,
  post,
  scrypt,
  setAhead,
  start,
  startWith,
  statusOf,
  tokenFor,
} from "./door.ts";

describe("who comes in", () => {
  test("without an account this machine may do everything; with one nobody may without a login", async () => {
    const served = await start();
    expect(await statusOf(served, "/api/v1/status")).toBe(200);
    expect((await post(served, "/api/v1/rules/reload", {})).status).toBe(200);
    await served.administer({ kind: "user add", name: "ada", role: "admin", scrypt });
    for (const path of ["/api/v1/status", "/metrics", "/openapi.json", "/api/v1/audit", "/api/v1/events", "/nothing/there", "/api/v1/alerts/a1"])
      expect([path, await statusOf(served, path)]).toEqual([path, 401]);
    expect((await served.get("/api/v1/status")).headers.get("www-authenticate")).toBe("Bearer");
    expect((await post(served, "/api/v1/rules/reload", {})).status).toBe(401);
    for (const path of ["/healthz", "/readyz"]) expect([path, await statusOf(served, path)]).toEqual([path, 200]);
    const page = await served.get("/", { redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([302, "/login"]);
    expect(await (await served.get("/api/v1/me")).json()).toEqual({ kind: "stranger", name: "", role: null, rights: [] });
  });

  test.each([
    ["viewer", { "/api/v1/series": 200, "/metrics": 200, "/api/v1/audit": 403 }, 403],
    ["operator", { "/api/v1/series": 200, "/metrics": 200, "/api/v1/audit": 403 }, 403],
    ["admin", { "/api/v1/series": 200, "/metrics": 200, "/api/v1/audit": 200 }, 200],
  ] as const)("a session of a %s", async (role, paths, reload) => {
    const served = await startWith("admin", ...(role === "admin" ? [] : [role]));
    const session = await loggedIn(served, role);
    for (const [path, status] of Object.entries(paths)) expect([path, await statusOf(served, path, session)]).toEqual([path, status]);
    expect((await post(served, "/api/v1/rules/reload", { why: "a test" }, session)).status).toBe(reload);
    expect(await (await served.get("/api/v1/me", { headers: session })).json()).toMatchObject({ kind: "account", name: role, role });
  });

  test.each([
    ["metrics", { "/metrics": 200, "/api/v1/series": 403, "/api/v1/audit": 403 }, 403],
    ["read", { "/metrics": 200, "/api/v1/series": 200, "/api/v1/audit": 403 }, 403],
    ["operate", { "/metrics": 200, "/api/v1/series": 200, "/api/v1/audit": 403 }, 403],
    ["admin", { "/metrics": 200, "/api/v1/series": 200, "/api/v1/audit": 200 }, 200],
  ] as const)("a token with the scope %s", async (scope, paths, reload) => {
    const served = await startWith("admin");
    const token = await tokenFor(served, "prometheus", [scope]);
    for (const [path, status] of Object.entries(paths)) expect([path, await statusOf(served, path, token)]).toEqual([path, status]);
    expect((await post(served, "/api/v1/rules/reload", {}, token)).status).toBe(reload);
  });

  test("a token ends when it is revoked or its time is over, and nothing that looks like one is taken", async () => {
    const served = await startWith("admin");
    const [short, long] = [await tokenFor(served, "short", ["read"], 60_000), await tokenFor(served, "long", ["read"])];
    expect([await statusOf(served, "/api/v1/series", short), await statusOf(served, "/api/v1/series", long)]).toEqual([200, 200]);
    setAhead(60_000);
    expect([await statusOf(served, "/api/v1/series", short), await statusOf(served, "/api/v1/series", long)]).toEqual([401, 200]);
    await served.administer({ kind: "token revoke", id: "long" });
    expect(await statusOf(served, "/api/v1/series", long)).toBe(401);
    for (const authorization of ["Bearer hw_", "Bearer hw_x", `Basic ${btoa(`admin:${PASSWORD}`)}`, long.authorization.replace("hw_", "")])
      expect(await statusOf(served, "/api/v1/series", { authorization })).toBe(401);
    // A token that does not hold is not replaced by the cookie beside it.
    const session = await loggedIn(served, "admin");
    expect(await statusOf(served, "/api/v1/series", { ...session, ...long })).toBe(401);
  });

  test("only hashes of passwords, tokens and sessions are stored", async () => {
    const served = await startWith("admin");
    const token = (await tokenFor(served, "prometheus", ["read"])).authorization.slice("Bearer ".length);
    const { cookie } = await loggedIn(served, "admin");
    const stored = JSON.stringify(["account", "api_token", "session", "audit"].map((table) => db().prepare(`SELECT * FROM ${table}`).all()));
    for (const secret of [PASSWORD, token, token.slice(3), cookie.split("=")[1] as string]) expect(stored).not.toContain(secret);
    expect(readAccounts(db())).toMatchObject({ accounts: [{ name: "admin" }], tokens: [{ name: "prometheus" }], sessions: [{ account: "admin" }] });
  });

  test("off loopback it listens once there is an account, and stays shut when the last one goes", async () => {
    const given = { host: "0.0.0.0", port: 0, gatewayName: "x", externalUrl: "", dashboardDir: "/nonexistent" };
    const deps = { ...createFakeGateway({ series: 1, now: Date.now }), log: createLog({ level: "silent", name: "test" }) };
    await expect(createServer({ ...deps, accounts: openAccounts() }, given).start()).rejects.toMatchObject({ code: "http_off_loopback" });
    // Where it would listen is of no matter to who is let in; the test itself stays on loopback.
    const served = await start({ host: "localhost" });
    await served.administer({ kind: "user add", name: "ada", role: "admin", scrypt });
    expect(needsLogin(served.accounts, { host: "0.0.0.0", externalUrl: "" })).toBe(true);
    await served.administer({ kind: "user remove", name: "ada" });
    expect(needsLogin(served.accounts, { host: "0.0.0.0", externalUrl: "" })).toBe(true);
    expect(needsLogin(served.accounts, { host: "0.0.0.0", externalUrl: "", anonymous: "unsafe" })).toBe(false);
    expect(needsLogin(served.accounts, { host: "127.0.0.1", externalUrl: "" })).toBe(false);
  });

  test("a caller behind a proxy on this machine is not on this machine", async () => {
    const served = await start();
    expect(await statusOf(served, "/api/v1/series", { "x-forwarded-for": "203.0.113.5" })).toBe(200);
    const response = await post(served, "/api/v1/rules/reload", {}, { "x-forwarded-for": "127.0.0.1, 203.0.113.5" });
    expect([response.status, await codeOf(response)]).toEqual([403, "not_here"]);
  });
});

describe("sessions", () => {
  test("the cookie is for this server only, and out of reach of scripts; Secure behind https", async () => {
    const served = await startWith("admin");
    expect((await login(served, "admin")).headers.get("set-cookie")).toMatch(
      /^highwater_session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    const secure = await start({ externalUrl: "https://gateway.example" });
    expect((await login(secure, "ADMIN ")).headers.get("set-cookie")).toMatch(/; SameSite=Strict; Secure$/);
  });

  test("each login has a session of its own, and replaces the one that came along", async () => {
    const served = await startWith("admin");
    const [first, other] = [await loggedIn(served, "admin"), await loggedIn(served, "admin")];
    expect(first.cookie).not.toBe(other.cookie);
    const again = cookieFrom(await post(served, "/api/v1/login", { name: "admin", password: PASSWORD }, first));
    expect(await statusOf(served, "/api/v1/series", first)).toBe(401);
    for (const cookie of [other.cookie, again]) expect(await statusOf(served, "/api/v1/series", { cookie })).toBe(200);
    const made = { cookie: "highwater_session=chosen-by-somebody-else" };
    expect(cookieFrom(await post(served, "/api/v1/login", { name: "admin", password: PASSWORD }, made))).not.toBe(made.cookie);
    expect(await statusOf(served, "/api/v1/series", made)).toBe(401);
  });

  test("log out ends it, and takes the cookie away", async () => {
    const served = await startWith("admin");
    const session = await loggedIn(served, "admin");
    const out = await post(served, "/api/v1/logout", {}, session);
    expect([out.status, out.headers.get("set-cookie")]).toEqual([200, "highwater_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"]);
    expect(await statusOf(served, "/api/v1/series", session)).toBe(401);
    expect(readAccounts(db()).sessions).toEqual([]);
  });

  test("twelve hours without use, or seven days, end it", async () => {
    const served = await startWith("admin");
    const [idle, busy] = [await loggedIn(served, "admin"), await loggedIn(served, "admin")];
    for (let hours = 11; hours < 168; hours += 11) {
      setAhead(hours * 3_600_000);
      expect(await statusOf(served, "/api/v1/series", busy)).toBe(200);
    }
    expect(await statusOf(served, "/api/v1/series", idle)).toBe(401);
    setAhead(168 * 3_600_000);
    expect(await statusOf(served, "/api/v1/series", busy)).toBe(401);
  });

  test("it outlives a restart, and of many only the newest twenty stay", async () => {
    const served = await startWith("admin");
    const sessions = [];
    for (let count = 0; count < 22; count += 1) sessions.push(await loggedIn(served, "admin"));
    const again = await start();
    const alive = await Promise.all(sessions.map((session) => statusOf(again, "/api/v1/series", session)));
    expect(alive.map((status) => status === 200)).toEqual(sessions.map((_, index) => index >= 2));
  });

  test.each(["user passwd", "user remove"] as const)("%s ends sessions and their streams at once; others stay", async (kind) => {
    const served = await startWith("admin", "viewer");
    const [session, other] = [await loggedIn(served, "viewer"), await loggedIn(served, "admin")];
    const stream = await served.get("/api/v1/events", { headers: session });
    const kept = await served.get("/api/v1/events", { headers: other });
    const ended = endOf(stream);
    await served.administer(kind === "user remove" ? { kind, name: "viewer" } : { kind, name: "viewer", scrypt: await hashPassword("another horse") });
    expect(await statusOf(served, "/api/v1/series", session)).toBe(401);
    expect(await ended).toBe("ended");
    expect(await statusOf(served, "/api/v1/series", other)).toBe(200);
    const reader = (kept.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.cancel();
    expect((await login(served, "viewer")).status).toBe(401);
  });

  test("the first account ends streams that were open to all on this machine; another role holds at once", async () => {
    const served = await start();
    const ended = endOf(await served.get("/api/v1/events"));
    await served.administer({ kind: "user add", name: "admin", role: "admin", scrypt });
    expect(await ended).toBe("ended");
    await served.administer({ kind: "user add", name: "bob", role: "admin", scrypt });
    const session = await loggedIn(served, "bob");
    expect(await statusOf(served, "/api/v1/audit", session)).toBe(200);
    await served.administer({ kind: "user role", name: "bob", role: "viewer" });
    expect(await statusOf(served, "/api/v1/audit", session)).toBe(403);
  });
});

describe("pages of other sites", () => {
  test.each([
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "http://127.0.0.1:1" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "application/x-www-form-urlencoded" }, 415],
    [{ origin: "http://gateway.example:8080", "sec-fetch-site": "same-origin" }, 200],
  ])("with the cookie of an administrator %j is answered %i", async (headers, status) => {
    const served = await startWith("admin");
    const session = await loggedIn(served, "admin");
    expect((await post(served, "/api/v1/rules/reload", {}, { ...session, ...headers })).status).toBe(status);
    const logout = await post(served, "/api/v1/logout", {}, { ...session, ...headers });
    expect(logout.status).toBe(status);
    expect(await statusOf(served, "/api/v1/series", session)).toBe(status === 200 ? 401 : 200);
  });

  test("with a cookie a body of no type is none", async () => {
    const served = await startWith("admin");
    const session = await loggedIn(served, "admin");
    const response = await served.get("/api/v1/rules/reload", { method: "POST", headers: session });
    expect([response.status, await codeOf(response)]).toEqual([415, "not_json"]);
    const token = await tokenFor(served, "ci", ["admin"]);
    expect((await served.get("/api/v1/rules/reload", { method: "POST", headers: token })).status).toBe(200);
  });

  test("nor may they log somebody in", async () => {
    const served = await startWith("admin");
    const response = await post(served, "/api/v1/login", { name: "admin", password: PASSWORD }, { origin: "http://evil.example" });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  });
});

test("what was done stands in the audit log, with the reason, and who did it", async () => {
  const served = await startWith("admin", "viewer");
  const [admin, viewer, token] = [await loggedIn(served, "admin"), await loggedIn(served, "viewer"), await tokenFor(served, "ci", ["admin"])];
  await post(served, "/api/v1/rules/reload", { why: "new freezer" }, admin);
  await post(served, "/api/v1/rules/reload", {}, token);
  await post(served, "/api/v1/rules/reload", {}, viewer);
  served.gateway.setReload({ kind: "invalid", problems: [] });
  await post(served, "/api/v1/rules/reload", {}, admin);
  await post(served, "/api/v1/logout", {}, admin);
  await served.administer({ kind: "user role", name: "admin", role: "viewer" });
  expect(audited()).toEqual([
    "local | user add | admin (admin) | ok | 1",
    "local | user add | viewer (viewer) | ok | 1",
    "admin | login | admin | ok | 1",
    "viewer | login | viewer | ok | 1",
    "local | token create | ci (admin) | ok | 1",
    "admin | reload |  | ok | 1",
    "token:ci | reload |  | ok | 1",
    "viewer | request | /api/v1/rules/reload | refused | 1",
    "admin | reload |  | failed | 1",
    "admin | logout |  | ok | 1",
    "local | user role | admin (viewer) | refused | 1",
  ]);
  expect(answerAudit(db(), { action: "reload" }).audit.at(-1)).toMatchObject({ why: "new freezer", origin: "127.0.0.1" });
});
