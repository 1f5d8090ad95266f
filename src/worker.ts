// Starts a worker thread of this program. The entry takes its extension from this file: `.ts` in a clone, `.js` in a package.

import { extname } from "node:path";
import { type TransferListItem, Worker } from "node:worker_threads";

/**
 * @param name of a file in threads/
 * @param start what the thread finds as `workerData`
 */
export function startWorker(name: "processor" | "service" | "query" | "job", start: unknown, transfer: TransferListItem[] = []): Worker {
  const url = new URL(`./threads/${name}${extname(import.meta.url)}`, import.meta.url);
  return new Worker(url, { name, workerData: start, transferList: transfer });
}
