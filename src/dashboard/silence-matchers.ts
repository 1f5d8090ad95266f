// The labels of a silence as people write them: `device=fz-7 metric=temp* room="B 2"`, the same label twice for either of two.

export type Matchers = Readonly<Record<string, readonly string[]>>;

/** @returns what is wrong, in a sentence, where they cannot be read */
export function matchersOf(text: string): Matchers | string {
  const matchers: Record<string, string[]> = {};
  for (const [word] of text.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    const [, label, quoted, plain] = /^([a-zA-Z_]\w*)=(?:"([^"]*)"|([^"]*))$/.exec(word) ?? [];
    if (label === undefined) return `${word} is no label=pattern; write device=fz-7, with quotes where there are blanks.`;
    matchers[label] = [...(matchers[label] ?? []), quoted ?? plain ?? ""];
  }
  return Object.keys(matchers).length === 0 ? "Write at least one label=pattern, such as device=fz-7." : matchers;
}

const quotedIfNeeded = (value: string): string => (/\s/.test(value) ? `"${value}"` : value);

/** @param query `device=fz-7&metric=temperature`, as an address has it */
export const matchersText = (query: string): string => [...new URLSearchParams(query)].map(([label, value]) => `${label}=${quotedIfNeeded(value)}`).join(" ");
