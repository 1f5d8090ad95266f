// The package as a stranger gets it: packed, installed elsewhere, and run from there on this Node. Nothing of the clone may be needed.
// Also the command's own promise on a Node that is too old: one sentence and exit code 2.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const INSTALL_MS = 240_000;
/** Scripts that begin with `env node` find the Node that runs this test. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}` };

type Exit = { code: number; stdout: string; stderr: string };

/** Runs a program to its end; a non-zero exit is an answer, not an error. */
async function exitOf(program: string, args: readonly string[], cwd?: string): Promise<Exit> {
  return await new Promise((resolve) => {
    execFile(program, args, { encoding: "utf8", env, ...(cwd === undefined ? {} : { cwd }) }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs a program that must end with 0; what it said is in the error otherwise. */
async function succeed(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await exitOf(program, args, cwd);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}\n${stdout}\n${stderr}`);
}

describe("highwater on a Node that is too old", () => {
  const bin = join(root, "bin", "highwater.js");
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "highwater-old-node-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it.each(["12.22.12", "20.19.0", "22.17.1"])("says so in one sentence and exits 2 on %s", async (version) => {
    const preload = join(folder, `node-${version}.cjs`);
    await writeFile(preload, `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`);
    const { code, stdout, stderr } = await exitOf(process.execPath, ["--require", preload, bin, "--version"]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(new RegExp(`^highwater needs Node 22\\.18 or newer, and this is Node ${version.replaceAll(".", "\\.")};[^\\n]*\\.\\n$`));
  });

  it.each(["22.18.0", "23.0.0", "24.1.0"])("does not refuse %s", async (version) => {
    const preload = join(folder, `node-${version}.cjs`);
    await writeFile(preload, `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`);
    const { stderr } = await exitOf(process.execPath, ["--require", preload, bin, "--version"]);
    expect(stderr).not.toContain("needs Node");
  });

  it("holds on each real Node of this machine", async () => {
    const nodes = (process.env.PATH ?? "").split(delimiter).map((place) => join(place, "node"));
    for (const node of nodes.filter((path) => existsSync(path))) {
      const version = (await exitOf(node, ["--version"])).stdout.trim();
      const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
      const tooOld = major < 22 || (major === 22 && minor < 18);
      const { code, stderr } = await exitOf(node, [bin, "--version"]);
      expect({ version, code, refused: stderr.includes("needs Node") }).toEqual({ version, code: tooOld ? 2 : 0, refused: tooOld });
    }
  });
});

describe("the packed tarball, installed elsewhere", () => {
  let folder: string;
  let bin: string;
  let gateway: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "highwater-package-"));
    // Packed from a copy: packing builds dist/ anew, and the tests beside this one read the clone's.
    const copy = join(folder, "clone");
    const left = new Set(["node_modules", ".git", "dist", "coverage", "data", "image"]);
    await cp(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) });
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
    await succeed("npm", ["pack", "--pack-destination", folder], copy);
    const tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "no tarball");
    const home = join(folder, "elsewhere");
    await mkdir(home);
    await writeFile(join(home, "package.json"), '{ "name": "elsewhere", "private": true }');
    await succeed("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], home);
    bin = join(home, "node_modules", ".bin", "highwater");
  }, INSTALL_MS);

  afterAll(async () => {
    gateway?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  it("holds the program, the dashboard and the config, and no source", () => {
    const place = join(folder, "elsewhere", "node_modules", "highwater");
    const there = ["dist/main.js", "dist/dashboard/index.html", "config/highwater.yaml", "LICENSE", "README.md"];
    expect(there.filter((path) => !existsSync(join(place, path)))).toEqual([]);
    const absent = ["src", "test", "simulators", "node_modules"];
    expect(absent.filter((path) => existsSync(join(place, path)))).toEqual([]);
  });

  it("prints its version and its help", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    expect(await exitOf(bin, ["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const help = await exitOf(bin, ["--help"]);
    expect(help.code).toBe(0);
    for (const verb of ["run", "check", "try", "summarize"]) expect(help.stdout).toContain(verb);
  });

  it("exits 2 on a verb that it does not know", async () => {
    expect((await exitOf(bin, ["fly"])).code).toBe(2);
  });

  it("runs: a reading published with QoS 1 is there to be read, and SIGTERM ends it with 0", async () => {
    const [httpPort, mqttPort] = await freePorts(2);
    const config = join(folder, "highwater.yaml");
    const lines = [
      `gateway: { name: packed, timezone: UTC, data_dir: ${JSON.stringify(join(folder, "data"))} }`,
      `mqtt: { listeners: [{ host: 127.0.0.1, port: ${mqttPort} }] }`,
      'sources: [{ topic: "sensors/{device}/{metric}", codec: json }]',
      `http: { host: 127.0.0.1, port: ${httpPort} }`,
    ];
    await writeFile(config, lines.join("\n"));
    const child = spawn(bin, ["run", "--config", config], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    gateway = child;
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));

    const base = `http://127.0.0.1:${httpPort}`;
    await expect.poll(() => answers(`${base}/readyz`), { timeout: 30_000, message: said }).toBe(true);
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`);
    const ts = Date.now() - 5000;
    await client.publishAsync("sensors/freezer-7/temperature", JSON.stringify({ ts, value: -18.5 }), { qos: 1 });
    await client.endAsync();

    const series = (await (await fetch(`${base}/api/v1/series`)).json()) as { series: { labels: Record<string, string> }[] };
    expect(series.series.map((it) => it.labels)).toEqual([{ device: "freezer-7", metric: "temperature" }]);
    expect((await fetch(`${base}/`)).headers.get("content-type")).toMatch(/text\/html/);

    child.kill("SIGTERM");
    expect({ code: await ended, said: said.length > 0 }).toEqual({ code: 0, said: true });
  });
});

async function answers(url: string): Promise<boolean> {
  return await fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** Ports that the system gave out a moment ago and nobody holds now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
}
