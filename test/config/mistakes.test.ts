// Each mistake with its place, its words and its hint, exactly: what `highwater check` says is part of the product.

import { describe, expect, test } from "vitest";
import { createFolder } from "./folder.ts";
import { mistakes } from "./mistakes.ts";

const { complaints, notes, write } = createFolder();

describe("a mistake has its place, words and a hint", () => {
  test.each(mistakes)("%s", (_name, yaml, expected) => {
    expect(complaints(yaml)).toEqual(expected);
  });
});

test("all mistakes are said at once, in the order of the file, whatever block they are in", () => {
  const yaml = "http: { port: x }\nbatch: { daily_summary: { at: noon } }\ngateway: { timezone: Nowhere }\nrules: [{ name: a }]\nzzz: 1";
  expect(complaints(yaml).map((text) => text.split(" ").slice(0, 2).join(" "))).toEqual([
    "1:15: port",
    "2:31: at",
    "3:22: timezone",
    "4:9: match",
    "4:9: condition",
    "5:1: unknown",
  ]);
});

test("a mistake in a rules file points into that file, and two files may not use one name", () => {
  write("rules/a.yaml", "rules:\n  - { name: warm, match: {}, condition: { type: threshold, above: 1 } }\n");
  write(
    "rules/b.yaml",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1 }\n  - name: cold\n    match: {}\n    condition: { type: threshold, blow: 1 }\n",
  );
  write("rules/c.yaml", "- name: x\n");
  write("rules/d.yaml", "rules: [\n");
  write("rules/e.yaml", "receivers: []\n");
  expect(complaints("rules_files: [rules/*.yaml]")).toEqual(
    [
      "rules/b.yaml:2:11: a rule warm is there already, at rules/a.yaml:2 (give each its own name)",
      "rules/b.yaml:7:35: unknown key blow (did you mean below?)",
      "rules/b.yaml:7:16: condition: exactly one of above, below, outside, inside is needed (none is given)",
      "rules/c.yaml:1:1: a rules file must be a map with the key rules, not a list (write rules: and below it - name: …)",
      "rules/d.yaml:2:1: a [ above is not closed with ] (what stands between brackets is indented more than its key)",
      "rules/e.yaml:1:1: unknown key receivers (a rules file holds only rules)",
    ].sort((a, b) => (a < b ? -1 : 1)),
  );
});

test("a mistake in a password file points into that file; users without an access list are no use", () => {
  write("mqtt/users", "# devices\nfz-7:secret\n");
  expect(complaints("mqtt:\n  users: mqtt/users")).toEqual([
    '2:10: there are users, but no acl: nobody could publish (for example: acl: [{ publish: ["sensors/#"], subscribe: ["highwater/#"] }])',
    "mqtt/users:2:6: the password is not hashed (write it anew with `highwater user add NAME --mqtt`, or with mosquitto_passwd)",
  ]);
});

test("what came from outside is never shown", () => {
  write("pass.txt", "s3cr3t-from-file\n");
  const receiver = (settings: string) => `notify: { receivers: [{ name: a, webhook: { ${settings} } }] }`;
  const shown = [
    ...complaints(receiver('url: "${HOOK}"'), { HOOK: "nonsense-s3cr3t" }),
    ...complaints(receiver("url_file: pass.txt")),
    ...complaints("gateway: { timezone: ${ZONE} }".replace("${ZONE}", '"${ZONE}"'), { ZONE: "s3cr3t-zone" }),
    ...complaints('notify: { receivers: [{ name: a, email: { smtp: "smtpx://me:s3cr3t@host", from: a@b.c, to: a@b.c } }] }'),
  ];
  expect(shown).toHaveLength(4);
  expect(shown.join("\n")).not.toContain("s3cr3t");
  expect(shown[0]).toContain("${HOOK}");
});

describe("notes: allowed, but not what one may think", () => {
  const rule = (more: string) => `rules: [{ name: warm, match: { device: fz }, condition: { type: threshold, ${more} } }]`;
  test.each<[string, string, string[]]>([
    [
      "a limit that no device has",
      `${rule("above: limit.hihg")}\ndevices: { fz: { limits: { high: 1 } } }`,
      ["1:83: no device has the limit hihg: nothing to compare with (did you mean limit.high?)"],
    ],
    [
      "a limit in a range",
      rule("outside: [0, limit.high]"),
      ["1:89: no device has the limit high: nothing to compare with (write devices: { NAME: { limits: { high: … } } })"],
    ],
    [
      "a label that nobody gives",
      "rules: [{ name: warm, match: { devcie: fz }, condition: { type: threshold, above: 1 } }]",
      ["1:32: no source or device gives a label devcie: the rule never applies (did you mean device?)"],
    ],
    ["a label that may be absent", 'rules: [{ name: warm, match: { room: "*" }, condition: { type: threshold, above: 1 } }]', []],
    [
      "a source without device",
      "sources: [{ topic: home/outdoor }]",
      ["1:20: neither the topic nor labels name a device: readings that bring none are rejected (write {device} in the topic, or labels: { device: NAME })"],
    ],
    ["a source with a fixed device", "sources: [{ topic: home/outdoor, labels: { device: roof } }]", []],
    ["a pattern without files", "rules_files: [nothing/*.yaml]", ["1:15: nothing/*.yaml matches no file (relative paths start at the config's folder)"]],
    ["a receiver without channel", "notify: { receivers: [{ name: a }] }", ["1:31: the receiver a has no channel: nobody is told (add email or webhook)"]],
    [
      "a summary to a receiver without email",
      "notify: { receivers: [{ name: a, webhook: { url: http://localhost } }] }\nbatch: { daily_summary: { receiver: a } }",
      ["2:37: the summary is a mail, and the receiver a has no email (add email to it, or name another receiver)"],
    ],
    [
      "the page off loopback for everybody",
      "http: { host: 0.0.0.0, anonymous: unsafe }",
      ["1:15: while there is no account, anyone who reaches 0.0.0.0:8080 can read all"],
    ],
    [
      "the page off loopback",
      "http: { host: 0.0.0.0 }",
      ["1:15: 0.0.0.0:8080 is not on loopback: http starts there only once there is an account (make one: `highwater user add NAME --role admin`)"],
    ],
    [
      "rollups that go before the readings",
      "storage: { retention: { raw: 30d, 1m: 10d } }",
      ["1:39: 1m is kept shorter than raw: charts of that time will lack it (keep 1m at least as long as raw)"],
    ],
  ])("%s", (_name, yaml, expected) => {
    expect(notes(yaml)).toEqual(expected);
  });
});
