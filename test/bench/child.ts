// What a row measures in a process of its own: one that runs to its end and prints one line of JSON.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/**
 * @param script by its path from this folder
 * @throws with what it complained of when it printed nothing
 */
export async function measure<Figures>(script: string, args: readonly string[], nodeOptions: readonly string[] = []): Promise<Figures> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, complaint] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (out === "") throw new Error(`${script} printed nothing: ${complaint.trim()}`);
  return JSON.parse(out) as Figures;
}
