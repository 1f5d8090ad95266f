// JSON Pointer (RFC 6901), read-only: `/DS18B20/Temperature`, `~1` for a slash in a key, `~0` for a tilde. Only own properties
// are looked at, so that a payload or a pointer cannot reach into a prototype.

/** `` (the whole document) or `/` and keys; `~` only as `~0` and `~1`. */
export const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** The keys of a pointer. The pointer must match `pointerPattern`. */
export function pointerKeys(pointer: string): readonly string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * @returns what stands at `keys`, or undefined when nothing does (JSON itself has no undefined)
 */
export function valueAt(document: unknown, keys: readonly string[]): unknown {
  let value = document;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
