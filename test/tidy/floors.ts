// The floors of the house: who may import whom, which library lives where, and which globals a floor may touch.
// Imports of types count like any other: a type that leaks upwards is a dependency too.

import { posix } from "node:path";
import { type Rule, resolve, type Source, type Tree, type Use } from "./tree.ts";

/** Lowest first. A floor may import itself and those below; folders of one `apart` floor never import each other. */
const FLOORS: readonly { name: string; holds: readonly string[]; apart?: true }[] = [
  { name: "engine", holds: ["src/engine/"] },
  {
    name: "storage",
    holds: [
      "src/storage/",
      "src/reasons/",
      "src/reports/",
      "src/inbox.ts",
      "src/clock.ts",
      "src/heap.ts",
      "src/log.ts",
      "src/password.ts",
      "src/metrics.ts",
      "src/error.ts",
      "src/zone.ts",
      "src/event-time.ts",
      "src/value-text.ts",
      "src/json-text.ts",
      "src/network.ts",
      "src/turns.ts",
    ],
  },
  { name: "adapters", holds: ["src/broker/", "src/notify/", "src/batch/", "src/http/"], apart: true },
  {
    name: "composition",
    holds: [
      ...[
        "src/pipeline.ts",
        "src/config.ts",
        "src/config/",
        "src/gateway.ts",
        "src/control.ts",
        "src/upkeep/",
        "src/recording.ts",
        "src/rule-test.ts",
        "src/replay.ts",
        "src/replay/",
        "src/history/",
      ],
      // Between the threads.
      ...[
        "src/messages.ts",
        "src/call.ts",
        "src/worker.ts",
        "src/mqtt-state.ts",
        "src/outbox-reader.ts",
        "src/query-client.ts",
        "src/writer-client.ts",
        "src/stored-figures.ts",
      ],
    ],
  },
  { name: "entries", holds: ["src/cli/", "src/threads/", "src/main.ts"] },
];

/** The one home of each library; adding a dependency means adding a line here. A library outside of this table is not imported in src at all. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  "@resvg/resvg-js": ["src/batch/png.ts"],
  aedes: ["src/broker/"],
  mqtt: ["src/broker/"],
  "mqtt-packet": ["src/broker/"],
  ws: ["src/broker/websocket.ts"],
  "better-sqlite3": ["src/storage/"],
  nodemailer: ["src/notify/channels/email.ts"],
  liquidjs: ["src/notify/template.ts"],
  "node-cron": ["src/batch/scheduler.ts"],
  pino: ["src/log.ts"],
  "prom-client": ["src/metrics.ts"],
  fastify: ["src/http/"],
  "@fastify/helmet": ["src/http/"],
  "@fastify/rate-limit": ["src/http/"],
  "@fastify/static": ["src/http/"],
  "@fastify/swagger": ["src/http/"],
  commander: ["src/cli/", "src/main.ts"],
  yaml: ["src/config.ts", "src/config/"],
  zod: ["src/"],
  preact: ["src/dashboard/"],
  "@preact/signals": ["src/dashboard/"],
  uplot: ["src/dashboard/"],
  vite: ["src/dashboard/vite.config.ts"],
};

const ENGINE_LIBRARIES = new Set(["zod", "@datadog/sketches-js"]);

/** Globals through which time, chance, the outside or the order of tasks could reach the engine. A name that the file binds itself is no global. */
const ENGINE_GLOBALS = new Set(
  (
    "Date Intl performance process fetch console crypto globalThis global self window navigator Buffer require eval Function Promise queueMicrotask " +
    "setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate Worker MessageChannel BroadcastChannel EventSource WebSocket " +
    "XMLHttpRequest Atomics SharedArrayBuffer WeakRef FinalizationRegistry localStorage sessionStorage Temporal AbortSignal AbortController"
  ).split(" "),
);
/** Methods whose answer depends on the machine's locale. */
const LOCALE_METHODS = new Set(["toLocaleString", "toLocaleDateString", "toLocaleTimeString", "toLocaleUpperCase", "toLocaleLowerCase", "localeCompare"]);

/** Each file of src has a floor, and imports only its own and those below. */
export const floors: Rule = (tree) =>
  tree.sources.filter(inHouse).flatMap((source) => {
    const floor = floorOf(source.path);
    if (floor < 0) return [`${source.path}:1: has no floor; put it on one in test/tidy/floors.ts`];
    return targets(tree, source).flatMap(({ target, line, typeOnly }) => {
      if (!target.startsWith("src/")) return [`${source.path}:${line}: the product imports ${target}`];
      if (target.startsWith("src/dashboard/")) return [`${source.path}:${line}: the gateway imports the dashboard's ${target}`];
      const other = floorOf(target);
      if (other > floor) {
        const what = typeOnly ? "imports a type from" : "imports";
        return [`${source.path}:${line}: ${FLOORS[floor]?.name} ${what} ${target}, a floor above it (${FLOORS[other]?.name})`];
      }
      if (other === floor && FLOORS[floor]?.apart === true && holderOf(source.path) !== holderOf(target)) {
        return [`${source.path}:${line}: ${holderOf(source.path)} and ${holderOf(target)} never import each other (${target})`];
      }
      return [];
    });
  });

/** The browser app sees only itself, its own libraries and the types of http/routes. */
export const dashboard: Rule = (tree) =>
  tree.sources
    .filter((source) => source.path.startsWith("src/dashboard/") && !source.path.endsWith(".config.ts"))
    .flatMap((source) => [
      ...targets(tree, source)
        .filter(({ target, typeOnly }) => !target.startsWith("src/dashboard/") && !(typeOnly && target.startsWith("src/http/routes/")))
        .map(({ target, line }) => `${source.path}:${line}: the dashboard may only \`import type\` from src/http/routes, not ${target}`),
      ...source.uses
        .filter((use) => use.of === undefined && ["process", "Buffer", "require", "global"].includes(use.name))
        .map((use) => `${source.path}:${use.line}: ${use.name} does not exist in a browser`),
    ]);

/** Each library is imported in its one home, and every production dependency has one. */
export const homes: Rule = (tree) => {
  const complaints = tree.sources
    .filter((source) => source.path.startsWith("src/"))
    .flatMap((source) =>
      source.imports.flatMap(({ specifier, line }) => {
        if (specifier.startsWith(".")) return [];
        if (specifier.startsWith("node:")) {
          return source.path.startsWith("src/dashboard/") && !source.path.endsWith(".config.ts") ? [`${source.path}:${line}: ${specifier} in a browser`] : [];
        }
        const library = packageOf(specifier);
        const home = HOMES[library];
        if (home === undefined) return [`${source.path}:${line}: ${library} has no home; give it one in test/tidy/floors.ts`];
        return home.some((place) => holds(place, source.path)) ? [] : [`${source.path}:${line}: ${library} lives in ${home.join(", ")}`];
      }),
    );
  const declared = JSON.parse(tree.files.get("package.json") ?? "{}") as { dependencies?: Record<string, string> };
  const homeless = Object.keys(declared.dependencies ?? {}).filter((library) => HOMES[library] === undefined);
  return [...complaints, ...homeless.map((library) => `package.json:1: ${library} has no home in test/tidy/floors.ts`)];
};

/** The engine is pure, synchronous and deterministic: same inputs, same effects, byte for byte, in any year, zone and locale. */
export const engineIsPure: Rule = (tree) =>
  tree.sources
    .filter((source) => source.path.startsWith("src/engine/"))
    .flatMap((source) => [
      ...source.imports
        .filter((it) => it.dynamic || (!it.specifier.startsWith(".") && !ENGINE_LIBRARIES.has(packageOf(it.specifier))))
        .map((it) => `${source.path}:${it.line}: the engine imports ${it.specifier}`),
      ...source.uses
        .filter((use) => reachesOut(use, source))
        .map((use) => `${source.path}:${use.line}: the engine uses ${use.of ? `${use.of}.` : ""}${use.name}`),
      ...source.asyncLines.map((line) => `${source.path}:${line}: the engine is synchronous`),
    ]);

/** Clocks, chance, the environment and the terminal enter the shell at one place each. */
export const entrances: Rule = (tree) =>
  tree.sources
    .filter((source) => inHouse(source) && !source.path.startsWith("src/engine/"))
    .flatMap((source) =>
      source.uses.flatMap((use) => {
        const at = `${source.path}:${use.line}`;
        const may = (...places: string[]): boolean => places.some((place) => holds(place, source.path));
        if (readsClock(use) && !may("src/clock.ts")) return [`${at}: the time comes from a Clock that is handed in, not from ${use.of ?? "new"}.${use.name}`];
        if (use.of === "Math" && use.name === "random") return [`${at}: chance comes from a seed or from node:crypto, not Math.random`];
        if (use.of === "process" && use.name === "env" && !may("src/config.ts", "src/config/", "src/cli/", "src/main.ts")) {
          return [`${at}: the environment is read by the config only`];
        }
        if (use.of === "console" && !may("src/cli/", "src/main.ts")) return [`${at}: the gateway logs, only cli prints`];
        return [];
      }),
    );

function reachesOut(use: Use, source: Source): boolean {
  if (use.of !== undefined) return (use.of === "Math" && use.name === "random") || LOCALE_METHODS.has(use.name);
  // Math alone, not as Math.abs, would be a way around its one forbidden function.
  return (ENGINE_GLOBALS.has(use.name) && !source.bound.has(use.name)) || use.name === "Math";
}

function readsClock(use: Use): boolean {
  if (use.of === "Date") return use.name === "now";
  if (use.of === "performance") return use.name === "now" || use.name === "timeOrigin";
  if (use.of === "process") return use.name === "hrtime" || use.name === "uptime";
  return use.of === undefined && use.name === "Date" && use.called && use.argumentCount === 0;
}

function inHouse(source: Source): boolean {
  return source.path.startsWith("src/") && !source.path.startsWith("src/dashboard/");
}

function floorOf(path: string): number {
  return FLOORS.findIndex((floor) => floor.holds.some((place) => holds(place, path)));
}

function holderOf(path: string): string {
  return FLOORS.flatMap((floor) => floor.holds).find((place) => holds(place, path)) ?? path;
}

function holds(place: string, path: string): boolean {
  return place.endsWith("/") ? path.startsWith(place) : path === place;
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The relative imports of a source, as paths from the root; one that leads nowhere is the compiler's to report. */
function targets(tree: Tree, source: Source): { target: string; line: number; typeOnly: boolean }[] {
  return source.imports
    .filter((it) => it.specifier.startsWith("."))
    .map((it) => ({
      target: resolve(tree, source.path, it.specifier) ?? posix.normalize(posix.join(posix.dirname(source.path), it.specifier)),
      line: it.line,
      typeOnly: it.typeOnly,
    }));
}
