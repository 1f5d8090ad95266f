// Inhibition: a target waits for its source, is not told while it stands, and is announced when it outlives it by the wait.

import { describe, expect, it } from "vitest";
import { desk, levelled, onOff } from "./desk.ts";

const match = (label: string, ...patterns: string[]) => [{ label, patterns }];
const setting = {
  dispatch: { inhibit: [{ source: match("role", "gw", "both"), target: match("role", "dev", "both"), equal: ["site"], waitMs: 30_000 }] },
};
const [gw, dev, other, both, twin] = ["gw,role=gw,site=x", "dev,role=dev,site=x", "other,role=dev,site=y", "both,role=both,site=x", "twin,role=both,site=x"];

describe("a target", () => {
  it("is told after the wait if no source comes", () => {
    const run = desk(setting);
    expect(run.sentBy(run.say(1, dev))).toEqual([]);
    expect(run.pass(40)).toEqual(["30: transition firing dev → on-call"]);
    expect(run.sentBy(run.say(0, dev))).toEqual(["40: transition resolved dev → on-call"]);
  });

  it("that is over within the wait is told to nobody", () => {
    const run = desk(setting);
    run.say(1, dev);
    run.pass(10);
    run.say(0, dev);
    expect(run.pass(60)).toEqual([]);
    expect(run.dispositions()).toEqual({ "grouped wait": 1 });
  });

  it.each([
    ["before it", [gw, dev]],
    ["after it, within the wait", [dev, gw]],
  ])("whose source fires %s is not told", (_, order) => {
    const run = desk(setting);
    for (const each of order) {
      run.say(1, each);
      run.pass(10);
    }
    run.pass(60);
    expect(run.dispositions()).toEqual({ sent: 1, "inhibited alert": 1 });
    expect([...run.rows.values()].find(({ disposition }) => disposition === "inhibited")?.cause).toBe(`alert:${run.alertOf("gw")}`);
    run.say(0, gw);
    run.pass(10);
    expect(run.sentBy(run.say(0, dev))).toEqual([]);
    expect(run.pass(60)).toEqual([]);
    expect(run.dispositions()).toEqual({ sent: 2, "inhibited alert": 1 });
  });

  it("whose source fires after the wait was told already; its repeats are not", () => {
    const run = desk({ ...setting, route: { repeatMs: 40_000 } });
    run.say(1, dev);
    run.pass(35);
    expect(run.sentBy(run.say(1, gw))).toEqual(["35: transition firing gw → on-call"]);
    expect(run.pass(45)).toEqual(["75: repeat firing gw → on-call"]);
    run.say(0, gw);
    expect(run.pass(60)).toEqual(["110: announced firing dev → on-call"]);
  });

  it("that outlives its source by the wait is announced", () => {
    const run = desk(setting);
    run.say(1, gw, dev);
    run.pass(40);
    run.say(0, gw);
    expect(run.pass(29)).toEqual([]);
    expect(run.pass(5)).toEqual(["70: announced firing dev → on-call"]);
    expect(run.sentBy(run.say(0, dev))).toEqual(["74: transition resolved dev → on-call"]);
  });

  it("that waits while its source comes and goes waits for its own end as well", () => {
    const run = desk(setting);
    run.say(1, dev);
    run.pass(5);
    run.say(1, gw);
    run.pass(5);
    run.say(0, gw);
    run.pass(15);
    run.restart();
    expect(run.pass(45)).toEqual(["40: announced firing dev → on-call"]);
    run.say(1, "dev2,role=dev,site=x");
    run.pass(5);
    run.say(1, gw);
    run.pass(5);
    run.say(0, gw);
    run.pass(25);
    run.say(0, "dev2,role=dev,site=x");
    expect(run.pass(60)).toEqual([]);
  });

  it("that waits holds up nobody else of its group", () => {
    const run = desk({ ...setting, route: { groupBy: [], groupWaitMs: 10_000, groupIntervalMs: 5_000 } });
    run.say(1, dev);
    run.pass(1);
    run.say(1, "free");
    expect(run.pass(60)).toEqual(["10: transition firing free+0 → on-call", "30: transition firing dev+1 → on-call"]);
  });

  it("of another site is told", () => {
    const run = desk(setting);
    run.say(1, gw, other);
    expect(run.pass(40)).toEqual(["30: transition firing other → on-call"]);
  });

  it("of two sources is hidden until both are over", () => {
    const run = desk(setting);
    run.say(1, gw, "gw2,role=gw,site=x", dev);
    run.pass(40);
    run.say(0, "gw2,role=gw,site=x");
    expect(run.pass(60)).toEqual([]);
    run.say(0, gw);
    expect(run.pass(60)).toEqual(["130: announced firing dev → on-call"]);
  });

  it("stays hidden over a restart, and is announced after it", () => {
    const run = desk(setting);
    run.say(1, gw, dev);
    run.pass(40);
    run.restart();
    run.say(0, gw);
    run.pass(10);
    run.restart();
    expect(run.pass(60)).toEqual(["70: announced firing dev → on-call"]);
  });
});

describe("an alert that matches both sides", () => {
  it("is not inhibited by one that does so too, nor by itself", () => {
    const run = desk(setting);
    run.say(1, both, twin);
    expect(run.pass(40).sort()).toEqual(["30: transition firing both → on-call", "30: transition firing twin → on-call"]);
  });

  it("is inhibited by a source that is no target, and inhibits a target that is no source", () => {
    const run = desk(setting);
    run.say(1, both, dev);
    run.pass(40);
    expect(run.dispositions()).toEqual({ sent: 1, "inhibited alert": 1 });
    run.say(1, gw, twin);
    run.pass(40);
    expect(run.dispositions()).toEqual({ sent: 2, "inhibited alert": 2 });
  });
});

describe("a source that was over for less than the wait", () => {
  it("goes on to hide what another thing hid, and what is repeated", () => {
    const run = desk({ ...setting, route: { repeatMs: 10_000 } });
    run.command({ kind: "silence", matchers: match("device", "dev"), startsAt: run.now(), endsAt: run.now() + 50_000, why: "" });
    run.say(1, dev, gw);
    run.pass(45);
    run.say(0, gw);
    expect(run.pass(40)).toEqual(["75: announced firing dev → on-call", "85: repeat firing dev → on-call"]);
  });

  it("that fires again, or changes its level to and fro, goes on as one that stands", () => {
    const run = desk({
      rules: [levelled],
      dispatch: { inhibit: [{ source: match("severity", "critical"), target: match("device", "dev"), equal: [], waitMs: 20_000 }] },
    });
    run.say(2, "gw");
    run.say(1, "dev");
    for (const value of [1, 2, 1, 0, 2]) {
      run.pass(5);
      run.say(value, "gw");
    }
    expect(run.pass(100)).toEqual([]);
    run.say(1, "gw");
    run.pass(5);
    run.say(0, "gw");
    expect(run.pass(100)).toEqual(["145: announced firing dev → on-call"]);
  });
});

describe("what changes who inhibits whom", () => {
  const bySeverity = {
    dispatch: { inhibit: [{ source: match("severity", "critical"), target: match("severity", "warning"), equal: [], waitMs: 20_000 }] },
    rules: [levelled],
  };

  it("a source that gets milder inhibits no more, after the wait", () => {
    const run = desk(bySeverity);
    run.say(2, "a");
    run.say(1, "b");
    run.pass(30);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["30: transition firing a → on-call"]);
    expect(run.pass(40)).toEqual(["50: announced firing b → on-call"]);
  });

  it("a target that gets graver is told at once", () => {
    const run = desk(bySeverity);
    run.say(2, "a");
    run.say(1, "b");
    run.pass(30);
    expect(run.sentBy(run.say(2, "b"))).toEqual(["30: transition firing b → on-call"]);
  });

  it("a reload that takes the rule away announces what it hid; one that changes something else does not", () => {
    const run = desk(setting);
    run.say(1, gw, dev);
    run.pass(40);
    expect(run.sentBy(run.reload({ ...setting, route: { repeatMs: 100_000 } }))).toEqual([]);
    expect(run.sentBy(run.reload({}))).toEqual(["40: announced firing dev → on-call"]);
  });

  it("a reload while a target waits for its own end does not cut the wait", () => {
    const run = desk(setting);
    run.say(1, gw, dev);
    run.pass(40);
    run.say(0, gw);
    run.pass(10);
    expect(run.sentBy(run.reload({ ...setting, rules: [onOff({ labels: { more: "1" } })] }))).toEqual([]);
    expect(run.pass(30)).toEqual(["70: announced firing dev → on-call"]);
  });
});

describe("a source that is latched", () => {
  const latching = { ...setting, rules: [onOff(), onOff({ name: "latched", match: { metric: "on", role: "gw" }, latch: true })] };
  const only = { ...latching, rules: [onOff({ match: { metric: "on", role: "dev" } }), latching.rules[1] as ReturnType<typeof onOff>] };

  it("inhibits no more, after the wait, and again when it fires again", () => {
    const run = desk(only);
    run.say(1, gw, dev);
    run.pass(40);
    run.say(0, gw);
    expect(run.pass(60)).toEqual(["70: announced firing dev → on-call"]);
    run.restart();
    run.say(1, other);
    run.say(1, gw);
    run.pass(1);
    run.say(0, dev);
    run.pass(1);
    run.say(1, dev);
    run.pass(60);
    expect([...run.rows.values()].filter(({ disposition }) => disposition === "inhibited")).toHaveLength(2);
  });
});
