// The server over real sockets: every route answers as its schema says, what is wrong is said in one shape, and a page
// elsewhere cannot read it.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GatewayError } from "../../src/error.ts";
import { renderRoute } from "../../src/http/answer.ts";
import { problemSchema } from "../../src/http/problem.ts";
import type { GatewayDeps, Route } from "../../src/http/route.ts";
import { routes } from "../../src/http/routes/index.ts";
import { createServer } from "../../src/http/server.ts";
import { createLog } from "../../src/log.ts";
import { alertOn, createFakeGateway } from "./fake-gateway.ts";
import { oncallPlan } from "./fake-oncall.ts";
import { type Served, serve } from "./serve.ts";

const FIRED_AT = Date.UTC(2026, 0, 31, 3, 15);
let served: Served;

beforeAll(async () => {
  served = await serve();
  served.gateway.setPlan(oncallPlan);
  const [first, second, third] = served.gateway.series as [never, never, never];
  served.gateway.fire(alertOn(first, { id: "a1", firedAt: FIRED_AT }));
  served.gateway.fire(alertOn(second, { id: "a2", firedAt: FIRED_AT + 1, peak: Number.POSITIVE_INFINITY, severity: "warning", rule: "humid, or not" }));
  served.gateway.pend({ ...alertOn(third, { id: "x", firedAt: FIRED_AT }), id: null, firedAt: null, peak: null, state: "pending" });
});
afterAll(() => served.close());

/** What there is of each thing that a path names. */
const there: Readonly<Record<string, string>> = { id: "a1", name: "freezer-too-warm", schedule: "ops", device: "freezer-1", a: "1", b: "5f1d" };
const ask = ({ method = "get", path }: Route, query = ""): Promise<Response> =>
  served.get(path.replace(/:(\w+)/g, (_, name: string) => there[name] ?? "") + query, { method: method.toUpperCase() });

const expectProblem = async (response: Response, status: number, code: string): Promise<{ message: string; hint: string }> => {
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toContain("application/json");
  const { error } = problemSchema.parse(await response.json());
  expect(error.code).toBe(code);
  expect(error.hint).not.toBe("");
  return error;
};

describe("each route", () => {
  const answering = routes
    .filter((route): route is Extract<Route, { kind: "answer" }> => route.kind === "answer")
    // Others need a body that is right, or a state in which they are: accounts.test.ts, operate.test.ts.
    .filter(({ method = "get", path }) => method === "get" || path === "/api/v1/rules/reload" || path === "/api/v1/logout");

  test.each(answering.map((route) => [route.path, route] as const))("%s answers as its schema says", async (_path, route) => {
    const response = await ask(route);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(route.contentType);
    const text = await response.text();
    route.answer.parse(route.contentType.startsWith("application/json") ? JSON.parse(text) : text);
  });

  test.each(routes.map((route) => [`${route.method ?? "get"} ${route.path}`, route] as const))(
    "%s refuses a parameter that it does not know",
    async (_path, route) => {
      const response = await ask(route, "?no-label=1");
      const { message } = await expectProblem(response, 400, "bad_parameter");
      expect(message).toContain("no-label");
      if (!route.takesLabels) await expectProblem(await ask(route, "?site=oslo"), 400, "bad_parameter");
    },
  );

  test.each(routes.map(({ path }) => [path]))("%s carries the security headers", async (path) => {
    const response = await served.get(path.replace(":id", "a1").replace(":schedule", "ops"), { signal: AbortSignal.timeout(10_000) });
    const policy = response.headers.get("content-security-policy");
    expect(policy).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    expect(response.headers.has("strict-transport-security")).toBe(false);
    await response.body?.cancel();
  });
});

describe("parameters become the question", () => {
  const asked = async (path: string): Promise<unknown> => {
    const response = await served.get(path);
    expect(response.status).toBe(200);
    return served.gateway.asked.at(-1);
  };

  test("labels, lists and defaults", async () => {
    expect(await asked("/api/v1/series?site=oslo,bergen&device=freezer-1")).toEqual({
      kind: "series",
      labels: { site: ["oslo", "bergen"], device: ["freezer-1"] },
      limit: 1000,
    });
    expect(await asked("/api/v1/alerts?state=firing,pending&rule=humid, or not&limit=7&room=")).toEqual({
      kind: "alerts",
      states: ["firing", "pending"],
      rule: "humid, or not",
      labels: { room: [""] },
      limit: 7,
    });
    expect(await asked("/api/v1/notifications?disposition=dead&alert=a1&cursor=abc")).toEqual({
      kind: "notifications",
      disposition: "dead",
      alert: "a1",
      cursor: "abc",
      limit: 1000,
    });
    expect(await asked("/api/v1/summaries?day=2026-01-30&series=3")).toEqual({ kind: "summaries", day: "2026-01-30", series: [3], labels: {}, limit: 1000 });
  });

  test.each([
    ["2026-01-31T03:15:00Z", FIRED_AT],
    ["2026-01-31T04:15:00.000%2B01:00", FIRED_AT],
    ["2026-01-31T04:15:00+01:00", FIRED_AT],
    [String(FIRED_AT), FIRED_AT],
    ["-1", -1],
    ["0", 0],
  ])("an instant as %s", async (text, ms) => {
    expect(await asked(`/api/v1/readings?series=1&from=${text}`)).toMatchObject({ from: ms });
  });

  test.each([
    ["1m", 60_000],
    ["1h30m", 5_400_000],
    ["day", "day"],
    ["raw", "raw"],
    ["1d", 86_400_000],
  ])("a step of %s", async (text, step) => {
    expect(await asked(`/api/v1/readings?series=1&step=${text}`)).toMatchObject({ step });
  });

  test.each([
    ["/api/v1/readings?from=yesterday", "from"],
    ["/api/v1/readings?from=2026-01-31T03:15:00", "from"],
    ["/api/v1/readings?from=9999999999999999", "from"],
    ["/api/v1/readings?from=20&to=10", "to"],
    ["/api/v1/readings?step=often", "step"],
    ["/api/v1/readings?step=0s", "step"],
    ["/api/v1/readings?agg=avg,p12", "agg"],
    ["/api/v1/readings?series=a", "series"],
    ["/api/v1/readings?series=", "series"],
    ["/api/v1/series?limit=0", "limit"],
    ["/api/v1/series?limit=10001", "limit"],
    ["/api/v1/series?limit=ten", "limit"],
    ["/api/v1/series?limit=1&limit=2", "limit"],
    ["/api/v1/series?site=oslo&site=bergen", "site: is given more than once"],
    ["/api/v1/alerts?state=burning", "state"],
    ["/api/v1/alerts?state=", "state"],
    ["/api/v1/notifications?disposition=lost", "disposition"],
    ["/api/v1/summaries?day=2026-13-01", "day"],
    ["/api/v1/summaries?day=today", "day"],
    [`/api/v1/series?${Array.from({ length: 21 }, (_, index) => `l${index}=1`).join("&")}`, "label"],
    [`/api/v1/series?site=${"x,".repeat(201)}`, "site"],
  ])("%s is refused with a hint", async (path, word) => {
    const { message } = await expectProblem(await served.get(path), 400, "bad_parameter");
    expect(message).toContain(word);
  });
});

describe("answers", () => {
  test("alerts: RFC 3339 times, null for what is not, pending first", async () => {
    const { alerts } = (await (await served.get("/api/v1/alerts")).json()) as { alerts: Record<string, unknown>[] };
    expect(alerts.map(({ id }) => id)).toEqual([null, "a2", "a1"]);
    expect(alerts[0]).toMatchObject({ state: "pending", fired_at: null, peak: null, acked_at: null });
    // An infinite figure has no JSON.
    expect(alerts[1]).toMatchObject({ peak: null });
    expect(alerts[2]).toMatchObject({ fired_at: "2026-01-31T03:15:00.000Z", since: "2026-01-31T03:15:00.000Z", resolved_at: null, value: -11.4, limit: -15 });
  });

  test("an alert with its evidence; an unknown one", async () => {
    const answer = (await (await served.get("/api/v1/alerts/a1")).json()) as { transitions: unknown[]; notifications: unknown[] };
    expect(answer.transitions).toMatchObject([{ to: "firing", evidence: { predicate: "above -15, clears below -17", watermark: "2026-01-31T03:14:59.999Z" } }]);
    expect(answer.notifications).toMatchObject([
      { disposition: "delivered", next_at: null },
      { disposition: "waiting", ended_at: null },
    ]);
    await expectProblem(await served.get("/api/v1/alerts/none"), 404, "unknown_alert");
    await expectProblem(await served.get("/api/v1/alerts/none/explain"), 404, "unknown_alert");
    const explained = (await (await served.get("/api/v1/alerts/a1/explain")).json()) as { lines: string[]; notifications: { text: string }[] };
    expect(explained.lines.at(-1)).toBe("Rule freezer-too-warm@5f1d: above −15 °C, clears below −17 °C.");
    expect(explained.notifications[0]?.text).toContain("Delivered to on-call by email:0");
  });

  test("the versions of a rule, and what differs between two", async () => {
    const path = "/api/v1/rules/freezer-too-warm/versions";
    expect(await (await served.get(path)).json()).toMatchObject({
      versions: [
        { version: 1, rule: { for: "1m" } },
        { version: 2, in_force: [{ until: null }] },
      ],
    });
    expect(await (await served.get(`${path}/4e0c/diff/2`)).json()).toEqual({
      ...{ name: "freezer-too-warm", a: 1, b: 2 },
      changes: [{ path: "for", before: "1m", after: "5m" }],
      lines: ["- for: 1m", "+ for: 5m"],
    });
    await expectProblem(await served.get("/api/v1/rules/none/versions"), 404, "unknown_rule");
    await expectProblem(await served.get("/api/v1/rules/none/versions/1/diff/2"), 404, "unknown_rule");
    await expectProblem(await served.get(`${path}/1/diff/9`), 404, "unknown_version");
  });

  test("readings: exactly the promised keys; `agg` keeps only some figures", async () => {
    const buckets = async (query: string): Promise<object> => {
      const { series } = (await (await served.get(`/api/v1/readings?series=1&step=15m&to=1769832900000&${query}`)).json()) as {
        series: { buckets: object[] }[];
      };
      return series[0]?.buckets[0] as object;
    };
    expect(Object.keys(await buckets(""))).toEqual(["t", "end", "count", "min", "max", "avg", "sum", "source", "provisional"]);
    expect(Object.keys(await buckets("agg=max,avg"))).toEqual(["t", "end", "max", "avg", "source", "provisional"]);
  });

  test("long answers are passed on as they are rendered elsewhere, and are the same", async () => {
    const gateway = createFakeGateway({ series: 10, now: () => FIRED_AT });
    gateway.fire(alertOn(gateway.series[0] as never, { id: "a1", firedAt: FIRED_AT }));
    const rendered: string[] = [];
    const render: GatewayDeps["render"] = (path, asked) => {
      rendered.push(path);
      return renderRoute(path, structuredClone(asked), gateway.query);
    };
    const [here, there] = [await serve({}, gateway), await serve({}, { ...gateway, render })];
    const paths = [
      "/api/v1/readings?series=1,2&step=1m&agg=avg",
      "/api/v1/alerts?state=firing",
      "/api/v1/summaries?day=2026-01-30",
      "/api/v1/notifications",
      "/api/v1/alerts/a1",
    ];
    for (const path of paths) expect(await (await there.get(path)).text()).toBe(await (await here.get(path)).text());
    expect(rendered).toEqual(["/api/v1/readings", "/api/v1/alerts", "/api/v1/summaries", "/api/v1/notifications"]);
    await expectProblem(await there.get("/api/v1/readings?from=20&to=10"), 400, "bad_parameter");
    await expect(renderRoute("/metrics", { query: {}, params: {}, labels: {} }, gateway.query)).rejects.toMatchObject({ status: 404 });
    await Promise.all([here.close(), there.close()]);
  });

  test("status: exactly seven books, and whose it is", async () => {
    const status = (await (await served.get("/api/v1/status")).json()) as { name: string; readings: object };
    expect(status.name).toBe("cold-chain");
    expect(Object.keys(status.readings)).toEqual(["received", "accepted", "late", "duplicate", "conflict", "quarantined", "rejected"]);
  });

  test("series: the live reading wins over the stored one", async () => {
    served.gateway.beat({ series: 4, value: 123.5 });
    const { series, cursor } = (await (await served.get("/api/v1/series?limit=5")).json()) as {
      series: { id: number; last: { value: number } }[];
      cursor: string;
    };
    expect(series[4]).toMatchObject({ id: 4, last: { value: 123.5 } });
    expect(cursor).toBe("5");
  });

  test("readyz says why not", async () => {
    served.gateway.setReady(["the disk is full"]);
    const response = await served.get("/readyz");
    served.gateway.setReady([]);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, reasons: ["the disk is full"] });
  });
});

describe("what goes wrong", () => {
  test("unknown paths and other methods", async () => {
    await expectProblem(await served.get("/api/v2/alerts"), 404, "not_found");
    await expectProblem(await served.get("/../../etc/passwd"), 404, "not_found");
    await expectProblem(await served.get("/api/v1/alerts", { method: "POST" }), 405, "method_not_allowed");
    await expectProblem(await served.get("/api/v1/alerts", { method: "DELETE" }), 405, "method_not_allowed");
    await expectProblem(await served.get("/api/v1/silences/s1", { method: "PUT" }), 405, "method_not_allowed");
  });

  test("a reload of a config with a mistake says what and where", async () => {
    const problems = [{ file: "highwater.yaml", line: 7, column: 3, message: "unknown key rulez", hint: "did you mean rules?" }];
    served.gateway.setReload({ kind: "invalid", problems });
    const response = await served.get("/api/v1/rules/reload", { method: "POST" });
    expect(response.status).toBe(422);
    const body = problemSchema.parse(await response.json());
    expect(body.error).toMatchObject({ code: "config_invalid", message: expect.stringContaining("highwater.yaml:7:3: unknown key rulez") });
    expect(body.problems).toEqual(problems);
  });

  test.each([
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "http://127.0.0.1:1" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-origin" }, 200],
  ])("a page elsewhere changes nothing: %j is answered %i", async (headers, status) => {
    served.gateway.setReload({ kind: "ok", plan: "5f1d", changed: true, rules: 1, sources: 1, devices: 0, receivers: 0, notes: [] });
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${served.url}/api/v1/rules/reload`, { method: "POST", headers }, (response) => resolve(response.resume().statusCode));
      sent.on("error", reject).end();
    });
    expect(answered).toBe(status);
  });

  test("a query that overruns says to try again; a bug says nothing of itself", async () => {
    served.gateway.breakWith(new GatewayError("disk_busy", "the query took too long", { hint: "ask for less", retryable: true }));
    const busy = await served.get("/api/v1/alerts");
    expect(busy.headers.get("retry-after")).not.toBeNull();
    expect(await expectProblem(busy, 503, "disk_busy")).toMatchObject({ hint: "ask for less" });
    for (const [code, status] of [
      ["query_invalid", 400],
      ["query_too_large", 400],
      ["query_busy", 503],
      ["query_overrun", 504],
    ] as const) {
      // As it comes from another thread: the class, the hint and what else it had are lost.
      served.gateway.breakWith(Object.assign(new Error("no"), { name: "GatewayError", code }));
      await expectProblem(await served.get("/api/v1/alerts"), status, code);
    }
    served.gateway.breakWith(new Error("secret detail"));
    expect(await expectProblem(await served.get("/api/v1/alerts"), 500, "internal")).not.toMatchObject({ message: expect.stringContaining("secret") });
    served.gateway.breakWith(undefined);
  });

  test("a name that is not its own is refused, an address and its external name are not", async () => {
    const statusFor = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ port: served.port, host: "127.0.0.1", path: "/healthz", headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on("error", reject)
          .end();
      });
    expect(await statusFor("evil.example")).toBe(421);
    expect(await statusFor("127.0.0.1.evil.example:80")).toBe(421);
    expect(await statusFor("localhost:1")).toBe(200);
    expect(await statusFor("gateway.example")).toBe(200);
    expect(await statusFor("[::1]:8080")).toBe(200);
  });

  test("too many requests of one address, and too many at once", async () => {
    const few = await serve({ limits: { requestsPerMinute: 3 } });
    for (let count = 0; count < 3; count += 1) expect((await few.get("/healthz")).status).toBe(200);
    await expectProblem(await few.get("/healthz"), 429, "too_many_requests");
    await few.close();

    const gateway = createFakeGateway({ series: 1, now: Date.now });
    const gate = Promise.withResolvers<never>();
    const narrow = await serve({ limits: { requestsMax: 1 } }, { ...gateway, status: () => gate.promise });
    const held = narrow.get("/api/v1/status");
    await expect.poll(async () => (await narrow.get("/healthz")).status, { timeout: 20_000 }).toBe(503);
    gate.reject(new Error("enough"));
    expect((await held).status).toBe(500);
    expect((await narrow.get("/healthz")).status).toBe(200);
    await narrow.close();
  });
});

describe("where it listens", () => {
  const start = (host: string, anonymous?: "unsafe") =>
    createServer(
      { ...createFakeGateway({ series: 1, now: Date.now }), log: createLog({ level: "silent", name: "test" }) },
      { host, port: 0, gatewayName: "x", externalUrl: "", dashboardDir: "/nonexistent", ...(anonymous === undefined ? {} : { anonymous }) },
    );

  test("off loopback only when it is told to", async () => {
    await expect(start("0.0.0.0").start()).rejects.toMatchObject({ code: "http_off_loopback" });
    await expect(start("::").start()).rejects.toMatchObject({ hint: expect.stringContaining("unsafe") });
    await expect(start("127.evil.example").start()).rejects.toMatchObject({ code: "http_off_loopback" });
  });

  test("a port that is taken is said in a sentence", async () => {
    const other = createServer(
      { ...createFakeGateway({ series: 1, now: Date.now }), log: createLog({ level: "silent", name: "test" }) },
      { host: "127.0.0.1", port: served.port, gatewayName: "x", externalUrl: "", dashboardDir: "/nonexistent" },
    );
    await expect(other.start()).rejects.toMatchObject({ name: "GatewayError", code: "http_listen", hint: expect.stringContaining("http.port") });
    await other.close();
  });
});

describe("the dashboard's files", () => {
  test("without a build the page says so", async () => {
    const response = await served.get("/");
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("npm run prepare");
  });

  test("assets may be kept, the page may not, and nothing else of the disk is served", async () => {
    const dashboardDir = await mkdtemp(join(tmpdir(), "highwater-dashboard-"));
    await mkdir(join(dashboardDir, "assets"));
    await writeFile(join(dashboardDir, "index.html"), "<title>Highwater</title>");
    await writeFile(join(dashboardDir, "assets", "index-abc.js"), "1");
    const built = await serve({ dashboardDir });
    const [page, asset, outside] = await Promise.all([built.get("/"), built.get("/assets/index-abc.js"), built.get("/assets/..%2f..%2fetc/passwd")]);
    expect(await page.text()).toContain("Highwater");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect(page.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(asset.headers.get("cache-control")).toContain("immutable");
    expect(asset.headers.get("content-type")).toContain("javascript");
    expect(outside.status).toBe(404);
    await built.close();
    await rm(dashboardDir, { recursive: true });
  });
});
