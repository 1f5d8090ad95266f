// What people may do to an alert in which state, written out by hand: states down, events across. The engine is held against it, and
// docs/reference/alert-states.md is made of it. It knows nothing of the engine's own table.

export const events = [
  "acknowledge",
  "unacknowledge",
  "comment",
  "shelve",
  "shelve until clear",
  "unshelve",
  "take out of service",
  "return to service",
  "reset",
] as const;
export type LifeEvent = (typeof events)[number];

export const conditions = ["firing", "recovering", "latched", "over"] as const;
export const shelvings = ["in service", "shelved", "shelved until clear", "out of service"] as const;
export type LifeState = {
  readonly condition: (typeof conditions)[number];
  readonly isAcknowledged: boolean;
  readonly shelving: (typeof shelvings)[number];
};
export type Cell = { readonly state: LifeState; readonly event: LifeEvent; readonly answer: string };

/** What the letters mean: the name of the refusal, or that it is done. */
export const LEGAL = "done";
const answers: Readonly<Record<string, string>> = {
  yes: LEGAL,
  over: "not_active",
  ack: "already_acknowledged",
  unack: "not_acknowledged",
  shelf: "already_shelved",
  bare: "not_shelved",
  out: "already_out_of_service",
  in: "not_out_of_service",
  holds: "still_active",
};

const GRID = `
  firing     unacked in service          | yes   unack yes   yes   yes   bare  yes   in    holds
  firing     unacked shelved             | yes   unack yes   shelf shelf yes   yes   in    holds
  firing     unacked shelved until clear | yes   unack yes   shelf shelf yes   yes   in    holds
  firing     unacked out of service      | yes   unack yes   out   out   bare  out   yes   holds
  firing     acked   in service          | ack   yes   yes   yes   yes   bare  yes   in    holds
  firing     acked   shelved             | ack   yes   yes   shelf shelf yes   yes   in    holds
  firing     acked   shelved until clear | ack   yes   yes   shelf shelf yes   yes   in    holds
  firing     acked   out of service      | ack   yes   yes   out   out   bare  out   yes   holds
  recovering unacked in service          | yes   unack yes   yes   yes   bare  yes   in    holds
  recovering unacked shelved             | yes   unack yes   shelf shelf yes   yes   in    holds
  recovering unacked shelved until clear | yes   unack yes   shelf shelf yes   yes   in    holds
  recovering unacked out of service      | yes   unack yes   out   out   bare  out   yes   holds
  recovering acked   in service          | ack   yes   yes   yes   yes   bare  yes   in    holds
  recovering acked   shelved             | ack   yes   yes   shelf shelf yes   yes   in    holds
  recovering acked   shelved until clear | ack   yes   yes   shelf shelf yes   yes   in    holds
  recovering acked   out of service      | ack   yes   yes   out   out   bare  out   yes   holds
  latched    unacked in service          | yes   unack yes   yes   yes   bare  yes   in    yes
  latched    unacked shelved             | yes   unack yes   shelf shelf yes   yes   in    yes
  latched    unacked shelved until clear | yes   unack yes   shelf shelf yes   yes   in    yes
  latched    unacked out of service      | yes   unack yes   out   out   bare  out   yes   yes
  latched    acked   in service          | ack   yes   yes   yes   yes   bare  yes   in    yes
  latched    acked   shelved             | ack   yes   yes   shelf shelf yes   yes   in    yes
  latched    acked   shelved until clear | ack   yes   yes   shelf shelf yes   yes   in    yes
  latched    acked   out of service      | ack   yes   yes   out   out   bare  out   yes   yes
  over       unacked in service          | over  over  over  yes   over  bare  yes   in    over
  over       unacked shelved             | over  over  over  shelf shelf yes   yes   in    over
  over       unacked shelved until clear | over  over  over  shelf shelf yes   yes   in    over
  over       unacked out of service      | over  over  over  out   out   bare  out   yes   over
  over       acked   in service          | over  over  over  yes   over  bare  yes   in    over
  over       acked   shelved             | over  over  over  shelf shelf yes   yes   in    over
  over       acked   shelved until clear | over  over  over  shelf shelf yes   yes   in    over
  over       acked   out of service      | over  over  over  out   out   bare  out   yes   over
`;

export const cells: readonly Cell[] = GRID.trim()
  .split("\n")
  .flatMap((line) => {
    const [left = "", right = ""] = line.split("|");
    const [condition = "", acked = "", ...shelving] = left.trim().split(/ +/);
    const state = { condition, isAcknowledged: acked === "acked", shelving: shelving.join(" ") } as LifeState;
    return right
      .trim()
      .split(/ +/)
      .map((letters, index) => ({ state, event: events[index] as LifeEvent, answer: answers[letters] as string }));
  });

export const nameOf = ({ condition, isAcknowledged, shelving }: LifeState): string =>
  `${condition}, ${isAcknowledged ? "acknowledged" : "not acknowledged"}, ${shelving}`;

const meanings: readonly (readonly [string, string])[] = [
  ["`not_active`", "it is over: resolved, or an occurrence from before"],
  ["`already_acknowledged`", "somebody acknowledged it; take that back first, or comment"],
  ["`not_acknowledged`", "there is nothing to take back"],
  ["`already_shelved`", "it is shelved; unshelve it first"],
  ["`not_shelved`", "it is not; what is out of service is returned to service instead"],
  ["`already_out_of_service`", "it is; return it to service first"],
  ["`not_out_of_service`", "it is in service; what is shelved is unshelved instead"],
  ["`still_active`", "its condition holds, or is clear for less than `keep_firing_for`; only what is latched is reset"],
];

/** docs/reference/alert-states.md */
export function page(): string {
  const rows = [...Map.groupBy(cells, ({ state }) => state)].map(
    ([{ condition, isAcknowledged, shelving }, list]) =>
      `| ${condition} | ${isAcknowledged ? "yes" : "no"} | ${shelving} | ${list.map(({ answer }) => (answer === LEGAL ? "**yes**" : `\`${answer}\``)).join(" | ")} |`,
  );
  return `# States of an alert

What people may do to an alert in which state. This page is made from the table that the tests hold the engine against (test/engine/dispatch/life-table.ts): each cell is
carried out there.

An alert has three axes that know nothing of each other: its **condition** (firing; recovering, which is clear but for less than \`keep_firing_for\`; latched, which is clear and waits for a reset,
by a rule with \`latch: true\`; over), whether somebody **acknowledged** it, and whether it is **shelved** for a time or until it clears, or **out of service**. Acknowledging belongs to one occurrence
and ends with it, when the alert gets graver, and when nobody attends to it for \`notify.reannounce_after\`. Shelves belong to the alert, a rule on a series or group, and outlive its occurrences;
what was shelved until it clears is so until the occurrence that fires now is over.

| condition | acknowledged | service | ${events.join(" | ")} |
|${"---|".repeat(events.length + 3)}
${rows.join("\n")}

A refusal changes nothing and has a name:

| refusal | why |
|---|---|
${meanings.map((pair) => `| ${pair.join(" | ")} |`).join("\n")}

Whatever the state, \`unknown_alert\` says that there is no alert of this id, \`span_empty\` that an end is not after its beginning and now, \`shelved_too_long\` that \`notify.shelve_max\` forbids it, and
\`too_many\` that there is no room for more.
`;
}
