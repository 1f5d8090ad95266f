// docs/reference/sources.md is run: each source of a yaml block, with the messages of the text block after it.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { codecs } from "../../src/broker/codecs/index.ts";
import { createIngest, type IngestSource } from "../../src/broker/ingest.ts";
import { limitsSchema } from "../../src/broker/limits.ts";
import type { ZoneTable } from "../../src/engine/calendar.ts";
import { zoneTable } from "../../src/zone.ts";
import { createRecordingInbox } from "./recording-inbox.ts";

type Example = { sources: IngestSource[]; topic: string; payload: string; expected: string[] };

function sourcesOf(yaml: string): IngestSource[] {
  return (parse(yaml) as Record<string, unknown>[]).map(({ topic, codec, labels, ...settings }) => ({
    topic: topic as string,
    codec: codec as string,
    labels: (labels ?? {}) as IngestSource["labels"],
    settings: codecs.find(({ name }) => name === codec)?.schema.parse(settings),
  }));
}

function examplesOf(page: string): Example[] {
  let sources: IngestSource[] = [];
  return [...page.matchAll(/^```(yaml|text)\n([\s\S]*?)^```$/gm)].flatMap(([, language, block = ""]) => {
    if (language === "yaml") {
      sources = sourcesOf(block);
      return [];
    }
    return block
      .trim()
      .split("\n\n")
      .map((message) => {
        const [topic = "", payload = "", ...expected] = message.split("\n");
        return { sources, topic, payload, expected };
      });
  });
}

const zones: Record<string, ZoneTable> = { "Europe/Oslo": zoneTable("Europe/Oslo") as ZoneTable };
const examples = examplesOf(readFileSync(new URL("../../docs/reference/sources.md", import.meta.url), "utf8"));

it("the page has examples", () => {
  expect(examples.length).toBeGreaterThan(20);
});

it.each(examples.map((one): [string, string, Example] => [one.topic, one.payload, one]))("%s %s", (_topic, _payload, { sources, topic, payload, expected }) => {
  const inbox = createRecordingInbox();
  const clock = { now: () => Date.parse("2026-11-22T12:00:00Z"), monotonic: () => 0 };
  const ingest = createIngest({ inbox, clock }, { sources, limits: limitsSchema.parse({}), zones });
  ingest.take(topic, Buffer.from(payload));
  const readings = inbox.added.map(({ series, ts, value }) => {
    const labels = Object.entries(inbox.series.find(({ key }) => key === series)?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    return `→ ${labels.map(([name, label]) => `${name}=${label}`).join(" ")}: ${value}${ts === undefined ? "" : ` at ${new Date(ts).toISOString()}`}`;
  });
  expect([...readings, ...inbox.rejected.map(({ reason }) => `→ rejected ${reason}`)]).toEqual(expected);
});
