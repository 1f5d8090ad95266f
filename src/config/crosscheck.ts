// What no block can know alone: names that must exist or be unique, listeners that overlap, labels that nobody gives.
// A block that is wrong in itself is absent here, and what depends on it is not judged.

import { USERNAME } from "../broker/ingest.ts";
import { parseTemplate } from "../broker/topic.ts";
import { compileMatchers } from "../engine/matcher.ts";
import { isLoopback } from "../http/host.ts";
import { templateProblem } from "../notify/template.ts";
import { checkBridgeFiles } from "./bridge-files.ts";
import type { ConfigDocument, Path } from "./document.ts";
import { type ListenerSettings, listenerProblems, overlap } from "./listener.ts";
import { takesAnonymous } from "./mqtt-users.ts";
import { checkOncall, namedIn, unknownName } from "./oncall-check.ts";
import { type Problem, problem } from "./problem.ts";
import type { LocatedRule } from "./rules.ts";
import type { Blocks } from "./schema.ts";
import { nearest } from "./suggest.ts";

export type Checked = {
  readonly document: ConfigDocument;
  /** The whole file as it was written. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly blocks: Partial<Blocks>;
  readonly rules: readonly LocatedRule[];
};
export type Findings = { problems: Problem[]; notes: Problem[] };

/** Words that the HTTP API uses as parameters. */
const reserved = new Set(["limit", "cursor", "from", "to", "step", "agg"]);

export function crosscheck(checked: Checked): Findings {
  const findings: Findings = { problems: [], notes: [] };
  for (const check of [
    checkListeners,
    checkBridgeFiles,
    checkSources,
    checkDevices,
    checkRules,
    checkLimits,
    checkMatchers,
    checkReceivers,
    checkOncall,
    checkRetention,
  ])
    check(checked, findings);
  return findings;
}

/** Finer history that outlives coarser is asked for where the coarser is looked for. */
function checkRetention({ document, blocks }: Checked, { notes }: Findings): void {
  if (blocks.storage === undefined) return;
  const { retention } = blocks.storage;
  const timeOf = (name: keyof typeof retention): number => {
    const kept = retention[name];
    return typeof kept === "number" ? kept : kept.time;
  };
  for (const [coarse, fine] of [
    ["1m", "raw"],
    ["1h", "1m"],
  ] as const) {
    if (timeOf(coarse) >= timeOf(fine)) continue;
    const hint = `keep ${coarse} at least as long as ${fine}`;
    notes.push(
      problem(
        document.file,
        document.placeOf(["storage", "retention", coarse]),
        `${coarse} is kept shorter than ${fine}: charts of that time will lack it`,
        hint,
      ),
    );
  }
}

function checkListeners({ document, blocks }: Checked, { problems, notes }: Findings): void {
  const { mqtt, http } = blocks;
  const listeners = (mqtt?.listeners ?? []).map((listener, index) => ({ ...listener, path: ["mqtt", "listeners", index] as Path }));
  for (const [index, listener] of listeners.entries()) {
    const place = document.placeOf(listener.path);
    const other = listeners.slice(0, index).find((earlier) => overlap(earlier, listener));
    if (other !== undefined)
      problems.push(problem(document.file, place, `two listeners want ${listener.host}:${listener.port}`, "give each its own port, or keep one"));
    problems.push(...listenerProblems(listener, listener.path, document));
    if (mqtt !== undefined && isExposed(listener, mqtt))
      problems.push(
        problem(
          document.file,
          place,
          `${listener.host} is not on loopback: anyone on the network could publish`,
          mqtt.users === undefined
            ? "name users and an acl, ask for certificates (tls.client_ca), listen on 127.0.0.1, or write `anonymous: unsafe` to allow it"
            : "take `anonymous: true` out: who gives no name comes in with it",
        ),
      );
  }
  if (http === undefined) return;
  const httpPlace = document.placeOf(["http"]);
  if (listeners.some((listener) => overlap(listener, http)))
    problems.push(problem(document.file, httpPlace, `http and mqtt both want ${http.host}:${http.port}`, "give each its own port"));
  if (isLoopback(http.host)) return;
  const place = document.placeOf(["http", "host"]);
  const where = `${http.host}:${http.port}`;
  const [what, hint] =
    http.anonymous === "unsafe"
      ? [`while there is no account, anyone who reaches ${where} can read all`, undefined]
      : [`${where} is not on loopback: http starts there only once there is an account`, "make one: `highwater user add NAME --role admin`"];
  notes.push(problem(document.file, place, what, hint));
}

/** Whether strangers could use a listener, of whatever kind, though nobody said that they may. */
function isExposed({ host, tls }: ListenerSettings, mqtt: Blocks["mqtt"]): boolean {
  const knowsItsClients = tls?.client_ca !== undefined;
  return !isLoopback(host) && !knowsItsClients && mqtt.anonymous !== "unsafe" && takesAnonymous(mqtt);
}

function checkSources({ document, blocks }: Checked, { problems, notes }: Findings): void {
  const earlier = new Map<string, number>();
  for (const [index, { topic, labels }] of (blocks.sources ?? []).entries()) {
    const path: Path = ["sources", index];
    const twin = earlier.get(topic);
    if (twin !== undefined)
      problems.push(
        problem(
          document.file,
          document.placeOf([...path, "topic"]),
          `the topic ${topic} is taken by source ${twin + 1} already`,
          "first match wins: this source would never be used",
        ),
      );
    earlier.set(topic, twin ?? index);
    checkLabels(labels, [...path, "labels"], document, problems);
    checkUsername(labels, [...path, "labels"], document, problems);
    const parsed = parseTemplate(topic);
    if (parsed.kind === "ok" && !parsed.template.names.includes("device") && labels["device"] === undefined)
      notes.push(
        problem(
          document.file,
          document.placeOf([...path, "topic"]),
          "neither the topic nor labels name a device: readings that bring none are rejected",
          "write {device} in the topic, or labels: { device: NAME }",
        ),
      );
  }
}

function checkUsername(labels: Readonly<Record<string, string>>, path: Path, document: ConfigDocument, problems: Problem[]): void {
  for (const label of Object.keys(labels).filter((name) => name !== "device" && labels[name]?.includes(USERNAME)))
    problems.push(
      problem(document.file, document.placeOf([...path, label]), `${USERNAME} can be the device, and no other label`, `write device: "${USERNAME}"`),
    );
}

function checkDevices({ document, blocks }: Checked, { problems }: Findings): void {
  for (const [name, { labels }] of Object.entries(blocks.devices ?? {})) {
    const path = ["devices", name, "labels"];
    checkLabels(labels, path, document, problems);
    for (const own of ["device", "metric"].filter((label) => labels[label] !== undefined))
      problems.push(problem(document.file, document.keyPlaceOf([...path, own]), `${own} tells series apart and cannot be set here`, "choose another name"));
  }
}

function checkLabels(labels: Readonly<Record<string, string>>, path: Path, document: ConfigDocument, problems: Problem[]): void {
  for (const label of Object.keys(labels).filter((name) => reserved.has(name) || name.startsWith("__")))
    problems.push(
      problem(document.file, document.keyPlaceOf([...path, label]), `"${label}" is a parameter of the HTTP API and cannot be a label`, "choose another name"),
    );
}

function checkRules({ rules }: Checked, { problems }: Findings): void {
  const first = new Map<string, LocatedRule>();
  for (const rule of rules) {
    const { document, path, settings } = rule;
    const twin = first.get(settings.name);
    if (twin !== undefined) {
      const where = `${twin.document.file}:${twin.document.placeOf([...twin.path, "name"]).line}`;
      problems.push(
        problem(document.file, document.placeOf([...path, "name"]), `a rule ${settings.name} is there already, at ${where}`, "give each its own name"),
      );
    }
    first.set(settings.name, twin ?? rule);
    checkLabels(settings.labels, [...path, "labels"], document, problems);
    for (const own of ["alertname", "severity"].filter((label) => settings.labels[label] !== undefined))
      problems.push(
        problem(
          document.file,
          document.keyPlaceOf([...path, "labels", own]),
          `the label ${own} is given to each alert already`,
          own === "severity" ? "write severity beside labels, not in it" : "it is the rule's name",
        ),
      );
    for (const [name, template] of Object.entries(settings.annotations)) {
      const broken = templateProblem(template);
      if (broken === undefined) continue;
      const place = document.placeOf([...path, "annotations", name]);
      problems.push(problem(document.file, place, `${name} is not a template: ${broken}`, "write {{device}} or {{value}} for a label or the value"));
    }
  }
}

/** `limit.NAME` that no device has: a rule that can never apply. */
function checkLimits({ blocks, rules }: Checked, { notes }: Findings): void {
  if (blocks.devices === undefined) return;
  const known = new Set(Object.values(blocks.devices).flatMap(({ limits }) => Object.keys(limits)));
  for (const { document, path, raw } of rules)
    for (const { found, path: at } of textsOf((raw as { condition?: unknown }).condition, [...path, "condition"])) {
      const name = /^limit\.(.*)$/s.exec(found)?.[1];
      if (name === undefined || known.has(name)) continue;
      const near = nearest(name, known);
      const hint = near === undefined ? `write devices: { NAME: { limits: { ${name}: … } } }` : `did you mean limit.${near}?`;
      notes.push(problem(document.file, document.placeOf(at), `no device has the limit ${name}: nothing to compare with`, hint));
    }
}

function textsOf(value: unknown, path: Path): { found: string; path: Path }[] {
  if (typeof value === "string") return [{ found: value, path }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsOf(item, [...path, Array.isArray(value) ? Number(key) : key]));
}

/** A matcher for a label that no series can have, unless it takes the empty text. */
function checkMatchers({ blocks, rules }: Checked, { notes }: Findings): void {
  if (blocks.sources === undefined || blocks.devices === undefined) return;
  const names = blocks.sources.flatMap(({ topic, labels }) => {
    const parsed = parseTemplate(topic);
    return [...(parsed.kind === "ok" ? parsed.template.names : []), ...Object.keys(labels)];
  });
  const known = new Set(["device", "metric", ...names, ...Object.values(blocks.devices).flatMap(({ labels }) => Object.keys(labels))]);
  for (const { document, path, settings } of rules)
    for (const matcher of settings.match) {
      if (known.has(matcher.label) || compileMatchers([matcher])({})) continue;
      const near = nearest(matcher.label, known);
      const hint = near === undefined ? `labels there are: ${[...known].sort().join(", ")}` : `did you mean ${near}?`;
      const place = document.keyPlaceOf([...path, "match", matcher.label]);
      notes.push(problem(document.file, place, `no source or device gives a label ${matcher.label}: the rule never applies`, hint));
    }
}

function checkReceivers({ document, blocks, raw }: Checked, { problems, notes }: Findings): void {
  if (blocks.notify === undefined) return;
  const { receivers, route } = blocks.notify;
  for (const [index, { name, ...channels }] of receivers.entries())
    if (Object.keys(channels).length === 0) {
      const place = document.placeOf(["notify", "receivers", index, "name"]);
      notes.push(problem(document.file, place, `the receiver ${name} has no channel: nobody is told`, "add email or webhook"));
    }
  const named = namedIn(blocks.notify);
  const must = (name: string | undefined, path: Path, names: readonly string[]) => {
    if (name === undefined || names.includes(name)) return;
    const { message, hint } = unknownName("receiver", name, names, "notify.receivers");
    problems.push(problem(document.file, document.placeOf(path), message, hint));
  };
  const all = [...named.receivers, ...named.schedules, ...named.escalations];
  must(route.receiver, ["notify", "route", "receiver"], all);
  const intervals = blocks.notify.time_intervals.map(({ name }) => name);
  const mustIntervals = (found: unknown, path: Path) => {
    for (const [index, name] of (Array.isArray(found) ? found : []).entries()) {
      if (typeof name !== "string" || intervals.includes(name)) continue;
      const { message, hint } = unknownName("time interval", name, intervals, "notify.time_intervals");
      problems.push(problem(document.file, document.placeOf([...path, index]), message, hint));
    }
  };
  for (const key of ["mute_time_intervals", "active_time_intervals"] as const) mustIntervals(route[key], ["notify", "route", key]);
  for (const { found, key, path } of subroutesOf((raw["notify"] as { route?: { routes?: unknown } } | undefined)?.route?.routes, ["notify", "route", "routes"]))
    if (key === "receiver") must(typeof found === "string" ? found : undefined, path, all);
    else mustIntervals(found, path);
  must(blocks.batch?.daily_summary.receiver, ["batch", "daily_summary", "receiver"], named.receivers);
  checkSummaryReceiver(document, blocks, notes);
}

function checkSummaryReceiver(document: ConfigDocument, blocks: Partial<Blocks>, notes: Problem[]): void {
  const name = blocks.batch?.daily_summary.receiver;
  const receiver = blocks.notify?.receivers.find((entry) => entry.name === name);
  if (receiver !== undefined && !("email" in receiver))
    notes.push(
      problem(
        document.file,
        document.placeOf(["batch", "daily_summary", "receiver"]),
        `the summary is a mail, and the receiver ${name} has no email`,
        "add email to it, or name another receiver",
      ),
    );
}

/** What routes below name, with where they do. */
function subroutesOf(routes: unknown, path: Path): { found: unknown; key: string; path: Path }[] {
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route: unknown, index) => {
    const settings = (typeof route === "object" && route !== null ? route : {}) as Record<string, unknown>;
    const own = ["receiver", "mute_time_intervals", "active_time_intervals"].map((key) => ({ found: settings[key], key, path: [...path, index, key] }));
    return [...own, ...subroutesOf(settings["routes"], [...path, index, "routes"])];
  });
}
