// Mistakes in the block alarm_performance: the part of mistakes.ts that is about targets.

/** What is wrong, the YAML, and what is said about it. */
export const mistakesOfPerformance: [string, string, string[]][] = [
  [
    "a target of alarm performance that is misspelt",
    "alarm_performance: { targets: { per_10min: 1 } }",
    ["1:33: unknown key per_10min (did you mean per_10_min?)"],
  ],
  [
    "a share in per cent",
    "alarm_performance:\n  targets:\n    time_in_flood: 1.5\n    mix: { info: 80 }",
    ["3:20: time_in_flood cannot be 1.5 (write a share from 0 to 1, such as 0.05)", "4:18: info cannot be 80 (write a share from 0 to 1, such as 0.05)"],
  ],
  [
    "a flood that would end as it begins",
    "alarm_performance: { targets: { flood_per_10_min: 4, flood_end_per_10_min: 5 } }",
    ["1:76: flood_end_per_10_min is more than flood_per_10_min: a flood would end as it begins (make it smaller, such as half of it)"],
  ],
  [
    "a time to acknowledge without unit",
    "alarm_performance: { targets: { acknowledge: 10 } }",
    ["1:46: acknowledge cannot be 10 (write a duration such as 500ms, 90s, 5m, 1h30m, 7d or 2w)"],
  ],
  ["half an alert", "alarm_performance: { targets: { stale: 0.5 } }", ["1:40: stale must be a whole number, not 0.5 (Alerts that stand for more than a day)"]],
];
