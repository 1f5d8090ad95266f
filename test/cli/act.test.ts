// `highwater alerts`, the acts on an alert and `highwater silence` as a shell sees them: beside a running gateway, after it has ended,
// and where there never was one.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectClient, createFolder, highwater, type RunningGateway, startHighwater, waitFor, writeConfig } from "../e2e/gateway-process.ts";

const config = {
  sources: [{ topic: "sensors/{device}/{metric}", codec: "json" }],
  rules: [
    { name: "warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 30 }, severity: "critical" },
    { name: "pressed", match: { metric: "pressure" }, condition: { type: "threshold", above: 30 }, latch: true },
  ],
};
type Shown = { id: string; rule: string; state: string; labels: Record<string, string>; acked_by: string | null; shelved: { kind: string } | null };

let folder: ReturnType<typeof createFolder>;
let gateway: RunningGateway;
const run = (...args: string[]) => highwater(...args, "-c", join(folder.path, "highwater.yaml"));
const out = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
};
const json = async <Answer>(...args: string[]): Promise<Answer> => JSON.parse(await out(...args, "--json")) as Answer;
const idOf = async (rule: string, device: string): Promise<string> =>
  (await gateway.get<{ alerts: Shown[] }>(`/api/v1/alerts?rule=${rule}&device=${device}`)).alerts[0]?.id ?? "";
const expectFits = (text: string): void => expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);

beforeAll(async () => {
  folder = createFolder("acts");
  gateway = await startHighwater(folder.path, config);
  const client = await connectClient(gateway.mqttUrl);
  for (const [topic, value] of [
    ["fz-7/temperature", 41],
    ["fz-8/temperature", 42],
    ["fz-8/pressure", 43],
    ["fz-8/pressure", 4],
  ] as const)
    await client.publishAsync(`sensors/${topic}`, String(value), { qos: 1 });
  await client.endAsync();
  await waitFor("three alerts", async () => (await gateway.get<{ alerts: unknown[] }>("/api/v1/alerts?state=firing,recovering")).alerts.length === 3);
});
afterAll(async () => {
  await gateway.stop();
  folder.remove();
});

describe("beside a running gateway", () => {
  it("lists what is active in 80 columns, and by state", async () => {
    const text = await out("alerts");
    expectFits(text);
    expect(text).toMatch(/critical warm, firing for \d+\w*: 42\n +\S+ {2}device=fz-8 metric=temperature\n/);
    expect(text).toContain("warning  pressed, latched, waits for a reset: 4\n");
    const lines = (await out("alerts", "--json")).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as Shown).rule).sort()).toEqual(["pressed", "warm", "warm"]);
    expect(await out("alerts", "--state", "resolved,pending")).toBe("nothing of that\n");
  });

  it("acknowledges by the beginning of an id, under the name of who is logged in, and takes it back", async () => {
    const id = await idOf("warm", "fz-7");
    expect(await out("ack", id.slice(0, 10), "--note", "on my way\u001b[31m")).toBe("acknowledged: warm on device=fz-7 metric=temperature\n");
    const shown = await out("alerts");
    expect(shown).toMatch(/acknowledged by local:\S+ at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: on my way·\[31m/);
    const again = await run("ack", id);
    expect([again.code, again.stderr]).toEqual([1, "highwater: the alert is acknowledged already (take that back first, or add a comment)\n"]);
    expect(await json("unack", id)).toMatchObject({ id, acked_by: null });
    expect((await out("audit", "--action", "ack")).split("\n")[0]).toMatch(/local:\S+ from cli: ack \S+, already_acknowledged$/);
  });

  it("comments, shelves, unshelves, takes out of service and returns", async () => {
    const id = await idOf("warm", "fz-7");
    expect(await out("comment", id, "the", "door", "was open")).toBe("commented: warm on device=fz-7 metric=temperature\n");
    const shelved = await out("shelve", id, "2h", "--why", "defrosting");
    expect(shelved).toMatch(/^shelved: warm on device=fz-7 metric=temperature, until \d{4}-.*Z at the latest\n$/);
    expect(await out("alerts")).toMatch(/shelved until \d{4}-.*Z, by local:\S+: defrosting/s);
    expect(await json<Shown>("unshelve", id)).toMatchObject({ shelved: null });
    expect(await json<Shown>("shelve", id, "--until-clear", "--why", "x")).toMatchObject({ shelved: { kind: "until_clear" } });
    await out("unshelve", id);
    expect(await json<Shown>("out-of-service", id, "--why", "sold")).toMatchObject({ shelved: { kind: "out_of_service" } });
    expect(await json<Shown>("in-service", id)).toMatchObject({ shelved: null });
    const { events } = await gateway.get<{ events: { kind: string; text: string }[] }>(`/api/v1/alerts/${id}`);
    expect(events.map(({ kind }) => kind).slice(-7)).toEqual([
      ...["commented", "shelved", "unshelved", "shelved", "unshelved", "out_of_service", "in_service"],
    ]);
    expect(events.find(({ kind }) => kind === "commented")?.text).toBe("the door was open");
  });

  it("resets a latched alert, and nothing that still fires", async () => {
    const firing = await run("reset", await idOf("warm", "fz-7"));
    expect([firing.code, firing.stderr]).toEqual([1, expect.stringContaining("the condition still holds")]);
    expect(await json<Shown>("reset", await idOf("pressed", "fz-8"))).toMatchObject({ state: "resolved" });
  });

  it("silences, lists, previews and ends", async () => {
    expect(await out("silence", "device=fz-7", "device=fz-9", "2h", "--why", "maintenance")).toMatch(
      /^silence \S+ until \d{4}-.*Z: it hides 1 active alert\n$/,
    );
    const listed = await out("silence", "list");
    expectFits(listed);
    expect(listed).toMatch(/^(\S+) {2}device=fz-7 device=fz-9\n {2}active, until .*Z\n {2}by local:\S+: maintenance\n$/);
    const { id, matchers } = await json<{ id: string; matchers: object }>("silence", "list");
    expect(matchers).toEqual({ device: ["fz-7", "fz-9"] });
    const preview = await out("silence", "preview", "device=fz-*", "metric=temp*");
    expectFits(preview);
    expect(preview).toMatch(/^it would hide 2 active alerts\n/);
    expect(await json("silence", "preview", "device=nothing")).toEqual({ count: 0, alerts: [] });
    expect(await out("silence", "end", id.slice(0, 8), "--why", "done")).toBe(`silence ${id} has ended\n`);
    expect((await run("silence", "end", id)).stderr).toBe("highwater: the silence is over already (there is nothing to end)\n");
    expect(await out("silence", "list")).toBe("there are no such silences\n");
    expect(await out("silence", "list", "--state", "expired")).toMatch(/expired, ended .*Z by local:/);
    expect(await out("audit", "--action", "silence end")).toMatch(/silence end \S+, ok \(done\)\n$/);
  });

  it.each([
    [["ack", "zzz"], 1, "there is no alert of this id: zzz"],
    [["ack", ""], 1, "2 alerts begin with"],
    [["ack"], 2, "missing required argument 'id'"],
    [["comment", "x"], 2, "missing required argument 'text'"],
    [["shelve", "x"], 2, "required option '--why <reason>'"],
    [["out-of-service", "x"], 2, "required option '--why <reason>'"],
    [["alerts", "--state", "burning"], 2, 'there is no state "burning"'],
    [["silence", "2h", "--why", "x"], 2, "takes at least one label"],
    [["silence", "device=fz-7", "--why", "x"], 2, "device=fz-7 is no duration"],
    [["silence", "fz-7", "2h", "--why", "x"], 2, "fz-7 is no LABEL=GLOB"],
    [["silence", "device=fz-7", "2h"], 2, "a silence says why"],
    [["silence", "device=*", "2h", "--why", "x"], 2, "this would hide every alert"],
    [["silence", "device=/(a+)+/", "2h", "--why", "x"], 2, "could take too long"],
    [["silence", "end", "zzz"], 1, "there is no silence of this id"],
    [["silence", "list", "--state", "loud"], 2, 'there is no state "loud"'],
  ] as const)("%j ends with %i", async (args, code, words) => {
    const ended = await run(...args);
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([code, "", expect.stringContaining(words)]);
  });

  it.each([
    [["shelve", "--why", "x"], "give a duration"],
    [["shelve", "2h", "--until-clear", "--why", "x"], "give a duration"],
    [["shelve", "soon", "--why", "x"], "soon is no duration"],
    [["ack", "--note", "x".repeat(2001)], "a text is not as it must be"],
    [["comment", " "], "there is nothing to say"],
  ] as const)("%j of a known alert is wrong usage", async ([verb, ...rest], words) => {
    const ended = await run(verb, await idOf("warm", "fz-8"), ...rest);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(words)]);
  });

  it("more than the longest time is refused by the engine", async () => {
    const ended = await run("shelve", await idOf("warm", "fz-8"), "9h", "--why", "x");
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("nothing may be shelved for so long")]);
  });
});

describe("where no gateway runs", () => {
  it("alerts are still read; acts and silences say in a sentence what they need", async () => {
    const id = await idOf("warm", "fz-8");
    await gateway.stop();
    expect(await out("alerts")).toContain("device=fz-8 metric=temperature");
    for (const args of [
      ["ack", id],
      ["silence", "device=fz-7", "2h", "--why", "x"],
    ]) {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^highwater: no gateway runs on \S+, and this acts on a running one \(start it: `highwater run`\)\n$/);
    }
    gateway = await startHighwater(folder.path);
  });

  it("without a database too", async () => {
    const empty = createFolder("acts-empty");
    const { code, stderr } = await highwater("alerts", "-c", writeConfig(empty.path, {}));
    empty.remove();
    expect([code, stderr]).toEqual([1, expect.stringContaining("there is no database in")]);
  });
});
