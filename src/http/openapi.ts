// The OpenAPI 3.1 page, made from the routes' own schemas, so that it cannot say anything else than they do.
// docs/openapi.json is a copy of it; a test holds the copy to this.

import swagger from "@fastify/swagger";
import fastify from "fastify";
import { z } from "zod";
import { problemSchema } from "./problem.ts";
import type { Route } from "./route.ts";

type Parameter = Record<string, unknown>;
type Operation = { parameters?: Parameter[]; responses: Record<string, unknown> };
type Document = { paths: Record<string, Record<string, Operation>> };

/** The document as a plain object; the order of its keys is that of the routes. */
export async function openapiDocument(routes: readonly Route[]): Promise<Record<string, unknown>> {
  const app = fastify({ logger: false, exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Highwater",
        version: "1",
        description: "Sensor readings, alerts and summaries of one gateway. Times out are RFC 3339 in UTC; `t`, `end` and `ts` are milliseconds.",
      },
    },
    convertConstToEnum: false,
  });
  for (const route of routes) app[route.method ?? "get"](route.path, { schema: schemaOf(route) }, async () => undefined);
  await app.ready();
  const document = app.swagger() as unknown as Document & Record<string, unknown>;
  for (const route of routes.filter(({ takesLabels }) => takesLabels)) {
    const operation = document.paths[route.path.replace(/:(\w+)/g, "{$1}")]?.get;
    if (operation !== undefined) operation.parameters = [...(operation.parameters ?? []), labelParameter];
  }
  await app.close();
  return document;
}

/** Every name that is not reserved is the name of a label. */
const labelParameter: Parameter = {
  name: "labels",
  in: "query",
  required: false,
  description:
    "Any other name is a label and its value what the label must be, `site=oslo&metric=temperature`; several values by commas. All labels must match.",
  style: "form",
  explode: true,
  schema: { type: "object", additionalProperties: { type: "string" } },
};

function schemaOf(route: Route): Record<string, unknown> {
  const media = route.contentType.split(";", 1)[0] as string;
  const others = route.otherTypes ?? [];
  return {
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(isEmpty(route.query) ? {} : { querystring: jsonSchema(route.query, "input") }),
    ...(isEmpty(route.params) ? {} : { params: jsonSchema(route.params, "input") }),
    ...(route.body === undefined ? {} : { body: jsonSchema(route.body, "input") }),
    response: {
      200: {
        description: route.summary,
        content: {
          [media]: { schema: jsonSchema(route.answer, "output") },
          ...Object.fromEntries(others.map((type) => [type, { schema: { type: "string" } }])),
        },
      },
      ...(route.unwell === undefined ? {} : { 503: { description: route.unwell, content: { [media]: { schema: jsonSchema(route.answer, "output") } } } }),
      "4xx": { description: "What went wrong", content: { "application/json": { schema: jsonSchema(problemSchema, "output") } } },
    },
  };
}

const isEmpty = (schema: z.ZodObject): boolean => Object.keys(schema.shape).length === 0;

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: made }) => {
      // zod writes the whole grammar of a date beside `format`.
      if (made.format !== undefined) delete made.pattern;
    },
  });
  return rest;
}
