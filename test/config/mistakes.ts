// Mistakes in a config, one each, and what `highwater check` says about them, exactly: place, words and hint are part of the product.

import { mistakesOfAccess } from "./access-mistakes.ts";
import { mistakesOfDispatch } from "./dispatch-mistakes.ts";
import { mistakesOfOncall } from "./oncall-mistakes.ts";
import { mistakesOfPerformance } from "./performance-mistakes.ts";
import { mistakesOfStorage } from "./storage-mistakes.ts";

/** What is wrong, the YAML, and what is said about it. */
export const mistakes: [string, string, string[]][] = [
  ["an unknown block", "gatway: {}", ["1:1: unknown key gatway (did you mean gateway?)"]],
  ["an unknown key, with what was meant", "gateway:\n  nmae: x", ["2:3: unknown key nmae (did you mean name?)"]],
  ["an unknown key that resembles nothing", "http:\n  zebra: 1", ["2:3: unknown key zebra (known here: host, port, anonymous)"]],
  ["a key that is there twice", "http: { port: 1 }\nhttp: { port: 2 }", ["2:1: the key http is given twice here (keep one of the two)"]],
  [
    "a bracket that is not closed",
    "mqtt:\n  listeners: [{ port: 1883 }\nhttp: {}",
    ["3:1: a [ above is not closed with ] (what stands between brackets is indented more than its key)"],
  ],
  ["a tab as indentation", "mqtt:\n\tanonymous: true", ["2:1: tabs are not allowed as indentation (indent with spaces)"]],
  ["an alias without anchor", "rules: *other", ["1:8: *other names no anchor (an anchor is written &other, before its use)"]],
  ["two documents", "http: {}\n---\nhttp: {}", ["2:1: source contains multiple documents (keep one document; take out the line ---)"]],
  [
    "not a map",
    "- gateway\n- mqtt",
    [
      "1:1: the config must be a map of blocks, not a list (blocks are gateway, mqtt, sources, devices, rules_files, rules, notify, alarm_performance, storage, batch, http)",
    ],
  ],
  [
    "a zone that does not exist",
    "gateway:\n  timezone: Europe/Olso",
    ['2:13: timezone "Europe/Olso": no such time zone (an IANA name such as Europe/Oslo, or UTC)'],
  ],
  ["text where a number belongs", "http:\n  port: eighty", ['2:9: port cannot be "eighty" (write a whole number from 0 to 65535)']],
  ["a port out of range", "mqtt: { listeners: [{ port: 70000 }] }", ["1:29: port must be at most 65535, not 70000 (TCP port; 0 takes a free one)"]],
  ["a number where text belongs", "gateway: { data_dir: 7 }", ["1:22: data_dir must be text, not 7 (Folder of the database; relative to this file)"]],
  ["an empty value", "gateway:\n  name:", ["2:8: name has no value (give it one, or take the key out)"]],
  [
    "a URL that is none",
    "gateway: { external_url: gateway.local }",
    ['1:26: external_url cannot be "gateway.local" (write a whole URL such as http://gateway.example.org:8080)'],
  ],
  ["no listener", "mqtt: { listeners: [] }", ["1:20: listeners needs at least 1 entry (Where clients connect)"]],
  [
    "a listener off loopback",
    "mqtt:\n  listeners:\n    - { port: 1 }\n    - host: 0.0.0.0\n      port: 2",
    [
      "4:7: 0.0.0.0 is not on loopback: anyone on the network could publish (name users and an acl, ask for certificates (tls.client_ca), listen on 127.0.0.1, or write `anonymous: unsafe` to allow it)",
    ],
  ],
  [
    "a broken template",
    "rules:\n  - name: a\n    match: { metric: t }\n    condition: { type: threshold, above: 1 }\n    annotations: { summary: '{{device' }",
    ['5:29: summary is not a template: output "{{device" not closed, line:1, col:1 (write {{device}} or {{value}} for a label or the value)'],
  ],
  [
    "listeners that overlap",
    "mqtt:\n  anonymous: unsafe\n  listeners:\n    - { host: 0.0.0.0, port: 1883 }\n    - { host: 127.0.0.1, port: 1883 }",
    ["5:7: two listeners want 127.0.0.1:1883 (give each its own port, or keep one)"],
  ],
  ["the page on the broker's port", "http: { port: 1883 }", ["1:7: http and mqtt both want 127.0.0.1:1883 (give each its own port)"]],
  ["TLS without a key", "mqtt:\n  listeners:\n    - { port: 8883, tls: { cert: a.pem } }", ["3:21: key is missing (PEM file of its key, without a password)"]],
  [
    "a certificate that is not there",
    "mqtt:\n  listeners:\n    - port: 8883\n      tls:\n        cert: a.pem\n        key: a.key",
    ["5:15: a.pem cannot be read: no such file (relative paths start at the config's folder)"],
  ],
  [
    "origins without WebSocket",
    "mqtt: { listeners: [{ port: 1, origins: [https://a.example] }] }",
    ["1:32: origins are asked for only by WebSocket (add websocket: true)"],
  ],
  [
    "the user name as another label than the device",
    'sources: [{ topic: "a/{metric}", labels: { room: "{username}" } }]',
    ['1:50: {username} can be the device, and no other label (write device: "{username}")'],
  ],
  [
    "a bridge that is no address",
    "mqtt: { bridges: [{ url: 'mqtt://me:secret@broker', topics: [a/#/b, $share/g/a] }] }",
    [
      `1:26: url cannot be "mqtt://…@broker" (write mqtt://HOST:1883, mqtts://HOST:8883, ws:// or wss://, without a name and a password in it)`,
      `1:62: topics[0] cannot be "a/#/b" (write a topic filter such as sensors/+/temperature or zigbee2mqtt/#)`,
      `1:69: topics[1] cannot be "$share/g/a" (write a topic filter such as sensors/+/temperature or zigbee2mqtt/#)`,
    ],
  ],
  [
    "TLS and passwords of bridges",
    [
      "mqtt:",
      "  bridges:",
      "    - { url: 'mqtt://a', topics: ['#'], tls: { ca: ca.pem } }",
      "    - { url: 'mqtts://b', topics: ['#'], tls: { cert: b.pem }, password: secret }",
    ].join("\n"),
    [
      "3:46: tls needs mqtts:// or wss:// (change the url, or take tls out)",
      "4:47: tls: cert and key go together (give both, or neither)",
      "4:74: password: a password needs a username (add username)",
    ],
  ],
  [
    "a certificate of a bridge that is not there",
    "mqtt: { bridges: [{ url: 'mqtts://a', topics: ['#'], tls: { ca: nowhere.pem } }] }",
    ["1:65: nowhere.pem cannot be read: no such file (relative paths start at the config's folder)"],
  ],
  [
    "two bridges that would throw each other out",
    "mqtt: { bridges: [{ url: 'mqtt://a', topics: [b] }, { url: 'mqtt://a', topics: [c] }] }",
    ["1:60: bridge 1 goes to mqtt://a already, and would be thrown out by this one (put the topics into one bridge, or give each a client_id)"],
  ],
  [
    "a limit of zero",
    "mqtt: { limits: { connections: 0 } }",
    ["1:32: connections must be at least 1, not 0 (Connections open at once, over all listeners; one more is closed at once)"],
  ],
  ["a codec that does not exist", 'sources: [{ topic: "a/{device}", codec: jsno }]', ['1:41: codec cannot be "jsno" (did you mean json?)']],
  [
    "a key of another codec",
    'sources:\n  - { topic: "a/{device}/{metric}", codec: plain, value: /x }',
    ["2:51: unknown key value (known here: topic, codec, labels, out_of_orderness, max_future, max_past, idle_after, map)"],
  ],
  ["a codec's key, misspelt", 'sources:\n  - topic: "a/{device}/{metric}"\n    tiem: /ts', ["3:5: unknown key tiem (did you mean time?)"]],
  [
    "a pointer without its slash",
    'sources:\n  - topic: "a/{device}/{metric}"\n    time: ts',
    ['3:11: time cannot be "ts" (a JSON pointer begins with /, for example /DS18B20/Temperature)'],
  ],
  [
    "value and values",
    'sources:\n  - topic: "a/{device}"\n    value: /v\n    values: { temperature: /t }',
    ["4:13: values: give either `value` or `values`, not both"],
  ],
  [
    "a broken topic template",
    'sources:\n  - topic: "a/x{device}/{metric}"',
    ['2:15: topic "a/x{device}/{metric}": "x{device}" mixes text with a brace or wildcard (braces and wildcards take whole levels, between slashes)'],
  ],
  [
    "a reserved word in a topic",
    "sources:\n  - topic: a/{device}/{limit}",
    ['2:23: topic "a/{device}/{limit}": "limit" is a parameter of the HTTP API and cannot be a label (choose another name)'],
  ],
  [
    "a zone of a source",
    'sources:\n  - { topic: "a/{device}", timezone: Mars/Olympus }',
    ['2:38: timezone "Mars/Olympus": no such time zone (an IANA name such as Europe/Oslo, or UTC)'],
  ],
  [
    "a topic that is taken",
    'sources:\n  - topic: "a/{device}/{metric}"\n  - topic: "a/{device}/{metric}"',
    ["3:12: the topic a/{device}/{metric} is taken by source 1 already (first match wins: this source would never be used)"],
  ],
  ["no topic", "sources:\n  - codec: plain", ["2:5: topic is missing (Topic template: {name} takes a level as a label, {name+} several, + and # as in MQTT)"]],
  ["no source", "sources: []", ["1:10: sources needs at least 1 entry (Which topics hold readings; the first whose template matches wins)"]],
  ["a limit that is no number", "devices:\n  freezer-7:\n    limits: { high: warm }", ['3:21: high must be a number, not "warm"']],
  [
    "a name of a limit",
    "devices: { fz: { limits: { so-warm: 1 } } }",
    ["1:28: so-warm cannot be a name here (a limit's name has letters, digits and _, and begins with no digit)"],
  ],
  ["a device's own label", "devices: { fz: { labels: { device: x } } }", ["1:28: device tells series apart and cannot be set here (choose another name)"]],
  [
    "a rule without name and match",
    "rules:\n  - condition: { type: threshold, above: 1 }",
    ["2:5: name is missing (Unique; the alert's `alertname`)", "2:5: match is missing (label: glob, list of globs, or /regex/ (anchored))"],
  ],
  [
    "a rule's name with a slash",
    "rules:\n  - { name: a/b, match: {}, condition: { type: threshold, above: 1 } }",
    ['2:13: name cannot be "a/b" (a rule\'s name may not hold /, + or #: it becomes an MQTT topic level)'],
  ],
  [
    "a duration with a space",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1 }\n    for: 5 m",
    ['5:10: "5 m" is not a duration (write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w)'],
  ],
  [
    "a duration that is a number",
    "rules:\n  - { name: warm, match: {}, condition: { type: threshold, above: 1 }, for: 300 }",
    ["2:77: for cannot be 300 (write a duration such as 500ms, 90s, 5m, 1h30m, 7d or 2w)"],
  ],
  [
    "a condition that does not exist",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: treshold, above: 1 }",
    ['4:24: type cannot be "treshold" (did you mean threshold?)'],
  ],
  [
    "levels beside a predicate",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1, levels: [{ above: 1, severity: info }] }",
    ["4:42: above stands beside levels (put it into one of them)"],
  ],
  [
    "levels in the wrong order",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: rate, over: 5m, levels: [{ above: 2, severity: info }, { above: 1, severity: critical }] }",
    ["4:79: levels[1]: levels go from the mildest to the most severe (this one is breached where the one before is not)"],
  ],
  [
    "levels in a part",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: all, conditions: [{ type: threshold, levels: [{ above: 1, severity: info }] }] }",
    ["4:69: levels cannot stand within all or any (write a predicate, or one rule per level)"],
  ],
  [
    "a slip in a part of a part",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: all, conditions: [{ type: any, conditions: [{ type: rate, ovre: 5m, above: 1 }] }] }",
    ["4:68: over is missing (The trailing time over which the change is measured)", "4:82: unknown key ovre (did you mean over?)"],
  ],
  [
    "a part without a type that exists",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: any, conditions: [{ type: flatlien, over: 5m }] }",
    ['4:50: type cannot be "flatlien" (did you mean flatline?)'],
  ],
  [
    "more of the last readings than there are",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: consecutive, n: 3, of: 2, above: 1 }",
    ["4:47: of is less than n (3 readings cannot breach among 2)"],
  ],
  [
    "a deadband of readings that are counted",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: consecutive, n: 3, above: 1, clear_below: 0 }",
    ["4:53: unknown key clear_below (known here: type, n, of, above, below, outside, inside)"],
  ],
  [
    "no limit of a rate",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: rate, over: 5m }",
    ["4:16: condition: exactly one of above, below, outside, inside is needed (none is given)"],
  ],
  [
    "two predicates",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1, below: 0 }",
    ["4:52: below: exactly one of above, below, outside, inside is needed (above and below are given)"],
  ],
  [
    "no predicate",
    "rules:\n  - name: warm\n    match: {}\n    condition:\n      type: threshold\n      clear_below: 1",
    ["5:7: condition: exactly one of above, below, outside, inside is needed (none is given)"],
  ],
  [
    "a predicate that is text",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: warm }",
    ['4:42: above cannot be "warm" (write a number, or limit.NAME from the device\'s entry)'],
  ],
  [
    "a deadband on the wrong side",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1, clear_below: 2 }",
    ["4:58: clear_below lies above the limit (it must be at or below it)"],
  ],
  [
    "a deadband of another predicate",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1, clear_above: 2 }",
    ["4:58: clear_above belongs to below (for above write clear_below)"],
  ],
  [
    "a range the wrong way round",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, outside: [5, 1] }",
    ["4:44: outside needs [low, high] (the first is larger than the second)"],
  ],
  [
    "a range of one",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, outside: [5] }",
    ["4:44: outside needs at least 2 entries ([lo, hi]: breached by value < lo or value > hi)"],
  ],
  [
    "a window that does not exist",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { hoping: 10m, slide: 1m }, aggregate: avg, above: 1 }",
    ["4:42: unknown key hoping (did you mean hopping?)"],
  ],
  [
    "a session without its gap",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { session: }, aggregate: avg, above: 1 }",
    ["4:51: session has no value (give it one, or take the key out)"],
  ],
  [
    "a gap of nothing",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { session: 0s }, aggregate: avg, above: 1 }",
    ['4:51: session "0s": must be longer than zero (write one such as 500ms or 5m)'],
  ],
  [
    "a window of too many readings",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { count: 20000 }, aggregate: avg, above: 1 }",
    ["4:49: count must be at most 10000, not 20000 (How many readings a window holds: the last ones, in order of their own times)"],
  ],
  [
    "a slide of more readings than the window holds",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { count: 5, slide: 6 }, aggregate: avg, above: 1 }",
    ["4:59: slide is more than the window holds: readings would fall between two windows (make it at most count)"],
  ],
  [
    "a window judged by more readings than it holds",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { count: 5 }, aggregate: avg, above: 1, min_count: 6 }",
    ["4:91: min_count is more than the window holds: it would never be judged (make it at most 5)"],
  ],
  [
    "a window of a calendar month",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { tumbling: month }, aggregate: avg, above: 1 }",
    ['4:52: "month" is not a duration (write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w)'],
  ],
  [
    "a calendar day that slides",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { hopping: day, slide: 1h }, aggregate: avg, above: 1 }",
    ['4:51: "day" is not a duration (write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w)'],
  ],
  [
    "a slide longer than its window",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { hopping: 1m, slide: 2m }, aggregate: avg, above: 1 }",
    ["4:62: slide is longer than the window: readings would fall between two windows (make it at most the window's length)"],
  ],
  [
    "an aggregate that does not exist",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: window, window: { tumbling: 1m }, aggregate: average, above: 1 }",
    ['4:69: aggregate cannot be "average" (known: avg, min, max, sum, count, stddev, first, last, range, median, p90, p95 and 4 more)'],
  ],
  [
    "a severity that does not exist",
    "rules:\n  - { name: warm, match: {}, condition: { type: threshold, above: 1 }, severity: high }",
    ['2:82: severity cannot be "high" (known: critical, warning, info)'],
  ],
  [
    "a delay of an absence",
    "rules:\n  - name: gone\n    match: {}\n    condition: { type: absence, after: 1m }\n    for: 1m",
    ['5:10: for "1m": absence has its own delay (lengthen `after` instead of `for`)'],
  ],
  [
    "a regular expression that is none",
    "rules:\n  - { name: warm, match: { device: [a, '/(/'] }, condition: { type: threshold, above: 1 } }",
    ["2:40: /(/ is not a regular expression: Unterminated group"],
  ],
  [
    "two rules of one name",
    "rules:\n  - { name: warm, match: {}, condition: { type: threshold, above: 1 } }\n  - { name: warm, match: {}, condition: { type: threshold, above: 2 } }",
    ["3:13: a rule warm is there already, at case.yaml:2 (give each its own name)"],
  ],
  [
    "a label that every alert has",
    "rules:\n  - { name: warm, match: {}, condition: { type: threshold, above: 1 }, labels: { severity: high } }",
    ["2:82: the label severity is given to each alert already (write severity beside labels, not in it)"],
  ],
  [
    "a group of what is not compared",
    "rules:\n  - name: warm\n    match: {}\n    condition: { type: threshold, above: 1 }\n    group_by: [site]",
    ["5:15: group_by has no meaning for this threshold: add an `aggregate`, such as avg"],
  ],
  [
    "a rules file that is not there",
    "rules_files: [rules.yaml]",
    ["1:15: rules.yaml cannot be read: no such file (relative paths start at the config's folder)"],
  ],
  [
    "a receiver that does not exist",
    "notify:\n  receivers: [{ name: on-call, webhook: { url: http://localhost } }]\n  route: { receiver: oncall }",
    ["3:22: there is no receiver oncall (did you mean on-call?)"],
  ],
  [
    "a receiver of a route below",
    "notify:\n  receivers: [{ name: on-call, webhook: { url: http://localhost } }]\n  route:\n    routes:\n      - { matchers: { team: it }, receiver: it }",
    ["5:45: there is no receiver it (receivers there are: on-call)"],
  ],
  ["a receiver of the summary", "batch: { daily_summary: { receiver: boss } }", ["1:37: there is no receiver boss (add it to notify.receivers)"]],
  [
    "a receiver that is there twice",
    "notify:\n  receivers:\n    - { name: a, webhook: { url: http://localhost } }\n    - { name: a, webhook: { url: http://localhost } }",
    ["4:15: a receiver a is there already (give each its own name)"],
  ],
  ["a channel that does not exist", "notify: { receivers: [{ name: a, emial: {} }] }", ["1:34: unknown key emial (did you mean email?)"]],
  ["a channel without its address", "notify:\n  receivers:\n    - name: a\n      webhook: [{ format: standard }]", ["4:17: url is missing (Where to POST to)"]],
  [
    "an address that is none",
    "notify: { receivers: [{ name: a, email: { smtp: smtp://localhost, from: me, to: [you@example.org] } }] }",
    ['1:73: from cannot be "me" (write an address such as oncall@example.org or Name <oncall@example.org>)'],
  ],
  [
    "a webhook that is no URL",
    "notify: { receivers: [{ name: a, webhook: { url: localhost:9000 } }] }",
    ['1:50: url "localhost:9000": not a URL (write http://host:port/path or https://…)'],
  ],
  [
    "a secret that is none, not shown",
    "notify: { receivers: [{ name: a, webhook: { url: http://localhost, secret: hunter2 } }] }",
    ["1:76: secret: not a secret (write whsec_ and the base64 of 24 to 64 random bytes, such as of: openssl rand -base64 32)"],
  ],
  [
    "a secret from a file that is not there",
    "notify: { receivers: [{ name: a, webhook: { url: http://localhost, secret_file: ./no } }] }",
    ["1:81: ./no cannot be read: no such file (relative paths start at the config's folder)"],
  ],
  [
    "a variable that is not set",
    "gateway:\n  name: ${HIGHWATER_NO_SUCH}",
    ["2:9: the environment variable HIGHWATER_NO_SUCH is not set (set HIGHWATER_NO_SUCH before the start, or write $${HIGHWATER_NO_SUCH} for the plain text)"],
  ],
  ["a variable that is not closed", "gateway:\n  name: a ${b-c} d", ["2:9: ${b-c} is not the name of an environment variable (write $${ for a plain ${)"]],
  ["a time of day without quotes", "batch: { daily_summary: { at: 4:15 } }", ['1:31: at cannot be "4:15" (write a time of day in quotes, such as "04:15")']],
  ...mistakesOfStorage,
  ["a group that waits", "notify: { route: { group_wait: soon } }", ['1:32: "soon" is not a duration (write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w)']],
  ...mistakesOfAccess,
  ...mistakesOfOncall,
  ...mistakesOfDispatch,
  ...mistakesOfPerformance,
];
