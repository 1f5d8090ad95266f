// The one kind of operational error: what went wrong, what mends it, and whether trying again may help.
// A programmer's error is a plain Error and ends the process; an expected outcome is a returned union.

export class GatewayError extends Error {
  /** Stable, snake_case; for machines. */
  readonly code: string;
  /** A sentence that says what mends it. */
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { hint?: string; retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "GatewayError";
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
  }
}

/** What is left of an error that came from another thread: on the way it loses its class, and here it gets it back. */
export type CarriedError = { readonly name: string; readonly message: string; readonly code?: string; readonly hint?: string; readonly retryable?: boolean };

export function restoreError({ name, message, code, hint, retryable = false }: CarriedError): Error {
  if (name === "GatewayError" && code !== undefined) return new GatewayError(code, message, { retryable, ...(hint === undefined ? {} : { hint }) });
  return Object.assign(new Error(message), { name, code });
}

/** Says why a file could not be read, without its path. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "no permission",
    EISDIR: "it is a folder",
    ERR_FS_EISDIR: "it is a folder",
    ENOTDIR: "a part of its path is no folder",
  };
  return words[code ?? ""] ?? code ?? (error as Error).message;
}
