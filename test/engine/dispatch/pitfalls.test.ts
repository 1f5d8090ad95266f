// Ways in which people would be told too much, too late or not at all, each found by trying: they are kept so that they stay mended.

import { describe, expect, it } from "vitest";
import { desk, receivers } from "./desk.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, number) => `d${number}`);

describe("a step of an escalation", () => {
  const escalations = [
    {
      name: "up",
      steps: [
        { targets: ["first"], waitMs: 600_000 },
        { targets: ["second"], waitMs: 600_000 },
      ],
      repeat: 0,
    },
  ];
  const setting = { route: { receiver: "up" }, receivers: receivers("first", "second") };

  it("tells of a storm together, not of each of its alerts", () => {
    const storm = { above: 10, perMs: 600_000, until: 5, waitMs: 5_000, intervalMs: 300_000 };
    const run = desk({ ...setting, dispatch: { storm, escalations } });
    expect(run.sentBy(run.say(1, ...names(1_000)))).toHaveLength(10);
    const sent = run.pass(1_000);
    expect(sent.filter((words) => words.endsWith("first"))).toEqual(["5: storm firing d10+499 → first"]);
    // The ten that came before the storm are told one by one, as they were before.
    expect(sent.filter((words) => words.endsWith("second") && !words.includes("storm"))).toHaveLength(10);
    expect(sent.filter((words) => words.endsWith("second") && words.includes("storm"))).toEqual(["605: storm firing d10+499 → second"]);
    expect(run.sentBy(run.say(0, ...names(1_000))).filter((words) => words.includes("storm"))).toHaveLength(2);
  });

  it("tells of a group together, but not of what was acknowledged meanwhile", () => {
    const run = desk({ ...setting, route: { receiver: "up", groupBy: [], groupWaitMs: 10_000, groupIntervalMs: 300_000 }, dispatch: { escalations } });
    run.say(1, ...names(5));
    run.pass(20);
    run.command({ kind: "acknowledge", alert: run.alertOf("d2"), note: "" });
    expect(run.pass(700)).toEqual(["610: escalation firing d0+3 → second"]);
  });
});
