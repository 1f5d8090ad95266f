// What keeps a gateway from starting is said in one sentence: what, where, and what mends it; never by a stack of calls.

import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createFolder, highwater, runToEnd, writeConfig } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const garbage = Buffer.alloc(20_000, "no database at all ");

type Refusal = {
  readonly what: string;
  /** Relative to the config. */
  readonly dataDir: string;
  prepare(folder: string): void;
  readonly code: number;
  readonly says: RegExp;
  readonly verbs?: readonly string[];
};

const refusals: readonly Refusal[] = [
  {
    what: "data_dir is a file",
    dataDir: "file",
    prepare: (folder) => writeFileSync(join(folder, "file"), ""),
    code: 2,
    says: /^highwater: \S+\/file cannot be made a folder: .* \(set another gateway\.data_dir\)$/,
  },
  {
    what: "data_dir lies in a file",
    dataDir: "file/data",
    prepare: (folder) => writeFileSync(join(folder, "file"), ""),
    code: 2,
    says: /^highwater: \S+\/file\/data cannot be made a folder: /,
  },
  {
    what: "the database is none",
    dataDir: "data",
    prepare: (folder) => writeFileSync(join(folder, "data", "highwater.db"), garbage),
    code: 1,
    says: /^highwater: \S+\/highwater\.db is damaged, or no database of highwater \(move it away .*\)$/,
    verbs: ["run", "summarize"],
  },
  {
    what: "the lock is none",
    dataDir: "data",
    prepare: (folder) => writeFileSync(join(folder, "data", "lock.db"), garbage),
    code: 1,
    says: /^highwater: \S+\/lock\.db is no lock of highwater \(.* delete it while no highwater runs\)$/,
  },
  {
    what: "a folder is where the socket goes",
    dataDir: "data",
    prepare: (folder) => mkdirSync(join(folder, "data", "highwater.sock")),
    code: 1,
    says: /^highwater: \S+\/highwater\.sock cannot be made a socket: it is a folder \(.*\)$/,
  },
  {
    what: "the path of the socket is too long",
    dataDir: "long/".repeat(25),
    prepare: () => undefined,
    code: 1,
    says: /^highwater: \S+ cannot be made a socket: its path is too long \(set a gateway\.data_dir with a shorter path: 107 bytes in all\)$/,
  },
];

it.each(refusals)("$what", async ({ dataDir, prepare, code, says, verbs = ["run"] }) => {
  const folder = createFolder("refused");
  cleanUp.push(() => folder.remove());
  mkdirSync(join(folder.path, "data"));
  prepare(folder.path);
  const file = writeConfig(folder.path, { gateway: { data_dir: `./${dataDir}` } });
  for (const verb of verbs) {
    const said = await highwater(verb, "--config", file);
    expect(said.code).toBe(code);
    expect(said.stderr.trimEnd()).toMatch(says);
  }
});

const folder = createFolder("read-only");
const mounted = await runToEnd("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", folder.path]);
if (mounted.code === 0) await runToEnd("umount", [folder.path]);
folder.remove();
if (mounted.code !== 0) console.warn("The tests of a read-only disk are skipped: a tmpfs cannot be mounted here (it takes root)");
// Skipped where a file system may not be mounted: to whom may mount, no folder is read-only by its rights.
it.skipIf(mounted.code !== 0).each(["data", "data/below"])("a disk that is read-only: %s", async (dataDir) => {
  const { path, remove } = createFolder("read-only");
  cleanUp.push(() => remove());
  mkdirSync(join(path, "data"));
  await runToEnd("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", join(path, "data")]);
  cleanUp.push(() => runToEnd("umount", ["-l", join(path, "data")]));
  const { code, stderr } = await highwater("run", "--config", writeConfig(path, { gateway: { data_dir: `./${dataDir}` } }));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^highwater: \S+ cannot be opened for writing \(.*read-only.*\)\n$/);
});

it("a port that is taken, and nothing else is called an error", async () => {
  const { path, remove } = createFolder("taken");
  cleanUp.push(() => remove());
  const other = createServer();
  const port = await new Promise<number>((resolve) => other.listen(0, "127.0.0.1", () => resolve((other.address() as { port: number }).port)));
  cleanUp.push(() => other.close());
  const { code, stdout, stderr } = await highwater("run", "--config", writeConfig(path, { mqtt: { listeners: [{ host: "127.0.0.1", port }] } }));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^highwater: MQTT cannot listen on 127\.0\.0\.1:\d+: it is taken \(.*\)\n$/);
  expect(stdout).not.toMatch(/"level":"(warn|error|fatal)"/);
});
