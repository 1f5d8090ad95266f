// Topics that no source matches: how often, a sample of each, and the line for `sources:` that would take them.
// Bounded: with a new topic too many, the one heard least often goes, so that a flood of odd topics does not hide an honest one.

import { suggestSource } from "./suggestion.ts";

export type UnmatchedTopic = {
  readonly topic: string;
  readonly count: number;
  /** The newest payload as text, at most 200 characters. */
  readonly sample: string;
  /** A line to paste under `sources:`. */
  readonly suggestion: string;
};

const mostTopics = 100;
const sampleBytes = 1024;
const sampleCharacters = 200;

/** @param timezone named in suggestions for payloads with local times */
export function createUnmatched(timezone = "UTC") {
  const topics = new Map<string, { count: number; sample: Buffer }>();
  let messages = 0;
  const makeRoom = () => {
    let rarest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [topic, { count }] of topics) {
      if (count >= least) continue;
      least = count;
      rarest = topic;
    }
    if (rarest !== undefined) topics.delete(rarest);
  };
  return {
    count(topic: string, payload: Uint8Array): void {
      messages++;
      const known = topics.get(topic);
      const sample = Buffer.from(payload.subarray(0, sampleBytes));
      if (known !== undefined) {
        known.count++;
        known.sample = sample;
        return;
      }
      if (topics.size >= mostTopics) makeRoom();
      topics.set(topic, { count: 1, sample });
    },
    messages: () => messages,
    /** Drops the topics that have a source by now. */
    forget(matched: (topic: string) => boolean): void {
      for (const topic of topics.keys()) if (matched(topic)) topics.delete(topic);
    },
    /** The most frequent first. */
    list: (): UnmatchedTopic[] =>
      [...topics]
        .sort(([, a], [, b]) => b.count - a.count)
        .map(([topic, { count, sample }]) => {
          const text = sample.toString("utf8");
          return { topic, count, sample: text.slice(0, sampleCharacters), suggestion: suggestSource(topic, text, timezone) };
        }),
  };
}
