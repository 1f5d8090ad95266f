// The gateway's door for the command line: a socket in the data directory, one JSON line asked, JSON lines answered.
// Verbs that write go through it while a gateway runs, so that there is one writer.

import { existsSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type CarriedError, GatewayError, reasonOf, restoreError } from "./error.ts";

const SOCKET_FILE = "highwater.sock";
/** Of Linux, without the end mark. */
const SOCKET_PATH_BYTES_MAX = 107;
const LINE_BYTES_MAX = 65_536;

/** `gone`: whoever asked does not wait for the answer any more. */
export type ControlVerb = (argument: unknown, progress: (value: unknown) => void, gone: AbortSignal) => Promise<unknown>;
type Answer =
  | { kind: "progress"; value: unknown }
  | { kind: "done"; value: unknown }
  | ({ kind: "failed" } & Omit<CarriedError, "name"> & { readonly name?: string });

export type Control = { close(): Promise<void> };

/**
 * Listens in the data directory; a socket left by a gateway that was killed is replaced, as the caller holds the lock.
 * @throws GatewayError `control_failed`
 */
export async function createControl(dataDir: string, verbs: Readonly<Record<string, ControlVerb>>): Promise<Control> {
  const path = join(dataDir, SOCKET_FILE);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    void serve(socket, verbs);
  });
  try {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } catch (cause) {
    // The system refuses a path of more than 107 bytes as an invalid argument.
    const isTooLong = Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX;
    throw new GatewayError("control_failed", `${path} cannot be made a socket: ${isTooLong ? "its path is too long" : reasonOf(cause)}`, {
      hint: isTooLong
        ? `set a gateway.data_dir with a shorter path: ${SOCKET_PATH_BYTES_MAX} bytes in all`
        : "take away what is there, or set another gateway.data_dir",
      cause,
    });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

async function serve(socket: Socket, verbs: Readonly<Record<string, ControlVerb>>): Promise<void> {
  const say = (answer: Answer): void => void socket.write(`${JSON.stringify(answer)}\n`);
  const line = await firstLine(socket);
  if (line === undefined) return void socket.destroy();
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  try {
    const { verb, argument } = JSON.parse(line) as { verb: string; argument: unknown };
    const handler = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (handler === undefined) throw new Error(`the gateway knows no verb ${verb}`);
    say({ kind: "done", value: await handler(argument, (value) => say({ kind: "progress", value }), gone.signal) });
  } catch (error) {
    const { message, name, code, hint } = error as GatewayError;
    say(error instanceof GatewayError ? { kind: "failed", message, name, code, ...(hint === undefined ? {} : { hint }) } : { kind: "failed", message });
  }
  socket.end();
}

/** What is asked, without its line break; undefined when the line is too long or never ends. Iterating over the socket would end it with the loop. */
function firstLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += String(chunk);
      const [line, ...rest] = text.split("\n");
      if (rest.length > 0) resolve(line);
      else if (text.length > LINE_BYTES_MAX) resolve(undefined);
    });
    socket.once("close", () => resolve(undefined));
  });
}

/**
 * Asks the gateway that runs on a data directory.
 * @param signal the answer is not waited for any more, and the gateway ends what was asked where it can
 * @returns undefined when none does
 * @throws what the gateway answered
 */
export async function callControl(
  dataDir: string,
  verb: string,
  argument: unknown,
  progress: (value: unknown) => void,
  signal?: AbortSignal,
): Promise<{ readonly value: unknown } | undefined> {
  const path = join(dataDir, SOCKET_FILE);
  if (!existsSync(path)) return undefined;
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
  } catch (cause) {
    // Left by one that was killed.
    if ((cause as NodeJS.ErrnoException).code === "ECONNREFUSED") return undefined;
    throw new GatewayError("control_failed", `${path} cannot be opened: ${reasonOf(cause)}`, {
      hint: "run the command as the user that the gateway runs as",
      cause,
    });
  }
  const lines = createInterface({ input: socket });
  const leave = (): void => {
    lines.close();
    socket.destroy();
  };
  signal?.addEventListener("abort", leave, { once: true });
  socket.write(`${JSON.stringify({ verb, argument })}\n`);
  for await (const line of lines) {
    const answer = JSON.parse(line) as Answer;
    if (answer.kind === "progress") progress(answer.value);
    if (answer.kind === "failed") throw restoreError({ name: "Error", ...answer });
    if (answer.kind === "done") return { value: answer.value };
  }
  throw new Error("the gateway ended before it answered");
}
