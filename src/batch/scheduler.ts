// When the nightly batch runs. node-cron only wakes it: whether a run is due is reckoned from the zone's table, so that a time
// that a day does not have (02:30 when clocks go forward) is not skipped, and a night that was slept through is caught up.
// Never two runs at once. What a run has to do is the store's business (jobs/daily-summary.ts).

import { type ScheduledTask, schedule } from "node-cron";
import type { Clock } from "../clock.ts";
import { dayOf, epochOf, localTime, previousDay, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Log } from "../log.ts";

export type SchedulerDeps = {
  /** One run; an error is logged, and the run is tried again at the next full hour. */
  run(): Promise<void>;
  /** What is to be done by day, asked every minute, never twice at once; an error is logged. */
  keepUp(): Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

export type SchedulerOptions = { /** Local time, `04:15`. */ readonly at: string; readonly zone: ZoneTable };

export type Scheduler = {
  /** Runs at once, to catch up, and from then on when due. */
  start(): void;
  /** Runs if a run is due and none goes on; ends when that run has ended. What the triggers call. */
  ask(): Promise<void>;
  /** Ends the triggers, and when the run that goes on has ended (`run` must be ended by its own signal), itself. */
  close(): Promise<void>;
};

/** Asked every hour too: the cron expression alone has no 02:30 on some days, and a failed run wants another try. */
const HOURLY = "0 * * * *";
const EVERY_MINUTE = "* * * * *";

export function createScheduler({ run, keepUp, clock, log }: SchedulerDeps, { at, zone }: SchedulerOptions): Scheduler {
  const minutes = minutesOf(at);
  let tasks: ScheduledTask[] = [];
  let running: Promise<void> | undefined;
  /** When the last run that succeeded began. */
  let ranAt: EpochMs = Number.NEGATIVE_INFINITY;
  let isClosing = false;

  const attempt = async (): Promise<void> => {
    const startedAt = clock.now();
    try {
      await run();
      ranAt = startedAt;
    } catch (error) {
      if (isClosing) log.info("the daily summary was interrupted; it goes on at the next start");
      else log.error({ err: error }, "the daily summary failed; it is tried again at the next full hour");
    }
  };
  const ask = async (): Promise<void> => {
    if (running !== undefined) return running;
    if (ranAt >= lastDue(zone, minutes, clock.now())) return undefined;
    running = attempt().finally(() => {
      running = undefined;
    });
    return running;
  };
  let keeping: Promise<void> | undefined;
  const keep = (): void => {
    if (isClosing) return;
    keeping ??= keepUp()
      .catch((error: unknown) => log.error({ err: error }, "what is done by day failed; it is tried again in a minute"))
      .finally(() => {
        keeping = undefined;
      });
  };
  const on = (expression: string, task: () => Promise<void> | void): ScheduledTask =>
    schedule(expression, task, { timezone: zone.name, unref: true, suppressMissedWarning: true });
  return {
    start() {
      const daily = `${minutes % 60} ${Math.floor(minutes / 60)} * * *`;
      tasks = [on(daily, ask), on(HOURLY, ask), on(EVERY_MINUTE, keep)];
      void ask();
    },
    ask,
    async close() {
      isClosing = true;
      for (const task of tasks) await task.destroy();
      await running;
      await keeping;
    },
  };
}

/** The newest instant, not after `now`, at which a run was due. */
export function lastDue(zone: ZoneTable, minutes: number, now: EpochMs): EpochMs {
  const today = dayOf(zone, now);
  const due = epochOf(zone, localTime(today, minutes));
  return due <= now ? due : epochOf(zone, localTime(previousDay(today), minutes));
}

/** Minutes since midnight of `04:15`. The config's schema has checked the form; a programmer's error otherwise. */
function minutesOf(at: string): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(at) ?? [];
  if (hours === undefined || minutes === undefined) throw new Error(`${at} is no time of day`);
  return Number(hours) * 60 + Number(minutes);
}
