// Debian's Mosquitto as a child: a foreign broker for the bridges. Its log is its own word on what was acknowledged to it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../simulators/gateway.ts";

/** Debian puts it where an ordinary user's PATH does not look. */
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` };

export const hasMosquitto = spawnSync("mosquitto", ["-h"], { env }).error === undefined;
if (!hasMosquitto) console.warn("The tests of bridges with a real Mosquitto are skipped: it is not installed (Debian: apt-get install mosquitto)");

export type Mosquitto = Awaited<ReturnType<typeof startMosquitto>>;

/** It logs each packet. */
export const wordy = ["log_type all"];
/** What it has promised survives its end: it writes with each change. */
export const durable = ["persistence true", "autosave_interval 1", "autosave_on_changes true"];

/**
 * @param settings more lines of mosquitto.conf
 * @param prepare makes the files that they name, in its folder
 */
export async function startMosquitto(settings: (folder: string) => readonly string[], prepare: (folder: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "highwater-mosquitto-"));
  prepare(folder);
  const port = await freePort();
  const log: string[] = [];
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const lines = [
      `listener ${port} 127.0.0.1`,
      "log_dest stderr",
      "log_type information",
      `persistence_location ${folder}/`,
      "max_inflight_messages 1000",
      "max_queued_messages 0",
      // Run by root it would become another user, who may not read the folder.
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      ...settings(folder),
    ];
    writeFileSync(join(folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    child = spawn("mosquitto", ["-c", join(folder, "mosquitto.conf")], { env, stdio: ["ignore", "ignore", "pipe"] });
    let rest = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      log.push(...parts);
    });
    const from = log.length;
    for (;;) {
      if (log.slice(from).some((line) => line.includes(" running"))) return;
      if (child.exitCode !== null) throw new Error(`mosquitto ended: ${log.slice(from).join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  const end = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
  };

  await start();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    folder,
    log,
    /** As a crash would. */
    kill: () => end("SIGKILL"),
    /** Again, on the same port, with what it had kept. */
    start,
    async remove(): Promise<void> {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The file `passwords`: an account `gateway` with the password "open sesame". */
export function account(folder: string): void {
  writeFileSync(join(folder, "passwords"), "");
  run(folder, "mosquitto_passwd", ["-b", "passwords", "gateway", "open sesame"]);
}

/** A certificate authority, `ca.pem`, and what it signed: `broker.pem` for 127.0.0.1 and `gateway.pem`, each with its key. */
export function certificates(folder: string): void {
  const openssl = (...args: readonly string[]): void => run(folder, "openssl", args);
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "3650");
  for (const name of ["broker", "gateway"]) {
    writeFileSync(join(folder, `${name}.ext`), "subjectAltName=IP:127.0.0.1\n");
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...signing);
  }
}

function run(cwd: string, program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args[0]}: ${stderr}`);
}
