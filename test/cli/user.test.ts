// `highwater user` and `highwater token` as a shell sees them, where no gateway runs: what they write, print and refuse, and
// their exit codes. With a gateway: test/e2e/accounts.test.ts.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isPassword } from "../../src/password.ts";
import { readAccounts, type StoredAccounts } from "../../src/storage/accounts.ts";
import { type AuditView, answerAudit } from "../../src/storage/audit.ts";
import { lockDataDir, openDatabase } from "../../src/storage/database.ts";

const highwater = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const scriptProgram = "/usr/bin/script";
const noTerminal = existsSync(scriptProgram) ? undefined : `there is no ${scriptProgram} (Debian: apt-get install bsdutils)`;

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "highwater-user-"));
  writeFileSync(join(dir, "highwater.yaml"), "gateway: { data_dir: ./data }\n");
});
afterEach(() => rmSync(dir, { recursive: true }));

type Ran = { code: number | null; out: string; err: string };
function run(args: readonly string[], input = ""): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [highwater, ...args, "-c", join(dir, "highwater.yaml")], { encoding: "utf8", input });
  return { code: status, out: stdout, err: stderr };
}
const stored = (): StoredAccounts & { audit: AuditView[] } => {
  const db = openDatabase(join(dir, "data"), { readonly: true });
  const found = { ...readAccounts(db), ...answerAudit(db, {}) };
  db.close();
  return found;
};

describe("user", () => {
  it("adds, lists, changes and removes; the reason is in the audit log", async () => {
    expect(run(["user", "list"])).toEqual({ code: 0, out: "there are no users: HTTP is for this machine only\n", err: "" });
    const added = run(["user", "add", "ada", "--role", "admin", "--password-stdin", "--why", "the first one"], "correct horse\nmore\n");
    expect(added).toEqual({ code: 0, out: "ada is admin now\n", err: "" });
    const made = JSON.parse(run(["user", "add", "bob", "--generate", "--json"]).out) as { password: string };
    expect(made).toEqual({ users: [{ name: "bob", role: "viewer", created_at: expect.any(String) }], password: expect.stringMatching(/^\w{20}$/) });
    const hashes = stored().accounts.map(({ scrypt }) => scrypt);
    expect(await Promise.all([isPassword("correct horse", hashes[0]), isPassword(made.password, hashes[1])])).toEqual([true, true]);
    expect(run(["user", "passwd", "bob", "--password-stdin"], "another horse").out).toBe("bob has a new password; all sessions of bob have ended\n");
    expect(await isPassword("another horse", stored().accounts[1]?.scrypt)).toBe(true);
    expect(run(["user", "role", "bob", "operator"]).out).toBe("bob is operator now\n");
    expect(run(["user", "list"]).out).toMatch(/^ada {2}admin {5}since 20.*Z\nbob {2}operator {2}since 20.*Z\n$/);
    expect(run(["user", "remove", "bob", "--why", "left"]).out).toBe("bob is gone; all sessions of bob have ended\n");
    const { accounts, audit } = stored();
    expect(accounts.map(({ name }) => name)).toEqual(["ada"]);
    expect(audit.map(({ who, origin, action, target, why, outcome }) => [who, origin, action, target, why, outcome].join("|")).reverse()).toEqual([
      "local|cli|user add|ada (admin)|the first one|ok",
      "local|cli|user add|bob (viewer)||ok",
      "local|cli|user passwd|bob||ok",
      "local|cli|user role|bob (operator)||ok",
      "local|cli|user remove|bob|left|ok",
    ]);
  });

  it("keeps an administrator while there are others; the last account of all may go", () => {
    run(["user", "add", "ada", "--role", "admin", "--generate"]);
    run(["user", "add", "bob", "--generate"]);
    for (const args of [
      ["remove", "ada"],
      ["role", "ada", "viewer"],
    ] as const) {
      const { code, out, err } = run(["user", ...args]);
      expect([code, out, err]).toEqual([1, "", "highwater: ada is the only administrator (make another one first: `user role NAME admin`)\n"]);
    }
    expect(run(["user", "remove", "bob"]).code).toBe(0);
    expect(run(["user", "remove", "ada"]).code).toBe(0);
  });

  it.each([
    [["user", "add", "Ada Lovelace", "--generate"], "", 2, "Ada Lovelace cannot be a name"],
    [["user", "add", "ada", "--role", "king", "--generate"], "", 2, "Allowed choices are viewer, operator, admin"],
    [["user", "add", "ada", "--password-stdin"], "short\n", 2, "a password takes 10 to 200 characters"],
    [["user", "add", "ada", "--password-stdin"], "", 2, "a password takes 10 to 200 characters"],
    [["user", "add", "ada", "--password-stdin", "--generate"], "", 2, "use either --password-stdin or --generate"],
    [["user", "add", "ada"], "", 2, "there is no terminal to ask for the password"],
    [["user", "passwd", "ada", "--generate"], "", 1, "there is no user ada"],
    [["user", "remove", "ada"], "", 1, "there is no user ada"],
    [["token", "create", "ci", "--scope", "everything"], "", 2, 'there is no scope "everything"'],
    [["token", "create", "ci"], "", 2, "required option '--scope <scopes>' not specified"],
    [["token", "create", "ci", "--scope", "read", "--expires", "soon"], "", 2, "write a duration"],
    [["token", "revoke", "ci"], "", 1, "there is no token ci"],
  ])("%j after %j ends with %i", (args, input, code, message) => {
    const ran = run(args, input);
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(ran.err).toContain(message);
  });

  it("with --mqtt it changes the broker's password file, and no account", () => {
    writeFileSync(join(dir, "highwater.yaml"), 'gateway: { data_dir: ./data }\nmqtt: { users: ./mqtt-users, acl: [{ publish: ["sensors/#"] }] }\n');
    expect(run(["user", "add", "freezer-7", "--mqtt", "--password-stdin"], "secret\n")).toMatchObject({ code: 0, err: "" });
    const made = JSON.parse(run(["user", "passwd", "freezer-7", "--mqtt", "--generate", "--json"]).out) as object;
    expect(made).toMatchObject({ name: "freezer-7", file: join(dir, "mqtt-users"), in_force: false, password: expect.stringMatching(/^\w{20}$/) });
    expect(run(["user", "list", "--mqtt"]).out).toBe("freezer-7\n");
    expect(run(["user", "list"]).out).toContain("there are no users");
    expect(run(["user", "add", "x", "--mqtt", "--role", "admin", "--generate"]).code).toBe(2);
    writeFileSync(join(dir, "highwater.yaml"), 'nonsense: 1\nmqtt: { users: ./mqtt-users, acl: [{ publish: ["sensors/#"] }] }\n');
    expect(run(["user", "add", "pump", "--mqtt", "--generate"])).toMatchObject({ code: 1, err: expect.stringContaining("keeps the users it had") as string });
    writeFileSync(join(dir, "highwater.yaml"), 'gateway: { data_dir: ./data }\nmqtt: { users: ./mqtt-users, acl: [{ publish: ["sensors/#"] }] }\n');
    expect(run(["user", "remove", "freezer-7", "--mqtt"]).code).toBe(0);
    expect(run(["user", "remove", "freezer-7", "--mqtt"]).code).toBe(1);
  });

  it("says where the config is wrong, and does not write beside another process", () => {
    const lock = lockDataDir(join(dir, "data"));
    const beside = run(["user", "add", "ada", "--generate"]);
    lock.release();
    expect([beside.code, beside.err]).toEqual([1, expect.stringContaining("another highwater uses")]);
    writeFileSync(join(dir, "highwater.yaml"), "gateway: { data_dirr: x }\n");
    expect(run(["user", "list"])).toMatchObject({ code: 2, err: expect.stringContaining("did you mean data_dir") });
  });

  if (noTerminal !== undefined) console.warn(`The question for a password is not tried: ${noTerminal}`);
  // A terminal is needed, and script(1) makes one.
  it.skipIf(noTerminal !== undefined)("asks twice on a terminal, and shows nothing of it", async () => {
    const command = [process.execPath, highwater, "user", "add", "ada", "-c", join(dir, "highwater.yaml")].join(" ");
    const child = spawn(scriptProgram, ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    let shown = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      if (/(?:Password|Once more): $/.test(shown)) child.stdin.write("correct hosre\u007f\u007f\u007frse\r");
    });
    const code = await new Promise((resolve) => void child.once("close", resolve));
    child.stdin.destroy();
    expect([code, shown.replaceAll("\r", "")]).toEqual([0, "Password: \nOnce more: \nada is viewer now\n"]);
    expect(await isPassword("correct horse", stored().accounts[0]?.scrypt)).toBe(true);
  });
});

describe("audit", () => {
  it("shows who did what, newest first, for people and for machines", () => {
    run(["user", "add", "ada", "--generate", "--why", "the first one"]);
    run(["token", "create", "ci", "--scope", "read"]);
    run(["user", "remove", "nobody"]);
    run(["user", "remove", "nobody"]);
    expect(run(["audit"]).out.replace(/^20\S+ [\d:.]+Z/gm, "T")).toBe(
      [
        "T  local from cli: user remove nobody, refused, 2 times",
        "T  local from cli: token create ci (read), ok",
        "T  local from cli: user add ada (viewer), ok (the first one)",
        "",
      ].join("\n"),
    );
    const lines = run(["audit", "--action", "user remove", "--json"]).out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { who: "local", action: "user remove", target: "nobody", outcome: "refused", count: 2 },
    ]);
    expect(run(["audit", "--who", "ada"]).out).toBe("nothing of that is in the audit log\n");
    expect(run(["audit", "--limit", "0"])).toMatchObject({ code: 2, err: expect.stringContaining("1 to 10000") });
    rmSync(join(dir, "data"), { recursive: true });
    expect(run(["audit"])).toMatchObject({ code: 1, err: expect.stringContaining("there is no database") });
  });
});

describe("token", () => {
  it("creates, lists and revokes; the secret is told once", () => {
    const made = run(["token", "create", "prometheus", "--scope", "metrics,read", "--expires", "90d", "--why", "scrapes"]);
    expect(made).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^hw_[\w-]{43}\n\nIt is not shown again/) });
    const secret = made.out.split("\n", 1)[0] as string;
    const list = run(["token", "list", "--json"]).out;
    expect(list).not.toContain(secret);
    const [token] = (JSON.parse(list) as { tokens: { id: string; created_at: string; expires_at: string }[] }).tokens;
    expect(token).toMatchObject({ name: "prometheus", scopes: ["read", "metrics"], created_by: "local", last_used_at: null, revoked_at: null });
    expect(Date.parse(token?.expires_at ?? "") - Date.parse(token?.created_at ?? "")).toBe(90 * 86_400_000);
    expect(run(["token", "create", "prometheus", "--scope", "read"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is a token prometheus already"),
    });
    expect(run(["token", "revoke", token?.id ?? ""])).toMatchObject({ code: 0, out: `${token?.id} no longer holds\n` });
    expect(run(["token", "list"]).out).toMatch(/prometheus {2}read,metrics {2}revoked 20.*; never used\n$/);
    expect(run(["token", "create", "prometheus", "--scope", "metrics"]).code).toBe(0);
  });
});
