// What waits for delivery, over a real store: read where it is asked while it is little, on the query thread when it is much.

import { afterEach, expect, it } from "vitest";
import { systemClock } from "../src/clock.ts";
import { utc } from "../src/engine/calendar.ts";
import { createOutboxReader, type OutboxReader } from "../src/outbox-reader.ts";
import { answerQuery } from "../src/storage/queries.ts";
import type { QueryRequest } from "../src/storage/query.ts";
import { plan, rule } from "./engine/harness.ts";
import { createRecorder, type Recorder } from "./storage/recorder.ts";

let store: Recorder;
let reader: OutboxReader;
afterEach(() => {
  reader.close();
  store.close();
});

it.each([
  [64, 0],
  [65, 1],
])("%d that wait are %d questions to the query thread", async (count, questions) => {
  store = createRecorder(plan([rule({ name: "warm", condition: { type: "threshold", above: 5 } })]));
  store.receive(Array.from({ length: count }, (_, index) => ({ device: `d${index}`, ts: 1000, value: 9 })));
  const asked: string[] = [];
  const query = (async (request: QueryRequest) => {
    asked.push(request.kind);
    return answerQuery(store.db, request, { devices: {}, zone: utc, clock: systemClock });
  }) as Parameters<typeof createOutboxReader>[1]["query"];
  reader = createOutboxReader(store.dir, { query });
  const rows = await reader.waiting(1000);
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(count);
  expect(asked).toEqual(Array.from({ length: questions }, () => "outbox"));
});
