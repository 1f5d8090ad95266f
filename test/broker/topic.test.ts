// Topic templates: what they take, what they refuse, and that they agree with MQTT's own matching.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchTopic, parseTemplate, type Template } from "../../src/broker/topic.ts";

function template(text: string): Template {
  const parsed = parseTemplate(text);
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.template;
}

describe("matching", () => {
  it.each<[string, string, Record<string, string> | undefined]>([
    ["sensors/{site}/{device}/{metric}", "sensors/oslo/fz-7/temperature", { site: "oslo", device: "fz-7", metric: "temperature" }],
    ["sensors/{site}/{device}/{metric}", "sensors/oslo/fz-7", undefined],
    ["sensors/{site}/{device}/{metric}", "sensors/oslo/fz-7/temperature/raw", undefined],
    ["sensors/{site}/{device}/{metric}", "sensor/oslo/fz-7/temperature", undefined],
    ["sensors/{site}/{device}/{metric}", "sensors//fz-7/temperature", undefined],
    ["zigbee2mqtt/{device+}", "zigbee2mqtt/kitchen", { device: "kitchen" }],
    ["zigbee2mqtt/{device+}", "zigbee2mqtt/ground floor/kitchen/lamp", { device: "ground floor/kitchen/lamp" }],
    ["zigbee2mqtt/{device+}", "zigbee2mqtt", undefined],
    ["zigbee2mqtt/{device+}", "zigbee2mqtt/", undefined],
    ["zigbee2mqtt/{device+}", "zigbee2mqtt/a//b", undefined],
    ["{device+}/tele/{kind}", "tasmota/bedroom/x/tele/SENSOR", { device: "tasmota/bedroom/x", kind: "SENSOR" }],
    ["{device+}/tele/{kind}", "tele/SENSOR", undefined],
    ["a/{device+}/b/{metric}", "a/x/b/y/b/t", { device: "x/b/y", metric: "t" }],
    ["a/+/{device}", "a/whatever/d", { device: "d" }],
    ["a/+/{device}", "a//d", { device: "d" }],
    ["a/{device}/#", "a/d", { device: "d" }],
    ["a/{device}/#", "a/d/e/f", { device: "d" }],
    ["a/{device}/#", "a", undefined],
    ["#", "a/b", {}],
    ["#", "$SYS/x", undefined],
    ["+/{device}", "$aws/x", undefined],
    ["{a}/{device}", "$aws/x", undefined],
    ["$aws/things/{device}/shadow/update", "$aws/things/dev1/shadow/update", { device: "dev1" }],
    ["v1.1/Datastreams(1)/{metric}", "v1.1/Datastreams(1)/Observations", { metric: "Observations" }],
    ["/{device}", "/x", { device: "x" }],
    ["a/{device}", "A/x", undefined],
  ])("%s on %s", (text, topic, labels) => {
    expect(matchTopic(template(text), topic)).toEqual(labels);
  });

  it("gives back the levels that a topic was made of", () => {
    const level = fc.stringMatching(/^[^/+#{}$\0]{1,8}$/u);
    fc.assert(
      fc.property(level, fc.array(level, { minLength: 1, maxLength: 4 }), level, (site, device, metric) => {
        const labels = matchTopic(template("sensors/{site}/{device+}/{metric}"), `sensors/${site}/${device.join("/")}/${metric}`);
        expect(labels).toEqual({ site, device: device.join("/"), metric });
      }),
    );
  });

  it("is bounded by the length of the topic", () => {
    expect(matchTopic(template("{a}/{b+}/x"), `a/${"b/".repeat(50_000)}y`)).toBeUndefined();
  });
});

describe("what is wrong with a template", () => {
  it.each([
    ["", 1, /empty/],
    ["a/{}/b", 3, /name of a label/],
    ["a/{1st}", 3, /name of a label/],
    ["a/{__proto__}", 3, /name of a label/],
    ["a/{de vice}", 3, /name of a label/],
    ["a/x{device}", 3, /mixes/],
    ["a/{device", 3, /mixes/],
    ["a/b+", 3, /mixes/],
    ["a/{{device}}", 3, /mixes/],
    ["a/#/b", 3, /last level/],
    ["{device}/{device}", 10, /twice/],
    ["{device+}/x/{rest+}", 13, /several levels/],
    ["{device+}/#", 11, /several levels/],
    ["sensors/{limit}", 9, /parameter/],
  ])("%j", (text, column, message) => {
    const parsed = parseTemplate(text);
    expect(parsed).toMatchObject({ kind: "invalid", column, message: expect.stringMatching(message), hint: expect.any(String) });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, topic) => {
        const parsed = parseTemplate(text);
        if (parsed.kind === "ok") matchTopic(parsed.template, topic);
      }),
    );
  });
});
