// JSON Schema of zod schemas, and the walk through it by which messages know what may stand at a path.

import { z } from "zod";
import type { Path } from "./document.ts";

export type JsonSchema = {
  type?: string | string[] | undefined;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[] | undefined;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  [key: string]: unknown;
};

/** What people write, defaults not yet filled in. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
}

/**
 * The schemas that may hold for the value at a path, alternatives opened.
 * @param root the schema of the whole file
 * @param value the whole file: of alternatives told apart by a constant (`type: threshold`) only the given one is followed
 */
export function schemasAt(root: JsonSchema, path: Path, value: unknown): JsonSchema[] {
  let found = open(root, root, value);
  let here = value;
  for (const key of path) {
    here = typeof here === "object" && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined;
    found = found.flatMap((schema) => childrenOf(schema, key)).flatMap((schema) => open(root, schema, here));
  }
  return found;
}

/** The names of keys that may stand in the map at a path. */
export function keysAt(root: JsonSchema, path: Path, value: unknown): string[] {
  return [...new Set(schemasAt(root, path, value).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function childrenOf(schema: JsonSchema, key: PropertyKey): JsonSchema[] {
  if (typeof key === "number") {
    const item = schema.prefixItems?.[key] ?? schema.items;
    return typeof item === "object" ? [item] : [];
  }
  const child = schema.properties?.[String(key)] ?? schema.additionalProperties;
  return typeof child === "object" ? [child] : [];
}

function open(root: JsonSchema, schema: JsonSchema, value: unknown, depth = 0): JsonSchema[] {
  if (depth > 20) return [];
  const target = schema.$ref === undefined ? undefined : schema.$ref === "#" ? root : root.$defs?.[schema.$ref.replace("#/$defs/", "")];
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? []), ...(target === undefined ? [] : [target])];
  const structural = parts.filter(
    (part) => part.type !== undefined || part.anyOf || part.oneOf || part.$ref || part.properties || part.const !== undefined || part.enum,
  );
  if (structural.length === 0) return [schema];
  const opened = structural.flatMap((part) => open(root, part, value, depth + 1));
  const told = opened.filter((part) => isMeant(part, value));
  const rest = told.length > 0 ? told : opened;
  // The description of the alternatives together is better than that of each.
  return schema.description === undefined ? rest : rest.map((part) => ({ ...part, description: schema.description as string }));
}

/** False when a key with a constant holds another value. */
function isMeant(schema: JsonSchema, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(schema.properties ?? {}).every(([key, { const: constant }]) => {
    const given = (value as Record<string, unknown>)[key];
    return constant === undefined || given === undefined || given === constant;
  });
}

/** The names of all keys in a schema, at any depth. */
export function propertyNames(schema: JsonSchema): Set<string> {
  const names = new Set<string>();
  const walk = (part: unknown): void => {
    if (typeof part !== "object" || part === null) return;
    if ("properties" in part && typeof part.properties === "object") for (const name of Object.keys(part.properties ?? {})) names.add(name);
    for (const item of Object.values(part)) walk(item);
  };
  walk(schema);
  return names;
}
