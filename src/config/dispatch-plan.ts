// Checked settings of routes, inhibition, storms and flapping as the plan that dispatch runs by. What a route leaves out is that of the
// route above it; what is not asked for is left out of the plan.

import type { DispatchPlan, RoutePlan } from "../engine/dispatch/plan.ts";
import type { LabelMatcher } from "../engine/matcher.ts";
import type { DurationMs } from "../engine/units.ts";
import type { DispatchSettings, RouteSettings } from "./dispatch-schema.ts";
import { toOncallPlan } from "./oncall-plan.ts";
import type { OncallSettings } from "./oncall-schema.ts";

type Grouping = Pick<RouteSettings, "group_by" | "group_wait" | "group_interval" | "repeat_interval"> & { readonly receiver: string };
type Subroute = Partial<Grouping> & {
  readonly matchers: readonly LabelMatcher[];
  readonly continue: boolean;
  readonly mute_time_intervals: readonly string[];
  readonly active_time_intervals: readonly string[];
  readonly routes?: readonly unknown[];
};

/** @param receiver who gets what no route takes; "" when there is none */
export function toRoutePlan(route: RouteSettings, receiver: string): RoutePlan {
  const { group_by, group_wait, group_interval, repeat_interval } = route;
  const grouping = { receiver, group_by, group_wait, group_interval, repeat_interval };
  return compact({ ...groupingPlan(grouping), ...intervalsPlan(route), routes: route.routes.map((each) => toSubroute(each as Subroute, grouping)) });
}

function toSubroute(route: Subroute, above: Grouping): RoutePlan {
  const { matchers, continue: goesOn, mute_time_intervals: _mute, active_time_intervals: _active, routes = [], ...own } = route;
  const grouping: Grouping = { ...above, ...own };
  return compact({
    ...groupingPlan(grouping),
    ...intervalsPlan(route),
    ...(matchers.length > 0 && { matchers }),
    ...(goesOn && { continue: true }),
    routes: routes.map((each) => toSubroute(each as Subroute, grouping)),
  });
}

/** Without a group nothing waits: each alert is told at once, and again after repeat_interval. */
function groupingPlan({ receiver, group_by, group_wait, group_interval, repeat_interval }: Grouping): RoutePlan {
  if (group_by.length === 0) return { receiver, repeatMs: repeat_interval };
  const groupBy = group_by.includes("all") ? null : group_by;
  return { receiver, groupBy, groupWaitMs: group_wait, groupIntervalMs: group_interval, repeatMs: repeat_interval };
}

const intervalsPlan = ({ mute_time_intervals: mute, active_time_intervals: active }: Pick<Subroute, "mute_time_intervals" | "active_time_intervals">) => ({
  ...(mute.length > 0 && { mute }),
  ...(active.length > 0 && { active }),
});

const compact = ({ routes = [], ...route }: RoutePlan): RoutePlan => (routes.length === 0 ? route : { ...route, routes });

/** @param zone the gateway's, for intervals and schedules that name none */
export function toDispatchPlan(notify: DispatchSettings & OncallSettings, zone: string): DispatchPlan {
  const { inhibit_rules, storm, flapping, reannounce_after, shelve_max } = notify;
  return {
    ...toOncallPlan(notify, zone),
    inhibit: inhibit_rules.map(({ source, target, equal, wait }) => ({ source, target, equal, waitMs: wait as DurationMs })),
    storm: storm === undefined ? null : { above: storm.above, perMs: storm.per, until: storm.until, waitMs: storm.wait, intervalMs: storm.interval },
    flapping: flapping === false ? null : { firings: flapping.firings, withinMs: flapping.within, calmMs: flapping.calm },
    reannounceMs: reannounce_after ?? null,
    shelveMaxMs: shelve_max,
  };
}
