// A table as a mail shows it: as text in fixed columns, and as HTML with its style inline, since mail clients drop the rest.

/** `bad` is set off by colour and weight; the text alone must say it too. */
export type Cell = { readonly text: string; readonly mark?: "bad" /** Below the text, in HTML alone. */; readonly picture?: Picture };
/** `cid` of an attachment of the mail; `width` and `height` in CSS pixels. */
export type Picture = { readonly cid: string; readonly alt: string; readonly width: number; readonly height: number };
/** `width` in characters, of the text. Figures stand on the right and are never cut. */
type Shape = { readonly title: string; readonly width: number; readonly right?: true };
export type Column<Row> = Shape & { cell(row: Row): Cell };
export type Table = { readonly heading: string; readonly columns: readonly Shape[]; readonly rows: readonly (readonly Cell[])[] };

export function tableOf<Row>(heading: string, rows: readonly Row[], columns: readonly Column<Row>[]): Table {
  return { heading, columns, rows: rows.map((row) => columns.map((column) => column.cell(row))) };
}

export function textTable({ heading, columns, rows }: Table): string[] {
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ width, right }, index) => fit(texts[index] ?? "", width, right === true))
      .join(" ")
      .trimEnd();
  const rule = "-".repeat(columns.reduce((sum, { width }) => sum + width + 1, -1));
  return [heading, "", line(columns.map(({ title }) => title)), rule, ...rows.map((row) => line(row.map(({ text }) => text)))];
}

/** A text that is too long for a column of names ends in `…`; figures are never cut. */
function fit(text: string, width: number, right: boolean): string {
  const plain = oneLine(text);
  if (right) return plain.padStart(width);
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain.padEnd(width);
}

/** Names come from devices: no control characters in a header or a table. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
export const oneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f]+/g, " ");

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escapeHtml = (text: string): string => oneLine(text).replace(/[&<>"']/g, (character) => escapes[character] as string);

/** On a narrow screen the table scrolls in its own box, and the rest of the mail stays in sight: no word or figure is broken for it. */
export function htmlTable({ heading, columns, rows }: Table): string {
  const side = (right: boolean | undefined): string => (right ? "right" : "left");
  const head = columns.map(
    ({ title, right }) => `<th scope="col" style="padding:4px 8px;text-align:${side(right)};border-bottom:2px solid #c9d2d8">${escapeHtml(title)}</th>`,
  );
  const body = rows.map((row) => {
    const cells = row.map(({ text, mark, picture }, index) => {
      const bad = mark === "bad" ? ";font-weight:600;color:#a3200d" : "";
      const whole = columns[index]?.right ? ";white-space:nowrap" : "";
      return `<td style="padding:4px 8px;text-align:${side(columns[index]?.right)};vertical-align:top;border-bottom:1px solid #e3e8eb${whole}${bad}">${escapeHtml(text)}${picture === undefined ? "" : htmlPicture(picture)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<h2 style="margin:0 0 8px;font-size:16px">${escapeHtml(heading)}</h2>
<div style="overflow-x:auto;margin:0 0 24px"><table style="border-collapse:collapse;overflow-wrap:normal;font-variant-numeric:tabular-nums"><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

/** Its own white ground is in the picture, for readers that turn a mail dark. */
const htmlPicture = ({ cid, alt, width, height }: Picture): string =>
  `<img src="cid:${escapeHtml(cid)}" alt="${escapeHtml(alt)}" width="${width}" height="${height}" style="display:block;width:${width}px;height:${height}px;margin:4px 0 2px;border:0;font-size:11px;line-height:1.2">`;
