// Questions and answers between threads over a MessagePort. A question that is never answered fails when the port closes.

import type { MessagePort, Worker } from "node:worker_threads";
import { type CarriedError, type GatewayError, restoreError } from "./error.ts";

type Port = Pick<MessagePort | Worker, "postMessage" | "on">;
type Question = { readonly kind: "question"; readonly id: number; readonly verb: string; readonly argument: unknown };
type Reply = {
  readonly kind: "reply";
  readonly id: number;
  readonly value?: unknown;
  readonly error?: CarriedError;
};

/** Verbs with their argument and answer. */
export type Verbs = Record<string, (argument: never) => unknown>;
type Argument<Handler> = Handler extends (argument: infer Value) => unknown ? Value : never;
type Value<Handler> = Handler extends (argument: never) => infer Result ? Awaited<Result> : never;

export type Caller<V extends Verbs> = <Verb extends keyof V & string>(verb: Verb, argument: Argument<V[Verb]>) => Promise<Value<V[Verb]>>;

/** @returns a function that asks the other side; it rejects with the error that the other side threw */
export function createCaller<V extends Verbs>(port: Port): Caller<V> {
  const open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  const fail = (message: string): void => {
    for (const { reject } of open.values()) reject(new Error(message));
    open.clear();
  };
  port.on("message", (message: Reply | { kind: string }) => {
    if (message.kind !== "reply") return;
    const { id, value, error } = message as Reply;
    const waiting = open.get(id);
    open.delete(id);
    if (error === undefined) waiting?.resolve(value as never);
    else waiting?.reject(restoreError(error));
  });
  port.on("close", () => fail("the other thread has ended"));
  port.on("exit", () => fail("the other thread has ended"));
  return (verb, argument) =>
    new Promise((resolve, reject) => {
      last += 1;
      open.set(last, { resolve, reject });
      port.postMessage({ kind: "question", id: last, verb, argument } satisfies Question);
    });
}

/** Answers questions that come through the port. */
export function answerCalls<V extends Verbs>(port: Port, verbs: V): void {
  const answer = async ({ id, verb, argument }: Question): Promise<void> => {
    try {
      const handler = verbs[verb];
      if (handler === undefined) throw new Error(`no verb ${verb}`);
      port.postMessage({ kind: "reply", id, value: await handler(argument as never) } satisfies Reply);
    } catch (error) {
      const { message: text, name, code, hint, retryable } = error as GatewayError;
      port.postMessage({ kind: "reply", id, error: { message: text, name, code, ...(hint === undefined ? {} : { hint }), retryable } } satisfies Reply);
    }
  };
  port.on("message", (message: Question | { kind: string }) => {
    if (message.kind === "question") void answer(message as Question);
  });
}
