// Text for a terminal of 80 columns.

/** Breaks a line at spaces; what follows keeps the indent of the first line. A word that is too long is cut. */
export function wrap(line: string, width: number): string[] {
  const indent = /^\s*/.exec(line)?.[0].slice(0, width >> 1) ?? "";
  const lines: string[] = [];
  let left = line.trimEnd();
  while (left.length > width) {
    const space = left.lastIndexOf(" ", width);
    const at = space > indent.length ? space : width;
    lines.push(left.slice(0, at).trimEnd());
    left = indent + left.slice(at).trimStart();
  }
  return [...lines, left];
}
