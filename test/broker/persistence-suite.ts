// aedes-persistence's own suite on the persistence that is written through. It is made for `node --test`; persistence.test.ts starts it.

import { createRequire } from "node:module";
import { test } from "node:test";
import { createChanges } from "../../src/broker/changes.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import { type MemoryPersistence, writeThrough } from "../../src/broker/persistence.ts";
import { createRetained } from "../../src/broker/retained.ts";
import { createSessionStore } from "../../src/broker/session-store.ts";
import { systemClock } from "../../src/clock.ts";

type Suite = (options: { test: typeof test; testAsync: boolean; persistence: () => object }) => void;

const require = createRequire(import.meta.url);
const suite = require("aedes-persistence/abstract.js") as Suite;
const Memory = require("aedes-persistence/asyncPersistence.js") as new () => MemoryPersistence;

suite({
  test,
  testAsync: true,
  persistence: () => {
    const limits = limitsSchema.parse({});
    const refuse = (reason: string): never => {
      throw new Error(`refused: ${reason}`);
    };
    const changes = createChanges({ committed: (callback) => void setImmediate(callback), carry: () => undefined });
    const sessions = createSessionStore({ changes, clock: systemClock, refuse, queued: () => undefined }, { ...limits, expiryMs: 1000 }, []);
    return writeThrough(new Memory(), { sessions, retained: createRetained({ changes, refuse }, limits, []), changes });
  },
});
