// Starts and supervises the worker threads of this program. An entry takes its extension from this file: `.ts` in a clone,
// `.js` in a package.

import { constants, setPriority } from "node:os";
import { extname } from "node:path";
import { type ResourceLimits, type TransferListItem, Worker } from "node:worker_threads";
import { GatewayError, restoreError } from "./error.ts";

type ThreadName = "processor" | "service" | "query" | "job";

/** Of what threads make in a turn, or for an answer, next to nothing is alive a turn later, so that little room is enough for it. */
const resourceLimits: ResourceLimits = { maxYoungGenerationSizeMb: 6 };

/**
 * @param name of a file in threads/
 * @param start what the thread finds as `workerData`
 */
export function startWorker(name: ThreadName, start: unknown, transfer: TransferListItem[] = []): Worker {
  const url = new URL(`./threads/${name}${extname(import.meta.url)}`, import.meta.url);
  return new Worker(url, { name, workerData: start, transferList: transfer, resourceLimits });
}

/** What a thread that may be terminated says once its native parts are loaded. */
export const LOADED = { kind: "loaded" } as const;

/**
 * Puts the thread that calls behind those that take readings, for when there are fewer processors than threads with work. Only Linux keeps
 * a priority for each thread; elsewhere it would be that of the whole process.
 */
export function giveWay(): void {
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}

/**
 * Starts a thread that may be terminated at any time.
 * @returns the thread, and how to end it: a thread that is just loading SQLite would take the process with it, so that is waited for
 */
export function startTerminable(name: "query" | "job", start: unknown): { worker: Worker; terminate(): Promise<void> } {
  const worker = startWorker(name, start);
  const isLoaded = new Promise<void>((resolve) => {
    worker.on("message", ({ kind }: { kind: string }) => {
      if (kind === LOADED.kind) resolve();
    });
    worker.once("exit", () => resolve());
  });
  return {
    worker,
    async terminate() {
      await isLoaded;
      await worker.terminate();
    },
  };
}

export type Supervised<To, From extends { readonly kind: string }> = {
  readonly worker: Worker;
  tell(message: To, transfer?: TransferListItem[]): void;
  listen(listener: (message: From) => void): void;
  /** The thread's first message of a kind. @throws what ended the thread before it came */
  first<Kind extends From["kind"]>(kind: Kind): Promise<Extract<From, { kind: Kind }>>;
  /** From now on the thread's end is told, unless it was asked for. */
  onEnd(fatal: (error: Error) => void): void;
  /** Asks the thread to end, and waits until it has. */
  end(message: To): Promise<void>;
};

export function supervise<To, From extends { readonly kind: string }>(name: ThreadName, start: unknown, transfer: TransferListItem[]): Supervised<To, From> {
  const worker = startWorker(name, start, transfer);
  const ended = new Promise<Error>((resolve) => {
    worker.once("error", (error) => resolve(error.name === "GatewayError" ? restoreError(error) : error));
    worker.once("exit", () => resolve(new GatewayError("thread_ended", `the ${name} thread has ended`)));
  });
  let isExpected = false;
  return {
    worker,
    tell: (message, handed = []) => worker.postMessage(message, handed),
    listen: (listener) => void worker.on("message", listener),
    async first(kind) {
      const came = new Promise<Extract<From, { kind: typeof kind }>>((resolve) => {
        worker.on("message", function listen(message: From) {
          if (message.kind !== kind) return;
          worker.off("message", listen);
          resolve(message as Extract<From, { kind: typeof kind }>);
        });
      });
      const outcome = await Promise.race([came, ended]);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    onEnd(fatal) {
      void ended.then((error) => {
        if (!isExpected) fatal(error);
      });
    },
    async end(message) {
      isExpected = true;
      const exited = new Promise<void>((resolve) => void worker.once("exit", () => resolve()));
      worker.postMessage(message);
      if (worker.threadId !== -1) await exited;
    },
  };
}
