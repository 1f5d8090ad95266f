// What went wrong, as every path of the server says it: `{ error: { code, message, hint } }` with a fitting status.

import type { FastifyReply } from "fastify";
import { z } from "zod";
import { GatewayError } from "../error.ts";

/** What is wrong in one place of the config. */
export const placedProblemSchema = z.strictObject({ file: z.string(), line: z.int(), column: z.int(), message: z.string(), hint: z.string().exactOptional() });
export type PlacedProblem = z.output<typeof placedProblemSchema>;

export const problemSchema = z
  .strictObject({
    error: z.strictObject({
      code: z.string().meta({ description: "Stable, snake_case; for machines" }),
      message: z.string(),
      hint: z.string().meta({ description: "What mends it" }),
    }),
    problems: z.array(placedProblemSchema).exactOptional().meta({ description: "Of a config that is not valid" }),
  })
  .meta({ description: "What went wrong" });

/** An answer other than the one asked for. */
export class Refusal extends GatewayError {
  readonly status: number;
  /** Read by fastify and by its rate limiter. */
  readonly statusCode: number;
  /** Stands beside `error` in the answer. */
  readonly beside: { readonly problems?: readonly PlacedProblem[] };
  /** Seconds after which it may be tried again. */
  readonly retryAfterS: number | undefined;

  constructor(status: number, code: string, message: string, hint: string, beside: Refusal["beside"] & { readonly retryAfterS?: number } = {}) {
    super(code, message, { hint, retryable: status === 503 });
    this.status = status;
    this.statusCode = status;
    const { retryAfterS, ...rest } = beside;
    this.beside = rest;
    this.retryAfterS = retryAfterS ?? (status === 503 ? 2 : undefined);
  }
}

/** What the store says of a question; everything else that is operational is 503 where trying again helps, else 500. */
const statusOfCode: Readonly<Record<string, number>> = {
  bad_parameter: 400,
  unknown_device: 404,
  query_invalid: 400,
  query_too_large: 400,
  query_busy: 503,
  query_too_long: 504,
  query_overrun: 504,
};

/** The refusal that an error stands for. What is not known is said only in the log. */
export function problemOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isOperational(error)) {
    const status = statusOfCode[error.code] ?? (error.retryable ? 503 : 500);
    return new Refusal(
      status,
      error.code,
      error.message,
      error.hint ?? (status < 500 ? "the parameters are described at /openapi.json" : "ask for less, or try again"),
    );
  }
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === "number" && status >= 400 && status < 500)
    return new Refusal(status, "bad_request", (error as Error).message, "the paths are listed at /openapi.json");
  return new Refusal(500, "internal", "the gateway could not answer", "look at the gateway's log");
}

/** A GatewayError, also one that lost its class on the way between threads. */
const isOperational = (error: unknown): error is GatewayError =>
  error instanceof GatewayError || (error instanceof Error && error.name === "GatewayError" && typeof (error as Partial<GatewayError>).code === "string");

export function refuse(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfterS !== undefined) reply.header("retry-after", String(refusal.retryAfterS));
  if (refusal.status === 401) reply.header("www-authenticate", "Bearer");
  return reply
    .code(refusal.status)
    .header("content-type", "application/json; charset=utf-8")
    .header("cache-control", "no-store")
    .send(JSON.stringify({ error: { code: refusal.code, message: refusal.message, hint: refusal.hint ?? "" }, ...refusal.beside }));
}
