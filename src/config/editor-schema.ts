// The JSON Schema that editors use (config/highwater.schema.json): the config's own, and beside it what is replaced before zod sees it:
// `${NAME}` wherever a form is asked for, and `KEY_file` beside each text key of a channel and the password of a bridge.

import { channels } from "../notify/channels/index.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { configSchema } from "./schema.ts";

/** Made anew at each call; plain JSON. */
export function editorSchema(): JsonSchema {
  const schema = JSON.parse(JSON.stringify(jsonSchemaOf(configSchema))) as JsonSchema;
  const receiver = schema.properties?.["notify"]?.properties?.["receivers"]?.items as JsonSchema;
  for (const { type } of channels) each(receiver.properties?.[type], allowSecretFiles);
  const bridge = schema.properties?.["mqtt"]?.properties?.["bridges"]?.items as JsonSchema;
  bridge.properties = { ...bridge.properties, password_file: fileInPlaceOf("password") };
  each(schema, allowVariables);
  // rules files name this schema too; `$schema` as a key is what other editors write.
  return schema;
}

function each(part: unknown, change: (schema: JsonSchema) => void): void {
  if (typeof part !== "object" || part === null) return;
  for (const item of Object.values(part)) each(item, change);
  if (!Array.isArray(part)) change(part as JsonSchema);
}

/** A form (`pattern`) is met by any text that holds `${`. */
function allowVariables(schema: JsonSchema): void {
  if (typeof schema.pattern === "string") schema.pattern = `\\$\\{|(?:${schema.pattern})`;
}

const fileInPlaceOf = (key: string): JsonSchema => ({ type: "string", description: `A file that holds ${key}; relative to the config` });

function allowSecretFiles(schema: JsonSchema): void {
  const { properties, required = [] } = schema;
  if (properties === undefined || schema.additionalProperties !== false) return;
  const texts = Object.keys(properties).filter((key) => isText(properties[key] as JsonSchema));
  for (const key of texts) properties[`${key}_file`] = fileInPlaceOf(key);
  const choices = required.filter((key) => texts.includes(key));
  schema.required = required.filter((key) => !texts.includes(key));
  if (choices.length > 0) schema.allOf = choices.map((key) => ({ oneOf: [{ required: [key] }, { required: [`${key}_file`] }] }));
}

const isText = ({ type, enum: words, anyOf = [] }: JsonSchema): boolean =>
  (type === "string" && words === undefined) || anyOf.some((part) => part.type === "string");
