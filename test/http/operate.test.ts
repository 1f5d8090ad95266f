// What people do, over HTTP with accounts: each act becomes one command under the name of who asked, stands in the audit log with what
// came of it, and answers with the alert as it is then; what the engine or the schema refuses is said by name.

import { describe, expect, test } from "vitest";
import { refusals } from "../../src/engine/dispatch/life.ts";
import { routes } from "../../src/http/routes/index.ts";
import { answerAudit } from "../../src/storage/audit.ts";
import { db, loggedIn, post, startWith, tokenFor } from "./accounts/door.ts";
import { alertOn, createFakeGateway } from "./fake-gateway.ts";
import { type Served, serve } from "./serve.ts";

const FIRED_AT = Date.UTC(2026, 0, 31, 3, 15);

const fired = <Opened extends Served>(served: Opened): Opened => {
  served.gateway.fire(alertOn(served.gateway.series[0] as never, { id: "a1", firedAt: FIRED_AT }));
  served.gateway.fire(alertOn(served.gateway.series[1] as never, { id: "a2", firedAt: FIRED_AT + 1, rule: "humid", severity: "warning" }));
  return served;
};
const open = async (): Promise<Served> => fired(await serve({}, createFakeGateway({ series: 3, now: Date.now })));
const schemaOf = (path: string, method: string) => routes.find((route) => route.path === path && route.method === method)?.answer;
const problemOf = async (response: Response): Promise<unknown[]> => {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message];
};
const rows = (): string[] =>
  answerAudit(db(), {})
    .audit.filter(({ action }) => !["login", "user add", "token create"].includes(action))
    .map(({ who, origin, action, target, why, outcome }) => [who, origin, action, target, why, outcome].join(" | "))
    .reverse();

describe("acts on an alert", () => {
  const name = { id: "a1", rule: "freezer-too-warm", subject: "{}", labels: expect.objectContaining({ device: "freezer-1", severity: "critical" }) };
  test.each([
    ["ack", { note: "on my way" }, { kind: "acknowledge", alert: "a1", note: "on my way" }, { acked_by: "anonymous", ack_note: "on my way" }],
    ["ack", undefined, { kind: "acknowledge", alert: "a1", note: "" }, { acked_by: "anonymous", ack_note: "" }],
    ["comment", { text: "  the door was open " }, { kind: "comment", alert: "a1", text: "the door was open" }, { acked_at: null }],
    ["shelve", { until_clear: true, why: "compressor" }, { kind: "shelve", alert: name, until: null, why: "compressor" }, { shelved: { kind: "until_clear" } }],
    [
      "shelve",
      { duration: "2h", why: "defrosting" },
      { kind: "shelve", alert: name, until: expect.any(Number), why: "defrosting" },
      { shelved: { kind: "timed", by: "anonymous" } },
    ],
    [
      "shelve",
      { until: "2126-01-31T04:15:00Z", why: "defrosting" },
      { kind: "shelve", alert: name, until: Date.UTC(2126, 0, 31, 4, 15), why: "defrosting" },
      { shelved: { until: "2126-01-31T04:15:00.000Z" } },
    ],
    ["out-of-service", { why: "sold" }, { kind: "take_out_of_service", alert: name, why: "sold" }, { shelved: { kind: "out_of_service", until: null } }],
  ])("%s %j", async (act, body, command, after) => {
    const served = await open();
    const asked = Date.now();
    const response = await served.get(`/api/v1/alerts/a1/${act}`, {
      method: "POST",
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { alert: object };
    expect([response.status, served.gateway.commands]).toEqual([200, [{ by: "anonymous", command }]]);
    schemaOf(`/api/v1/alerts/:id/${act}`, "post")?.parse(answer);
    expect(answer.alert).toMatchObject(after);
    const made = served.gateway.commands[0]?.command;
    if (body !== undefined && "duration" in body && made?.kind === "shelve") {
      expect(made.until).toBeGreaterThanOrEqual(asked + 7_200_000);
      expect(made.until).toBeLessThanOrEqual(Date.now() + 7_200_000);
    }
    await served.close();
  });

  test("what was done can be undone, and stands in the alert's events", async () => {
    const served = await open();
    for (const [act, body] of [
      ["ack", { note: "mine" }],
      ["unack", { note: "not mine" }],
      ["shelve", { duration: "30m", why: "noise" }],
      ["unshelve", { why: "quiet again" }],
      ["out-of-service", { why: "sold" }],
      ["in-service", {}],
    ] as const) {
      const response = await post(served, `/api/v1/alerts/a1/${act}`, body);
      expect([act, response.status]).toEqual([act, 200]);
      schemaOf(`/api/v1/alerts/:id/${act}`, "post")?.parse(await response.json());
    }
    const { alert, events } = (await (await served.get("/api/v1/alerts/a1")).json()) as {
      alert: { allowed: string[] };
      events: { kind: string; text: string }[];
    };
    expect(events.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      ...["acknowledged mine", "unacknowledged not mine", "shelved noise", "unshelved quiet again", "out_of_service sold", "in_service "],
    ]);
    expect(alert.allowed).toEqual(["acknowledge", "comment", "shelve", "shelve_until_clear", "take_out_of_service"]);
    await served.close();
  });

  test("a latched one can be reset; `allowed` says so", async () => {
    const served = await open();
    served.gateway.fire({ ...alertOn(served.gateway.series[2] as never, { id: "a3", firedAt: FIRED_AT }), state: "recovering", latchedAt: FIRED_AT + 5 });
    const { alert } = (await (await served.get("/api/v1/alerts/a3")).json()) as { alert: { allowed: string[] } };
    expect(alert.allowed).toContain("reset");
    const response = await post(served, "/api/v1/alerts/a3/reset", { note: "looked at" });
    expect(await response.json()).toMatchObject({ alert: { state: "resolved", allowed: ["shelve", "take_out_of_service"] } });
    expect(await problemOf(await post(served, "/api/v1/alerts/a1/reset", {}))).toEqual([409, "still_active", refusals.still_active.message]);
    await served.close();
  });

  test("an unknown alert is 404 for each act, and nothing is asked of the engine", async () => {
    const served = await open();
    const acts = routes.filter(({ path, method }) => path.startsWith("/api/v1/alerts/:id/") && method === "post");
    expect(acts).toHaveLength(8);
    for (const { path } of acts) {
      const body = path.endsWith("comment") ? { text: "x" } : path.endsWith("shelve") && !path.endsWith("unshelve") ? { duration: "1h", why: "x" } : undefined;
      const given = body ?? (path.endsWith("out-of-service") ? { why: "x" } : {});
      expect([path, ...(await problemOf(await post(served, path.replace(":id", "none"), given)))]).toEqual([path, 404, "unknown_alert", expect.any(String)]);
    }
    expect(served.gateway.commands).toEqual([]);
    await served.close();
  });

  test.each([
    ["already_acknowledged", 409],
    ["shelved_too_long", 409],
    ["too_many", 409],
    ["unknown_alert", 404],
  ] as const)("what the engine refuses as %s is %i with its words", async (code, status) => {
    const served = await open();
    served.gateway.answerNext({ kind: "refused", code, ...refusals[code] });
    const response = await post(served, "/api/v1/alerts/a1/ack", {});
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { code, ...refusals[code] } });
    await served.close();
  });

  test.each([
    ["ack", { note: "x".repeat(2001) }, "note: Too big"],
    ["ack", { notes: "x" }, "the body: Unrecognized key"],
    ["comment", {}, "text: Invalid input"],
    ["comment", { text: "   " }, "text: says something"],
    ["shelve", { why: "x" }, "takes one of duration, until and until_clear"],
    ["shelve", { why: "x", duration: "1h", until_clear: true }, "takes one of duration, until and until_clear"],
    ["shelve", { why: "x", duration: "soon" }, "duration: must be a duration"],
    ["shelve", { why: "x", duration: "0s" }, "duration: must be a duration"],
    ["shelve", { why: "x", until: "tomorrow" }, "until: must be an instant"],
    ["shelve", { duration: "1h" }, "why: Invalid input"],
    ["out-of-service", { why: "" }, "why: says why"],
  ])("%s with %j is no act", async (act, body, message) => {
    const served = await open();
    expect(await problemOf(await post(served, `/api/v1/alerts/a1/${act}`, body))).toEqual([400, "bad_body", expect.stringContaining(message)]);
    expect(served.gateway.commands).toEqual([]);
    await served.close();
  });

  test("a note of 2,000 characters of any kind is taken; other paths still read a kilobyte", async () => {
    const served = await open();
    const note = "😀".repeat(1000);
    expect((await post(served, "/api/v1/alerts/a1/ack", { note })).status).toBe(200);
    expect(served.gateway.commands[0]?.command).toMatchObject({ note });
    expect((await post(served, "/api/v1/alerts/a1/ack", { note: "x".repeat(20_000) })).status).toBe(413);
    expect((await post(served, "/api/v1/rules/reload", { why: "x".repeat(2000) })).status).toBe(413);
    await served.close();
  });
});

describe("silences", () => {
  test("made, listed by state, ended; matchers as they were given", async () => {
    const served = await open();
    const matchers = { device: "freezer-*", severity: ["critical", "warning"], site: "/os.o|bergen/" };
    const made = await post(served, "/api/v1/silences", { matchers, duration: "2h", why: "maintenance" });
    const { silence } = (await made.json()) as { silence: { id: string; starts_at: string; ends_at: string } };
    schemaOf("/api/v1/silences", "post")?.parse({ silence });
    expect(silence).toMatchObject({ id: "s1", state: "active", matchers, by: "anonymous", why: "maintenance", ended_by: null });
    expect(Date.parse(silence.ends_at) - Date.parse(silence.starts_at)).toBe(7_200_000);
    const later = { starts_at: "2126-01-01T00:00:00Z", ends_at: "2126-01-02T00:00:00+01:00" };
    expect((await post(served, "/api/v1/silences", { matchers: { device: 7 }, ...later, why: "a century on" })).status).toBe(200);
    const ids = async (query: string): Promise<string[]> =>
      ((await (await served.get(`/api/v1/silences${query}`)).json()) as { silences: { id: string }[] }).silences.map(({ id }) => id);
    expect([await ids(""), await ids("?state=active"), await ids("?state=pending"), await ids("?state=expired,active")]).toEqual([
      ["s2", "s1"],
      ["s1"],
      ["s2"],
      ["s1"],
    ]);
    const ended = await served.get("/api/v1/silences/s1?why=done%20early", { method: "DELETE", headers: { "content-type": "application/json" } });
    expect(await ended.json()).toMatchObject({ silence: { id: "s1", state: "expired", ended_by: "anonymous" } });
    expect(await problemOf(await served.get("/api/v1/silences/s1", { method: "DELETE" }))).toEqual([409, "silence_over", refusals.silence_over.message]);
    expect(await problemOf(await served.get("/api/v1/silences/s9", { method: "DELETE" }))).toEqual([404, "unknown_silence", refusals.unknown_silence.message]);
    expect(served.gateway.commands.map(({ command }) => command.kind)).toEqual(["silence", "silence", "end_silence"]);
    await served.close();
  });

  test("a preview counts what it would hide and changes nothing", async () => {
    const served = await open();
    const preview = async (matchers: unknown): Promise<unknown> => await (await post(served, "/api/v1/silences/preview", { matchers })).json();
    expect(await preview({ alertname: "humid" })).toMatchObject({ count: 1, everything: false, alerts: [{ id: "a2" }] });
    expect(await preview({ alertname: "*" })).toMatchObject({ count: 2, everything: true });
    expect(await preview({ device: "fz-7" })).toEqual({ count: 0, everything: false, alerts: [] });
    expect(served.gateway.commands).toEqual([]);
    await served.close();
  });

  test("one that hides everything takes `all`", async () => {
    const served = await open();
    for (const matchers of [{ alertname: "*" }, { alertname: "/.+/", device: "?*" }, { device: ["fz-7", "*"] }])
      expect(await problemOf(await post(served, "/api/v1/silences", { matchers, duration: "1h", why: "x" }))).toEqual([
        ...[400, "bad_body", "matchers: would hide every alert, or nearly; say `all: true` where that is meant"],
      ]);
    expect((await post(served, "/api/v1/silences", { matchers: { alertname: "*" }, duration: "1h", why: "moving house", all: true })).status).toBe(200);
    expect((await post(served, "/api/v1/silences", { matchers: { alertname: "*", device: "fz-7" }, duration: "1h", why: "x" })).status).toBe(200);
    await served.close();
  });

  test.each([
    [{ matchers: {}, duration: "1h", why: "x" }, "matchers: takes at least one label"],
    [{ matchers: { device: "/(/" }, duration: "1h", why: "x" }, "is not a regular expression"],
    [{ matchers: { device: "/(a+)+b/" }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: "/(?:a|aa)*b/" }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: "/(a|b)\\1/" }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: "/a{1,}b*c+d*/" }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: "*a*b*c*d" }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: `/${"(a|aa)".repeat(30)}/` }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: `/${"a?".repeat(26)}${"a".repeat(13)}/` }, duration: "1h", why: "x" }, "could take too long"],
    [{ matchers: { device: "x".repeat(201) }, duration: "1h", why: "x" }, "at most 200 characters"],
    [{ matchers: { device: Array(51).fill("x") }, duration: "1h", why: "x" }, "at most 50 patterns"],
    [{ matchers: Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`l${index}`, "x"])), duration: "1h", why: "x" }, "at most 20 labels"],
    [{ matchers: { device: "x" }, why: "x" }, "takes one of ends_at and duration"],
    [{ matchers: { device: "x" }, duration: "1h", ends_at: "2126-01-01T00:00:00Z", why: "x" }, "takes one of ends_at and duration"],
    [{ matchers: { device: "x" }, duration: "1h" }, "why: Invalid input"],
    [{ matchers: { device: "x" }, duration: "1h", why: "x", all: false }, "all: Invalid input"],
  ])("%j is no silence", async (body, message) => {
    const served = await open();
    expect(await problemOf(await post(served, "/api/v1/silences", body))).toEqual([400, "bad_body", expect.stringContaining(message)]);
    expect(served.gateway.commands).toEqual([]);
    await served.close();
  });

  test("one that would be over already is refused by the engine", async () => {
    const served = await open();
    const past = { matchers: { device: "x" }, ends_at: "2020-01-01T00:00:00Z", why: "x" };
    expect(await problemOf(await post(served, "/api/v1/silences", past))).toEqual([409, "span_empty", refusals.span_empty.message]);
    await served.close();
  });

  test("what is shelved is listed with its newest occurrence", async () => {
    const served = await open();
    await post(served, "/api/v1/alerts/a1/shelve", { until_clear: true, why: "compressor" });
    await post(served, "/api/v1/alerts/a2/out-of-service", { why: "sold" });
    const answer = await (await served.get("/api/v1/shelves")).json();
    expect(answer).toMatchObject({
      shelves: [
        { rule: "humid", kind: "out_of_service", until: null, by: "anonymous", alert: "a2", state: "firing" },
        { rule: "freezer-too-warm", kind: "until_clear", why: "compressor", alert: "a1" },
      ],
    });
    await served.close();
  });
});

describe("who may, and what is written down", () => {
  test("an operator may, under the own name; a token under its own; each act is in the audit log with what came of it", async () => {
    const served = fired(await startWith("viewer", "operator", "admin"));
    const operator = await loggedIn(served, "operator");
    const token = await tokenFor(served, "operator", ["operate"]);
    expect((await post(served, "/api/v1/alerts/a1/ack", { note: "mine" }, operator)).status).toBe(200);
    expect((await post(served, "/api/v1/alerts/a1/ack", { note: "mine too" }, operator)).status).toBe(409);
    expect((await post(served, "/api/v1/silences", { matchers: { device: "fz-7" }, duration: "1h", why: "moved" }, token)).status).toBe(200);
    expect((await served.get("/api/v1/silences/s1?why=back", { method: "DELETE", headers: operator })).status).toBe(200);
    served.gateway.answerNext({ kind: "refused", code: "too_many", ...refusals.too_many });
    await post(served, "/api/v1/alerts/a2/out-of-service", { why: "sold" }, token);
    expect(served.gateway.commands.map(({ by }) => by)).toEqual(["operator", "operator", "token:operator", "operator", "token:operator"]);
    expect(rows()).toEqual([
      "operator | 127.0.0.1 | ack | a1 | mine | ok",
      "operator | 127.0.0.1 | ack | a1 | mine too | already_acknowledged",
      "token:operator | 127.0.0.1 | silence | s1 | moved | ok",
      "operator | 127.0.0.1 | silence end | s1 | back | ok",
      "token:operator | 127.0.0.1 | out-of-service | a2 | sold | too_many",
    ]);
  });

  test("a viewer reads and may preview, and does nothing; what was tried is written down", async () => {
    const served = fired(await startWith("viewer", "admin"));
    const viewer = await loggedIn(served, "viewer");
    for (const path of ["/api/v1/silences", "/api/v1/shelves"]) expect((await served.get(path, { headers: viewer })).status).toBe(200);
    expect((await post(served, "/api/v1/silences/preview", { matchers: { device: "x" } }, viewer)).status).toBe(200);
    const writes = routes.filter(({ method, path, needs }) => method !== undefined && needs === undefined && !path.endsWith("/logout"));
    expect(writes.map(({ path }) => path)).toEqual(expect.arrayContaining(["/api/v1/alerts/:id/ack", "/api/v1/silences", "/api/v1/silences/:id"]));
    for (const { path, method } of writes) {
      const response = await served.get(path.replace(":id", "a1"), { method: (method ?? "").toUpperCase(), headers: viewer });
      // Whoever sends a cookie sends JSON, which comes first.
      expect([path, [403, 415].includes(response.status)]).toEqual([path, true]);
    }
    expect((await post(served, "/api/v1/alerts/a1/ack", {}, viewer)).status).toBe(403);
    expect((await served.get("/api/v1/silences/s1", { method: "DELETE" })).status).toBe(401);
    expect(served.gateway.commands).toEqual([]);
    expect(rows()).toEqual(expect.arrayContaining(["viewer | 127.0.0.1 | request | /api/v1/alerts/a1/ack |  | refused"]));
    expect(rows()).toEqual(expect.arrayContaining(["viewer | 127.0.0.1 | request | /api/v1/silences/a1 |  | refused"]));
  });

  test("a page elsewhere ends no silence", async () => {
    const served = await open();
    await post(served, "/api/v1/silences", { matchers: { device: "x" }, duration: "1h", why: "x" });
    const { status } = await served.get("/api/v1/silences/s1", { method: "DELETE", headers: { origin: "http://evil.example" } });
    expect([status, served.gateway.commands.length]).toEqual([403, 1]);
    await served.close();
  });

  test("an engine that cannot be asked is said, and written down as failed", async () => {
    const served = fired(await startWith("operator"));
    const operator = await loggedIn(served, "operator");
    served.gateway.answerNext(Object.assign(new Error("the disk"), { name: "GatewayError", code: "command_waits", retryable: true }));
    expect(await problemOf(await post(served, "/api/v1/alerts/a1/ack", { note: "n" }, operator))).toEqual([503, "command_waits", "the disk"]);
    expect(rows()).toEqual(["operator | 127.0.0.1 | ack | a1 | n | failed"]);
  });
});
