// Mistakes in routes, inhibition, storms and flapping, and what is said of them.

const receivers = "receivers: [{ name: on-call, webhook: { url: http://127.0.0.1:9 } }]";

export const mistakesOfDispatch: [name: string, yaml: string, expected: string[]][] = [
  [
    "a mute of no interval",
    `notify:\n  ${receivers}\n  time_intervals: [{ name: nights, time_intervals: [{ weekdays: [monday] }] }]\n  route: { mute_time_intervals: [night] }`,
    ["4:34: there is no time interval night (did you mean nights?)"],
  ],
  [
    "an active interval of a route below that nothing names",
    `notify:\n  ${receivers}\n  route: { routes: [{ active_time_intervals: [days] }] }`,
    ["3:47: there is no time interval days (add it to notify.time_intervals)"],
  ],
  [
    "a storm that is over as it begins",
    "notify: { storm: { above: 3, until: 4 } }",
    ["1:37: until is larger than above: the storm would be over as it begins"],
  ],
  ["flapping that is true", "notify: { flapping: true }", ["1:21: flapping cannot be true (write false, or { firings, within, calm })"]],
  ["an inhibit rule without a target", "notify: { inhibit_rules: [{ source: { a: b } }] }", ["1:27: target is missing (Alerts that are not told meanwhile)"]],
  [
    "a wait that is none",
    "notify: { inhibit_rules: [{ source: {}, target: {}, wait: -1s }] }",
    ['1:59: "-1s" is not a duration (write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w)'],
  ],
];
