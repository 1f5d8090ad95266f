// The query thread over a real store: one question at a time, delivery's before people's, and what waits is bounded.

import { afterEach, expect, it } from "vitest";
import { utc } from "../src/engine/calendar.ts";
import { createLog } from "../src/log.ts";
import { createQueryClient, type QueryClient } from "../src/query-client.ts";
import { plan } from "./engine/harness.ts";
import { createRecorder, type Recorder } from "./storage/recorder.ts";

let store: Recorder;
let client: QueryClient;
afterEach(async () => {
  await client.close();
  store.close();
});

function open(): void {
  store = createRecorder(plan([]));
  store.receive(Array.from({ length: 500 }, (_, index) => ({ device: "a", ts: index * 1000, value: index })));
  client = createQueryClient({ dataDir: store.dir, devices: {}, zone: utc }, createLog({ level: "silent", name: "test" }));
}

it("lets delivery wait for one answer, however many wait before it", async () => {
  open();
  const answered: string[] = [];
  const people = Array.from({ length: 20 }, (_, index) => client.query({ kind: "readings", step: "raw" }).then(() => answered.push(`people ${index}`)));
  const delivery = client.query({ kind: "outbox", limit: 10 }).then(({ rows }) => answered.push(`delivery ${rows.length}`));
  await Promise.all([...people, delivery]);
  expect(answered.slice(0, 3)).toEqual(["people 0", "delivery 0", "people 1"]);
  expect(answered).toHaveLength(21);
});

it("refuses people beyond what may wait, and nothing to delivery", async () => {
  open();
  const people = Array.from({ length: 300 }, () =>
    client.query({ kind: "series" }).then(
      () => "answered",
      ({ code }: { code: string }) => code,
    ),
  );
  const delivery = client.query({ kind: "outbox_row", id: "nobody" });
  const outcomes = await Promise.all(people);
  expect(await delivery).toBeNull();
  expect(outcomes.filter((each) => each === "answered")).toHaveLength(256);
  expect(outcomes.slice(256)).toEqual(Array.from({ length: 44 }, () => "query_busy"));
  // What was answered makes room.
  expect((await client.query({ kind: "series" })).series).toHaveLength(1);
});

it("answers on after a question that fails, and after another context; once closed, nothing that waits", async () => {
  open();
  await expect(client.query({ kind: "series", limit: 0 })).rejects.toMatchObject({ code: "query_invalid" });
  await client.reload({ dataDir: store.dir, devices: { a: { labels: { room: "B2" }, limits: {}, unit: null, expectedEveryMs: null } }, zone: utc });
  expect((await client.query({ kind: "series" })).series[0]?.labels).toMatchObject({ room: "B2" });
  const waiting = Array.from({ length: 3 }, () => client.query({ kind: "readings", step: "raw" }));
  const outcomes = Promise.allSettled(waiting);
  await client.close();
  expect((await outcomes).slice(1).map((each) => each.status)).toEqual(["rejected", "rejected"]);
});
