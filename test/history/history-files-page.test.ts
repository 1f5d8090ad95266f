// docs/reference/history-files.md: each file that it shows is read as it says, and what it says is written is what the writers write.

import { readFileSync, renameSync } from "node:fs";
import { parseArgs } from "node:util";
import { describe, expect, it } from "vitest";
import type { Labels } from "../../src/engine/reading.ts";
import { LABEL_LENGTH_MAX, LABELS_MAX } from "../../src/history/columns.ts";
import type { Precision } from "../../src/history/format.ts";
import { LINE_MAX, problemKinds, skipReasons } from "../../src/history/format.ts";
import { historyFormats } from "../../src/history/formats/index.ts";
import type { ReadOptions } from "../../src/history/read.ts";
import { zoneTable } from "../../src/zone.ts";
import { historyFile, readFile, readText } from "./read-text.ts";

const page = readFileSync(new URL("../../docs/reference/history-files.md", import.meta.url), "utf8");
const blocks = (language: string) => [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map((match) => match[1] ?? "");

const text = { type: "string" } as const;
const options = { device: text, metric: text, timezone: text, precision: text, "device-tag": text, label: { ...text, multiple: true } } as const;

function optionsOf(values: { readonly [name: string]: string | string[] | undefined }): ReadOptions {
  const one = (name: string) => values[name] as string | undefined;
  const labels = Object.fromEntries(((values["label"] ?? []) as string[]).map((label) => label.split("=") as [string, string]));
  const zone = one("timezone") === undefined ? undefined : zoneTable(one("timezone") as string);
  return { device: one("device"), metric: one("metric"), labels, zone, precision: one("precision") as Precision | undefined, deviceTag: one("device-tag") };
}

function inWords(labels: Labels, ts: number, value: number): string {
  const { device, metric, ...others } = labels;
  const names = Object.entries({ device, metric, ...others }).map(([name, label]) => `${name}=${label}`);
  return `→ ${names.join(" ")}: ${value} at ${new Date(ts).toISOString()}`;
}

describe("what is read", () => {
  const examples = blocks("text");
  it("there are examples", () => expect(examples.length).toBeGreaterThan(8));

  it.each(examples)("%s", async (example) => {
    const [command = "", ...lines] = example.trimEnd().split("\n");
    const { values, positionals } = parseArgs({ args: command.split(" ").slice(2), options, allowPositionals: true });
    const name = positionals[0] as string;
    const content = lines.filter((line) => !line.startsWith("→"));
    const written = historyFile("x", `${content.join("\n")}\n`);
    const file = written.replace(/x$/, name);
    renameSync(written, file);
    const { records, problems, skipped } = await readFile(file, optionsOf(values));
    const none = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
    const said = [
      ...problems.map((problem) => `→ ${name}:${problem}`),
      ...records.map(({ labels, ts, value }) => inWords(labels, ts, value)),
      ...(none.length > 0 ? [`→ no value: ${none.join(", ")}`] : []),
    ];
    expect(said).toEqual(lines.filter((line) => line.startsWith("→")));
  });
});

it.each([
  ["csv", "csv"],
  ["ndjson", "json"],
])("%s is written as it shows", async (name, language) => {
  const [shown = ""] = blocks(language);
  const writer = historyFormats.find((format) => format.name === name)?.writer?.({ labels: ["site"] });
  const { records, problems } = await readText(name, shown);
  expect(problems).toEqual([]);
  expect(records).toHaveLength(3);
  expect(`${writer?.head}${records.map(({ labels, ts, value }) => writer?.series(labels)(ts, value)).join("")}`).toBe(shown);
});

it("names each format, ending, reason, kind of problem and limit", () => {
  for (const { name, endings, writer } of historyFormats)
    expect(page).toContain(`| \`${name}\` | ${endings.map((ending) => `\`${ending}\``).join(", ")} | yes | ${writer === undefined ? "no" : "yes"} |`);
  for (const word of [...skipReasons, ...problemKinds]) expect(page).toContain(`\`${word}\``);
  for (const limit of [LINE_MAX, LABELS_MAX, LABEL_LENGTH_MAX]) expect(page).toContain(limit.toLocaleString("en"));
});
