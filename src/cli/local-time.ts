// Instants as people write and read them on the command line: local times of a zone, by the clock on their wall.

import { dayText, epochOf, isDay, localOf, localTime, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { instantSchema } from "../http/parameter.ts";
import { USAGE } from "./command.ts";

const dayMs = 86_400_000;
const weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"] as const;

/** `Wed 2026-01-14 12:00`. */
export function localText(zone: ZoneTable, ts: EpochMs): string {
  const local = localOf(zone, ts);
  const day = Math.floor(local / dayMs);
  const minutes = Math.floor((local - day * dayMs) / 60_000);
  const digits = (value: number): string => String(value).padStart(2, "0");
  // 1970-01-01 was a Thursday.
  return `${weekdays[((day % 7) + 7) % 7]} ${dayText(day)} ${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}

/**
 * `2026-01-14T12:00` by the zone, the same with an offset, or `now`.
 * @throws GatewayError `usage`
 */
export function momentOf(text: string, zone: ZoneTable, now: EpochMs): EpochMs {
  if (text === "now") return now;
  const [, day, hours, minutes] = /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (day !== undefined && isDay(day)) return epochOf(zone, localTime(day, Number(hours) * 60 + Number(minutes)));
  const withSeconds = text.replace(/^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:\d\d)$/, "$1:00$2");
  const parsed = instantSchema.safeParse(withSeconds);
  if (parsed.success) return parsed.data;
  throw new GatewayError(USAGE, `${text} is no time`, { hint: `write 2026-01-14T12:00 for a local time (${zone.name}), or 2026-01-14T12:00+01:00` });
}
