// Accounts on a real server and a real database: who comes in by which way, what each may do, and what ends it at once.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { needsLogin } from "../../../src/http/access.ts";
import { createAccounts } from "../../../src/http/accounts/accounts.ts";
import type { AccountsAnswer, AccountsCommand } from "../../../src/http/accounts/administer.ts";
import { createServer, type ServerOptions } from "../../../src/http/server.ts";
import { createLog } from "../../../src/log.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { hashPassword } from "../../../src/password.ts";
import { readAccounts, type Scope } from "../../../src/storage/accounts.ts";
import { answerAudit } from "../../../src/storage/audit.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { writeFinished } from "../../../src/storage/finished.ts";
import { createFakeGateway } from "../fake-gateway.ts";
import { type Served, serve } from "../serve.ts";

const PASSWORD = "correct horse";
const scrypt = await hashPassword(PASSWORD);
const cleanUp: (() => unknown)[] = [];
let db: Database;
/** Added to the wall clock and to the one that never steps. */
let ahead = 0;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), "highwater-accounts-"));
  db = openDatabase(dir, { readonly: false });
  ahead = 0;
  cleanUp.push(() => {
    db.close();
    rmSync(dir, { recursive: true });
  });
});
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead };

/** As the service does it; made anew, what is stored is what there is. */
function openAccounts() {
  const accounts = createAccounts({ write: async (rows) => writeFinished(db, rows), clock, metrics: createMetrics() });
  accounts.load(readAccounts(db));
  return accounts;
}
type Command = AccountsCommand extends infer C ? (C extends AccountsCommand ? Omit<C, "why"> : never) : never;
type Opened = Served & { accounts: ReturnType<typeof openAccounts>; administer(command: Command): Promise<AccountsAnswer> };

async function start(options: Partial<ServerOptions> = {}): Promise<Opened> {
  const accounts = openAccounts();
  const served = await serve(
    { limits: { accessEveryMs: 20, readingsEveryMs: 20 }, ...options },
    { ...createFakeGateway({ series: 3, now: Date.now }), accounts },
  );
  cleanUp.push(served.close);
  return { ...served, accounts, administer: (command) => accounts.administer({ ...command, why: "" } as AccountsCommand) };
}
async function startWith(...roles: ("viewer" | "operator" | "admin")[]): Promise<Opened> {
  const opened = await start();
  for (const role of roles) await opened.administer({ kind: "user add", name: role, role, scrypt });
  return opened;
}
const post = (served: Served, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  served.get(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
const login = (served: Served, name: string, password = PASSWORD): Promise<Response> => post(served, "/api/v1/login", { name, password });
const cookieFrom = (response: Response): string => (response.headers.get("set-cookie") ?? "").split(";", 1)[0] as string;
async function loggedIn(served: Served, name: string): Promise<{ cookie: string }> {
  const response = await login(served, name);
  expect(response.status).toBe(200);
  return { cookie: cookieFrom(response) };
}
async function tokenFor(served: Opened, name: string, scopes: Scope[], expiresInMs: number | null = null): Promise<{ authorization: string }> {
  const made = await served.administer({ kind: "token create", name, scopes, expiresInMs });
  return { authorization: `Bearer ${made.kind === "tokens" ? made.secret : ""}` };
}
const statusOf = async (served: Served, path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await served.get(path, { headers, redirect: "manual" });
  await response.body?.cancel();
  return response.status;
};
/** Resolves when a stream has ended, in order or not. */
const endOf = (stream: Response): Promise<string> =>
  stream.text().then(
    () => "ended",
    () => "ended",
  );
const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error: { code: string } }).error.code;
const audited = (): string[] =>
  answerAudit(db, {})
    .audit.map(({ who, action, target, outcome, count }) => [who, action, target, outcome, count].join(" | "))
    .reverse();

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
    ahead = 60_000;
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
    const stored = JSON.stringify(["account", "api_token", "session", "audit"].map((table) => db.prepare(`SELECT * FROM ${table}`).all()));
    for (const secret of [PASSWORD, token, token.slice(3), cookie.split("=")[1] as string]) expect(stored).not.toContain(secret);
    expect(readAccounts(db)).toMatchObject({ accounts: [{ name: "admin" }], tokens: [{ name: "prometheus" }], sessions: [{ account: "admin" }] });
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
    expect(readAccounts(db).sessions).toEqual([]);
  });

  test("twelve hours without use, or seven days, end it", async () => {
    const served = await startWith("admin");
    const [idle, busy] = [await loggedIn(served, "admin"), await loggedIn(served, "admin")];
    for (let hours = 11; hours < 168; hours += 11) {
      ahead = hours * 3_600_000;
      expect(await statusOf(served, "/api/v1/series", busy)).toBe(200);
    }
    expect(await statusOf(served, "/api/v1/series", idle)).toBe(401);
    ahead = 168 * 3_600_000;
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

  test("nor may they log somebody in", async () => {
    const served = await startWith("admin");
    const response = await post(served, "/api/v1/login", { name: "admin", password: PASSWORD }, { origin: "http://evil.example" });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([403, null]);
  });
});

describe("guessing", () => {
  test("after five failures one has to wait; whoever is logged in is not troubled", async () => {
    const served = await startWith("admin");
    const session = await loggedIn(served, "admin");
    for (let count = 0; count < 5; count += 1) expect((await login(served, count % 2 === 0 ? "admin" : "nobody", "wrong horse")).status).toBe(401);
    const refused = await login(served, "admin");
    expect([refused.status, refused.headers.get("retry-after"), await codeOf(refused)]).toEqual([429, "5", "too_many_failures"]);
    expect(await statusOf(served, "/api/v1/series", session)).toBe(200);
    ahead = 5000;
    expect((await login(served, "admin")).status).toBe(200);
    expect(audited().filter((line) => line.includes("login"))).toEqual([
      "admin | login | admin | ok | 1",
      " | login | admin | failed | 3",
      " | login |  | failed | 2",
      " | login |  | throttled | 1",
      "admin | login | admin | ok | 1",
    ]);
  });

  test("a name that nobody has is not written down: it may be a password", async () => {
    const served = await startWith("admin");
    await login(served, "my-secret-password");
    expect(JSON.stringify(db.prepare("SELECT * FROM audit").all())).not.toContain("my-secret-password");
  });

  test.each([
    [{}, "name: Invalid input"],
    [{ name: "ada" }, "password: Invalid input"],
    [{ name: "ada", password: "x".repeat(201) }, "password: Too big"],
    [{ name: "ada", password: "x", more: 1 }, "the body: Unrecognized key"],
    [[], "the body: Invalid input"],
  ])("%j is no login", async (body, message) => {
    const response = await post(await startWith("admin"), "/api/v1/login", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "bad_body", message: expect.stringContaining(message) } });
  });

  test("more than a kilobyte is not read", async () => {
    const served = await startWith("admin");
    expect((await post(served, "/api/v1/login", { name: "admin", password: "x".repeat(2000) })).status).toBe(413);
  });
});

describe("the one-time link", () => {
  const setup = (served: Served, token: string, name = "ada"): Promise<Response> => post(served, "/api/v1/setup", { token, name, password: PASSWORD });

  test("makes one administrator and logs in, whoever else follows it", async () => {
    const served = await start();
    const token = served.accounts.offerSetup();
    const both = await Promise.all([setup(served, token, "ada"), setup(served, token, "eve")]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    const made = both.find(({ status }) => status === 200) as Response;
    expect(await statusOf(served, "/api/v1/audit", { cookie: cookieFrom(made) })).toBe(200);
    expect(readAccounts(db).accounts).toMatchObject([{ role: "admin" }]);
    expect((await setup(served, token, "eve")).status).toBe(410);
  });

  test("only the newest one, for a day, and guesses are slowed down", async () => {
    const served = await start();
    const [old, token] = [served.accounts.offerSetup(), served.accounts.offerSetup()];
    expect((await setup(served, old)).status).toBe(401);
    ahead = 86_400_000;
    expect((await setup(served, token)).status).toBe(401);
    for (let count = 0; count < 4; count += 1) expect((await setup(served, "guessed")).status).toBe(401);
    expect((await setup(served, served.accounts.offerSetup())).status).toBe(429);
    expect(readAccounts(db).accounts).toEqual([]);
  });

  test("an account from elsewhere makes it void; without an offer there is none", async () => {
    const served = await start();
    expect((await setup(served, "")).status).toBe(400);
    expect((await setup(served, "anything")).status).toBe(410);
    const token = served.accounts.offerSetup();
    await served.administer({ kind: "user add", name: "bob", role: "viewer", scrypt });
    expect((await setup(served, token)).status).toBe(410);
  });

  test.each([
    [{ name: "Ada Lovelace" }, "name: takes 1 to 64"],
    [{ password: "short" }, "password: takes at least 10"],
  ])("%j is refused with what it takes", async (wrong, message) => {
    const served = await start();
    const response = await post(served, "/api/v1/setup", { token: served.accounts.offerSetup(), name: "ada", password: PASSWORD, ...wrong });
    expect(await response.json()).toMatchObject({ error: { code: "bad_body", message: expect.stringContaining(message) } });
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
  expect(answerAudit(db, { action: "reload" }).audit.at(-1)).toMatchObject({ why: "new freezer", origin: "127.0.0.1" });
});
