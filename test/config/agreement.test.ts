// Editors and `highwater check` agree: what check accepts, the JSON Schema accepts; and what the schema can express, it refuses as check does.

import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { editorSchema } from "../../src/config.ts";
import { mistakes } from "./mistakes.ts";

const config = new URL("../../config/", import.meta.url);
const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(editorSchema());

/** Mistakes that span places, need the outside, or a comparison of numbers: only check can see them. */
const onlyCheckSees = new Set([
  "a certificate that is not there",
  "a mute of no interval",
  "an active interval of a route below that nothing names",
  "a storm that is over as it begins",
  "origins without WebSocket",
  "the user name as another label than the device",
  "a key that is there twice",
  "a bracket that is not closed",
  "a tab as indentation",
  "an alias without anchor",
  "two documents",
  "a zone that does not exist",
  "a flood that would end as it begins",
  "a zone of a source",
  "a URL that is none",
  "a broken template",
  "a listener off loopback",
  "a password file that is not there",
  "a listener that lets in who gives no name, beside users",
  "no users",
  "listeners that overlap",
  "a certificate of a bridge that is not there",
  "two bridges that would throw each other out",
  "the page on the broker's port",
  "a topic that is taken",
  "a device's own label",
  "a retention of nothing",
  "a size that is a slip",
  "a deadband on the wrong side",
  "a range the wrong way round",
  "a slide longer than its window",
  "levels in the wrong order",
  "more of the last readings than there are",
  "a gap of nothing",
  "a slide of more readings than the window holds",
  "a window judged by more readings than it holds",
  "a group of what is not compared",
  "a regular expression that is none",
  "two rules of one name",
  "a label that every alert has",
  "a rules file that is not there",
  "a receiver that does not exist",
  "a receiver of a route below",
  "a receiver of the summary",
  "a receiver that is there twice",
  "a secret that is none, not shown",
  "a secret from a file that is not there",
  "a variable that is not set",
  "a variable that is not closed",
  "a time interval's zone",
  "two time intervals of one name",
  "a member that does not exist",
  "a member that is a schedule",
  "a rotation of minutes",
  "a rotation of years",
  "a rotation of seconds",
  "a weekly handover without a weekday",
  "a daily handover with a weekday",
  "a start that is no date",
  "a time interval that does not exist",
  "a schedule's zone",
  "an override for a stranger",
  "an override that ends before it begins",
  "an override of two years",
  "a step that tells a stranger",
  "a step that starts an escalation",
  "a wait of nothing",
  "a name that a receiver has",
  "nobody to be told",
]);

describe("the JSON Schema accepts", () => {
  test.each([
    "highwater.yaml",
    ...readdirSync(new URL("rules/", config))
      .filter((name) => !name.endsWith(".test.yaml"))
      .map((name) => `rules/${name}`),
  ])("config/%s", (name) => {
    accepts(parse(readFileSync(new URL(name, config), "utf8")));
    expect(accepts.errors ?? []).toEqual([]);
  });

  test.each([
    "{}",
    "http: { port: '${PORT}' }",
    "sources: [{ topic: 'a//{b+}/+/{limits}/#' }, { topic: '#' }, { topic: '/' }, { topic: '${TOPIC}' }]",
    "rules: [{ name: a, match: {}, condition: { type: threshold, above: limit.high }, for: '${FOR}' }]",
    "notify: { receivers: [{ name: a, webhook: { url_file: hook }, email: [{ smtp: { host: a, pass_file: p }, from: a@b.c, to: a@b.c }] }] }",
    "mqtt: { bridges: [{ url: '${URL}', topics: ['#'], username: a, password_file: p, tls: { ca: '${CA}' } }] }",
    `notify: { time_intervals: [{ name: a, time_intervals: [{ times: [{ start_time: "22:00", end_time: "24:00" }], weekdays: [Sat, "monday:friday"], days_of_month: [1, "-3:-1"] }] }] }`,
    `notify: { time_intervals: [{ name: a, time_intervals: [{ months: [december, "1:may"], years: [2026, "2026:2028"], location: '\${ZONE}' }] }] }`,
    `notify: { schedules: [{ name: s, layers: [{ members: [a], rotation: 12h, handover: "08:00", start: 2026-01-05 }] }] }`,
    `notify: { schedules: [{ name: s, layers: [{ members: [a], handover: Monday 09:00, start: '\${START}' }], overrides: [{ member: a, from: 2026-12-24T08:00, to: 2026-12-26 08:00:30+01:00 }] }] }`,
    "notify: { escalations: [{ name: e, steps: [{ notify: [a, s], wait: 5m }, { notify: [b] }], repeat: 2 }] }",
    "notify: { route: { routes: [{ matchers: { a: [b] }, routes: [{ continue: true }] }] } }",
  ])("%s", (yaml) => {
    accepts(parse(yaml));
    expect(accepts.errors ?? []).toEqual([]);
  });
});

describe("the JSON Schema refuses what check refuses", () => {
  test.each(mistakes.filter(([name]) => !onlyCheckSees.has(name)))("%s", (_name, yaml) => {
    expect(accepts(parse(yaml))).toBe(false);
  });

  test("the exceptions are exceptions, each of them", () => {
    const seen = mistakes.filter(([name, yaml]) => onlyCheckSees.has(name) && isRefused(yaml)).map(([name]) => name);
    expect(seen).toEqual([]);
    expect([...onlyCheckSees].filter((name) => !mistakes.some(([other]) => other === name))).toEqual([]);
  });
});

function isRefused(yaml: string): boolean {
  try {
    return !accepts(parse(yaml));
  } catch {
    return false;
  }
}
