// Topic filters (MQTT 3.1.1 §4.7): what one is, and which topics and other filters it takes; many of them in a trie. Filters that begin with a wildcard match no topic
// that begins with `$` [MQTT-4.7.2-1], and here none of the gateway's own either, which are as much beside the clients' topics as `$SYS` is.

/** Reserved for the gateway's own messages. */
export const ownTopics = "highwater/";

const isApart = (topic: string): boolean => topic.startsWith("$") || topic.startsWith(ownTopics);
const isWildcard = (level: string | undefined): boolean => level === "+" || level === "#";

/** A filter [MQTT-4.7.1-2, 4.7.1-3]; the empty text is none either. */
export const FILTER = /^(?:#|(?!$)(?:\+|[^+#/]*)(?:\/(?:\+|[^+#/]*))*(?:\/#)?)$/;

/** A filter or a topic as its levels. */
export type Levels = readonly string[];

/** @param filter a valid filter */
export function filterMatches(filter: Levels, topic: string, levels: Levels): boolean {
  return !(isWildcard(filter[0]) && isApart(topic)) && covers(filter, levels);
}

/** Whether a filter takes every topic that another filter, or a plain topic, does; `$` topics count like any other. */
export function covers(filter: Levels, other: Levels): boolean {
  for (let index = 0; index < filter.length; index++) {
    const level = filter[index];
    if (level === "#") return true;
    const against = other[index];
    if (against === undefined || against === "#") return false;
    if (level !== "+" && level !== against) return false;
  }
  return filter.length === other.length;
}

/** The same, where wildcards at the beginning take no `$` topics [MQTT-4.7.2-1]. */
export function coversApart(filter: Levels, other: Levels): boolean {
  return !(isWildcard(filter[0]) && other[0]?.startsWith("$") === true) && covers(filter, other);
}

type Node<Value> = { readonly children: Map<string, Node<Value>>; readonly values: Map<string, Value> };

export type FilterTrie<Value> = ReturnType<typeof createFilterTrie<Value>>;

/** Values by filter and key (of whom they are). Matching takes no longer for filters that have nothing to do with the topic. */
export function createFilterTrie<Value>() {
  const root: Node<Value> = { children: new Map(), values: new Map() };
  let size = 0;

  const visit = (node: Node<Value>, levels: readonly string[], at: number, apart: boolean, found: (key: string, value: Value) => void): void => {
    const report = (one: Node<Value> | undefined): void => one?.values.forEach((value, key) => found(key, value));
    // `#` takes its parent level too [MQTT-4.7.1-2].
    if (!apart || at > 0) report(node.children.get("#"));
    if (at === levels.length) return report(node);
    const literal = node.children.get(levels[at] as string);
    if (literal !== undefined) visit(literal, levels, at + 1, apart, found);
    const any = apart && at === 0 ? undefined : node.children.get("+");
    if (any !== undefined) visit(any, levels, at + 1, apart, found);
  };

  return {
    size: () => size,
    set(filter: string, key: string, value: Value): void {
      let node = root;
      for (const level of filter.split("/")) {
        let next = node.children.get(level);
        if (next === undefined) node.children.set(level, (next = { children: new Map(), values: new Map() }));
        node = next;
      }
      if (!node.values.has(key)) size++;
      node.values.set(key, value);
    },
    delete(filter: string, key: string): void {
      const path: [Node<Value>, string][] = [];
      let node = root;
      for (const level of filter.split("/")) {
        const next = node.children.get(level);
        if (next === undefined) return;
        path.push([node, level]);
        node = next;
      }
      if (node.values.delete(key)) size--;
      for (const [parent, level] of path.reverse()) {
        const child = parent.children.get(level) as Node<Value>;
        if (child.values.size > 0 || child.children.size > 0) return;
        parent.children.delete(level);
      }
    },
    match(topic: string, found: (key: string, value: Value) => void): void {
      if (size > 0) visit(root, topic.split("/"), 0, isApart(topic), found);
    },
  };
}
