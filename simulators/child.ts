// A process of one's own that says in one line of JSON that it is ready, as `highwater run` does: {"msg":"ready", …}.
// It ends with its parent's wish: SIGTERM first, SIGKILL for one that does not listen.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export type Child<Ready> = {
  /** What the ready line said. */
  readonly ready: Ready;
  readonly pid: number;
  /** Resolves with the exit code (-1 for a signal) when it has ended, by itself too. */
  readonly exited: Promise<number>;
  /** Ends it. @returns its exit code; -1 when it had to be killed */
  stop(): Promise<number>;
};

export type ChildOptions = {
  readonly env?: Readonly<Record<string, string>>;
  /** For readiness, and again for the end. */
  readonly timeoutMs: number;
  /** Each line of stdout, the ready one too. */
  readonly onLine?: (line: string) => void;
};

const TAIL_LINES_MAX = 30;

/**
 * Starts `node ...args` with this process's Node.
 * @throws when it ends, or says nothing for `timeoutMs`, before it is ready; the message ends with its last lines
 */
export async function startChild<Ready extends object>(args: readonly string[], options: ChildOptions): Promise<Child<Ready>> {
  const child = spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env }, detached: true });
  // In a process group of its own, Ctrl-C on the terminal reaches only the parent, which ends it in order; whatever happens, none is left behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "close").then(([code, signal]) => {
    process.off("exit", kill);
    return { code: typeof code === "number" ? code : -1, signal: signal as NodeJS.Signals | null };
  });
  const tail: string[] = [];
  const keep = (line: string) => {
    tail.push(line);
    if (tail.length > TAIL_LINES_MAX) tail.shift();
  };
  const ready = await new Promise<Ready>((resolve, reject) => {
    const fail = (what: string) => reject(new Error([`node ${args.join(" ")} ${what}`, ...tail].join("\n  ")));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`was not ready after ${options.timeoutMs} ms`);
    }, options.timeoutMs);
    createInterface({ input: child.stderr }).on("line", keep);
    createInterface({ input: child.stdout }).on("line", (line) => {
      keep(line);
      options.onLine?.(line);
      const found = readyLine<Ready>(line);
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    void exited.then(({ code, signal }) => {
      clearTimeout(timer);
      fail(`ended ${signal === null ? `with ${code}` : `by ${signal}`} before it was ready`);
    });
  });
  const stop = async (): Promise<number> => {
    const hadEnded = child.exitCode !== null || child.signalCode !== null;
    const { code, signal } = await endChild(child, exited, options.timeoutMs);
    if (signal !== null && !hadEnded) process.stderr.write(`${[`node ${args.join(" ")} ended by ${signal} when it was to stop`, ...tail].join("\n  ")}\n`);
    return code;
  };
  return { ready, pid: child.pid ?? 0, exited: exited.then(({ code }) => code), stop };
}

async function endChild<Exit>(child: ChildProcess, exited: Promise<Exit>, timeoutMs: number): Promise<Exit> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const exit = await exited;
  clearTimeout(timer);
  return exit;
}

function readyLine<Ready>(line: string): Ready | undefined {
  if (!line.includes('"ready"')) return undefined;
  try {
    const said = JSON.parse(line) as Ready & { msg?: unknown };
    return said.msg === "ready" ? said : undefined;
  } catch {
    return undefined;
  }
}
