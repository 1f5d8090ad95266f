// docs/reference/configuration.md, made from the schema that `highwater check` uses: every key, its form, default and meaning.
// The words between the tables are written here; schema.test.ts compares the result with the file.

import { codecs } from "../../src/broker/codecs/index.ts";
import { type JsonSchema, jsonSchemaOf } from "../../src/config/json-schema.ts";
import { configSchema } from "../../src/config/schema.ts";

type Row = { key: string; form: string; fallback: string; meaning: string };

const durationPattern = /ms\|s\|m\|h\|d\|w/;

/** The keys of a map and of the maps in it, in the order of the schema. */
export function rowsOf(schema: JsonSchema, prefix = ""): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    const own: Row = { key, form: formOf(part), fallback: fallbackOf(part, schema.required?.includes(name) === true), meaning: meaningOf(part) };
    const { inner, suffix } = innerOf(part);
    if (inner === undefined) return [own];
    const rows = rowsOf(inner, `${key}${suffix}`);
    return own.meaning === "" ? rows : [own, ...rows];
  });
}

/** The map within: itself, the items of a list, the values of a map, or its alternatives that are maps, as one. */
function innerOf(part: JsonSchema): { inner?: JsonSchema; suffix: string } {
  if (part.properties !== undefined) return { inner: part, suffix: "" };
  if (typeof part.items === "object" && part.items.properties !== undefined) return { inner: part.items, suffix: "[]" };
  if (typeof part.additionalProperties === "object" && part.additionalProperties.properties !== undefined)
    return { inner: part.additionalProperties, suffix: ".NAME" };
  const maps = (part.anyOf ?? []).filter((alternative) => alternative.properties !== undefined);
  if (maps.length === 0) return { suffix: "" };
  const required = maps.length === 1 ? (maps[0]?.required ?? []) : [];
  return { inner: { properties: Object.assign({}, ...maps.map(({ properties }) => properties)) as Record<string, JsonSchema>, required }, suffix: "" };
}

function formOf(part: JsonSchema): string {
  if (part.const !== undefined) return `\`${String(part.const)}\``;
  if (part.enum !== undefined) return part.enum.map((word) => `\`${String(word)}\``).join(", ");
  // Digits as text are for `${PORT}` only.
  const alternatives = (part.anyOf ?? part.oneOf)?.filter(({ pattern }) => pattern !== "^\\d{1,5}$");
  if (alternatives !== undefined) return [...new Set(alternatives.map(formOf))].join(" or ");
  if (part.$ref !== undefined) return part.$ref === "#/$defs/Route" ? "route" : "condition";
  if (part.prefixItems !== undefined) return "[lo, hi]";
  if (Array.isArray(part.type)) return part.type.includes("string") ? "text" : part.type.join(" or ");
  switch (part.type) {
    case "string":
      return durationPattern.test(part.pattern ?? "") ? "duration" : "text";
    case "integer":
      return `whole number${part.minimum === undefined ? "" : `, ${range(part)}`}`;
    case "array":
      return typeof part.items === "object" ? `list of ${formOf(part.items)}` : "list";
    case "object":
      return "map";
    case "boolean":
      return "`true` or `false`";
    default:
      return part.type ?? "map";
  }
}

const range = ({ minimum, maximum }: JsonSchema): string =>
  maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`;

function fallbackOf(part: JsonSchema, required: boolean): string {
  if (required) return "required";
  if (part.default === undefined) return "";
  const isEmpty = typeof part.default === "object" && part.default !== null && Object.keys(part.default).length === 0;
  if (isEmpty) return Array.isArray(part.default) ? "`[]`" : "";
  return `\`${JSON.stringify(part.default).replace(/^"(.*)"$/, "$1")}\``;
}

const meaningOf = (part: JsonSchema): string => part.description ?? part.anyOf?.find(({ description }) => description !== undefined)?.description ?? "";

function table(rows: readonly Row[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const lines = rows.map(({ key, form, fallback, meaning }) => `| \`${key}\` | ${cell(form)} | ${cell(fallback)} | ${cell(meaning)} |`);
  return ["| key | form | default | meaning |", "|---|---|---|---|", ...lines].join("\n");
}

const head = `# Configuration

One YAML file, \`config/highwater.yaml\` unless \`--config\` names another. Every block has defaults: an empty file is a config. Unknown keys are errors.

    highwater check             says what is wrong, as file:line:column: what (hint); exit 0 or 2
    highwater check --json      the same for machines
    highwater schema            the JSON Schema, for editors

With \`# yaml-language-server: $schema=./highwater.schema.json\` as its first line, editors complete and check the file while it is written. Rules files use the same schema.

- **Durations** are written \`500ms\`, \`90s\`, \`5m\`, \`1h30m\`, \`7d\`, \`2w\`.
- **Paths** are relative to the file that names them, patterns of \`rules_files\` too.
- **Environment**: \`\${NAME}\` in any value is replaced by the variable; one that is not set is an error; \`$\${\` stands for a plain \`\${\`. What is put in is text and is never read as YAML.
- **Secrets in files**: each text key of a channel may be given as \`KEY_file\`, for example \`secret_file: ./webhook.secret\`; the whole file without its last line break is the value. Messages of \`check\` never show what came from a variable or a file.
- **Reload**: SIGHUP reads the file again. One with a mistake changes nothing and is reported.
- Keys that are read and checked and do nothing yet are named by \`check\` as notes.

This page is made from the schema; a test compares them.
`;

const words: Record<string, string> = {
  gateway: "",
  mqtt:
    "A listener that is not on loopback needs users and an access list, or `tls.client_ca`, or `anonymous: unsafe`. Once there are users or an access list, what no entry allows is denied: " +
    "[Connect your devices](../guides/connect-your-devices.md). [Listeners](listeners.md) shows TLS and WebSocket, [Bridges](bridges.md) how to take the messages of another broker.",
  sources:
    "The first source whose template matches a topic reads its messages. `{name}` takes one level as the label `name`, `{name+}` one or more, `+` and `#` match as in MQTT. " +
    "A series always has the labels `device` and `metric`. `limit`, `cursor`, `from`, `to`, `step` and `agg` cannot be labels. These keys are common to all codecs; the others belong to the codec:",
  devices: "NAME is the value of the label `device`.",
  rules_files: "",
  rules: "Each rule has a name of its own over all files.",
  notify: "How a route is walked, and what holds alerts back: [Dispatch](dispatch.md); schedules and escalations: [On-call](on-call.md).",
  alarm_performance:
    "Bounds, not limits: a target that is missed is told and changes nothing. The defaults of rates, flood and mix are figures of EEMUA-191: [Alarm performance](performance.md).",
  storage: "History is not dropped yet, whatever stands here.",
  batch: "",
  http: "",
};

/** The whole page. */
export function referencePage(): string {
  const schema = jsonSchemaOf(configSchema);
  const sections = Object.entries(schema.properties ?? {}).map(([name, block]) => {
    const title = `## ${name}\n\n${block.description ?? ""}.${words[name] ? ` ${words[name]}` : ""}`;
    if (name === "sources") return `${title}\n\n${sourceTables(block)}`;
    if (name === "rules") return `${title}\n\n${ruleTables(block.items as JsonSchema, schema.$defs ?? {})}`;
    const { inner, suffix } = innerOf(block);
    const rows =
      inner === undefined
        ? [{ key: name, form: formOf(block), fallback: fallbackOf(block, false), meaning: meaningOf(block) }]
        : rowsOf(inner, `${name}${suffix}`);
    const extra = name === "notify" ? `\n\n### A route below\n\n${table(rowsOf(schema.$defs?.["Route"] as JsonSchema, "routes[]"))}` : "";
    return `${title}\n\n${table(rows)}${extra}`;
  });
  return `${[head, ...sections].join("\n\n").replaceAll("\n\n\n", "\n\n")}\n`;
}

function sourceTables(block: JsonSchema): string {
  const alternatives = (block.items as JsonSchema).anyOf ?? [];
  const own = codecs.map(({ schema }) => new Set(Object.keys(jsonSchemaOf(schema as never).properties ?? {})));
  const [first] = alternatives as [JsonSchema];
  const isShared = (key: string) => !own.some((keys) => keys.has(key));
  const shared = rowsOf(first, "sources[]")
    .filter(({ key }) => isShared(key.replace("sources[].", "")))
    .map((row) => (row.key === "sources[].codec" ? { ...row, form: codecs.map(({ name }) => `\`${name}\``).join(", ") } : row));
  const defaults = `Without \`sources\` there is one: \`${JSON.stringify((block.default as unknown[])[0])}\`.`;
  const parts = codecs.map(({ name }, index) => {
    const rows = rowsOf(alternatives[index] as JsonSchema, "sources[]").filter(({ key }) => own[index]?.has(key.replace("sources[].", "")));
    return `### codec: ${name}\n\n${table(rows)}`;
  });
  return [table(shared), defaults, ...parts].join("\n\n");
}

function ruleTables(rule: JsonSchema, defs: Record<string, JsonSchema>): string {
  const rows = rowsOf(rule, "rules[]").map((row) => (row.key === "rules[].condition" ? { ...row, form: "map" } : row));
  const types = (defs["Condition"]?.oneOf ?? []).map((type) => (type.$ref === undefined ? type : (defs[type.$ref.replace("#/$defs/", "")] as JsonSchema)));
  const predicates = ["above", "clear_below", "below", "clear_above", "outside", "clear_inside", "inside", "clear_outside"];
  const isPredicate = ({ key }: Row) => predicates.includes(key.replace("condition.", ""));
  const isLimit = (row: Row) => isPredicate(row) || row.key.startsWith("condition.levels");
  const withLimits = types.find((type) => type.properties?.["levels"] !== undefined) as JsonSchema;
  const parts = types.map((type) => {
    const name = String(type.properties?.["type"]?.const);
    const choice = type.properties?.["levels"] !== undefined ? "one predicate, or levels" : type.properties?.["above"] !== undefined ? "one predicate" : "";
    const limits = type.oneOf?.some((alternative) => alternative["maxProperties"] === 1) ? `if its default does not suit, ${choice}` : choice;
    return `### condition: ${name}\n\n${table(rowsOf(type, "condition").filter((row) => !isLimit(row)))}${limits && `\n\nand ${limits}.`}`;
  });
  const limitRows = rowsOf(withLimits, "condition");
  const predicate = `### Predicates\n\nExactly one of \`above\`, \`below\`, \`outside\` and \`inside\`, all strict, each with a deadband of its own.\n\n${table(limitRows.filter(isPredicate))}`;
  const isLevel = (row: Row) => isLimit(row) && !isPredicate(row) && !predicates.includes(row.key.replace("condition.levels[].", ""));
  const levels = `### Levels\n\nEach with a predicate of its own, all of one kind.\n\n${table(limitRows.filter(isLevel))}`;
  return [table(rows), ...parts, predicate, levels].join("\n\n");
}
