// The HTTP server: the dashboard's files, the routes of the API and the live stream. Without accounts it listens only to
// this machine unless it is told otherwise. It answers only to its own names (a page elsewhere that points its name at
// 127.0.0.1 is refused). Nothing here asks the database: that happens behind `deps.query`; who may ask is said by access.ts.

import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { type Clock, systemClock } from "../clock.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { type AccessOptions, cookieOf, guardAccess, needsLogin } from "./access.ts";
import { type Accounts, createAccounts } from "./accounts/accounts.ts";
import { answerHere } from "./answer.ts";
import { serveDashboard } from "./dashboard-files.ts";
import { answersTo } from "./host.ts";
import { createLive, type Live, type LiveDeps, type LiveLimits, liveLimits } from "./live.ts";
import { openapiDocument } from "./openapi.ts";
import { parseBody, parseParameters } from "./parameter.ts";
import { problemOf, Refusal, refuse } from "./problem.ts";
import { type AnswerRoute, type GatewayDeps, neededFor, type Route, type RouteDeps, type RouteRequest } from "./route.ts";
import { routes } from "./routes/index.ts";
import type { StatusAnswer } from "./status.ts";
import { rfc3339 } from "./view.ts";

export type ServerDeps = GatewayDeps & {
  readonly onTransition: LiveDeps["onTransition"];
  /** Loaded before the start; without it there are none, and none can be made. */
  readonly accounts?: Accounts;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
};

export type ServerOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly gatewayName: string;
  /** Under which people reach the page; its host is one of the names that the server answers to. */
  readonly externalUrl: string;
  /** Where Vite built the dashboard to. */
  readonly dashboardDir: string;
  /** `unsafe`: while there is no account also listen off loopback, where anyone who reaches the port may read everything. */
  readonly anonymous?: "unsafe";
  readonly limits?: Partial<ServerLimits>;
};

export type ServerLimits = LiveLimits & {
  /** Requests to the API that are being answered at once; more are refused with 503. */
  requestsMax: number;
  /** Requests of one address in a minute. */
  requestsPerMinute: number;
  /** Connections open at once. */
  connectionsMax: number;
  /** Milliseconds that a request may take to arrive. */
  requestTimeoutMs: number;
};

/** Of what is sent, unless its route takes more. */
const BODY_BYTES_MAX = 1024;
/** How often connections that say nothing are looked for. */
const CHECK_MS = 2_000;

export const serverLimits: ServerLimits = { ...liveLimits, requestsMax: 64, requestsPerMinute: 3000, connectionsMax: 512, requestTimeoutMs: 10_000 };

const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

export function createServer(deps: ServerDeps, options: ServerOptions): { start(): Promise<{ host: string; port: number }>; close(): Promise<void> } {
  const limits = { ...serverLimits, ...options.limits };
  const { metrics = createMetrics(), clock = systemClock } = deps;
  const accounts = deps.accounts ?? createAccounts({ write: async () => undefined, clock, metrics });
  // The address of a caller behind a proxy on this machine is what the proxy says.
  const settings = {
    trustProxy: "loopback",
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: limits.requestTimeoutMs,
    http: { headersTimeout: limits.requestTimeoutMs, connectionsCheckingInterval: CHECK_MS },
    forceCloseConnections: "idle",
  } as const;
  const app = fastify({ logger: false, ...settings });
  app.removeContentTypeParser("text/plain");
  app.server.maxConnections = limits.connectionsMax;
  const status = async (): Promise<StatusAnswer> => ({ name: options.gatewayName, time: rfc3339(clock.now()), ...(await deps.status()) });
  const live = createLive({ ...deps, status, metrics, clock }, limits);
  return {
    /** @throws GatewayError `http_off_loopback` when others could reach it, there is no account, and it was not told to allow that */
    async start() {
      refuseOffLoopback(accounts, options);
      await guard(app, deps, options, limits);
      guardAccess(app, { accounts, metrics }, options);
      await serveDashboard(app, options);
      const openapi = JSON.stringify(await openapiDocument(routes));
      const cookie: RouteDeps["cookie"] = (secret, maxAgeS) => cookieOf(secret, maxAgeS, options);
      const routeDeps = { ...deps, gateway: options.gatewayName, status, now: () => clock.now(), openapi: () => openapi, accounts, cookie };
      const gate = { answering: 0, max: limits.requestsMax };
      for (const route of routes) addRoute(app, route, routeDeps, { live, gate });
      countRequests(app, metrics);
      return await listen(app, options);
    },
    async close() {
      live.close();
      const patience = setTimeout(() => app.server.closeAllConnections(), 2000);
      await app.close();
      clearTimeout(patience);
    },
  };
}

function refuseOffLoopback(accounts: Accounts, options: AccessOptions): void {
  if (accounts.count() > 0 || !needsLogin(accounts, options)) return;
  throw new GatewayError("http_off_loopback", `http would listen on ${options.host}, where others can reach it, and there is no account yet`, {
    hint: "make one: `highwater user add NAME --role admin`; or set http.host to 127.0.0.1; or say `http: { anonymous: unsafe }`",
  });
}

/** Security headers, limits, and one shape for everything that goes wrong. */
async function guard(app: FastifyInstance, deps: ServerDeps, options: ServerOptions, limits: ServerLimits): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy,
    hsts: false,
    crossOriginOpenerPolicy: false,
    xFrameOptions: { action: "deny" },
    referrerPolicy: { policy: "no-referrer" },
  });
  await app.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) => new Refusal(429, "too_many_requests", "this address asks too often", `wait ${after}`),
  });
  app.addHook("onRequest", async (request) => {
    if (!answersTo(request.headers.host, options)) {
      throw new Refusal(
        421,
        "wrong_host",
        `this server does not answer to the name ${request.headers.host ?? "(none)"}`,
        "use 127.0.0.1 or the host of gateway.external_url",
      );
    }
  });
  // What says that JSON comes, and brings none, would be refused; DELETE brings nothing.
  app.addHook("onRequest", async ({ method, headers }) => {
    if (method === "DELETE") delete headers["content-type"];
  });
  app.setNotFoundHandler((request, reply) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (!isRead)
      return refuse(reply, new Refusal(405, "method_not_allowed", `${request.method} is not known here`, "which path takes what is listed at /openapi.json"));
    return refuse(reply, new Refusal(404, "not_found", `there is nothing at ${request.url.split("?", 1)[0]}`, "the paths are listed at /openapi.json"));
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = problemOf(error);
    if (refusal.status === 500) deps.log.error({ err: error, path: request.routeOptions.url }, "a request failed");
    return refuse(reply, refusal);
  });
}

/** How many answers are being made; the streams have their own limit. */
type Gate = { answering: number; readonly max: number };
type Surroundings = { readonly live: Live; readonly gate: Gate };

function addRoute(app: FastifyInstance, route: Route, deps: RouteDeps, { live, gate }: Surroundings): void {
  const method = route.method ?? "get";
  const config = { needs: neededFor(route) };
  const bodyLimit = route.bodyBytesMax ?? BODY_BYTES_MAX;
  const settings = method === "get" ? { config, exposeHeadRoute: route.kind === "answer" } : { config, bodyLimit };
  app[method](route.path, settings, async (request, reply) => {
    const parsed = parseParameters<never>(route.query, request.query as Record<string, unknown>, route.takesLabels);
    if (parsed.kind === "invalid") throw new Refusal(400, "bad_parameter", parsed.problem.message, parsed.problem.hint);
    if (route.kind === "stream") {
      if (!live.attach(reply.raw, request.access.holds))
        throw new Refusal(503, "too_many_streams", "too many live streams are open", "close a page that shows this gateway");
      return reply.hijack();
    }
    if (gate.answering >= gate.max) throw new Refusal(503, "busy", "too many requests are being answered", "try again in a second or two");
    gate.answering += 1;
    const asked = { query: parsed.query, labels: parsed.labels, params: request.params as never };
    const answer = await answerOf(route, deps, route.fromStore ? asked : { ...asked, ...broughtBy(route, request) }).finally(() => {
      gate.answering -= 1;
    });
    if (answer.cookie !== undefined) reply.header("set-cookie", answer.cookie);
    return reply
      .code(answer.status ?? 200)
      .header("content-type", route.contentType)
      .header("cache-control", "no-store")
      .headers(route.headers?.(asked) ?? {})
      .send(answer.text);
  });
}

/** What a request brings besides its parameters. */
function broughtBy(route: AnswerRoute, { body: given, access }: FastifyRequest): Pick<RouteRequest<never, never, never>, "body" | "caller" | "session"> {
  const parsed = route.body === undefined ? ({ kind: "ok", body: undefined } as const) : parseBody(route.body, given);
  if (parsed.kind === "invalid") throw new Refusal(400, "bad_body", parsed.problem.message, parsed.problem.hint);
  const { caller, session } = access;
  return { body: parsed.body as never, caller, ...(session === undefined ? {} : { session }) };
}

/** Long answers are made where the store is read, so that this thread only passes them on. */
async function answerOf(
  route: AnswerRoute,
  deps: RouteDeps,
  request: RouteRequest<never, never, never>,
): Promise<{ status?: number; cookie?: string; text: string | Buffer }> {
  if (!route.fromStore || deps.render === undefined) return await answerHere(route, deps, request);
  const bytes = await deps.render(route.path, request);
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function countRequests(app: FastifyInstance, metrics: Metrics): void {
  const answered = metrics.counter("highwater_http_requests_total", "Requests by path and status", ["path", "status"]);
  app.addHook("onResponse", async (request, reply) => {
    answered.inc({ path: request.routeOptions.url ?? "none", status: String(reply.statusCode) });
  });
}

async function listen(app: FastifyInstance, { host, port }: ServerOptions): Promise<{ host: string; port: number }> {
  await app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    throw new GatewayError("http_listen", `http cannot listen on ${host}:${port}: ${error.message}`, {
      hint: error.code === "EADDRINUSE" ? "another program has this port; set http.port" : "look at http.host and http.port",
      cause: error,
    });
  });
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has an address and a port");
  return { host: address.address, port: address.port };
}
