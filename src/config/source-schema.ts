// A source: a topic template, a codec by name, and in the same map the codec's own settings. The codec's schema judges what is left
// when the keys that all sources share are taken out, so a codec's file says all there is to say about its settings.

import { z } from "zod";
import { codecs } from "../broker/codecs/index.ts";
import { parseTemplate } from "../broker/topic.ts";
import { durationOrZeroSchema, durationSchema } from "../engine/duration-schema.ts";
import { labelsSchema } from "../engine/rule.ts";
import { zoneTable } from "../zone.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";

const codecNames = codecs.map(({ name }) => name);
const DEFAULT_CODEC = "json";

const topicSchema = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseTemplate(text);
    if (parsed.kind === "invalid") context.addIssue({ code: "custom", message: parsed.message, params: { hint: parsed.hint, offset: parsed.column - 1 } });
  })
  .meta({ pattern: topicPattern(), description: "Topic template: {name} takes a level as a label, {name+} several, + and # as in MQTT" });

/** What `parseTemplate` takes, but for names that occur twice and parts that take several levels twice. */
function topicPattern(): string {
  const label = "\\{(?!__|(?:limit|cursor|from|to|step|agg)\\+?\\})[A-Za-z_][A-Za-z0-9_]*\\+?\\}";
  const level = `(?:[^/{}+#]*|\\+|${label})`;
  return `^(?:#|(?!$)${level}(?:/${level})*(?:/#)?)$`;
}

const common = z.strictObject({
  topic: topicSchema,
  codec: z
    .enum(codecNames as [string, ...string[]])
    .default(DEFAULT_CODEC)
    .meta({ description: "How payloads are read" }),
  labels: labelsSchema.prefault({}).meta({ description: "Labels of every series of this source; the topic's win" }),
  out_of_orderness: durationOrZeroSchema.prefault("0s").meta({ description: "How far readings may overtake each other; the watermark stays this far behind" }),
  max_future: durationOrZeroSchema.prefault("60s").meta({ description: "A reading further ahead of its arrival is quarantined" }),
  max_past: durationSchema.exactOptional().meta({ description: "A reading further behind its arrival is quarantined; never when absent" }),
  idle_after: durationSchema.prefault("10s").meta({ description: "Silence after which the clock of a series is borrowed" }),
});
const commonKeys = new Set(Object.keys(common.shape));

export type SourceSettings = z.output<typeof common> & {
  /** The codec's settings, as its schema gave them. */
  settings: unknown;
};

/** Splits a source's map: the common keys, and the rest for the codec. */
function readSource(source: Record<string, unknown>, context: z.core.ParsePayload): SourceSettings {
  const entries = Object.entries(source);
  const shared = common.safeParse(Object.fromEntries(entries.filter(([key]) => commonKeys.has(key))));
  const codec = codecs.find(({ name }) => name === (source["codec"] ?? DEFAULT_CODEC));
  const own = codec?.schema.safeParse(Object.fromEntries(entries.filter(([key]) => !commonKeys.has(key))));
  for (const issue of [...(shared.error?.issues ?? []), ...(own?.error?.issues ?? [])]) context.issues.push({ ...issue, input: source } as z.core.$ZodRawIssue);
  const zone = (own?.data as { timezone?: unknown } | undefined)?.timezone;
  if (typeof zone === "string" && zoneTable(zone) === undefined)
    context.issues.push({
      code: "custom",
      path: ["timezone"],
      message: "no such time zone",
      params: { hint: "an IANA name such as Europe/Oslo, or UTC" },
      input: zone,
    });
  if (!shared.success || own?.success !== true) return z.NEVER;
  return { ...shared.data, settings: own.data };
}

/** One alternative per codec, for editors. */
function alternatives(): JsonSchema[] {
  const shared = jsonSchemaOf(common);
  return codecs.map(({ name, schema }) => {
    const own = jsonSchemaOf(schema as z.ZodType);
    const isDefault = name === DEFAULT_CODEC;
    const codec = { ...shared.properties?.["codec"], enum: undefined, const: name, ...(isDefault ? {} : { default: undefined }) };
    return {
      ...own,
      $schema: undefined,
      type: "object",
      properties: { ...shared.properties, codec, ...own.properties },
      required: ["topic", ...(isDefault ? [] : ["codec"]), ...(own.required ?? [])],
      additionalProperties: false,
    };
  });
}

export const sourceSchema = z
  .record(z.string(), z.unknown())
  .transform((source, context) => readSource(source, context as unknown as z.core.ParsePayload))
  .meta({ type: undefined, propertyNames: undefined, additionalProperties: undefined, anyOf: alternatives() });
