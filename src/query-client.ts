// Asks the query thread, one question at a time: what delivery has to know goes before what people ask, so that it waits for one answer
// at most. A question that overruns ends the thread; the next one finds a fresh one. What waits is bounded.

import { type Caller, createCaller } from "./call.ts";
import { GatewayError } from "./error.ts";
import type { Log } from "./log.ts";
import type { QueryStart, QueryVerbs, RenderRequest } from "./messages.ts";
import type { Answer, QueryRequest } from "./storage/query.ts";
import { startTerminable } from "./worker.ts";

const OVERRUN_MS = 15_000;
const WAITING_MAX = 256;

export type QueryClient = {
  /** @throws GatewayError `query_overrun`, `query_busy`; or what the query thread threw */
  query<Request extends QueryRequest>(request: Request): Promise<Answer<Request>>;
  /** Runs a route of the HTTP API where the store is, and gives its JSON. @throws as `query` */
  render(path: string, request: RenderRequest): Promise<Uint8Array>;
  /** Later questions are answered with this context. */
  reload(start: QueryStart): Promise<void>;
  close(): Promise<void>;
};

export function createQueryClient(start: QueryStart, log: Log): QueryClient {
  let context = start;
  let thread: ReturnType<typeof startTerminable> | undefined;
  let caller: Caller<QueryVerbs> | undefined;
  const gate = createGate();
  let waiting = 0;
  let isClosed = false;

  function open(): Caller<QueryVerbs> {
    if (isClosed) throw new GatewayError("query_closed", "no more questions are answered: the gateway ends");
    if (caller !== undefined) return caller;
    const opened = startTerminable("query", context);
    opened.worker.on("error", (error) => {
      log.error({ error: error.message }, "the query thread failed; the next question starts it again");
      if (thread === opened) [thread, caller] = [undefined, undefined];
    });
    thread = opened;
    caller = createCaller<QueryVerbs>(opened.worker);
    return caller;
  }

  async function end(): Promise<void> {
    const ending = thread;
    [thread, caller] = [undefined, undefined];
    await ending?.terminate();
  }

  /** Of what people ask, so much may wait. */
  async function limited<Result>(ask: (caller: Caller<QueryVerbs>) => Promise<Result>): Promise<Result> {
    if (waiting >= WAITING_MAX) throw new GatewayError("query_busy", "too many questions are waiting", { retryable: true, hint: "ask again in a moment" });
    waiting += 1;
    try {
      return await timed(ask, "people");
    } finally {
      waiting -= 1;
    }
  }

  async function timed<Result>(ask: (caller: Caller<QueryVerbs>) => Promise<Result>, lane: Lane): Promise<Result> {
    await gate.enter(lane);
    try {
      return await inTime(ask, open());
    } finally {
      gate.leave();
    }
  }

  async function inTime<Result>(ask: (caller: Caller<QueryVerbs>) => Promise<Result>, asked: Caller<QueryVerbs>): Promise<Result> {
    let timer: NodeJS.Timeout | undefined;
    const overrun = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new GatewayError("query_overrun", `the question took more than ${OVERRUN_MS} ms`, { hint: "ask for less: a shorter time, fewer series" }));
        if (caller === asked) void end();
      }, OVERRUN_MS);
    });
    try {
      return await Promise.race([ask(asked), overrun]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    query<Request extends QueryRequest>(request: Request) {
      const ask = (asked: Caller<QueryVerbs>) => asked("query", request);
      // The outbox asks one thing at a time.
      const isOfDelivery = request.kind === "outbox" || request.kind === "outbox_row";
      return (isOfDelivery ? timed(ask, "delivery") : limited(ask)) as Promise<Answer<Request>>;
    },
    render: (path, request) => limited((asked) => asked("render", { path, request })),
    async reload(next) {
      context = next;
      await end();
    },
    close() {
      isClosed = true;
      return end();
    },
  };
}

type Lane = "delivery" | "people";

/** Lets one in at a time, those of delivery first. */
function createGate() {
  const lanes: Readonly<Record<Lane, (() => void)[]>> = { delivery: [], people: [] };
  let isTaken = false;
  return {
    async enter(lane: Lane): Promise<void> {
      if (isTaken) await new Promise<void>((resolve) => lanes[lane].push(resolve));
      isTaken = true;
    },
    leave(): void {
      const next = lanes.delivery.shift() ?? lanes.people.shift();
      if (next === undefined) isTaken = false;
      else next();
    },
  };
}
