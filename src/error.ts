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
