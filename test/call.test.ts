// Questions between threads: answers find their question, errors keep what they say, a port that closes fails what is open.

import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { answerCalls, createCaller } from "../src/call.ts";
import { GatewayError } from "../src/error.ts";

type Verbs = { double(value: number): Promise<number>; fail(kind: string): never; never(nothing: undefined): Promise<void> };
const channels: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of channels.splice(0)) port1.close();
});

function connect() {
  const channel = new MessageChannel();
  channels.push(channel);
  answerCalls<Verbs>(channel.port2, {
    double: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, 20 - value));
      return value * 2;
    },
    fail(kind) {
      throw kind === "gateway" ? new GatewayError("query_busy", "too many", { hint: "later", retryable: true }) : new TypeError("odd");
    },
    never: () => new Promise(() => undefined),
  });
  return { ask: createCaller<Verbs>(channel.port1), close: () => channel.port2.close() };
}

describe("a caller", () => {
  it("gets each answer to its own question, in whatever order they come", async () => {
    const { ask } = connect();
    expect(await Promise.all([ask("double", 1), ask("double", 15), ask("double", 8)])).toEqual([2, 30, 16]);
  });

  it("gets a GatewayError as one, with its hint, and others by name", async () => {
    const { ask } = connect();
    const error = await ask("fail", "gateway").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ code: "query_busy", message: "too many", hint: "later", retryable: true });
    await expect(ask("fail", "other")).rejects.toMatchObject({ name: "TypeError", message: "odd" });
  });

  it("fails what is open when the other side ends", async () => {
    const { ask, close } = connect();
    const open = ask("never", undefined);
    close();
    await expect(open).rejects.toThrow("the other thread has ended");
  });
});
