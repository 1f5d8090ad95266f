// Watches what is held. While a publish is held aedes reads no PINGREQ of its connection, so its keep-alive is put off: the wait is ours.
// A hold that lasts too long closes its connection and refuses new ones, until commits go on.

import type { Log } from "../log.ts";
import type { RefusalReason } from "./broker-counters.ts";
import type { Connection } from "./connections.ts";
import type { Hold } from "./hold.ts";

const everyMs = 250;

export function createHoldWatch(deps: { hold: Hold; log: Log; refuse: (reason: RefusalReason) => void }, limits: { readonly hold: number }) {
  const { hold, log } = deps;
  let stalled = false;
  let timer: NodeJS.Timeout | undefined;

  const look = (): void => {
    for (const holder of hold.holders()) (holder as Connection).client?._keepaliveTimer?.refresh();
    if (hold.longestMs() <= limits.hold) {
      if (stalled) log.info("commits go on: connections are taken again");
      stalled = false;
      return;
    }
    if (!stalled) log.error({ held: hold.size() }, `publishes have waited more than ${limits.hold} ms for their commit: their connections are closed`);
    stalled = true;
    for (const holder of hold.holders()) evict(holder as Connection);
  };

  const evict = (connection: Connection): void => {
    if (connection.evicted) return;
    connection.evicted = true;
    deps.refuse("held_too_long");
    connection.socket.destroy();
  };

  return {
    start(): void {
      timer = setInterval(look, everyMs).unref();
    },
    /** Why no client is taken, if so. */
    refusing: (): string | undefined => (stalled ? `publishes have waited more than ${limits.hold} ms for their commit` : undefined),
    close: (): void => clearInterval(timer),
  };
}
