// IANA time zones as tables of their offsets: what the engine needs of the world, as data (engine/calendar.ts).
// A table is found by asking Intl along the years 1970 to 2100 and bisecting to the exact instant of each transition.
// Before and after these years the first and the last offset hold.

import type { ZoneTable } from "./engine/calendar.ts";
import type { DurationMs, EpochMs } from "./engine/units.ts";

const firstMs: EpochMs = Date.UTC(1970, 0, 1);
const lastMs: EpochMs = Date.UTC(2101, 0, 1);
/** No zone has had two transitions within less than this since 1970 (test/zone.test.ts walks some by the hour). */
const strideMs: DurationMs = 3 * 86_400_000;

const tables = new Map<string, ZoneTable>();

/**
 * The offsets of a zone such as `Europe/Oslo`. Names are those of the IANA data base, in any case; a bare offset such as `+01:00` is none.
 * @returns undefined for a name that Intl does not know
 */
export function zoneTable(name: string): ZoneTable | undefined {
  const known = tables.get(name);
  if (known !== undefined) return known;
  const format = formatOf(name);
  if (format === undefined) return undefined;
  // Intl may answer with an alias (Asia/Katmandu); the name that was given stays, but for its case.
  const resolved = format.resolvedOptions().timeZone;
  const table = { name: resolved.toLowerCase() === name.toLowerCase() ? resolved : name, ...transitions(format) };
  tables.set(name, table);
  return table;
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  if (!/^[A-Za-z]/.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
}

function transitions(format: Intl.DateTimeFormat): { from: EpochMs[]; offsets: DurationMs[] } {
  let offset = offsetBy(format, firstMs);
  const from = [Number.MIN_SAFE_INTEGER];
  const offsets = [offset];
  for (let ts = firstMs; ts < lastMs; ts += strideMs) {
    const later = offsetBy(format, ts + strideMs);
    if (later === offset) continue;
    from.push(bisect(format, ts, ts + strideMs, offset));
    offsets.push(later);
    offset = later;
  }
  return { from, offsets };
}

/** The first whole second in (low, high] with another offset than `offset`. */
function bisect(format: Intl.DateTimeFormat, low: EpochMs, high: EpochMs, offset: DurationMs): EpochMs {
  let [before, after] = [low / 1000, high / 1000];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetBy(format, middle * 1000) === offset) before = middle;
    else after = middle;
  }
  return after * 1000;
}

/** `ts` must be whole seconds. Offsets with seconds exist: Monrovia's was -00:44:30 until 1972. */
function offsetBy(format: Intl.DateTimeFormat, ts: EpochMs): DurationMs {
  const [month, day, year, hour, minute, second] = (format.format(ts).match(/\d+/g) ?? []).map(Number) as [number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second) - ts;
}
