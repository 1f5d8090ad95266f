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

/** A value that could not be completed from outside; what else is wrong with it is not worth saying. */
const isUnset = ({ message }: Problem): boolean => message.startsWith("the environment variable ");

/** In the order of reading, each once; problems of `first` (the config itself) come before those of other files. */
export function inOrder(problems: readonly Problem[], first: string): Problem[] {
  const rank = (file: string) => (file === first ? "" : file);
  const place = ({ file, line, column }: Problem) => `${file}\0${line}\0${column}`;
  const unset = new Set(problems.filter(isUnset).map(place));
  const told = problems.filter((entry) => isUnset(entry) || !unset.has(place(entry)));
  const unique = new Map(told.map((entry) => [`${place(entry)}\0${entry.message}`, entry]));
  return [...unique.values()].sort(
    (a, b) => (rank(a.file) < rank(b.file) ? -1 : rank(a.file) > rank(b.file) ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}
