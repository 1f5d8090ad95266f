// `highwater run` as anyone starts it, in a process of its own: its config, its API, its end, also by SIGKILL.
// Beside it what several end-to-end tests need: MQTT clients, commands run to their end, waiting for a condition, numbers drawn by a seed.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { startChild } from "../../simulators/child.ts";

const HIGHWATER = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const START_MS_MAX = 30_000;
const WAIT_MS_MAX = 30_000;
const POLL_MS = 100;

export type Config = Readonly<Record<string, unknown>>;
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };
type Address = { readonly host: string; readonly port: number };

export type RunningGateway = {
  readonly mqttUrl: string;
  readonly httpUrl: string;
  readonly pid: number;
  /** What it has logged so far. */
  readonly log: readonly LogLine[];
  /** The JSON of an answer with status 200. */
  get<Answer>(path: string): Promise<Answer>;
  text(path: string): Promise<string>;
  status(): Promise<Status>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGHUP. */
  hangUp(): void;
};

export type Books = Record<"received" | "accepted" | "late" | "duplicate" | "conflict" | "quarantined" | "rejected", number>;
export type Status = {
  readonly readings: Books;
  readonly unmatched: readonly { readonly topic: string; readonly count: number; readonly sample: string; readonly suggestion: string }[];
  readonly rejected: readonly {
    readonly topic: string;
    readonly reason: string;
    readonly count: number;
    readonly last_at: string;
    readonly detail: string;
    readonly sample: string;
  }[];
  readonly broker: { readonly connections: number; readonly refusing: string | null };
  readonly outbox: { readonly waiting: number; readonly oldest_waiting_ms: number; readonly dead: number };
};
export type AlertAnswer = {
  readonly id: string | null;
  readonly rule: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly since: string;
  readonly fired_at: string | null;
  readonly resolved_at: string | null;
  readonly value: number;
  readonly peak: number | null;
};
export type AlertHistoryAnswer = {
  readonly alert: AlertAnswer;
  readonly transitions: readonly { readonly ordinal: number; readonly to: string; readonly reason: string; readonly ts: string; readonly value: number }[];
  readonly notifications: readonly NotificationAnswer[];
};
export type NotificationAnswer = {
  readonly id: string;
  readonly alert: string;
  readonly channel: string;
  readonly seq: number;
  readonly state: string;
  readonly disposition: string;
};
export type BucketAnswer = { readonly t: number; readonly end: number; readonly count: number; readonly min: number; readonly max: number };
export type ReadingsAnswer = { readonly series: readonly { readonly labels: Readonly<Record<string, string>>; readonly buckets: readonly BucketAnswer[] }[] };

/** A folder for one test, and what takes it away again. */
export function createFolder(name: string): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `highwater-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes `highwater.yaml` with free ports and the data beside it. @returns its path */
export function writeConfig(folder: string, config: Config): string {
  const file = join(folder, "highwater.yaml");
  const { gateway, mqtt, http, ...blocks } = config;
  const whole = {
    gateway: { name: "e2e", data_dir: "./data", ...(gateway as object) },
    mqtt: { listeners: [{ host: "127.0.0.1", port: 0 }], ...(mqtt as object) },
    http: { host: "127.0.0.1", port: 0, ...(http as object) },
    ...blocks,
  };
  // JSON is YAML.
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`);
  return file;
}

/**
 * Starts a gateway on the folder's data, with this config, or with the one that is there.
 * @throws with its own words when it does not become ready
 */
export async function startHighwater(folder: string, config?: Config): Promise<RunningGateway> {
  const file = config === undefined ? join(folder, "highwater.yaml") : writeConfig(folder, config);
  const log: LogLine[] = [];
  const child = await startChild<{ mqtt: Address[]; http: Address }>([HIGHWATER, "run", "--config", file], {
    timeoutMs: START_MS_MAX,
    onLine: (line) => log.push(JSON.parse(line) as LogLine),
  });
  const { http } = child.ready;
  const httpUrl = `http://${http.host}:${http.port}`;
  const text = async (path: string): Promise<string> => {
    const response = await fetch(`${httpUrl}${path}`);
    const body = await response.text();
    if (!response.ok) throw new Error(`GET ${path} answers ${response.status}: ${body}`);
    return body;
  };
  const get = async <Answer>(path: string): Promise<Answer> => JSON.parse(await text(path)) as Answer;
  return {
    mqttUrl: `mqtt://127.0.0.1:${child.ready.mqtt[0]?.port}`,
    httpUrl,
    pid: child.pid,
    log,
    get,
    text,
    status: () => get<Status>("/api/v1/status"),
    stop: () => child.stop(),
    async kill() {
      process.kill(child.pid, "SIGKILL");
      await child.exited;
    },
    hangUp: () => void process.kill(child.pid, "SIGHUP"),
  };
}

/** Runs one `highwater` command to its end. */
export function highwater(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return runToEnd(process.execPath, [HIGHWATER, ...args]);
}

/** @returns the exit code, -1 for a signal, and what it wrote; an absent program is code 127 */
export function runToEnd(program: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.stderr += text;
    });
    child.once("error", (error) => resolve({ code: 127, stdout: "", stderr: error.message }));
    child.once("close", (code) => resolve({ code: code ?? -1, ...said }));
  });
}

/** An MQTT client that does not connect again by itself, unless told to. */
export function connectClient(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  return connectAsync(url, { reconnectPeriod: 0, ...options }, false);
}

/** Asks again until the answer is something. @throws with `what` when it stays undefined or false, and with the last error */
export async function waitFor<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  timeoutMs = WAIT_MS_MAX,
): Promise<Answer> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > until) throw new Error(`waited in vain for: ${what}`, { cause: failure });
    await sleep(POLL_MS);
  }
}

export const booksBalance = ({ received, ...rest }: Books): boolean => received === Object.values(rest).reduce((sum, count) => sum + count, 0);

/** The seed of a run: `HIGHWATER_SEED`, or one of its own, printed so that the run can be had again. */
export function drawSeed(what: string): number {
  const seed = Number(process.env["HIGHWATER_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`${what}: HIGHWATER_SEED=${seed}\n`);
  return seed;
}

export type Draw = {
  /** From `least` up to, not including, `most`. */
  between(least: number, most: number): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  oneOf<Item>(items: readonly Item[]): Item;
};

/** Numbers drawn by a seed (mulberry32). */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    between: (least, most) => least + next() * (most - least),
    whole,
    oneOf: (items) => items[whole(0, items.length - 1)] as (typeof items)[number],
  };
}
