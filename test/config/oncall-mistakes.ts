// Mistakes in time intervals, schedules and escalations; part of mistakes.ts.

const hook = "webhook: { url: http://localhost }";
const receivers = `receivers: [{ name: anna, ${hook} }, { name: bo, ${hook} }]`;
const interval = (span: string): string => `notify:\n  time_intervals:\n    - name: nights\n      time_intervals:\n        - ${span}`;
const layer = (settings: string): string => `notify:\n  ${receivers}\n  schedules:\n    - name: ops\n      layers:\n        - { ${settings} }`;
const override = (settings: string): string =>
  `notify:\n  ${receivers}\n  schedules:\n    - name: ops\n      timezone: Europe/Oslo\n      layers: [{ members: [anna], start: 2026-01-05 }]\n      overrides:\n        - { ${settings} }`;
const escalation = (settings: string): string => `notify:\n  ${receivers}\n  escalations:\n    - name: urgent\n      ${settings}`;

export const mistakesOfOncall: [string, string, string[]][] = [
  ["a time interval's zone", interval("location: Europe/Olso"), ['5:21: location "Europe/Olso": no such time zone (an IANA name such as Europe/Oslo, or UTC)']],
  [
    "a weekday that does not exist",
    interval('weekdays: [monday, "tuesday:firday", mon-fri]'),
    [
      '5:30: weekdays[1] cannot be "tuesday:firday" (write a weekday such as monday, or a range such as monday:friday)',
      '5:48: weekdays[2] cannot be "mon-fri" (write a weekday such as monday, or a range such as monday:friday)',
    ],
  ],
  [
    "a month that does not exist",
    interval("months: [13, decembre, jan:mar]"),
    [
      '5:20: months[0] cannot be 13 (write a month such as december or 12, or a range such as "1:3")',
      '5:24: months[1] cannot be "decembre" (write a month such as december or 12, or a range such as "1:3")',
    ],
  ],
  [
    "a day that no month has",
    interval('days_of_month: [32, 0, "1:32", "-1:-3", "-3:1", first]'),
    [
      '5:27: days_of_month[0] cannot be 32 (write a day such as 15 or -1 (the last), or a range such as "1:5" or "-3:-1")',
      '5:31: days_of_month[1] cannot be 0 (write a day such as 15 or -1 (the last), or a range such as "1:5" or "-3:-1")',
      '5:34: days_of_month[2] cannot be "1:32" (write a day such as 15 or -1 (the last), or a range such as "1:5" or "-3:-1")',
      '5:42: days_of_month[3] "-1:-3": a range of days that ends before it begins (write the earlier day first; -1 is the last of the month)',
      '5:51: days_of_month[4] "-3:1": a range of days that ends before it begins (write the earlier day first; -1 is the last of the month)',
      '5:59: days_of_month[5] cannot be "first" (write a day such as 15 or -1 (the last), or a range such as "1:5" or "-3:-1")',
    ],
  ],
  [
    "a year that is none",
    interval('years: [26, "2028:2026", "2026-2028"]'),
    [
      '5:19: years[0] cannot be 26 (write a year such as 2026, or a range such as "2026:2028")',
      '5:23: years[1] "2028:2026": a range of years that ends before it begins (write the earlier year first)',
      '5:36: years[2] cannot be "2026-2028" (write a year such as 2026, or a range such as "2026:2028")',
    ],
  ],
  [
    "times that are malformed",
    interval('times: [{ start_time: "9:00", end_time: "24:30" }, { start_time: "24:00", end_time: 17 }, { start_time: "22:00" }]'),
    [
      '5:33: start_time cannot be "9:00" (write a time of day in quotes, such as "22:00")',
      '5:51: end_time cannot be "24:30" (write a time of day in quotes, such as "22:00", at most "24:00")',
      '5:76: start_time cannot be "24:00" (write a time of day in quotes, such as "22:00")',
      '5:95: end_time cannot be 17 (write a time of day in quotes, such as "22:00")',
      "5:101: end_time is missing (Local time before which it ends, up to 24:00; at or before start_time it is one of the next day)",
    ],
  ],
  ["a key of a time interval", interval("weekday: [monday]"), ["5:11: unknown key weekday (did you mean weekdays?)"]],
  [
    "a time interval of nothing",
    "notify: { time_intervals: [{ name: nights, time_intervals: [] }] }",
    ["1:60: time_intervals needs at least 1 entry (It is active where any of these is, each where all its lists agree)"],
  ],
  [
    "two time intervals of one name",
    "notify:\n  time_intervals:\n    - { name: a, time_intervals: [{}] }\n    - { name: a, time_intervals: [{}] }",
    ["4:15: a time interval a is there already (give each its own name)"],
  ],
  ["a rotation without members", layer("members: [], start: 2026-01-05"), ["6:22: members needs at least 1 entry (Receivers, in the order of their turns)"]],
  [
    "a schedule without layers",
    "notify: { schedules: [{ name: ops, layers: [] }] }",
    ["1:44: layers needs at least 1 entry (Who is on call; later layers win over earlier ones where they are active)"],
  ],
  ["a member that does not exist", layer("members: [anna, boo], start: 2026-01-05"), ["6:29: there is no receiver boo (did you mean bo?)"]],
  ["a member that is a schedule", layer("members: [ops], start: 2026-01-05"), ["6:23: there is no receiver ops (receivers there are: anna, bo)"]],
  [
    "a rotation that does not exist",
    layer("members: [anna], rotation: weakly, start: 2026-01-05"),
    ['6:40: rotation cannot be "weakly" (write daily, weekly, or a duration such as 12h)'],
  ],
  [
    "a rotation of minutes",
    layer("members: [anna], rotation: 10m, start: 2026-01-05"),
    ['6:40: rotation "10m": a turn lasts from 1h to 366d, in whole minutes (write daily, weekly, or a duration such as 12h)'],
  ],
  [
    "a rotation of years",
    layer("members: [anna], rotation: 367d, start: 2026-01-05"),
    ['6:40: rotation "367d": a turn lasts from 1h to 366d, in whole minutes (write daily, weekly, or a duration such as 12h)'],
  ],
  [
    "a rotation of seconds",
    layer("members: [anna], rotation: 1h30s, start: 2026-01-05"),
    ['6:40: rotation "1h30s": a turn lasts from 1h to 366d, in whole minutes (write daily, weekly, or a duration such as 12h)'],
  ],
  [
    "a handover that is none",
    layer("members: [anna], handover: noon, start: 2026-01-05"),
    ['6:40: handover cannot be "noon" (write a time of day such as "09:00", and for a weekly rotation a weekday before it: "mon 09:00")'],
  ],
  [
    "a weekly handover without a weekday",
    layer('members: [anna], handover: "09:00", start: 2026-01-05'),
    ['6:40: handover "09:00": a weekly rotation is handed over on a weekday (write one before the time, such as "mon 09:00")'],
  ],
  [
    "a daily handover with a weekday",
    layer("members: [anna], rotation: daily, handover: mon 09:00, start: 2026-01-05"),
    ['6:57: handover "mon 09:00": a weekday belongs to a weekly rotation (write the time alone, such as "09:00")'],
  ],
  [
    "a layer without a start",
    layer("members: [anna]"),
    ["6:11: start is missing (Local date from whose handover time on the layer counts, with its first member)"],
  ],
  ["a start that is no date", layer("members: [anna], start: 2026-02-29"), ['6:37: start "2026-02-29": no such date (write a date such as 2026-01-05)']],
  ["a start that is not written as one", layer("members: [anna], start: 5.1.2026"), ['6:37: start cannot be "5.1.2026" (write a date such as 2026-01-05)']],
  [
    "a time interval that does not exist",
    layer("members: [anna], start: 2026-01-05, active: nights"),
    ["6:57: there is no time interval nights (add it to notify.time_intervals)"],
  ],
  [
    "a schedule's zone",
    `notify:\n  ${receivers}\n  schedules: [{ name: ops, timezone: Oslo, layers: [{ members: [anna], start: 2026-01-05 }] }]`,
    ['3:38: timezone "Oslo": no such time zone (an IANA name such as Europe/Oslo, or UTC)'],
  ],
  [
    "an override for a stranger",
    override("member: carla, from: 2026-12-24T08:00, to: 2026-12-26T08:00"),
    ["8:21: there is no receiver carla (receivers there are: anna, bo)"],
  ],
  [
    "an override that is not written as times",
    override("member: bo, from: 2026-12-24, to: 2026-12-26T25:00"),
    [
      '8:31: from cannot be "2026-12-24" (write a local time such as 2026-12-24T08:00, or one with an offset such as 2026-12-24T08:00+01:00)',
      '8:47: to cannot be "2026-12-26T25:00" (write a local time such as 2026-12-24T08:00, or one with an offset such as 2026-12-24T08:00+01:00)',
    ],
  ],
  [
    "an override on no date",
    override("member: bo, from: 28.2.2026 08:00, to: 2026-02-30T08:00"),
    [
      '8:31: from cannot be "28.2.2026 08:00" (write a local time such as 2026-12-24T08:00, or one with an offset such as 2026-12-24T08:00+01:00)',
      '8:52: to "2026-02-30T08:00": no such date (write a local time such as 2026-12-24T08:00, or one with an offset such as 2026-12-24T08:00+01:00)',
    ],
  ],
  [
    "an override that ends before it begins",
    override("member: bo, from: 2026-12-24T08:00, to: 2026-12-24T06:30Z"),
    ["8:53: the override ends before it begins (to must be later than from)"],
  ],
  [
    "an override of two years",
    override("member: bo, from: 2026-12-24T08:00, to: 2028-12-24T08:00"),
    ["8:53: the override lasts more than 366 days (make it several)"],
  ],
  ["an escalation without steps", escalation("steps: []"), ["5:14: steps needs at least 1 entry (Who is told after whom, until somebody acknowledges)"]],
  ["a step that tells nobody", escalation("steps: [{ notify: [] }]"), ["5:25: notify needs at least 1 entry (Receivers and schedules who are told)"]],
  [
    "a step that tells a stranger",
    escalation("steps: [{ notify: [anna] }, { notify: [bo, carla] }]"),
    ["5:50: there is no receiver or schedule carla (receivers and schedules there are: anna, bo)"],
  ],
  [
    "a step that starts an escalation",
    escalation("steps: [{ notify: [urgent] }]"),
    ["5:26: urgent is an escalation, and a step cannot start one (name receivers and schedules)"],
  ],
  ["a wait of nothing", escalation("steps: [{ notify: [anna], wait: 0s }]"), ['5:39: wait "0s": must be longer than zero (write one such as 500ms or 5m)']],
  [
    "a repetition for ever",
    escalation("steps: [{ notify: [anna] }]\n      repeat: 1000"),
    ["6:15: repeat must be at most 100, not 1000 (How many times all steps are gone through again)"],
  ],
  [
    "a name that a receiver has",
    `notify:\n  ${receivers}\n  schedules: [{ name: anna, layers: [{ members: [bo], start: 2026-01-05 }] }]\n  escalations: [{ name: bo, steps: [{ notify: [bo] }] }]`,
    [
      "3:23: a receiver anna is there already (receivers, schedules and escalations share their names: give each its own)",
      "4:25: a receiver bo is there already (receivers, schedules and escalations share their names: give each its own)",
    ],
  ],
  [
    "nobody to be told",
    "notify:\n  route: { receiver: urgent }\n  escalations: [{ name: urgent, steps: [{ notify: [anna] }] }]",
    ["3:52: there is no receiver or schedule anna (add it to notify.receivers or notify.schedules)"],
  ],
];
