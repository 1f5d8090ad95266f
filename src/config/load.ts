// Reads the config whole: YAML, environment, each block by its schema, rules files, then what spans blocks.
// Collects every problem it can before it gives up. Pure but for reading files: a reload calls it again and compares `plan.hash`.

import { dirname, resolve } from "node:path";
import type { z } from "zod";
import type { Rule } from "../engine/rule.ts";
import type { EpochMs } from "../engine/units.ts";
import { channels } from "../notify/channels/index.ts";
import { crosscheck } from "./crosscheck.ts";
import { type ConfigDocument, type Path, readDocument } from "./document.ts";
import { type Environment, type Outside, readSecretFiles, substitute, withoutSecrets } from "./environment.ts";
import { explain, type Subject, shown, within } from "./explain.ts";
import { type GatewayConfig, toGatewayConfig } from "./gateway-config.ts";
import { type JsonSchema, jsonSchemaOf, propertyNames } from "./json-schema.ts";
import { readMqttUsers } from "./mqtt-users.ts";
import { noteGaps } from "./oncall-check.ts";
import { toRule } from "./plan.ts";
import { inOrder, type Problem, problem } from "./problem.ts";
import { findRulesFiles, type LocatedRule, readRules, readRulesFile, readText } from "./rules.ts";
import { type BlockName, type Blocks, blocks, configSchema } from "./schema.ts";

export type LoadResult =
  | { readonly kind: "ok"; readonly config: GatewayConfig; readonly notes: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };
/** A rule and the file in which it is written. `path`: where it stands in that file's value. */
export type PlacedRule = { readonly rule: Rule; readonly file: string; readonly path: Path };
export type PlacedRulesResult =
  | { readonly kind: "ok"; readonly rules: readonly PlacedRule[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };
export type RulesResult = { readonly kind: "ok"; readonly rules: readonly Rule[] } | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

const root: JsonSchema = jsonSchemaOf(configSchema);

/**
 * Reads and checks a config.
 * @param path of the YAML file; problems name it as it is given
 * @param env for `${NAME}`
 * @param now from which on schedules are looked through for times without anybody on call; without it they are not
 * @returns the config, structured-cloneable, or all that is wrong with it; never throws
 */
export function loadConfig(path: string, env: Environment = process.env, now?: EpochMs): LoadResult {
  const outside: Outside = { env, secrets: new Map(), problems: [] };
  const notes: Problem[] = [];
  const loaded = load(path, outside, notes, now);
  if (loaded !== undefined) return { kind: "ok", config: loaded.config, notes: finished(notes, path, outside) };
  return { kind: "invalid", problems: finished(outside.problems, path, outside) };
}

/** The rules of a config, and where each is written; never throws. */
export function placeRules(path: string, env: Environment = process.env): PlacedRulesResult {
  const outside: Outside = { env, secrets: new Map(), problems: [] };
  const loaded = load(path, outside, []);
  if (loaded === undefined) return { kind: "invalid", problems: finished(outside.problems, path, outside) };
  return { kind: "ok", rules: loaded.rules.map(({ settings, document, path: place }) => ({ rule: toRule(settings), file: document.file, path: place })) };
}

/** Reads one rules file by itself, as `highwater try --rules` does; never throws. */
export function loadRules(path: string, env: Environment = process.env): RulesResult {
  const outside: Outside = { env, secrets: new Map(), problems: [] };
  const rules = readRulesFile(path, outside, root);
  const spanning = crosscheck({ document: readDocument(path, ""), raw: {}, blocks: {}, rules });
  const problems = finished([...outside.problems, ...spanning.problems], path, outside);
  return problems.length === 0 ? { kind: "ok", rules: rules.map(({ settings }) => toRule(settings)) } : { kind: "invalid", problems };
}

/** In order, each once, without what came from outside. */
export const finished = (entries: readonly Problem[], path: string, { secrets }: Outside): Problem[] =>
  inOrder(
    entries.map((entry) => withoutSecrets(entry, secrets)),
    path,
  );

/** @returns undefined when there are problems */
function load(path: string, outside: Outside, notes: Problem[], now?: EpochMs): { config: GatewayConfig; rules: readonly LocatedRule[] } | undefined {
  const { problems } = outside;
  const read = readText(path);
  if (read.kind === "failed") {
    problems.push(problem(path, { line: 1, column: 1 }, `the config cannot be read: ${read.reason}`, "give another file with --config"));
    return undefined;
  }
  const document = readDocument(path, read.text);
  problems.push(...document.problems);
  if (document.broken) return undefined;
  const written = document.value ?? {};
  if (typeof written !== "object" || Array.isArray(written)) {
    const hint = `blocks are ${Object.keys(blocks).join(", ")}`;
    problems.push(problem(path, document.placeOf([]), `the config must be a map of blocks, not ${shown(written)}`, hint));
    return undefined;
  }
  const unset: Path[] = [];
  const substituted = substitute(written, document, outside, unset) as Record<string, unknown>;
  const raw = withBridgePasswords(withSecretFiles(substituted, document, outside, unset), document, outside, unset);
  const subject: Subject = { document, value: raw, root, isCovered: within(unset) };
  const parsed = parseBlocks(subject, problems);
  const files = findRulesFiles(parsed.rules_files ?? [], document, problems, notes);
  const rules = [...readRules(subject, problems), ...files.flatMap((file) => readRulesFile(file, outside, root))];
  const passwords = readMqttUsers(parsed.mqtt, document, { problems, notes });
  const checked = { document, raw, blocks: parsed, rules };
  const spanning = crosscheck(checked);
  problems.push(...spanning.problems);
  notes.push(...spanning.notes);
  if (problems.length > 0) return undefined;
  if (now !== undefined) noteGaps(checked, notes, now);
  const config = toGatewayConfig({ file: resolve(path), folder: resolve(dirname(path)), blocks: parsed as Blocks, rules, raw, passwords });
  return { config, rules };
}

/** Each block by itself: what is wrong in one does not hide the others. A block without content is its defaults. */
function parseBlocks(subject: Subject, problems: Problem[]): Partial<Blocks> {
  const raw = subject.value as Record<string, unknown>;
  const unknown = Object.keys(raw).filter((key) => !Object.hasOwn(blocks, key));
  if (unknown.length > 0) problems.push(...explain([{ code: "unrecognized_keys", keys: unknown, path: [], message: "", input: raw }], [], subject));
  const parsed: Partial<Record<BlockName, unknown>> = {};
  for (const name of Object.keys(blocks) as BlockName[]) {
    // Rules are read one by one (rules.ts).
    if (name === "rules") continue;
    const result = (blocks[name] as z.ZodType).safeParse(raw[name] ?? undefined);
    if (result.success) parsed[name] = result.data;
    else problems.push(...explain(result.error.issues as z.core.$ZodIssue[], [name], subject));
  }
  return parsed as Partial<Blocks>;
}

/** Puts the content of `KEY_file` in place of KEY, for the keys of channels. */
function withSecretFiles(raw: Record<string, unknown>, document: ConfigDocument, outside: Outside, unset: Path[]): Record<string, unknown> {
  const notify = raw["notify"] as { receivers?: unknown } | null | undefined;
  if (typeof notify !== "object" || notify === null || !Array.isArray(notify.receivers)) return raw;
  const receivers = notify.receivers.map((receiver: unknown, index) => {
    if (typeof receiver !== "object" || receiver === null) return receiver;
    const entries = Object.entries(receiver).map(([type, settings]): [string, unknown] => {
      const known = channelKeys.get(type);
      const path: Path = ["notify", "receivers", index, type];
      return [type, known === undefined ? settings : readSecretFiles(settings, document, outside, unset, path, (name) => known.has(name))];
    });
    return Object.fromEntries(entries);
  });
  return { ...raw, notify: { ...notify, receivers } };
}

/** Puts the content of `password_file` in place of a bridge's password. */
function withBridgePasswords(raw: Record<string, unknown>, document: ConfigDocument, outside: Outside, unset: Path[]): Record<string, unknown> {
  const mqtt = raw["mqtt"] as { bridges?: unknown } | null | undefined;
  if (typeof mqtt !== "object" || mqtt === null || !Array.isArray(mqtt.bridges)) return raw;
  const bridges = readSecretFiles(mqtt.bridges, document, outside, unset, ["mqtt", "bridges"], (name) => name === "password");
  return { ...raw, mqtt: { ...mqtt, bridges } };
}

const channelKeys = new Map<string, ReadonlySet<string>>(channels.map(({ type, schema }) => [type, propertyNames(jsonSchemaOf(schema as z.ZodType))]));
