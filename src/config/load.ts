// Reads the config whole: YAML, environment, each block by its schema, rules files, then what spans blocks.
// Collects every problem it can before it gives up. Pure but for reading files: a reload calls it again and compares `plan.hash`.

import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { channels } from "../notify/channels/index.ts";
import { crosscheck } from "./crosscheck.ts";
import { type ConfigDocument, type Path, readDocument } from "./document.ts";
import { type Environment, readSecretFiles, type Secrets, substitute, withoutSecrets } from "./environment.ts";
import { explain, type Subject, shown } from "./explain.ts";
import { type GatewayConfig, toGatewayConfig } from "./gateway-config.ts";
import { type JsonSchema, jsonSchemaOf, propertyNames } from "./json-schema.ts";
import { findIdleKeys, findNotYet } from "./not-yet.ts";
import { inOrder, type Problem, problem } from "./problem.ts";
import { findRulesFiles, type LocatedRule, readRules, readRulesFile, readText } from "./rules.ts";
import { type BlockName, type Blocks, blocks, configSchema } from "./schema.ts";

export type LoadResult =
  | { readonly kind: "ok"; readonly config: GatewayConfig; readonly notes: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] };
export type RulesResult = { readonly kind: "ok"; readonly rules: readonly LocatedRule[] } | { readonly kind: "invalid"; readonly problems: readonly Problem[] };

const root: JsonSchema = jsonSchemaOf(configSchema);

/**
 * Reads and checks a config.
 * @param path of the YAML file; problems name it as it is given
 * @param env for `${NAME}`
 * @returns the config, structured-cloneable, or all that is wrong with it; never throws
 */
export function loadConfig(path: string, env: Environment = process.env): LoadResult {
  const problems: Problem[] = [];
  const notes: Problem[] = [];
  const secrets: Secrets = new Map();
  const config = load(path, env, secrets, problems, notes);
  if (config !== undefined && problems.length === 0) return { kind: "ok", config, notes: finished(notes, path, secrets) };
  return { kind: "invalid", problems: finished(problems, path, secrets) };
}

/** Reads one rules file by itself, as `highwater try --rules` does. */
export function loadRules(path: string, env: Environment = process.env): RulesResult {
  const problems: Problem[] = [];
  const secrets: Secrets = new Map();
  const rules = readRulesFile(path, env, root, secrets, problems);
  const { problems: spanning } = crosscheck({ document: readDocument(path, ""), raw: {}, blocks: {}, rules });
  const all = finished([...problems, ...spanning], path, secrets);
  return all.length === 0 ? { kind: "ok", rules } : { kind: "invalid", problems: all };
}

const finished = (entries: readonly Problem[], path: string, secrets: Secrets): Problem[] =>
  inOrder(
    entries.map((entry) => withoutSecrets(entry, secrets)),
    path,
  );

function load(path: string, env: Environment, secrets: Secrets, problems: Problem[], notes: Problem[]): GatewayConfig | undefined {
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
    problems.push(
      problem(path, document.placeOf([]), `the config must be a map of blocks, not ${shown(written)}`, `blocks are ${Object.keys(blocks).join(", ")}`),
    );
    return undefined;
  }
  const raw = withSecretFiles(substitute(written, document, env, secrets, problems) as Record<string, unknown>, document, secrets, problems);
  const notYet = findNotYet(raw, document);
  problems.push(...notYet.problems);
  const subject: Subject = { document, value: raw, root, isCovered: notYet.isCovered };
  const parsed = parseBlocks(subject, problems);
  const rules = [...readRules(subject, problems), ...rulesOfFiles(parsed, document, env, secrets, problems, notes)];
  const spanning = crosscheck({ document, raw, blocks: parsed, rules });
  problems.push(...spanning.problems);
  notes.push(...spanning.notes, ...findIdleKeys(raw, document));
  if (problems.length > 0) return undefined;
  return toGatewayConfig({ file: resolve(path), folder: resolve(dirname(path)), blocks: parsed as Blocks, rules, raw });
}

function rulesOfFiles(
  parsed: Partial<Blocks>,
  document: ConfigDocument,
  env: Environment,
  secrets: Secrets,
  problems: Problem[],
  notes: Problem[],
): LocatedRule[] {
  const files = findRulesFiles(parsed.rules_files ?? [], document, problems, notes);
  return files.flatMap((file) => readRulesFile(file, env, root, secrets, problems));
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
function withSecretFiles(raw: Record<string, unknown>, document: ConfigDocument, secrets: Secrets, problems: Problem[]): Record<string, unknown> {
  const notify = raw["notify"] as { receivers?: unknown } | null | undefined;
  if (typeof notify !== "object" || notify === null || !Array.isArray(notify.receivers)) return raw;
  const receivers = notify.receivers.map((receiver: unknown, index) => {
    if (typeof receiver !== "object" || receiver === null) return receiver;
    const entries = Object.entries(receiver).map(([type, settings]): [string, unknown] => {
      const known = channelKeys.get(type);
      const path: Path = ["notify", "receivers", index, type];
      return [type, known === undefined ? settings : readSecretFiles(settings, document, secrets, problems, path, (name) => known.has(name))];
    });
    return Object.fromEntries(entries);
  });
  return { ...raw, notify: { ...notify, receivers } };
}

const channelKeys = new Map<string, ReadonlySet<string>>(channels.map(({ type, schema }) => [type, propertyNames(jsonSchemaOf(schema as z.ZodType))]));
