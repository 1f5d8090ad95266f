// Who asks, and whether they may: looked at before anything else of a request is. With accounts, everything but health, the
// pages to log in and their files needs a session or a token. Without any, this machine may do everything and nobody else anything,
// unless reading was opened to all (`http.anonymous: unsafe`).

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Metrics } from "../metrics.ts";
import type { Accounts, Known } from "./accounts/accounts.ts";
import { allRights, type Caller, type Needed, whoIs } from "./accounts/rights.ts";
import { hashOf, TOKEN_PREFIX } from "./accounts/secret.ts";
import { isLoopback } from "./host.ts";
import { Refusal } from "./problem.ts";

export const COOKIE = "highwater_session";

export type AccessOptions = { readonly host: string; readonly externalUrl: string; readonly anonymous?: "unsafe" };
export type Access = {
  readonly caller: Caller;
  /** Hash of the session that came with the request. */
  readonly session?: string;
  /** Whether the same would still be let in; for what lasts longer than an answer. */
  holds(): boolean;
};

declare module "fastify" {
  interface FastifyRequest {
    access: Access;
  }
  interface FastifyContextConfig {
    /** What it takes to be answered here. */
    needs?: Needed;
  }
}

/** Whether somebody has to be known. Off loopback that holds also when the last account is gone. */
export const needsLogin = (accounts: Accounts, { host, anonymous }: AccessOptions): boolean =>
  accounts.count() > 0 || (!isLoopback(host) && anonymous !== "unsafe");

/** Files of the pages to log in; what they show is no secret. */
const publicFile = /^\/(?:login|setup|login\.html|calm\.svg|firing\.svg|assets\/[\w.-]+)$/;

export function guardAccess(app: FastifyInstance, { accounts, metrics }: { accounts: Accounts; metrics: Metrics }, options: AccessOptions): void {
  const refused = metrics.counter("highwater_http_access_refused_total", "Requests of somebody who is not known, or may not", ["reason"]);
  app.decorateRequest("access");
  app.addHook("onRequest", async (request, reply) => {
    const needs = request.routeOptions.config?.needs ?? (publicFile.test(pathOf(request)) ? "public" : "read");
    const isOpen = !needsLogin(accounts, options);
    const known = knownBy(accounts, request);
    const caller = isOpen ? ofThisMachine(request.ip) : (known?.caller ?? strangerAt(request.ip));
    const holds = (): boolean => {
      if (!needsLogin(accounts, options)) return isOpen;
      const now = knownBy(accounts, request, "peek")?.caller;
      return !isOpen && now !== undefined && isAllowed(now, needs);
    };
    request.access = { caller, holds, ...(known?.session === undefined ? {} : { session: known.session }) };
    const isWrite = request.method === "POST" || request.method === "DELETE";
    if (isWrite) refuseForeignPages(request, options);
    if (isAllowed(caller, needs)) return;
    if (isOpen) throw new Refusal(403, "not_here", "only a caller on this machine may do that", "call from the gateway's machine, or make an account");
    if (caller.kind === "stranger") {
      refused.inc({ reason: "unknown" });
      if (isPage(request)) return sendToLogin(reply);
      throw new Refusal(401, "login_required", "this needs a login", "log in at /login, or send `Authorization: Bearer` with an API token");
    }
    refused.inc({ reason: "may_not" });
    if (isWrite) void accounts.audit({ who: whoIs(caller), origin: request.ip, action: "request", target: pathOf(request), why: "", outcome: "refused" });
    throw new Refusal(403, "may_not", `this needs the right to ${needs}`, "ask an administrator for another role, or take a token with that scope");
  });
}

const isAllowed = (caller: Caller, needs: Needed): boolean =>
  needs === "public" || (needs === "any" ? caller.kind !== "stranger" : caller.rights.includes(needs));

const pathOf = ({ url }: FastifyRequest): string => url.split("?", 1)[0] as string;
const isPage = (request: FastifyRequest): boolean => request.method === "GET" && ["/", "/index.html"].includes(pathOf(request));
const sendToLogin = (reply: FastifyReply): FastifyReply => reply.header("cache-control", "no-store").redirect("/login", 302);

const strangerAt = (origin: string): Caller => ({ kind: "stranger", name: "", role: null, rights: [], origin });
const ofThisMachine = (origin: string): Caller =>
  isLoopback(origin)
    ? { kind: "local", name: "", role: null, rights: allRights, origin }
    : { kind: "stranger", name: "", role: null, rights: ["metrics", "read"], origin };

/** By a token where one is given, else by the cookie. */
function knownBy(accounts: Accounts, { headers, ip }: FastifyRequest, peek?: "peek"): Known | undefined {
  const [, token] = /^Bearer +(\S{1,200})$/i.exec(headers.authorization ?? "") ?? [];
  if (token !== undefined) return token.startsWith(TOKEN_PREFIX) ? accounts.byToken(token, ip, peek) : undefined;
  const secret = sessionSecret(headers.cookie);
  return secret === undefined ? undefined : accounts.bySession(hashOf(secret), ip, peek);
}

function sessionSecret(cookies: string | undefined): string | undefined {
  const found = cookies?.split(";").find((cookie) => cookie.trim().startsWith(`${COOKIE}=`));
  return found?.trim().slice(COOKIE.length + 1);
}

/** @param secret undefined takes the cookie away */
export function cookieOf(secret: string | undefined, maxAgeS: number, { externalUrl }: Pick<AccessOptions, "externalUrl">): string {
  const secure = externalUrl.startsWith("https://") ? "; Secure" : "";
  return `${COOKIE}=${secret ?? ""}; Path=/; Max-Age=${secret === undefined ? 0 : maxAgeS}; HttpOnly; SameSite=Strict${secure}`;
}

/** No page of another site that is open in the same browser may change anything; with a cookie, no plain form either (none can send DELETE). */
function refuseForeignPages({ headers, method }: FastifyRequest, { externalUrl }: AccessOptions): void {
  const { origin, "sec-fetch-site": site } = headers;
  const own = URL.canParse(externalUrl) ? new URL(externalUrl).origin : undefined;
  const isOwn = origin === undefined || origin === own || (URL.canParse(origin) && new URL(origin).host === headers.host);
  if (!isOwn || site === "cross-site")
    throw new Refusal(403, "wrong_origin", "a page of another site may not change anything here", "use the gateway's own page, or curl");
  const isJson = /^application\/json\b/i.test(headers["content-type"] ?? "");
  if (method === "POST" && headers.cookie !== undefined && !isJson)
    throw new Refusal(415, "not_json", "with a cookie only JSON is taken", "send `content-type: application/json`");
}
