// The route tree: which routes take an alert. First match wins, depth first, as in Alertmanager; `continue` goes on behind the match.
// A route below wins over the one above it, which takes what none below does.

import { fingerprint } from "../fingerprint.ts";
import { compileMatchers } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { GroupSettings } from "./occurrence.ts";
import type { RoutePlan } from "./plan.ts";

/** A route that took an alert: by what settings it is told, and with which others. */
export type Taken = {
  readonly settings: GroupSettings;
  /** The group's name; null: the alert is told on its own. */
  readonly group: string | null;
  /** Its place in the tree. */
  readonly path: string;
};

/** Whether a route by these settings is told at any time: another one to the same target adds nothing. */
export const isAlwaysTold = ({ mute, active }: GroupSettings): boolean => mute.length === 0 && active.length === 0;

type Compiled = { readonly route: RoutePlan; readonly path: string; readonly matches: (labels: Labels) => boolean; readonly below: readonly Compiled[] };

export class Routes {
  readonly #root: Compiled;

  constructor(root: RoutePlan) {
    this.#root = compile(root, "0");
  }

  /** Those that take an alert of these labels, each target once, or again where the one before may be mute; none where nobody is told. */
  taking(labels: Labels): readonly Taken[] {
    const found: Taken[] = [];
    for (const { route, path } of matching(this.#root, labels)) {
      if (route.receiver === "" || found.some(({ settings }) => settings.target === route.receiver && isAlwaysTold(settings))) continue;
      found.push({ settings: settingsOf(route), group: groupOf(route, path, labels), path });
    }
    return found;
  }
}

function compile(route: RoutePlan, path: string): Compiled {
  const below = (route.routes ?? []).map((each, index) => compile(each, `${path}.${index}`));
  return { route, path, matches: route.matchers === undefined ? () => true : compileMatchers(route.matchers), below };
}

function matching(compiled: Compiled, labels: Labels): Compiled[] {
  if (!compiled.matches(labels)) return [];
  const found: Compiled[] = [];
  for (const each of compiled.below) {
    const taken = matching(each, labels);
    found.push(...taken);
    if (taken.length > 0 && each.route.continue !== true) break;
  }
  return found.length > 0 ? found : [compiled];
}

const settingsOf = ({ receiver, groupWaitMs = 0, groupIntervalMs = 0, repeatMs, mute = [], active = [] }: RoutePlan): GroupSettings => ({
  target: receiver,
  waitMs: groupWaitMs,
  intervalMs: groupIntervalMs,
  repeatMs: repeatMs ?? null,
  mute,
  active,
});

/** As Alertmanager writes its groups: `{}:{site="north"}`, behind the receiver and the mark of the route. */
function groupOf({ groupBy, receiver }: RoutePlan, path: string, labels: Labels): string | null {
  if (groupBy === undefined) return null;
  const pairs = (groupBy ?? []).map((name) => `${name}=${JSON.stringify(labels[name] ?? "")}`);
  return `${receiver}/${fingerprint(path).slice(12)}:{${pairs.join(",")}}`;
}
