// What an access list grants, asked directly. That the broker asks it is in access.test.ts.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aclEntrySchema, createAcl } from "../../src/broker/acl.ts";
import { coversApart as covers } from "../../src/broker/filter.ts";

const acl = (...entries: Record<string, unknown>[]) => createAcl(entries.map((entry) => aclEntrySchema.parse(entry)));

describe("an access list", () => {
  it("allows what an entry allows, publishing and subscribing apart, and nothing else", () => {
    const grant = acl({ publish: ["sensors/+/temperature"], subscribe: ["highwater/#"] })("u", "c");
    const asked = ["sensors/a/temperature", "sensors/a/humidity", "sensors/a/b/temperature", "highwater/status", "highwater"];
    expect(asked.map(grant.publish)).toEqual([true, false, false, false, false]);
    expect(asked.map(grant.receive)).toEqual([false, false, false, true, true]);
  });

  it("denies what an entry denies, whatever another allows", () => {
    const grant = acl({ publish: ["#"], subscribe: ["#"] }, { deny_publish: ["plc/#"], deny_subscribe: ["test/nosubscribe"] })(undefined, "c");
    expect(["plc/stop", "plc", "other"].map(grant.publish)).toEqual([false, false, true]);
    expect(["test/nosubscribe", "test/other", "#"].map(grant.subscribe)).toEqual([false, true, true]);
    // Granted to the wide filter, but this is not delivered.
    expect(["test/nosubscribe", "test/other"].map(grant.receive)).toEqual([false, true]);
  });

  it("is about users and client ids, as globs; who gives no name is no user", () => {
    const grantOf = acl({ user: ["esp-*", "pump"], publish: ["a"] }, { client: "tool-?", publish: ["b"] }, { publish: ["c"] });
    const may = (user: string | undefined, client: string) => ["a", "b", "c"].filter(grantOf(user, client).publish).join("");
    expect([may("esp-1", "x"), may("pump", "tool-1"), may(undefined, "tool-1"), may("pumps", "tool-11"), may("", "x")]).toEqual(["ac", "abc", "bc", "c", "c"]);
    expect(acl({ user: "*", publish: ["a"] })(undefined, "x").publish("a")).toBe(false);
  });

  it("puts the user's name for %u and the client id for %c", () => {
    const grantOf = acl({ publish: ["sensors/%u/#", "clients/x-%c-%u"], subscribe: ["%c"] });
    expect(grantOf("fz-7", "c1").publish("sensors/fz-7/temperature")).toBe(true);
    expect(grantOf("fz-7", "c1").publish("sensors/fz-8/temperature")).toBe(false);
    expect(grantOf("fz-7", "c1").publish("clients/x-c1-fz-7")).toBe(true);
    expect(grantOf("fz-7", "c1").subscribe("c1")).toBe(true);
  });

  it.each(["+", "#", "a/b", ""])("a name that would change the filter is matched by nothing: %j", (name) => {
    const grant = acl({ publish: ["sensors/%u/#", "c/%c"], subscribe: ["%u"] })(name, name);
    expect(["sensors/fz-7/t", "sensors/a/b/t", `sensors/${name}/t`, `c/${name}`].some(grant.publish)).toBe(false);
    expect(grant.subscribe(name)).toBe(false);
  });

  it("does not fill in what stands in a name", () => {
    expect(acl({ publish: ["%u"] })("%c", "x").publish("x")).toBe(false);
  });

  it("lets wildcards take `$` topics for publishing, and not for subscribing, as in MQTT", () => {
    const grant = acl({ publish: ["#"], subscribe: ["#"] })("u", "c");
    expect([grant.publish("$home/x"), grant.subscribe("$SYS/#"), grant.receive("$home/x")]).toEqual([true, false, false]);
    expect(acl({ subscribe: ["#", "$SYS/#"] })("u", "c").subscribe("$SYS/broker")).toBe(true);
  });

  it("takes no filter that MQTT would not take", () => {
    for (const filter of ["a/#/b", "a#", "a+/b", ""]) expect(aclEntrySchema.safeParse({ publish: [filter] }).success, filter).toBe(false);
    for (const filter of ["#", "+", "a/+/#", "/", "a//b"]) expect(aclEntrySchema.safeParse({ publish: [filter] }).success, filter).toBe(true);
  });
});

describe("a filter covers another", () => {
  const levels = (filter: string) => filter.split("/");

  it.each([
    ["a/#", "a", true],
    ["a/#", "a/b/#", true],
    ["a/+", "a/b", true],
    ["a/+", "a/#", false],
    ["+/b", "#", false],
    ["#", "+/b", true],
    ["#", "$SYS/x", false],
    ["+/x", "$SYS/x", false],
    ["$SYS/#", "$SYS/x", true],
    ["a", "a/b", false],
  ])("%s covers %s: %s", (filter, other, is) => {
    expect(covers(levels(filter), levels(other))).toBe(is);
  });

  it("just when it takes every topic that the other takes", () => {
    const names = ["a", "b", "c"];
    const topics = names.flatMap((x) => [x, ...names.flatMap((y) => [`${x}/${y}`, ...names.map((z) => `${x}/${y}/${z}`)])]);
    const pattern = (filter: string) => new RegExp(`^${filter.replaceAll("+", "[^/]+").replace(/^#$/, ".+").replace("/#", "(/.+)?")}$`);
    const level = fc.constantFrom("a", "b", "+");
    const filter = fc.tuple(fc.array(level, { minLength: 1, maxLength: 2 }), fc.boolean()).map(([parts, rest]) => [...parts, ...(rest ? ["#"] : [])].join("/"));
    fc.assert(
      fc.property(filter, filter, (one, other) => {
        const isWithin = topics.filter((topic) => pattern(other).test(topic)).every((topic) => pattern(one).test(topic));
        expect(covers(levels(one), levels(other))).toBe(isWithin);
      }),
    );
  });
});
