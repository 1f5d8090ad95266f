// aedes' contract for a persistence, by its own suite, and the filters that sessions are found by.

import assert from "node:assert";
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createChanges } from "../../src/broker/changes.ts";
import { createFilterTrie, filterMatches } from "../../src/broker/filter.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import { type MemoryPersistence, writeThrough } from "../../src/broker/persistence.ts";
import { createRetained } from "../../src/broker/retained.ts";
import { createSessionStore } from "../../src/broker/session-store.ts";
import { systemClock } from "../../src/clock.ts";

/** What the suite asks of node:test, for which it was written. */
type Context = { plan(count: number): void; diagnostic(): void; assert: Record<string, (...compared: unknown[]) => void> };
type Suite = (options: { test: (name: string, run: (context: Context) => Promise<void>) => void; testAsync: boolean; persistence: () => object }) => void;

const require = createRequire(import.meta.url);
const suite = require("aedes-persistence/abstract.js") as Suite;
const Memory = require("aedes-persistence/asyncPersistence.js") as new () => MemoryPersistence;

describe("aedes-persistence's suite, written through", () => {
  suite({
    testAsync: true,
    persistence: () => {
      const limits = limitsSchema.parse({});
      const refuse = (reason: string): never => expect.fail(`refused: ${reason}`);
      const changes = createChanges({ committed: (callback) => void setImmediate(callback), carry: () => undefined });
      const sessions = createSessionStore({ changes, clock: systemClock, refuse, queued: () => undefined }, { ...limits, expiryMs: 1000 }, []);
      return writeThrough(new Memory(), { sessions, retained: createRetained({ changes, refuse }, limits, []), changes });
    },
    test(name, run) {
      it(name, async () => {
        let planned: number | undefined;
        let made = 0;
        const compare = assert as unknown as Context["assert"];
        const counted =
          (_: object, key: string) =>
          (...compared: unknown[]) => {
            made += 1;
            compare[key]?.(...compared);
          };
        await run({ plan: (count) => void (planned = count), diagnostic: () => undefined, assert: new Proxy({}, { get: counted }) });
        // Two of them plan nothing: they only must not throw.
        if (planned !== undefined) expect(made).toBe(planned);
      });
    },
  });
});

describe("filters", () => {
  it.each([
    ["sport/tennis/player1/#", "sport/tennis/player1", true],
    ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
    ["sport/#", "sport", true],
    ["#", "a", true],
    ["+", "sport", true],
    ["+", "/finance", false],
    ["/+", "/finance", true],
    ["+/+", "/finance", true],
    ["sport/+", "sport", false],
    ["sport/+", "sport/", true],
    ["sport/tennis/+", "sport/tennis/player1/ranking", false],
    ["SPORT", "sport", false],
    ["#", "$x/a", false],
    ["+/a", "$x/a", false],
    ["$x/#", "$x/a", true],
    ["$x/+", "$x/a", true],
    ["#", "highwater/status", false],
    ["+/+", "highwater/status", false],
    ["highwater/#", "highwater/status", true],
    ["#", "highwaters/status", true],
  ])("%s takes %s: %s [MQTT-4.7.1-2, 4.7.1-3, 4.7.2-1, 4.7.3-4]", (filter, topic, takes) => {
    expect(filterMatches(filter.split("/"), topic, topic.split("/"))).toBe(takes);
    expect(matches([filter], topic)).toEqual(takes ? [filter] : []);
  });

  it("in a trie match what each alone does, and nothing once they are gone", () => {
    const level = fc.constantFrom("a", "b", "", "$x", "highwater");
    const filter = fc
      .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, all]) => (all ? [...levels.slice(1), "#"] : levels).join("/"));
    const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 12 }), topic, (filters, name) => {
        const alone = filters.filter((one) => filterMatches(one.split("/"), name, name.split("/")));
        expect(matches(filters, name).sort()).toEqual(alone.sort());
        const trie = trieOf(filters);
        for (const one of filters) trie.delete(one, one);
        expect(trie.size()).toBe(0);
        trie.match(name, () => expect.fail("it is gone"));
      }),
    );
  });
});

function trieOf(filters: readonly string[]) {
  const trie = createFilterTrie<true>();
  for (const filter of filters) trie.set(filter, filter, true);
  return trie;
}

function matches(filters: readonly string[], topic: string): string[] {
  const found: string[] = [];
  trieOf(filters).match(topic, (key) => found.push(key));
  return found;
}
