// aedes' contract for a persistence, by its own suite in a process of its own, and the filters that sessions are found by.

import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilterTrie, filterMatches } from "../../src/broker/filter.ts";
import { runToEnd } from "../e2e/gateway-process.ts";

it("aedes-persistence's suite passes, written through", { timeout: 60_000 }, async () => {
  const suite = fileURLToPath(new URL("persistence-suite.ts", import.meta.url));
  const { code, stdout } = await runToEnd(process.execPath, ["--test", "--test-reporter=tap", suite]);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(40);
  expect(code).toBe(0);
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
