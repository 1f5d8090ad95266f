// The service thread as far as delivery goes: the real outbox, asking the store and handing rows to the writer as
// src/threads/service.ts does. Answers of the store take their time, are old when they come, or do not come at all.

import type { Clock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createOutbox, type Receiver } from "../../src/notify/outbox.ts";
import type { Database } from "../../src/storage/database.ts";
import type { FinishedRow } from "../../src/storage/finished.ts";
import { answerOutbox, answerOutboxRow } from "../../src/storage/notification-query.ts";
import type { OutboxHead } from "../../src/storage/outbox-row.ts";
import type { Channels } from "./channels.ts";
import type { EventLoop, Life } from "./event-loop.ts";
import type { Random } from "./random.ts";

export type ServiceDeps = {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly clock: Clock;
  readonly channels: Channels;
  readonly process: Life;
  readonly db: Database;
  readonly write: (rows: readonly FinishedRow[]) => void;
  readonly deadLetter: (id: string, reason: string) => void;
};

/** What goes wrong here is told by the story, not by a log. */
export const quietLog = createLog({ level: "silent", name: "simulation" });

export type Service = ReturnType<typeof createService>;

export function createService({ loop, random, clock, channels, process, db, write, deadLetter }: ServiceDeps, receivers: readonly Receiver[]) {
  let isEnded = false;
  const life: Life = {
    get isAlive() {
      return process.isAlive && !isEnded;
    },
  };
  /** Rows on their way to the disk, and who waits for them. */
  const waitingForWrite = new Map<FinishedRow, () => void>();

  const isWaiting = db.prepare("SELECT 1 FROM notification WHERE disposition = 'waiting' LIMIT 1");
  const later = (ms: number, work: () => void): void => void loop.schedule("service", life, ms, work);

  function ask<Rows>(read: () => Rows): Promise<Rows> {
    const { promise, resolve, reject } = Promise.withResolvers<Rows>();
    const takes = random.chance(0.05) ? random.spread(25, 3_000) : random.spread(0.2, 5);
    const whenRead = takes * random.next();
    later(whenRead, () => {
      const rows = read();
      later(takes - whenRead, () => (random.chance(0.01) ? reject(new Error("the query thread was started again")) : resolve(rows)));
    });
    return promise;
  }

  // Nothing waits most of the time, and that is told sooner.
  const waitingRows = (limit: number): readonly OutboxHead[] => (isWaiting.get() === undefined ? [] : answerOutbox(db, { limit }).rows);

  /** Resolves when the row is committed. */
  function writeRow(row: FinishedRow): Promise<void> {
    write([row]);
    return new Promise((resolve) => waitingForWrite.set(row, resolve));
  }

  const outbox = createOutbox(
    {
      waiting: (limit) => ask(() => waitingRows(limit)),
      whole: (id) => ask(() => answerOutboxRow(db, { id })),
      report: (row) => {
        if (life.isAlive) void writeRow(row).then(() => outbox.wake());
      },
      deadLetter: (id, reason) => {
        if (life.isAlive) deadLetter(id, reason);
      },
      clock,
      timers: loop.timers("service", life),
      channelOf: channels.channelOf(process, life),
      log: quietLog,
      metrics: createMetrics(),
    },
    { receivers, gatewayName: "simulated", externalUrl: "http://127.0.0.1:8080", timezone: "UTC" },
  );

  return {
    changed: (): void => outbox.wake(),
    /** Those that another service handed over, before this one began, are none of its business. */
    written(rows: readonly FinishedRow[]): void {
      for (const row of rows) {
        waitingForWrite.get(row)?.();
        waitingForWrite.delete(row);
      }
    },
    reload: (next: readonly Receiver[]): void => outbox.reload(next),
    async close(): Promise<void> {
      await outbox.close();
      isEnded = true;
    },
    kill(): void {
      isEnded = true;
    },
  };
}
