// Spans of time as the command line names them: RFC 3339, milliseconds, or local days, which are meant whole.

import { dayBounds, isDay, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { instantSchema } from "../http/parameter.ts";
import { USAGE } from "./command.ts";

/** @param edge of a local day @throws GatewayError `usage` */
export function instantOf(option: string, text: string, zone: ZoneTable, edge: "start" | "end"): EpochMs {
  if (isDay(text)) return dayBounds(zone, text)[edge];
  const instant = instantSchema.safeParse(text);
  if (instant.success) return instant.data;
  throw new GatewayError(USAGE, `${option} ${text} is no time`, { hint: "write 2026-01-31T04:15:00Z, a day as 2026-01-31, or milliseconds since 1970" });
}

/** `to` exclusive; what is not given has no end. @throws GatewayError `usage` */
export function rangeOf(
  { from, to }: { readonly from?: string | undefined; readonly to?: string | undefined },
  zone: ZoneTable,
): { from: EpochMs; to: EpochMs } {
  const range = {
    from: from === undefined ? Number.NEGATIVE_INFINITY : instantOf("--from", from, zone, "start"),
    to: to === undefined ? Number.POSITIVE_INFINITY : instantOf("--to", to, zone, "end"),
  };
  if (range.from >= range.to) throw new GatewayError(USAGE, "--from is not before --to", { hint: "--to is exclusive" });
  return range;
}
