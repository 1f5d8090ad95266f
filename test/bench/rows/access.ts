// What users and an access list cost: QoS 1 readings per second of gateways with and without them, interleaved in the same invocation.
// Each connection logs in; its publishes are checked against three entries, one of which allows them.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { passwordLine } from "../../../src/broker/password-file.ts";
import { runGateway } from "../gateway-run.ts";
import { type Figure, median, type Row } from "../row.ts";

const LOAD = { connections: 100, series: 1000, window: 64, warmup: 2 };
const [NAME, PASSWORD] = ["load", "load-password"];

const acl = [
  { user: "fz-*", publish: ["sensors/freezers/%u/#"] },
  { user: NAME, publish: ["sensors/+/+/temperature"], deny_publish: ["sensors/plc/#"] },
  { subscribe: ["highwater/#"] },
];

export const access: Row = {
  name: "access",
  title: "QoS 1 readings/s with users and an access list, beside the same gateway without",
  async run(options) {
    const users = join(options.folder, "mqtt-users");
    await writeFile(users, `${await passwordLine(NAME, PASSWORD)}\n`, { mode: 0o600 });
    const rates = { open: [] as number[], guarded: [] as number[] };
    const problems: string[] = [];
    for (let run = 1; run <= options.runs; run++) {
      const load = { ...LOAD, seconds: options.seconds };
      const open = await runGateway(options, load, false);
      const guarded = await runGateway(options, { ...load, login: `${NAME}:${PASSWORD}` }, false, { mqtt: { users, acl } });
      rates.open.push(open.report?.perSecond ?? 0);
      rates.guarded.push(guarded.report?.perSecond ?? 0);
      for (const { problem } of [open, guarded]) if (problem !== undefined) problems.push(`run ${run}: ${problem}`);
      options.say(`run ${run}: ${[open, guarded].map(({ report }) => Math.round(report?.perSecond ?? 0).toLocaleString("en-US")).join(" and ")} readings/s`);
    }
    const ratio = median(rates.guarded.map((rate, run) => rate / (rates.open[run] as number)));
    return [
      { what: "without", value: median(rates.open), unit: "readings/s", ...(problems.length > 0 ? { problem: problems.join("; ") } : {}) },
      { what: "with users and acl", value: median(rates.guarded), unit: "readings/s" },
      { what: "ratio", value: ratio, unit: "" },
    ] satisfies Figure[];
  },
};
