// Topic filters against topics (MQTT 3.1.1 §4.7): of one filter, and of many in a trie. Filters that begin with a wildcard match no topic
// that begins with `$` [MQTT-4.7.2-1], and here none of the gateway's own either, which are as much beside the clients' topics as `$SYS` is.

/** Reserved for the gateway's own messages. */
export const ownTopics = "highwater/";

const isApart = (topic: string): boolean => topic.startsWith("$") || topic.startsWith(ownTopics);
const isWildcard = (level: string | undefined): boolean => level === "+" || level === "#";

/** @param filter a valid filter, as its levels */
export function filterMatches(filter: readonly string[], topic: string, levels: readonly string[]): boolean {
  if (isWildcard(filter[0]) && isApart(topic)) return false;
  for (let index = 0; index < filter.length; index++) {
    const part = filter[index];
    if (part === "#") return true;
    if (index >= levels.length || (part !== "+" && part !== levels[index])) return false;
  }
  return filter.length === levels.length;
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
