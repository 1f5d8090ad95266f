// The house keeps its own order: floors, library homes, globals, length, names, dead files, and paths in prose, all read from the syntax tree.
// First each rule is shown to catch a sample that breaks it (a rule that cannot fail holds nothing), then all are held against the repository.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { documents } from "./tidy/document.ts";
import { dashboard, engineIsPure, entrances, floors, homes } from "./tidy/floors.ts";
import { functionLength, length, names, opening, switchedOff } from "./tidy/form.ts";
import { dead } from "./tidy/reach.ts";
import { type Rule, readTree, treeOf } from "./tidy/tree.ts";

const RULES: Readonly<Record<string, Rule>> = {
  floors,
  dashboard,
  homes,
  engineIsPure,
  entrances,
  length,
  functionLength,
  names,
  opening,
  switchedOff,
  dead,
  documents,
};

describe("the repository", () => {
  const tree = readTree(fileURLToPath(new URL("..", import.meta.url)));

  it("is there to be read", () => {
    expect(tree.sources.map((source) => source.path)).toContain("src/engine/rule.ts");
    expect(tree.files.has("package.json")).toBe(true);
  });

  it.each(Object.keys(RULES))("keeps the rule: %s", (name) => {
    expect(RULES[name]?.(tree)).toEqual([]);
  });
});

type Sample = { rule: Rule; what: string; files: Record<string, string>; complaint: RegExp | null };

/** A sample for each line of `block`, as the whole text of the file `path`. */
function each(rule: Rule, path: string, block: string, complaint: RegExp | null, others: Record<string, string> = {}): Sample[] {
  const lines = block.trim().split("\n");
  return lines.map((line) => ({ rule, what: line.trim(), files: { ...others, [path]: line.trim().replaceAll("⏎", "\n") }, complaint }));
}

const SAMPLES: readonly Sample[] = [
  { rule: floors, what: "upwards", files: { "src/storage/a.ts": 'import { g } from "../gateway.ts";', "src/gateway.ts": "" }, complaint: /a floor above/ },
  {
    rule: floors,
    what: "a type upwards",
    files: { "src/engine/a.ts": 'import type { C } from "../clock.ts";', "src/clock.ts": "" },
    complaint: /imports a type from src\/clock\.ts/,
  },
  {
    rule: floors,
    what: "import() upwards",
    files: { "src/log.ts": 'const m = await import("./main.ts");', "src/main.ts": "" },
    complaint: /a floor above/,
  },
  { rule: floors, what: "re-export upwards", files: { "src/log.ts": 'export * from "./main.ts";', "src/main.ts": "" }, complaint: /a floor above/ },
  { rule: floors, what: "a neighbour", files: { "src/http/a.ts": 'import "../broker/b.ts";', "src/broker/b.ts": "" }, complaint: /never import each other/ },
  { rule: floors, what: "no floor", files: { "src/stray.ts": "" }, complaint: /has no floor/ },
  { rule: floors, what: "a test", files: { "src/main.ts": 'import "../test/a.ts";', "test/a.ts": "" }, complaint: /the product imports test\/a\.ts/ },
  {
    rule: floors,
    what: "downwards is fine",
    files: { "src/http/routes/a.ts": 'import "../server.ts"; import "../../engine/b.ts";', "src/http/server.ts": "", "src/engine/b.ts": "" },
    complaint: null,
  },
  {
    rule: dashboard,
    what: "a value of the gateway",
    files: { "src/dashboard/a.ts": 'import { x } from "../http/routes/b.ts";', "src/http/routes/b.ts": "" },
    complaint: /may only `import type`/,
  },
  {
    rule: dashboard,
    what: "a type of a route is fine",
    files: { "src/dashboard/a.ts": 'import type { X } from "../http/routes/b.ts";', "src/http/routes/b.ts": "" },
    complaint: null,
  },
  { rule: homes, what: "a library away from home", files: { "src/http/a.ts": 'import Aedes from "aedes";' }, complaint: /aedes lives in src\/broker/ },
  { rule: homes, what: "a subpath too", files: { "src/a.ts": 'import x from "yaml/util";' }, complaint: /yaml lives in/ },
  { rule: homes, what: "a library without a home", files: { "src/broker/a.ts": 'import x from "left-pad";' }, complaint: /left-pad has no home/ },
  { rule: homes, what: "a dependency without a home", files: { "package.json": '{"dependencies":{"left-pad":"1"}}' }, complaint: /left-pad has no home/ },
  { rule: homes, what: "node: in a browser", files: { "src/dashboard/a.ts": 'import "node:fs";' }, complaint: /in a browser/ },
  { rule: homes, what: "at home", files: { "src/broker/broker.ts": 'import { Aedes } from "aedes"; import "node:net";' }, complaint: null },
  ...each(
    engineIsPure,
    "src/engine/a.ts",
    `
    new Date(0)
    let x: Date
    Date.UTC(2000, 1)
    new Intl.DateTimeFormat()
    const { random } = globalThis
    Math.random()
    Math["random"]()
    const { random } = Math
    setTimeout(() => 1, 1)
    performance.now()
    process.env
    fetch("/")
    const o = { fetch }
    global.Date
    queueMicrotask(f)
    Promise.resolve()
    crypto.randomUUID()
    console.log(1)
    a.localeCompare(b)
    (1).toLocaleString()
    new WeakRef(o)
    async function f() {}
    const f = async () => 1
    async function* f() { for await (const x of y) yield x; }
    import "node:fs";
    import("./b.ts")
    import mqtt from "mqtt"`,
    /the engine (uses|imports|is synchronous)/,
  ),
  {
    rule: engineIsPure,
    what: "words that are only keys, and zod",
    files: {
      "src/engine/a.ts":
        'import { z } from "zod"; const o = { process: 1, Date: 2 }; o.process; o.Date; Math.max(1, 2); type T = { fetch: number }; const [{ window }] = f(({ global = 1 }) => global);',
    },
    complaint: null,
  },
  { rule: entrances, what: "Date.now", files: { "src/http/a.ts": "const t = Date.now();" }, complaint: /Clock that is handed in/ },
  { rule: entrances, what: "new Date()", files: { "src/http/a.ts": "const t = new Date();" }, complaint: /Clock that is handed in/ },
  { rule: entrances, what: "performance.now", files: { "src/pipeline.ts": "performance.now()" }, complaint: /Clock that is handed in/ },
  { rule: entrances, what: "Math.random", files: { "src/notify/backoff.ts": "Math.random()" }, complaint: /chance/ },
  { rule: entrances, what: "process.env", files: { "src/http/a.ts": "process.env.HOME" }, complaint: /environment/ },
  { rule: entrances, what: "console", files: { "src/http/a.ts": "console.log(1)" }, complaint: /only cli prints/ },
  {
    rule: entrances,
    what: "the clock's own file, a date from a number, and a printing verb",
    files: { "src/clock.ts": "Date.now(); performance.now();", "src/http/a.ts": "new Date(0)", "src/cli/run.ts": "console.log(process.env.HOME)" },
    complaint: null,
  },
  { rule: length, what: "401 lines", files: { "src/a.ts": "//\n".repeat(401) }, complaint: /401 lines/ },
  { rule: length, what: "400 lines", files: { "src/a.ts": "//\n".repeat(400) }, complaint: null },
  { rule: functionLength, what: "71 lines", files: { "src/a.ts": `function f() {${"\n".repeat(70)}}` }, complaint: /a function of 71 lines/ },
  { rule: functionLength, what: "an arrow of 71 lines", files: { "src/a.ts": `const f = () => {${"\n".repeat(70)}};` }, complaint: /of 71 lines/ },
  {
    rule: functionLength,
    what: "a frame of two functions of 70 lines",
    files: { "src/a.ts": `function createF() {\nconst g = () => {${"\n".repeat(69)}};\nfunction h() {${"\n".repeat(69)}}\n}` },
    complaint: null,
  },
  { rule: names, what: "a drawer folder", files: { "src/utils/a.ts": "" }, complaint: /drawer/ },
  { rule: names, what: "a drawer file", files: { "src/http/helpers.ts": "" }, complaint: /drawer/ },
  { rule: names, what: "camelCase", files: { "src/dailySummary.ts": "" }, complaint: /kebab-case/ },
  { rule: names, what: "a good name", files: { "src/daily-summary.ts": "", "test/daily-summary.test.ts": "" }, complaint: null },
  { rule: opening, what: "no comment", files: { "src/a.ts": "export const a = 1;" }, complaint: /opens without a comment/ },
  { rule: opening, what: "a comment", files: { "src/a.ts": "// What it is.\nexport const a = 1;" }, complaint: null },
  ...each(
    switchedOff,
    "test/a.test.ts",
    `
    it.only("a", f)
    describe.only("a", f)
    it.concurrent.only("a", f)
    it.only.each([1])("a", f)
    it("a", { only: true }, f)`,
    /\.only would leave out/,
  ),
  ...each(
    switchedOff,
    "test/a.test.ts",
    `
    it.skip("a title of many words is no reason", f)
    test.todo("a")
    it.skipIf(x)("a", f)
    describe.runIf(x)("a", f)
    it("a", { skip: true }, f)
    it("a", (context) => context.skip())
    it("a", ({ skip }) => skip())
    it("a", ({ skip }) => skip("no"))`,
    /without a sentence/,
  ),
  ...each(
    switchedOff,
    "test/a.test.ts",
    `
    // mosquitto_pub is in the Debian package mosquitto-clients.⏎it.skipIf(x)("a", f)
    it("a", (context) => context.skip("there is no chromium here"))
    if (none) console.warn("The page's tests are skipped: no browser");⏎⏎describe.skipIf(none)("the page", f);
    it("a", f); rows.skip(3); const o = { only: 1 };`,
    null,
  ),
  { rule: dead, what: "an orphan", files: { "src/main.ts": "", "src/orphan.ts": "" }, complaint: /^src\/orphan\.ts:1: dead/ },
  {
    rule: dead,
    what: "only its test",
    files: { "src/main.ts": "", "src/orphan.ts": "", "test/orphan.test.ts": 'import "../src/orphan.ts";' },
    complaint: /the product does not reach it/,
  },
  {
    rule: dead,
    what: "a thread that nobody starts",
    files: {
      "src/main.ts": 'start("w"); function start(name) { new URL(`./threads/${name}.ts`, import.meta.url); }',
      "src/threads/w.ts": "",
      "src/threads/v.ts": "",
    },
    complaint: /^src\/threads\/v\.ts:1: dead[^\n]*$/,
  },
  { rule: dead, what: "a simulator that nobody names", files: { "simulators/a.ts": "" }, complaint: /nothing that runs/ },
  {
    rule: dead,
    what: "imports, workers, pages, npm scripts and documents reach",
    files: {
      "src/main.ts": 'import "./a.ts"; new Worker(new URL("./threads/w.ts", import.meta.url));',
      "src/a.ts": 'export type { B } from "./b.ts";',
      "src/b.ts": "",
      "src/threads/w.ts": "",
      "src/dashboard/index.html": '<script type="module" src="/main.tsx"></script>',
      "src/dashboard/main.tsx": "",
      "package.json": '{"scripts":{"demo":"node simulators/demo.ts"}}',
      "simulators/demo.ts": "",
      "README.md": "`node scripts/x.ts`",
      "scripts/x.ts": "",
      "test/a.test.ts": 'spawn("node", ["test/child.ts"]);',
      "test/child.ts": "",
    },
    complaint: null,
  },
  ...each(
    documents,
    "README.md",
    `
    \`src/gone.ts\`
    see src/gone/
    run \`node simulators/gone.ts --x\`
    [x](docs/gone.md)
    \`src/{a,gone}.ts\`
    gone.ts
    \`src/*.css\`
    src/b/<name>.ts`,
    /which is not there/,
    { "src/a.ts": "" },
  ),
  ...each(
    documents,
    "README.md",
    `
    \`src/a.ts\`, src/, a.ts.
    [x](src/a.ts#top)
    \`src/{a,b/c}.ts\`
    \`src/*.ts\`
    src/b/<name>.ts
    https://example.org/src/x.ts
    /etc/config/x`,
    null,
    { "src/a.ts": "", "src/b/c.ts": "" },
  ),
];

describe("the rules themselves", () => {
  it.each(SAMPLES)("$what", ({ rule, files, complaint }) => {
    const complaints = rule(treeOf(files));
    if (complaint === null) expect(complaints).toEqual([]);
    else expect(complaints.join("\n")).toMatch(complaint);
  });

  it("is complete: each rule has a sample that it catches", () => {
    const caught = new Set(SAMPLES.filter((sample) => sample.complaint !== null).map((sample) => sample.rule));
    expect(Object.values(RULES).filter((rule) => !caught.has(rule))).toEqual([]);
  });
});
