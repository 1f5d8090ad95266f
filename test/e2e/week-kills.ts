// SIGKILL at chosen places of a gateway's work. Each waits until the place is reached, or until the work has ended without it, and kills then.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { callControl } from "../../src/control.ts";
import { compactedThrough, compactionBegun } from "../../src/storage/chunks.ts";
import { openDatabase } from "../../src/storage/database.ts";
import type { RunningGateway } from "./gateway-process.ts";

const HIGHWATER = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));

/** Whether the newest pass of compaction was begun and not ended. */
function isMidPass(dataDir: string): boolean {
  const db = openDatabase(dataDir, { readonly: true });
  try {
    return compactionBegun(db) !== compactedThrough(db);
  } finally {
    db.close();
  }
}

/** Asks for what is due; an answer that a kill swallows is none. */
const summarize = (dataDir: string, progress: (now: unknown) => void): Promise<unknown> =>
  callControl(dataDir, "summarize", {}, progress).catch(() => undefined);

/** While a pass of compaction is being written. @returns whether the kill came before its end */
export async function killInCompaction(gateway: RunningGateway, dataDir: string): Promise<boolean> {
  let isOver = false;
  const asked = summarize(dataDir, () => {}).finally(() => {
    isOver = true;
  });
  const db = openDatabase(dataDir, { readonly: true });
  while (!isOver && compactionBegun(db) === compactedThrough(db)) await turn();
  await gateway.kill();
  db.close();
  await asked;
  return isMidPass(dataDir);
}

/** While summaries of days are worked out. @returns whether a day had begun */
export async function killInSummary(gateway: RunningGateway, dataDir: string): Promise<boolean> {
  let hasBegun = false;
  await new Promise<void>((resolve) => {
    const begin = (): void => {
      hasBegun = true;
      resolve();
    };
    void summarize(dataDir, begin).finally(resolve);
  });
  await gateway.kill();
  return hasBegun;
}

/** Whatever it does after a time: at its start it summarises what is due. */
export async function killAfter(gateway: RunningGateway, ms: number): Promise<void> {
  await sleep(ms);
  await gateway.kill();
}

/** While it stops in order, or after it. */
export async function killWhileStopping(gateway: RunningGateway, ms: number): Promise<void> {
  const stopped = gateway.stop();
  await sleep(ms);
  // It may be gone.
  await gateway.kill().catch(() => {});
  await stopped;
}

/** `highwater summarize` where no gateway runs, so that it writes itself. */
export async function killSummarizeAlone(configFile: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, [HIGHWATER, "summarize", "--config", configFile], { stdio: "ignore" });
  const ended = once(child, "close");
  await sleep(ms);
  child.kill("SIGKILL");
  await ended;
}
