// The query thread: a read-only connection that answers questions about what is stored, one at a time, each within its limits.

import { parentPort, workerData } from "node:worker_threads";
import { answerCalls } from "../call.ts";
import { systemClock } from "../clock.ts";
import { giveBackRoom } from "../heap.ts";
import { renderRoute } from "../http/answer.ts";
import type { QueryStart, QueryVerbs } from "../messages.ts";
import { openDatabase } from "../storage/database.ts";
import { answerQuery } from "../storage/queries.ts";
import type { Answer, QueryRequest } from "../storage/query.ts";
import { giveWay, LOADED } from "../worker.ts";

const { dataDir, ...context } = workerData as QueryStart;
const port = parentPort as NonNullable<typeof parentPort>;
giveWay();
const db = openDatabase(dataDir, { readonly: true });
port.postMessage(LOADED);

const answer = <Request extends QueryRequest>(request: Request): Answer<Request> => answerQuery(db, request, { ...context, clock: systemClock });

answerCalls<QueryVerbs>(port, {
  query: answer,
  render: ({ path, request }) => renderRoute(path, request, answer),
});
giveBackRoom();
