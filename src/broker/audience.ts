// Whether anybody may listen to a topic. Most readings have no subscriber, and handing them on all the same costs aedes about as much as
// taking them. The answer errs on the side of yes: a filter counts from its first grant until the gateway ends, and its wildcards take
// `$` topics too.

import { covers } from "./filter.ts";
import { createTopicCache } from "./topic-cache.ts";

const mostFilters = 1_000;

/** @param topics how many topics it remembers the answer for */
export function createAudience(topics: number) {
  const filters = new Map<string, readonly string[]>();
  const answers = createTopicCache<"yes" | "no">(topics);
  let everybody = false;
  return {
    /** A client subscribes to `filter`, anew or with a session that goes on. */
    grant(filter: string): void {
      if (everybody || filters.has(filter)) return;
      filters.set(filter, filter.split("/"));
      everybody = filters.size > mostFilters;
      answers.clear();
    },
    listens(topic: string): boolean {
      if (filters.size === 0) return false;
      if (everybody) return true;
      const known = answers.get(topic);
      if (known !== undefined) return known === "yes";
      const levels = topic.split("/");
      const listens = [...filters.values()].some((filter) => covers(filter, levels));
      answers.set(topic, listens ? "yes" : "no");
      return listens;
    },
  };
}
