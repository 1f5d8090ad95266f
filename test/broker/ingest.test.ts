// From a topic and a payload to the inbox: sources, series, names, limits, and the topics that nobody takes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { codecs } from "../../src/broker/codecs/index.ts";
import { createIngest, type IngestSource } from "../../src/broker/ingest.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import { suggestSource } from "../../src/broker/suggestion.ts";
import { createTopicCache } from "../../src/broker/topic-cache.ts";
import { zoneTable } from "../../src/zone.ts";
import { createRecordingInbox } from "./recording-inbox.ts";

const at = Date.parse("2026-11-22T12:00:00Z");
const clock = { now: () => at, monotonic: () => 0 };
const zones = { "Europe/Oslo": zoneTable("Europe/Oslo") as NonNullable<ReturnType<typeof zoneTable>> };

function source(topic: string, more: Partial<IngestSource> & { settings?: Record<string, unknown> } = {}): IngestSource {
  const codec = more.codec ?? "json";
  const schema = codecs.find(({ name }) => name === codec)?.schema;
  return { topic, codec, labels: more.labels ?? {}, settings: schema?.parse(more.settings ?? {}) };
}

function open(sources: IngestSource[], options: { limits?: Record<string, number>; seriesMax?: number } = {}) {
  const inbox = createRecordingInbox(options.seriesMax === undefined ? {} : { seriesMax: options.seriesMax });
  const ingest = createIngest({ inbox, clock }, { sources, limits: limitsSchema.parse(options.limits ?? {}), zones, timezone: "Europe/Oslo" });
  return { inbox, ingest, take: (topic: string, payload: string, username?: string) => ingest.take(topic, Buffer.from(payload), username) };
}

describe("sources", () => {
  it("gives the series the topic's labels and the source's own", () => {
    const { inbox, take } = open([source("sensors/{site}/{device}/{metric}", { labels: { floor: "2", site: "unknown" } })]);
    take("sensors/oslo/fz-7/temperature", '{"ts":1763800000000,"value":21.4}');
    take("sensors/oslo/fz-7/temperature", "21.5");
    expect(inbox.added).toEqual([
      { series: '{device="fz-7",floor="2",metric="temperature",site="oslo"}', source: "sensors/{site}/{device}/{metric}", ts: 1763800000000, value: 21.4 },
      { series: '{device="fz-7",floor="2",metric="temperature",site="oslo"}', source: "sensors/{site}/{device}/{metric}", ts: undefined, value: 21.5 },
    ]);
  });

  it("asks for a series once", () => {
    const { inbox, take } = open([source("sensors/{device}")]);
    for (let round = 0; round < 5; round++) {
      take("sensors/a", '{"t":1,"h":2}');
      take("sensors/b", '{"t":1,"h":2}');
    }
    expect(inbox.added.length).toBe(20);
    expect(inbox.lookUps()).toBe(4);
  });

  it("takes the first source that matches", () => {
    const { inbox, take } = open([
      source("{device}/relay/0", { codec: "plain", labels: { metric: "relay" } }),
      source("{device}/{metric}/0", { codec: "plain" }),
    ]);
    take("s1/relay/0", "on");
    take("s1/power/0", "12.5");
    expect(inbox.added.map(({ series }) => series)).toEqual(['{device="s1",metric="relay"}', '{device="s1",metric="power"}']);
  });

  it.each([
    ["a/{device}", {}, "21", "no_series", /no metric: name it in the topic/],
    ["a/{metric}", {}, "21", "no_series", /no device: name it in the topic/],
    ["a/{metric}", { device: "d" }, "21", undefined, undefined],
    ["a/{device}", { metric: "t" }, "21", undefined, undefined],
    ["a/+", { device: "d" }, '{"x":1}', undefined, undefined],
  ])("%s with labels %j and %s: %s", (topic, labels, payload, reason, detail) => {
    const { inbox, take } = open([source(topic, { labels })]);
    take("a/b", payload);
    expect(inbox.rejected.map((one) => one.reason)).toEqual(reason === undefined ? [] : [reason]);
    if (detail !== undefined) expect(inbox.rejected[0]?.detail).toMatch(detail);
    expect(inbox.added.length).toBe(reason === undefined ? 1 : 0);
  });

  it("prefixes several values by a fixed metric, and a lone one is it", () => {
    const { inbox, take } = open([source("a/{device}", { labels: { metric: "env" } })]);
    take("a/b", '{"t":1,"h":2}');
    take("a/b", '{"t":1}');
    expect(inbox.added.map(({ series }) => series)).toEqual(['{device="b",metric="env.t"}', '{device="b",metric="env.h"}', '{device="b",metric="env"}']);
  });

  it("reads local times by the source's zone", () => {
    const { inbox, take } = open([source("tele/{device}/SENSOR", { settings: { time: "/Time", values: { t: "/T" }, timezone: "Europe/Oslo" } })]);
    take("tele/x/SENSOR", '{"Time":"2017-02-16T10:13:52","T":1}');
    expect(inbox.added[0]?.ts).toBe(Date.parse("2017-02-16T09:13:52Z"));
  });

  it("keeps the books: what cannot be read is one rejection with its payload", () => {
    const { inbox, take } = open([source("a/{device}/{metric}")]);
    take("a/b/c", "garbage");
    take("a/b/c", "");
    take("a/b/c", '[{"value":1},{"value":null},"x"]');
    expect(inbox.added.length).toBe(1);
    expect(inbox.rejected.map(({ reason, topic, payload }) => [reason, topic, payload.slice(0, 7)])).toEqual([
      ["undecodable", "a/b/c", "garbage"],
      ["bad_quality", "a/b/c", '[{"valu'],
      ["undecodable", "a/b/c", '[{"valu'],
    ]);
  });

  it("refuses payloads over the limit and series over the limit, one by one", () => {
    const { inbox, take } = open([source("a/{device}/{metric}")], { limits: { payload_bytes: 20 }, seriesMax: 1 });
    take("a/b/c", " ".repeat(21));
    take("a/b/c", "1");
    take("a/b/d", "2");
    take("a/b/c", "3");
    expect(inbox.rejected.map(({ reason }) => reason)).toEqual(["too_large", "series_limit"]);
    expect(inbox.added.map(({ value }) => value)).toEqual([1, 3]);
  });

  it("remembers topics within a bound, and reads them right beyond it", () => {
    const { inbox, take } = open([source("a/{device}/{metric}")], { limits: { topics: 16 } });
    for (let round = 0; round < 3; round++) for (let topic = 0; topic < 50; topic++) take(`a/d${topic}/m`, String(topic));
    expect(inbox.added.length).toBe(150);
    expect(inbox.added.every(({ series, value }) => series === `{device="d${value}",metric="m"}`)).toBe(true);
  });

  it("reloads: new sources hold at once, and a bad one changes nothing", () => {
    const { inbox, ingest, take } = open([source("a/{device}/{metric}")]);
    take("a/b/c", "1");
    take("x/b/c", "1");
    expect(() => ingest.reload([source("a/{device"), source("x/{device}/{metric}")], zones)).toThrow(/mixes text/);
    expect(() => ingest.reload([{ ...source("x/{device}"), codec: "morse" }], zones)).toThrow(/no codec "morse"/);
    expect(() => ingest.reload([source("x/{device}", { settings: { timezone: "Europe/Paris" } })], zones)).toThrow(/Europe\/Paris/);
    take("a/b/c", "2");
    expect(inbox.added.length).toBe(2);
    ingest.reload([source("x/{device}/{metric}", { labels: { new: "yes" } })], zones);
    expect(ingest.unmatched()).toEqual([]);
    take("a/b/c", "3");
    take("x/b/c", "4");
    expect(inbox.added.at(-1)).toMatchObject({ series: '{device="b",metric="c",new="yes"}', value: 4 });
    expect(ingest.unmatched()).toMatchObject([{ topic: "a/b/c", count: 1 }]);
  });
});

describe("unmatched topics", () => {
  it("are listed with count, newest sample and a line to paste, the most frequent first", () => {
    const { inbox, ingest, take } = open([]);
    take("x/y", "1");
    take("x/z", "1");
    take("x/z", "21.5 °C");
    expect(inbox.added).toEqual([]);
    expect(ingest.unmatchedMessages()).toBe(3);
    expect(ingest.unmatched()).toEqual([
      { topic: "x/z", count: 2, sample: "21.5 °C", suggestion: '- { topic: "{device}/{metric}", codec: plain }' },
      { topic: "x/y", count: 1, sample: "1", suggestion: '- { topic: "{device}/{metric}", codec: plain }' },
    ]);
  });

  it("are bounded; a flood does not hide one that comes often", () => {
    const { ingest, take } = open([]);
    take("honest/one", "1");
    for (let topic = 0; topic < 500; topic++) {
      take(`odd/${topic}`, "x".repeat(5_000));
      if (topic % 10 === 0) take("honest/one", "1");
    }
    const topics = ingest.unmatched();
    expect(ingest.unmatchedMessages()).toBe(551);
    expect(topics.length).toBe(100);
    expect(topics[0]).toMatchObject({ topic: "honest/one", count: 51 });
    expect(Math.max(...topics.map(({ sample }) => sample.length))).toBe(200);
  });
});

describe("the suggested source", () => {
  it.each([
    ["sensors/oslo/fz-7/temperature", '{"ts":1763800000000,"value":21.4}', '- { topic: "sensors/{site}/{device}/{metric}", codec: json, value: /value }'],
    ["home/bedroom/temperature", "21.5", '- { topic: "home/{device}/{metric}", codec: plain }'],
    ["shellies/shellyht-1/sensor/temperature", "21.50", '- { topic: "shellies/{device}/sensor/{metric}", codec: plain }'],
    ["node1/sensor/outdoor/state", "21.4", '- { topic: "{device}/sensor/{metric}/state", codec: plain }'],
    ["zigbee2mqtt/kitchen", '{"temperature":27.34,"humidity":44.72}', '- { topic: "zigbee2mqtt/{device}", codec: json }'],
    [
      "tele/tasmota/SENSOR",
      '{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.6}}',
      '- { topic: "tele/{device}/SENSOR", codec: json, time: /Time, timezone: Europe/Oslo }',
    ],
    ["temperature", "1", '- { topic: "{device}", codec: plain, labels: { metric: "value" } }'],
    ["a/{b}/c", "1", '- { topic: "a/{device}/{metric}", codec: plain }'],
    ["${/sensor", "21.5", "# no source can take a topic whose first level begins with $ and holds a brace; rename the topic"],
  ])("for %s", (topic, sample, suggestion) => {
    expect(suggestSource(topic, sample, "Europe/Oslo")).toBe(suggestion);
  });

  it("always takes its topic, and names device and metric", () => {
    const level = fc.oneof(
      fc.constantFrom("sensor", "SENSOR", "state", "$SYS", "", "{x}", "a b", 'q"'),
      fc.string({ maxLength: 5 }).map((text) => text.replace(/[/+#\0]/g, "")),
    );
    const topics = fc
      .array(level, { minLength: 1, maxLength: 6 })
      .map((levels) => levels.join("/"))
      .filter((topic) => topic !== "" && !/^\$[^/]*[{}]/.test(topic));
    const samples = fc.constantFrom(
      "21.5",
      '{"ts":1763800000000,"value":2}',
      '{"a":1,"b":2}',
      '{"Time":"2017-02-16T10:13:52","a":2}',
      '[{"v":1}]',
      '{"value":1,"x":2}',
    );
    fc.assert(
      fc.property(topics, samples, (topic, sample) => {
        const [item] = parse(suggestSource(topic, sample, "Europe/Oslo")) as Record<string, unknown>[];
        const { topic: template, codec, labels, ...settings } = item as { topic: string; codec: string; labels?: Record<string, string> };
        const { inbox, take } = open([source(template, { codec, settings, ...(labels !== undefined && { labels }) })]);
        take(topic, sample);
        expect(inbox.rejected).toEqual([]);
        expect(inbox.added.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the cache of topics", () => {
  it("holds what is in use, within its capacity", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), (capacity, keys) => {
        const cache = createTopicCache<number>(capacity);
        for (const key of keys) {
          const known = cache.get(String(key));
          if (known !== undefined) expect(known).toBe(key);
          else cache.set(String(key), key);
          expect(cache.get(String(key))).toBe(key);
          expect(cache.size()).toBeLessThanOrEqual(capacity + 1);
        }
      }),
    );
  });

  it("keeps a topic that is asked for again and again", () => {
    const cache = createTopicCache<string>(10);
    cache.set("kept", "here");
    for (let other = 0; other < 1_000; other++) {
      cache.set(`other ${other}`, "");
      expect(cache.get("kept")).toBe("here");
    }
  });
});
