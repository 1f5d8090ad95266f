// A bounded map from topics to what is known of them: two generations, so that what is in use stays and the rest goes,
// without a list to keep in order. Holds between half and all of `capacity` once it is full.

export type TopicCache<V> = { get(topic: string): V | undefined; set(topic: string, value: V): void; clear(): void; size(): number };

/** @param capacity at least 2 */
export function createTopicCache<V>(capacity: number): TopicCache<V> {
  const half = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  const set = (topic: string, value: V) => {
    if (young.size >= half && !young.has(topic)) {
      old = young;
      young = new Map();
    }
    young.set(topic, value);
  };
  return {
    get(topic) {
      const value = young.get(topic);
      if (value !== undefined) return value;
      const older = old.get(topic);
      if (older === undefined) return undefined;
      old.delete(topic);
      set(topic, older);
      return older;
    },
    set,
    clear() {
      young.clear();
      old.clear();
    },
    size: () => young.size + old.size,
  };
}
