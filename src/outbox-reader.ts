// What the outbox asks of the store. While little waits it is read where it is asked, so that no question of people is ahead of it; where
// much does, or a group is to be read whole, the query thread reads it: the thread that delivers must not stand still.

import type { QueryClient } from "./query-client.ts";
import { openDatabase } from "./storage/database.ts";
import { answerOutbox, isOutboxShort } from "./storage/notification-query.ts";
import type { OutboxHead, OutboxRow } from "./storage/outbox-row.ts";

export type OutboxReader = {
  waiting(limit: number): Promise<readonly OutboxHead[]>;
  whole(id: string): Promise<OutboxRow | null>;
  close(): void;
};

export function createOutboxReader(dataDir: string, { query }: Pick<QueryClient, "query">): OutboxReader {
  const db = openDatabase(dataDir, { readonly: true });
  return {
    waiting: async (limit) => (isOutboxShort(db) ? answerOutbox(db, { limit }) : await query({ kind: "outbox", limit })).rows,
    whole: (id) => query({ kind: "outbox_row", id }),
    close: () => void db.close(),
  };
}
