// What is generated from the schema is current: the JSON Schema for editors and the reference. To write them anew:
// vitest run test/config/schema.test.ts --update

import { expect, test } from "vitest";
import { jsonSchemaOf } from "../../src/config/json-schema.ts";
import { configSchema } from "../../src/config/schema.ts";
import { editorSchema } from "../../src/config.ts";
import { referencePage, rowsOf } from "./reference.ts";

test("config/highwater.schema.json is current", async () => {
  await expect(`${JSON.stringify(editorSchema(), null, 2)}\n`).toMatchFileSnapshot("../../config/highwater.schema.json");
});

test("docs/reference/configuration.md is current", async () => {
  await expect(referencePage()).toMatchFileSnapshot("../../docs/reference/configuration.md");
});

test("every key says what it means", () => {
  const silent = rowsOf(jsonSchemaOf(configSchema)).filter(({ meaning }) => meaning === "");
  expect(silent.map(({ key }) => key)).toEqual([]);
});
