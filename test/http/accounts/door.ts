// A server with accounts over a real database, for tests: its clock can be set ahead, and what was stored or audited can be read.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { createAccounts } from "../../../src/http/accounts/accounts.ts";
import type { AccountsAnswer, AccountsCommand } from "../../../src/http/accounts/administer.ts";
import type { ServerOptions } from "../../../src/http/server.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { hashPassword } from "../../../src/password.ts";
import { readAccounts, type Scope } from "../../../src/storage/accounts.ts";
import { answerAudit } from "../../../src/storage/audit.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { writeFinished } from "../../../src/storage/finished.ts";
import { createFakeGateway } from "../fake-gateway.ts";
import { type Served, serve } from "../serve.ts";

export const PASSWORD = "correct horse";
export const scrypt = await hashPassword(PASSWORD);
const cleanUp: (() => unknown)[] = [];
let open: Database | undefined;
/** Of the test that runs. */
export const db = (): Database => open as Database;
/** Added to the wall clock and to the one that never steps. */
let ahead = 0;
export const setAhead = (ms: number): void => {
  ahead = ms;
};

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), "highwater-accounts-"));
  open = openDatabase(dir, { readonly: false });
  ahead = 0;
  cleanUp.push(() => {
    open?.close();
    rmSync(dir, { recursive: true });
  });
});
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const clock = { now: () => systemClock.now() + ahead, monotonic: () => systemClock.monotonic() + ahead };

/** As the service does it; made anew, what is stored is what there is. */
export function openAccounts() {
  const accounts = createAccounts({ write: async (rows) => writeFinished(db(), rows), clock, metrics: createMetrics() });
  accounts.load(readAccounts(db()));
  return accounts;
}
type Command = AccountsCommand extends infer C ? (C extends AccountsCommand ? Omit<C, "why"> : never) : never;
type Opened = Served & { accounts: ReturnType<typeof openAccounts>; administer(command: Command): Promise<AccountsAnswer> };

export async function start(options: Partial<ServerOptions> = {}): Promise<Opened> {
  const accounts = openAccounts();
  const served = await serve(
    { limits: { accessEveryMs: 20, readingsEveryMs: 20 }, ...options },
    { ...createFakeGateway({ series: 3, now: Date.now }), accounts },
  );
  cleanUp.push(served.close);
  return { ...served, accounts, administer: (command) => accounts.administer({ ...command, why: "" } as AccountsCommand) };
}
export async function startWith(...roles: ("viewer" | "operator" | "admin")[]): Promise<Opened> {
  const opened = await start();
  for (const role of roles) await opened.administer({ kind: "user add", name: role, role, scrypt });
  return opened;
}
export const post = (served: Served, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  served.get(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
export const login = (served: Served, name: string, password = PASSWORD): Promise<Response> => post(served, "/api/v1/login", { name, password });
export const cookieFrom = (response: Response): string => (response.headers.get("set-cookie") ?? "").split(";", 1)[0] as string;
export async function loggedIn(served: Served, name: string): Promise<{ cookie: string }> {
  const response = await login(served, name);
  expect(response.status).toBe(200);
  return { cookie: cookieFrom(response) };
}
export async function tokenFor(served: Opened, name: string, scopes: Scope[], expiresInMs: number | null = null): Promise<{ authorization: string }> {
  const made = await served.administer({ kind: "token create", name, scopes, expiresInMs });
  return { authorization: `Bearer ${made.kind === "tokens" ? made.secret : ""}` };
}
export const statusOf = async (served: Served, path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await served.get(path, { headers, redirect: "manual" });
  await response.body?.cancel();
  return response.status;
};
/** Resolves when a stream has ended, in order or not. */
export const endOf = (stream: Response): Promise<string> =>
  stream.text().then(
    () => "ended",
    () => "ended",
  );
export const codeOf = async (response: Response): Promise<string> => ((await response.json()) as { error: { code: string } }).error.code;
export const audited = (): string[] =>
  answerAudit(db(), {})
    .audit.map(({ who, action, target, outcome, count }) => [who, action, target, outcome, count].join(" | "))
    .reverse();
