// Levels: severity up and down within one occurrence, each level with its own delays. Read docs/reference/levels.md beside it.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";

const levels = [
  { above: 60, severity: "warning" },
  { above: 80, clear_below: 75, severity: "critical" },
];
const hot = (more: object = {}) => rule({ name: "hot", condition: { type: "threshold", levels }, severity: "info", ...more });

const story = (gateway: ReturnType<typeof drive>) =>
  gateway.effects.flatMap(({ transitions, alerts }) =>
    transitions.map(({ to, ts, reason }, index) => `${ts / SECOND} ${to} ${alerts[index]?.severity}${reason === "level" ? " level" : ""}`),
  );

describe("without delays", () => {
  it("the severity follows the measure within one occurrence, deadband and all", () => {
    const gateway = drive(plan([hot()]));
    for (const [second, value] of [61, 81, 76, 74, 90, 50].entries()) gateway.reading(second * SECOND, value, { at: second * SECOND });
    expect(story(gateway)).toEqual(["0 firing warning", "1 firing critical level", "3 firing warning level", "4 firing critical level", "5 resolved critical"]);
    expect(new Set(gateway.transitions.map(({ alert }) => alert)).size).toBe(1);
    expect(gateway.transitions.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5]);
  });

  it("each change is told, in order, to those who were told the firing", () => {
    const gateway = drive(plan([hot()]));
    for (const [second, value] of [61, 81, 50].entries()) gateway.reading(second * SECOND, value, { at: second * SECOND });
    const told = gateway.effects.flatMap(({ notifications }) => notifications.map(({ seq, state, ordinal }) => [seq, state, ordinal]));
    expect(told).toEqual([
      [1, "firing", 1],
      [2, "firing", 2],
      [3, "resolved", 3],
    ]);
  });

  it("fires at once with the gravest level that is breached", () => {
    const gateway = drive(plan([hot()]));
    gateway.reading(0, 99);
    expect(story(gateway)).toEqual(["0 firing critical"]);
    expect(gateway.effects.flatMap(({ alerts }) => alerts)[0]).toMatchObject({ limit: 80, labels: { severity: "critical" } });
  });
});

describe("with delays", () => {
  it("a graver level must hold for `for` too: a spike does not raise the severity", () => {
    const gateway = drive(plan([hot({ for: "5m" })]));
    const values = [61, 61, 61, 61, 61, 61, 99, 61, 81, 82, 83, 84, 85, 86, 87];
    for (const [minute, value] of values.entries()) gateway.reading(minute * MINUTE, value, { at: minute * MINUTE });
    expect(story(gateway)).toEqual(["300 firing warning", "780 firing critical level"]);
  });

  it("both levels pending since the same reading fire as one, the graver", () => {
    const gateway = drive(plan([hot({ for: "5m" })]));
    gateway.reading(0, 90);
    gateway.listenUntil(10 * MINUTE);
    expect(story(gateway)).toEqual(["300 firing critical"]);
  });

  it("a level goes only after keep_firing_for, and what resolves does not step down before", () => {
    const gateway = drive(plan([hot({ keep_firing_for: "2m" })]));
    for (const [minute, value] of [90, 70, 70, 70, 70, 90, 20].entries()) gateway.reading(minute * MINUTE, value, { at: minute * MINUTE });
    gateway.listenUntil(20 * MINUTE);
    expect(story(gateway)).toEqual([
      "0 firing critical",
      "180 firing warning level",
      "300 firing critical level",
      "360 recovering critical",
      "480 resolved critical",
    ]);
  });

  it("goes on over a restart", () => {
    const run = (restarts: boolean) => {
      const gateway = drive(plan([hot({ for: "3m", keep_firing_for: "2m" })]));
      const values = [61, 90, 90, 90, 90, 90, 70, 70, 90, 70, 70, 70, 20, 20, 20, 20];
      for (const [minute, value] of values.entries()) {
        gateway.reading(minute * MINUTE, value, { at: minute * MINUTE });
        if (restarts) gateway.restart();
      }
      return story(gateway);
    };
    expect(run(true)).toEqual(run(false));
    expect(run(false)).toContain("240 firing critical level");
  });
});

it("levels in the rule are those of its condition", () => {
  expect(rule({ condition: { type: "threshold" }, levels }).condition).toEqual(rule({ condition: { type: "threshold", levels } }).condition);
});
