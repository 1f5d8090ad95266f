// Five mistakes in one config: five messages, each with the place where the mistake stands, from `check` and from `run`.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { createFolder, highwater } from "./gateway-process.ts";

const folder = createFolder("mistakes");
const file = join(folder.path, "highwater.yaml");
afterAll(() => folder.remove());

const CONFIG = `gateway: { name: cold-chain, timezone: Europe/Olso, data_dir: ./data }
mqtt:
  listeners: [{ host: 127.0.0.1, port: 0 }]
  anonymus: true
sources:
  - { topic: "sensors/{site}/{device}/{metric}", codec: jsn }
rules:
  - name: freezer-too-warm
    match: { metric: temperature }
    condition: { type: threshold, above: -15, below: -40 }
    for: 5 minutes
http: { host: 127.0.0.1, port: 0 }
`;

/** What each message must point at: the line of the file, the text that begins at its column, and a word that says what is wrong. */
const MISTAKES: readonly [line: number, at: string, says: RegExp][] = [
  [1, "Europe/Olso", /time zone/],
  [4, "anonymus", /anonymous/],
  [6, "jsn", /codec/],
  [10, "", /above.*below|exactly one|one of/],
  [11, "5 minutes", /duration/],
];

it.each(["check", "run"])("highwater %s says what is wrong, and where", async (verb) => {
  writeFileSync(file, CONFIG);
  const { code, stdout, stderr } = await highwater(verb, "--config", file);
  expect(code).toBe(2);
  const messages = `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith(file));
  const places = messages.map((message) => {
    const [, line, column] = /:(\d+):(\d+): /.exec(message.slice(file.length)) ?? [];
    return { line: Number(line), column: Number(column), message };
  });
  expect(places.map(({ line }) => line)).toEqual(MISTAKES.map(([line]) => line));
  MISTAKES.forEach(([, at, says], index) => {
    const { line, column, message } = places[index] as (typeof places)[number];
    expect(
      CONFIG.split("\n")
        [line - 1]?.slice(column - 1)
        .startsWith(at),
      message,
    ).toBe(true);
    expect(message).toMatch(says);
  });
});

it("without them both are content", async () => {
  const mended = CONFIG.replace("Olso", "Oslo").replace("anonymus", "anonymous").replace("jsn", "json").replace(", below: -40", "").replace("5 minutes", "5m");
  writeFileSync(file, mended);
  expect(await highwater("check", "--config", file)).toMatchObject({ code: 0 });
});
