// A problem is one thing that is wrong in one place of one file. A note is the same shape for what is allowed but does nothing,
// or not what one may think. Positions count from 1, columns in UTF-16 units, as editors count them.

export type Problem = {
  /** As the user named it: the config's path, or a rules file's path joined to the config's folder. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What mends it. */
  readonly hint?: string;
};

/** Makes a problem; an absent hint stays absent. */
export function problem(file: string, place: { line: number; column: number }, message: string, hint?: string): Problem {
  return { file, line: place.line, column: place.column, message, ...(hint === undefined ? {} : { hint }) };
}

/** In the order of reading, each once; problems of `first` (the config itself) come before those of other files. */
export function inOrder(problems: readonly Problem[], first: string): Problem[] {
  const rank = (file: string) => (file === first ? "" : file);
  const unique = new Map(problems.map((entry) => [`${entry.file}\0${entry.line}\0${entry.column}\0${entry.message}`, entry]));
  return [...unique.values()].sort(
    (a, b) => (rank(a.file) < rank(b.file) ? -1 : rank(a.file) > rank(b.file) ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}
