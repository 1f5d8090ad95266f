// Templates: what they render, what they are kept from, and that a broken one never keeps a notification from going out.

import { describe, expect, test } from "vitest";
import { compileHtml, RENDERED_CHARS_MAX, renderText, TEMPLATE_CHARS_MAX, templateProblem } from "../../src/notify/template.ts";

const context = { device: "freezer-7", value: -12.4, labels: { room: "B2" } };

test.each([
  ["{{device}} is at {{value}} °C", "freezer-7 is at -12.4 °C"],
  ["{{ value | round }} in {{ labels.room }}", "-12 in B2"],
  ["{% if value > -15 %}warm{% else %}cold{% endif %}", "warm"],
  ["no {{nothing}} here", "no  here"],
  ["plain text", "plain text"],
  ["<b>{{device}}</b>", "<b>freezer-7</b>"],
])("%s", (template, expected) => {
  expect(renderText(template, context)).toEqual({ text: expected });
});

describe("a broken template stands as it was written, with the reason", () => {
  test.each([
    ["{{ device", "not closed"],
    ["{% if %}{% endif", "not closed"],
    ["{{ device | shout }}", "undefined filter"],
    ["{% include 'secrets' %}", ""],
    ["{% render '/etc/passwd' %}", ""],
    ["{% for i in (1..100000000) %}x{% endfor %}", "limit"],
    ["{% for i in (1..9999) %}{% for j in (1..9999) %}{% for k in (1..9999) %}{% endfor %}{% endfor %}{% endfor %}", "limit"],
    [`{{device}}${" ".repeat(TEMPLATE_CHARS_MAX)}`, "limit"],
  ])("%s", (template, reason) => {
    const { text, problem } = renderText(template, context);
    expect(text.startsWith(template.slice(0, 100))).toBe(true);
    expect(problem).toContain(reason);
    expect(problem).not.toContain("\n");
  });
});

test("templates do not reach prototypes or code", () => {
  const { text } = renderText("{{ device.constructor }}{{ labels.__proto__ }}{{ labels.constructor.constructor }}{{ value.toFixed }}", context);
  expect(text).toBe("");
});

test("what is rendered is cut at a limit", () => {
  const { text } = renderText("{% for i in (1..500) %}{{device}}{% endfor %}", context);
  expect(text).toHaveLength(RENDERED_CHARS_MAX + 1);
});

test("check finds what does not parse, and lets pass what does", () => {
  expect(templateProblem("{{ device")).toContain("not closed");
  expect(templateProblem("{{device}} is at {{value}}")).toBeUndefined();
});

test("HTML bodies escape every output", () => {
  const render = compileHtml("<p title='{{ device }}'>{{ device }}</p>");
  expect(render({ device: `<script>"'&` })).toBe("<p title='&lt;script&gt;&#34;&#39;&amp;'>&lt;script&gt;&#34;&#39;&amp;</p>");
});
