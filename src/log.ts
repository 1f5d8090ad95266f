// Logs, one JSON object a line. Each thread opens its own, named after it.

import { type Logger, pino } from "pino";

export type Log = Logger;

/**
 * @param options.level `trace` … `fatal`, or `silent`
 * @param options.name the thread, as `thread` in each line
 */
export function createLog(options: { level: string; name: string }): Log {
  return pino({
    level: options.level,
    base: { thread: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}
