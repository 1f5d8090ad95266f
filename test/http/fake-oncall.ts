// Plans as the config would give them: one without schedules, and one with an escalation, a schedule that is handed over each Monday and
// has gaps on weekends, and one that nobody is in.

import { noDispatch } from "../../src/engine/dispatch/plan.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { onOff, receivers } from "../engine/dispatch/desk.ts";
import { interval, layer, minute, schedule, zones } from "../engine/dispatch/plans.ts";
import { plan } from "../engine/harness.ts";

export const quietPlan: RulePlan = plan([]);

const workdays = { ...interval({ zone: "Europe/Oslo", weekdays: [1, 2, 3, 4, 5] }), name: "workdays" };
const nights = { ...interval({ zone: "Europe/Oslo", times: [{ from: 1320, to: 1800 }] }), name: "nights" };

export const oncallPlan: RulePlan = {
  ...plan([onOff({ name: "too-warm", severity: "critical", labels: { team: "cold-chain" } })]),
  devices: { "fz-7": { labels: { site: "oslo" }, limits: {}, unit: null, expectedEveryMs: null } },
  receivers: receivers("anna", "bo", "carla"),
  route: {
    receiver: "carla",
    routes: [
      { receiver: "urgent", matchers: [{ label: "severity", patterns: ["critical"] }], continue: true, groupBy: ["site"], groupWaitMs: minute },
      { receiver: "bo", matchers: [{ label: "site", patterns: ["oslo"] }], mute: ["nights"], repeatMs: 240 * minute },
    ],
  },
  dispatch: {
    ...noDispatch,
    zones,
    intervals: [workdays, nights],
    schedules: [schedule([layer(["anna", "bo"], 7 * 1440, "2026-01-05 09:00", { active: "workdays" })]), schedule([], { name: "nobody" })],
    escalations: [
      {
        name: "urgent",
        steps: [
          { targets: ["ops"], waitMs: 10 * minute },
          { targets: ["carla"], waitMs: 30 * minute },
        ],
        repeat: 0,
      },
    ],
  },
};
