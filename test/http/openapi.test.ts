// docs/openapi.json is what the routes say. To renew it: `UPDATE=1 npx vitest run test/http/openapi.test.ts`.

import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openapiDocument } from "../../src/http/openapi.ts";
import { routes } from "../../src/http/routes/index.ts";
import { serve } from "./serve.ts";

const file = new URL("../../docs/openapi.json", import.meta.url);

test("docs/openapi.json is current", async () => {
  const document = JSON.parse(JSON.stringify(await openapiDocument(routes))) as unknown;
  if (process.env.UPDATE === "1") {
    await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
    execFileSync(fileURLToPath(new URL("../../node_modules/.bin/biome", import.meta.url)), ["format", "--write", fileURLToPath(file)]);
  }
  expect(JSON.parse(await readFile(file, "utf8")), "renew it with UPDATE=1").toEqual(document);
});

test("the server gives the same, and names every path, parameter and answer", async () => {
  const served = await serve();
  const document = (await (await served.get("/openapi.json")).json()) as { openapi: string; paths: Record<string, { get: Operation }> };
  await served.close();
  expect(document).toEqual(JSON.parse(JSON.stringify(await openapiDocument(routes))));
  expect(document.openapi).toBe("3.1.0");
  expect(Object.keys(document.paths)).toEqual([...new Set(routes.map(({ path }) => path.replace(/:(\w+)/g, "{$1}")))]);
  const methods = Object.values(document.paths).flatMap((path) => Object.keys(path));
  expect(methods).toHaveLength(routes.length);
  const readings = document.paths["/api/v1/readings"]?.get as Operation;
  expect(readings.parameters.map(({ name }) => name)).toEqual(["series", "from", "to", "step", "agg", "limit", "cursor", "labels"]);
  expect(readings.responses["200"]?.content["application/json"]?.schema).toMatchObject({ properties: { series: { type: "array" } } });
  expect(document.paths["/api/v1/alerts/{id}"]?.get.parameters).toMatchObject([{ name: "id", in: "path", required: true }]);
});

type Operation = { parameters: { name: string }[]; responses: Record<string, { content: Record<string, { schema: unknown }> }> };
