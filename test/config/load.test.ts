// A config that is valid: defaults, what is taken from outside, and the plan that the engine gets.

import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig, loadRules } from "../../src/config.ts";
import { createFolder } from "./folder.ts";

const { path: folder, config, write, complaints } = createFolder();

describe("defaults", () => {
  const cases: [string, string][] = [
    ["an empty file", ""],
    ["only comments", "# nothing\n"],
    ["an empty document", "---\n"],
    ["empty blocks", "gateway:\nmqtt:\nsources:\ndevices:\nrules_files:\nrules:\nnotify:\nstorage:\nbatch:\nhttp:\n"],
    ["empty maps", "gateway: {}\nmqtt: {}\ndevices: {}\nnotify: { route: {} }\nstorage: { retention: {} }\nbatch: { daily_summary: {} }\nhttp: {}\n"],
  ];
  test.each(cases)("%s is a config", (_name, yaml) => {
    const found = config(yaml);
    expect(found.gateway).toEqual({ name: "highwater", timezone: "UTC", dataDir: resolve(folder, "data"), externalUrl: "http://127.0.0.1:8080" });
    expect(found.mqtt.listeners).toEqual([{ host: "127.0.0.1", port: 1883 }]);
    expect(found.mqtt.anonymous).toBe(true);
    expect(found.http).toEqual({ host: "127.0.0.1", port: 8080 });
    expect(found.batch).toEqual({ dailySummary: { at: "04:15", receiver: null } });
    expect(found.storage).toEqual({
      retention: {
        journal: { timeMs: 604_800_000, bytes: null },
        raw: { timeMs: 2_592_000_000, bytes: null },
        minutes: { timeMs: 31_536_000_000, bytes: null },
        hours: { timeMs: 315_360_000_000, bytes: null },
      },
      diskLimit: null,
    });
    expect(found.sources).toEqual([
      {
        topic: "sensors/{site}/{device}/{metric}",
        codec: "json",
        settings: { time: "/ts", value: "/value" },
        labels: {},
        timing: { outOfOrdernessMs: 0, maxFutureMs: 60_000, maxPastMs: null, idleAfterMs: 10_000 },
      },
    ]);
    expect(found.notify).toMatchObject({
      receivers: [],
      route: { receiver: "", group_by: [], group_wait: 30_000, group_interval: 300_000, repeat_interval: 14_400_000, routes: [] },
    });
    expect(found.plan).toMatchObject({ rules: [], devices: {}, receivers: [], route: { receiver: "" }, zone: { name: "UTC" } });
  });
});

test("a missing file is a problem of the config, not an exception", () => {
  expect(loadConfig("/nowhere/highwater.yaml")).toEqual({
    kind: "invalid",
    problems: [
      { file: "/nowhere/highwater.yaml", line: 1, column: 1, message: "the config cannot be read: no such file", hint: "give another file with --config" },
    ],
  });
  expect(loadConfig(folder)).toMatchObject({ kind: "invalid", problems: [{ message: "the config cannot be read: it is a folder" }] });
});

describe("what is taken from outside", () => {
  test("variables, in any value, in part and escaped; the result is never YAML", () => {
    const yaml = ['gateway: { name: "a ${NAME} $${NAME}" }', "http:", "  port: ${PORT}", 'devices: { d: { unit: "${UNIT}" } }'].join("\n");
    const found = config(yaml, { NAME: "x: [1]", PORT: "9090", UNIT: "" });
    expect(found.gateway.name).toBe("a x: [1] ${NAME}");
    expect(found.http.port).toBe(9090);
    expect(found.plan.devices["d"]?.unit).toBe("");
  });

  test("secrets from files, relative to the config, without the last line break", () => {
    write("secrets/hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    write("secrets/pass", "p w\r\n");
    const yaml = [
      "notify:",
      "  receivers:",
      "    - name: a",
      "      webhook: { url: http://localhost, secret_file: secrets/hook }",
      "      email: { smtp: { host: localhost, user: me, pass_file: ./secrets/pass }, from: a@example.org, to: b@example.org }",
    ].join("\n");
    const [webhook, email] = config(yaml).notify.receivers[0]?.channels ?? [];
    expect(webhook?.settings).toMatchObject({ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
    expect(email?.settings).toMatchObject({ smtp: { pass: "p w" } });
    expect(JSON.stringify(webhook)).not.toContain("secret_file");
  });

  test("a bridge's password from a file or a variable, and its certificates as whole paths", () => {
    write("bridge/password", "open sesame\n");
    write("bridge/ca.pem", "");
    const yaml = [
      "mqtt:",
      "  bridges:",
      "    - { url: 'mqtts://one', topics: [a], username: me, password_file: bridge/password, tls: { ca: ./bridge/ca.pem } }",
      "    - { url: 'mqtt://two', topics: [b/#], username: me, password: '${PASSWORD}', session_expiry: 2h }",
    ].join("\n");
    const [one, two] = config(yaml, { PASSWORD: "swordfish" }).mqtt.bridges;
    expect(one).toEqual({
      url: "mqtts://one",
      topics: ["a"],
      username: "me",
      password: "open sesame",
      tls: { ca: resolve(folder, "bridge/ca.pem"), insecure: false },
      version: "auto",
      session_expiry: 86_400_000,
      unacknowledged: 128,
    });
    expect(two).toMatchObject({ password: "swordfish", session_expiry: 7_200_000 });
  });

  test("a secret given twice is a problem, and a wrong one points to the key of the file", () => {
    write("bad", "hunter2");
    const hook = (more: string) => `notify: { receivers: [{ name: a, webhook: { url: http://localhost, ${more} } }] }`;
    expect(complaints(hook("secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, secret_file: bad"))).toEqual([
      "1:116: secret and secret_file are both given (keep one of the two)",
    ]);
    expect(complaints(hook("secret_file: bad"))[0]).toMatch(/^1:81: secret: not a secret/);
    expect(complaints(hook("secret_file: [bad]"))).toEqual(["1:81: secret_file must be the path of a file (relative paths start at the config's folder)"]);
  });
});

describe("rules", () => {
  const threshold = (more: string) => `{ name: warm, match: { device: "fz-*" }, condition: { type: threshold, ${more} } }`;

  test("from the file itself and from its rules files, each file once, in order", () => {
    write("rules/b.yaml", `rules: [${threshold("above: 2").replace("warm", "b")}]`);
    write("rules/a.yaml", `rules: [${threshold("above: 1").replace("warm", "a")}]`);
    write("rules/empty.yaml", "# none yet\n");
    const found = config(`rules_files: ["rules/*.yaml", rules/a.yaml]\nrules: [${threshold("above: 3")}]`);
    expect(found.plan.rules.map(({ name }) => name)).toEqual(["warm", "a", "b"]);
    expect(found.plan.rules[0]).toMatchObject({
      match: [{ label: "device", patterns: ["fz-*"] }],
      forMs: 0,
      keepFiringForMs: 0,
      severity: "warning",
      labels: {},
      annotations: {},
    });
  });

  test("the logic hash follows what decides, the text hash what is told", () => {
    const hashes = (yaml: string) => {
      const { plan } = config(`rules: [${yaml}]`);
      return { logic: plan.rules[0]?.logic, text: plan.rules[0]?.text, plan: plan.hash };
    };
    const base = hashes(threshold("above: 1").replace(" }", ", metric: t }"));
    expect(base.logic).toMatch(/^[0-9a-f]{12}$/);
    expect(base.text).toMatch(/^[0-9a-f]{12}$/);
    expect(base.plan).toMatch(/^[0-9a-f]{64}$/);
    const written = '{ condition: { above: 1.0, type: threshold }, match: { metric: [t], device: "fz-*" }, for: 0s, name: warm, severity: warning }';
    expect(hashes(written)).toEqual(base);
    const told = hashes(written.replace("severity: warning", "severity: info"));
    expect([told.logic === base.logic, told.text === base.text, told.plan === base.plan]).toEqual([true, false, false]);
    for (const change of ["for: 1s", "keep_firing_for: 1s", "match: { metric: u }", "condition: { type: threshold, above: 2 }"]) {
      const key = change.split(":")[0];
      const other = `{ name: warm, ${["match: { metric: t }", "condition: { type: threshold, above: 1 }"].filter((part) => !part.startsWith(`${key}:`)).join(", ")}, ${change} }`;
      const plain = "{ name: warm, match: { metric: t }, condition: { type: threshold, above: 1 } }";
      expect([hashes(other).logic === hashes(plain).logic, hashes(other).text === hashes(plain).text], change).toEqual([false, true]);
    }
    expect(hashes(written.replace("for: 0s", "for: 60s")).logic).toBe(hashes(written.replace("for: 0s", "for: 1m")).logic);
  });

  test("a rules file can be read by itself", () => {
    const file = write("alone.yaml", `rules: [${threshold("above: 1")}]`);
    expect(loadRules(file)).toMatchObject({ kind: "ok", rules: [{ name: "warm", condition: { type: "threshold", above: 1 } }] });
    const twice = write("twice.yaml", `rules: [${threshold("above: 1")}, ${threshold("above: 1")}]`);
    expect(loadRules(twice)).toMatchObject({ kind: "invalid", problems: [{ file: twice, line: 1 }] });
    expect(loadRules("/nowhere.yaml")).toMatchObject({ kind: "invalid" });
  });
});

describe("the whole", () => {
  const whole = [
    "gateway: { name: cold-chain, timezone: Europe/Oslo, data_dir: /var/lib/highwater, external_url: https://alerts.example.org/ }",
    "mqtt:",
    "  listeners: [{ port: 0 }, { host: 0.0.0.0, port: 1884 }, { host: 127.0.0.1, port: 0 }]",
    "  anonymous: unsafe",
    "  limits: { connections: 5 }",
    "sources:",
    '  - { topic: "a/{device+}/{metric}", codec: plain, map: { ON: 1 }, labels: { site: 7, up: true }, out_of_orderness: 30s, max_future: 1m30s, max_past: 2w, idle_after: 1s }',
    "devices: { fz: { labels: { room: B2 }, limits: { high: -15 }, unit: °C, expected_every: 5m } }",
    "notify:",
    "  receivers:",
    "    - { name: boss, email: { smtp: smtp://localhost, from: a@example.org, to: [b@example.org] } }",
    "    - name: on-call",
    "      webhook: [{ url: http://localhost/1 }, { url: http://localhost/2, format: standard }]",
    "      email: { smtp: smtp://localhost, from: a@example.org, to: [b@example.org] }",
    "  route: { receiver: on-call, routes: [{ matchers: { team: [a, b] }, continue: true, routes: [{ receiver: boss }] }] }",
    'batch: { daily_summary: { at: "23:59", receiver: boss } }',
    "http: { host: '::1', port: 8081 }",
  ].join("\n");

  test("every key reaches the config", () => {
    const found = config(whole);
    expect(found.gateway).toEqual({ name: "cold-chain", timezone: "Europe/Oslo", dataDir: "/var/lib/highwater", externalUrl: "https://alerts.example.org" });
    expect(found.mqtt).toMatchObject({ anonymous: true, limits: { connections: 5, packet_bytes: 1_048_576 } });
    expect(found.mqtt.listeners).toHaveLength(3);
    expect(found.sources[0]).toEqual({
      topic: "a/{device+}/{metric}",
      codec: "plain",
      settings: { map: { ON: 1 } },
      labels: { site: "7", up: "true" },
      timing: { outOfOrdernessMs: 30_000, maxFutureMs: 90_000, maxPastMs: 1_209_600_000, idleAfterMs: 1000 },
    });
    expect(found.plan.sources).toEqual({ "a/{device+}/{metric}": found.sources[0]?.timing });
    expect(found.plan.devices).toEqual({ fz: { labels: { room: "B2" }, limits: { high: -15 }, unit: "°C", expectedEveryMs: 300_000 } });
    expect(found.plan.zone.name).toBe("Europe/Oslo");
    const teams = { receiver: "on-call", matchers: [{ label: "team", patterns: ["a", "b"] }], continue: true, repeatMs: 14_400_000 };
    expect(found.plan.route).toEqual({
      receiver: "on-call",
      repeatMs: 14_400_000,
      routes: [{ ...teams, routes: [{ receiver: "boss", repeatMs: 14_400_000 }] }],
    });
    expect(found.plan.receivers).toEqual([
      { name: "boss", channels: ["email:0"] },
      { name: "on-call", channels: ["webhook:0", "webhook:1", "email:0"] },
    ]);
    expect(found.notify.receivers[1]?.channels.map(({ key, type }) => `${key} ${type}`)).toEqual(["webhook:0 webhook", "webhook:1 webhook", "email:0 email"]);
    expect(found.notify.route).toMatchObject({
      receiver: "on-call",
      routes: [{ matchers: [{ label: "team", patterns: ["a", "b"] }], continue: true, routes: [{ receiver: "boss" }] }],
    });
    expect(found.batch.dailySummary).toEqual({ at: "23:59", receiver: "boss" });
  });

  test("it can be sent to another thread, and read again it is the same", () => {
    const found = config(whole);
    expect(structuredClone(found)).toEqual(found);
    expect(JSON.parse(JSON.stringify(found.plan))).toEqual(found.plan);
    expect(config(whole)).toEqual(found);
    expect(config(whole).plan.hash).toBe(found.plan.hash);
  });

  test("no secret is in the plan", () => {
    const found = config('notify: { receivers: [{ name: a, email: { smtp: "smtp://me:s3cr3t@localhost", from: a@example.org, to: a@example.org } }] }');
    expect(JSON.stringify(found.notify)).toContain("s3cr3t");
    expect(JSON.stringify(found.plan)).not.toContain("s3cr3t");
  });

  test("the summary goes to the receiver of the route, and that is the first one", () => {
    const found = config("notify: { receivers: [{ name: b, webhook: { url: http://localhost } }, { name: a, webhook: { url: http://localhost } }] }");
    expect([found.plan.route.receiver, found.batch.dailySummary.receiver]).toEqual(["b", "b"]);
  });
});
