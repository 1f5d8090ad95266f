// A cell of a table for spreadsheets and machines [RFC 4180].

/**
 * Numbers as they are. A text that a spreadsheet would take for a formula gets an apostrophe in front, in the wide forms of those characters too.
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out; lines may be broken
  const text = value.replace(/[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]/g, " ");
  const defused = /^[\s\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(defused) ? `"${defused.replaceAll('"', '""')}"` : defused;
}
