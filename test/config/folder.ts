// A folder of its own for each test file that reads configs from disk.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { type GatewayConfig, loadConfig, type Problem } from "../../src/config.ts";

/** Made at once, removed after the file's last test. */
export function createFolder() {
  const path = mkdtempSync(join(tmpdir(), "highwater-config-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  /** `line:column: what (hint)`, with the file in front when it is not the config. */
  const line = ({ file, line: row, column, message, hint }: Problem): string => {
    const text = `${row}:${column}: ${message}${hint === undefined ? "" : ` (${hint})`}`.replaceAll(`${path}/`, "");
    return file.endsWith("/case.yaml") ? text : `${file.replace(`${path}/`, "")}:${text}`;
  };
  return {
    path,
    write,
    /** What is wrong with a config. */
    complaints(yaml: string, env: Record<string, string> = {}): string[] {
      const result = loadConfig(write("case.yaml", yaml), env);
      return result.kind === "ok" ? [] : result.problems.map(line);
    },
    /** The notes of a config that must be valid. */
    notes(yaml: string, env: Record<string, string> = {}): string[] {
      const result = loadConfig(write("case.yaml", yaml), env);
      if (result.kind === "invalid") throw new Error(result.problems.map(line).join("\n"));
      return result.notes.map(line);
    },
    /** A config that must be valid. */
    config(yaml: string, env: Record<string, string> = {}): GatewayConfig {
      const result = loadConfig(write("case.yaml", yaml), env);
      if (result.kind === "invalid") throw new Error(result.problems.map(line).join("\n"));
      return result.config;
    },
  };
}
