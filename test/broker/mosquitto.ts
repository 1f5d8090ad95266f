// Debian's Mosquitto as a child: a foreign broker for the bridges. Its log is its own word on what was acknowledged to it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian puts it where an ordinary user's PATH does not look. */
const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` };

export const hasMosquitto = spawnSync("mosquitto", ["-h"], { env }).error === undefined;
if (!hasMosquitto) console.warn("The tests of bridges with a real Mosquitto are skipped: it is not installed (Debian: apt-get install mosquitto)");

export type Mosquitto = Awaited<ReturnType<typeof startMosquitto>>;

/** It logs each packet. */
export const wordy = ["log_type all"];
/** What it has promised survives its end: it writes with each change. */
export const durable = ["persistence true", "autosave_interval 1", "autosave_on_changes true"];

/** @param settings more lines of mosquitto.conf; `listener` is given. Its folder is there for files that they name */
export async function startMosquitto(settings: (folder: string) => readonly string[] = () => ["allow_anonymous true"]) {
  const folder = mkdtempSync(join(tmpdir(), "highwater-mosquitto-"));
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
