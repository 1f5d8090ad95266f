// The ways to a session on a real server: guessing is slow, and the one-time link makes one administrator.

import { describe, expect, test } from "vitest";
import { readAccounts } from "../../../src/storage/accounts.ts";
import type { Served } from "../serve.ts";
import { audited, codeOf, cookieFrom, db, loggedIn, login, PASSWORD, post, scrypt, setAhead, start, startWith, statusOf } from "./door.ts";

describe("guessing", () => {
  test("after five failures one has to wait; whoever is logged in is not troubled", async () => {
    const served = await startWith("admin");
    const session = await loggedIn(served, "admin");
    for (let count = 0; count < 5; count += 1) expect((await login(served, count % 2 === 0 ? "admin" : "nobody", "wrong horse")).status).toBe(401);
    const refused = await login(served, "admin");
    expect([refused.status, refused.headers.get("retry-after"), await codeOf(refused)]).toEqual([429, "5", "too_many_failures"]);
    expect((await login(served, "admin")).status).toBe(429);
    expect(await statusOf(served, "/api/v1/series", session)).toBe(200);
    setAhead(5000);
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
    expect(JSON.stringify(db().prepare("SELECT * FROM audit").all())).not.toContain("my-secret-password");
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
    expect(readAccounts(db()).accounts).toMatchObject([{ role: "admin" }]);
    expect((await setup(served, token, "eve")).status).toBe(410);
  });

  test("only the newest one, for a day, and guesses are slowed down", async () => {
    const served = await start();
    const [old, token] = [served.accounts.offerSetup(), served.accounts.offerSetup()];
    expect((await setup(served, old)).status).toBe(401);
    setAhead(86_400_000);
    expect((await setup(served, token)).status).toBe(401);
    for (let count = 0; count < 4; count += 1) expect((await setup(served, "guessed")).status).toBe(401);
    expect((await setup(served, served.accounts.offerSetup())).status).toBe(429);
    expect(readAccounts(db()).accounts).toEqual([]);
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
