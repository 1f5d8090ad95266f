// JSON as devices and files write it: JSON.parse, and one indulgence: `NaN`, `Infinity` and `None` outside of strings, which C and Python
// programs write where a value is missing, are read as null. Linear in the length of the text.

export type ParsedJson = { readonly kind: "ok"; readonly value: unknown } | { readonly kind: "bad"; readonly detail: string };

export function parseLenient(text: string): ParsedJson {
  const strict = parse(text);
  if (strict.kind === "ok") return strict;
  const mended = mend(text);
  return mended === text ? strict : parse(mended);
}

function parse(text: string): ParsedJson {
  try {
    return { kind: "ok", value: JSON.parse(text) };
  } catch (error) {
    return { kind: "bad", detail: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.length > 160 ? `${message.slice(0, 160)}…` : message;
}

const missing = /-?\b(?:nan|infinity|inf|none)\b/gi;

/** Replaces the words for a missing number by null, everywhere but in strings. */
function mend(text: string): string {
  let mended = "";
  let outside = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== 0x22) continue;
    const end = endOfString(text, at);
    mended += text.slice(outside, at).replace(missing, "null") + text.slice(at, end);
    outside = end;
    at = end - 1;
  }
  return mended + text.slice(outside).replace(missing, "null");
}

/** Index after the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}
