// Beside a gateway that is under load: verify raises no false alarm, and what was damaged is rebuilt by the gateway itself.

import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/database.ts";
import { connectClient, createFolder, highwater, startHighwater, waitFor } from "./gateway-process.ts";

const minute = 60_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

it("finds a store sound while readings come, and has the gateway mend what is damaged", { timeout: 120_000 }, async () => {
  const folder = createFolder("verify");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, { sources: [{ topic: "sensors/{device}/{metric}", codec: "json", out_of_orderness: "2m" }] });
  cleanUp.push(() => gateway.stop());
  const device = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => device.endAsync(true));
  const config = join(folder.path, "highwater.yaml");
  const begin = Date.now() - 30 * 24 * 60 * minute;
  let [sent, isOver] = [0, false];
  /** A reading each twenty seconds of a month ago, some of them out of turn. */
  const load = (async () => {
    // Whatever fails below ends the connection first.
    for (; !isOver; sent += 1) {
      const ts = begin + sent * 20_000 + (sent % 5 === 0 ? -3 * minute : 0);
      await device.publishAsync(`sensors/s${sent % 7}/temperature`, JSON.stringify({ ts, value: sent / 10 }), { qos: 1 });
    }
  })().catch(() => undefined);
  await waitFor("some readings", () => sent > 500);
  const verify = () => highwater("verify", "-c", config);
  for (let run = 0; run < 3; run += 1) expect(await verify()).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nsound\n$/) });
  const day = (ts: number): string => new Date(ts).toISOString().slice(0, 10);
  const days = ["--from", day(begin - 5 * minute), "--to", day(begin + 40 * 24 * 60 * minute)];
  expect((await highwater("rebuild", "--rollups", ...days, "-c", config)).stdout).toContain("nothing differs");
  const db = openDatabase(join(folder.path, "data"), { readonly: false });
  const start = db.prepare("SELECT min(start) FROM rollup WHERE tier = 60000 AND dirty = 0").pluck().get();
  expect(db.prepare("UPDATE rollup SET body = x'09' WHERE tier = 60000 AND start = ?").run(start).changes).toBeGreaterThan(0);
  db.close();
  expect(await verify()).toMatchObject({ code: 1, stdout: expect.stringContaining("highwater rebuild --rollups") });
  const rebuilt = await highwater("rebuild", "--rollups", ...days, "-c", config);
  expect(rebuilt).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d minutes? and 0 hours differ; \d rows? written/) });
  expect(await verify()).toMatchObject({ code: 0 });
  isOver = true;
  await load;
});
