// What the broker has to write down about its clients, until the inbox takes it along with a turn. Of several changes to one thing only
// the newest is written, and what came and went within one turn is not written at all. Rows keep the order in which they were noted.

import type { AuditRow } from "../storage/audit.ts";
import type { MqttRow } from "../storage/mqtt-rows.ts";

export type ChangesInbox = {
  /** Calls back once all that was noted so far is on disk, or with an error when it never will be. */
  committed(callback: (error?: Error) => void): void;
  /** @param take is asked for rows that go with each turn */
  carry(take: () => readonly (MqttRow | AuditRow)[]): void;
};

export type Changes = ReturnType<typeof createChanges>;

/** What waits no longer than this when no turn comes by itself. */
const lingerMs = 250;

/** @param hold calls back when all is on disk, like `committed`; meanwhile it counts as a wait of the client, if it is one */
export function createChanges(inbox: ChangesInbox, hold = (_client: object, done: (error?: Error) => void): void => inbox.committed(done)) {
  let rows = new Map<string, MqttRow>();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    if (rows.size > 0) inbox.committed(() => undefined);
  };

  inbox.carry(() => {
    const taken = [...rows.values()];
    rows = new Map();
    return taken;
  });

  return {
    /** @param key of what is changed; an older row of it that was not taken yet is replaced */
    note(key: string, row: MqttRow): void {
      rows.delete(key);
      rows.set(key, row);
    },
    /** Takes back a row that nobody has taken yet. @returns whether there was one */
    takeBack: (key: string): boolean => rows.delete(key),
    /** Resolves once all that was noted is on disk; never, when the gateway ends before that. */
    durable: (client: object): Promise<void> => new Promise((resolve) => hold(client, (error) => error === undefined && resolve())),
    flush,
    start(): void {
      timer = setInterval(flush, lingerMs).unref();
    },
    close(): void {
      clearInterval(timer);
      flush();
    },
  };
}
