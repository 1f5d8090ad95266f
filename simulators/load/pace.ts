// Two ways to send: flat out, where each PUBACK makes room for the next reading, and paced, where a timetable says what is due.
// Series take turns in both; a series always uses the same connection, so its readings stay in order.

import type { AlertReceiver } from "./alert-receiver.ts";
import type { LoadConnection } from "./connection.ts";
import type { PublishTemplate } from "./wire.ts";

/** Thousandths, see `writePublish`: ordinary readings lie between 20 and 22; one of 95 is a breach. */
const CALM_MILLI = 20_000;
const BREACH_MILLI = 95_000;

export type LoadSeries = { readonly device: string; readonly template: PublishTemplate; readonly connection: number; lastTs: number; breached: boolean };

/** `drained` says that a connection has taken in PUBACKs. */
export type Pace = { start(): void; drained(connection: number): void; stop(): void };
/** What both ways share. `send` queues one reading and says false when the series' connection has no room. */
export type PaceLoad = {
  readonly series: readonly LoadSeries[];
  readonly connections: readonly LoadConnection[];
  readonly random: () => number;
  send(one: LoadSeries, milli: number): boolean;
};

/** Flat out: whatever a connection has acknowledged is replaced at once, its series taking turns. */
export function createFlood(load: PaceLoad & { mayGoOn(): boolean }): Pace {
  const own = load.connections.map((_, index) => load.series.filter((one) => one.connection === index));
  const next = new Uint32Array(load.connections.length);
  function fill(index: number): void {
    const mine = own[index] as LoadSeries[];
    if (mine.length === 0) return;
    while (load.mayGoOn()) {
      if (!load.send(mine[next[index] as number] as LoadSeries, calm(load))) break;
      next[index] = ((next[index] as number) + 1) % mine.length;
    }
    (load.connections[index] as LoadConnection).flush();
  }
  return { start: () => load.connections.forEach((_, index) => fill(index)), drained: fill, stop: () => {} };
}

/** At a rate: reading k is due at k / rate; the series take turns, and each breaches in another round, to be calm again in the next. */
export function createTimetable(
  load: PaceLoad & {
    /** Readings per second, over all series. */
    readonly rate: number;
    readonly alertsPerSecond: number;
    readonly count: number;
    readonly receiver: AlertReceiver | null;
    /** Told how late each measured reading is written. */
    readonly lateness: { record(ms: number): void };
    isMeasuring(): boolean;
  },
): Pace {
  const stride = load.alertsPerSecond > 0 ? Math.max(2, Math.round(load.rate / load.alertsPerSecond)) : Number.POSITIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let startedAt = 0;
  let next = 0;

  function sendNext(now: number): boolean {
    const index = next % load.series.length;
    const one = load.series[index] as LoadSeries;
    const round = Math.floor(next / load.series.length);
    const breaches = load.isMeasuring() && (index + round) % stride === 0;
    if (!load.send(one, breaches ? BREACH_MILLI : calm(load))) return false;
    if (breaches !== one.breached) load.receiver?.expect(one.device, one.lastTs, now);
    one.breached = breaches;
    if (load.isMeasuring()) load.lateness.record(Math.max(0, now - startedAt - (next * 1000) / load.rate));
    next += 1;
    return true;
  }
  function tick(): void {
    const now = performance.now();
    const due = Math.min(load.count, Math.floor(((now - startedAt) * load.rate) / 1000));
    while (next < due && sendNext(now));
    for (const connection of load.connections) connection.flush();
  }
  return {
    start(): void {
      startedAt = performance.now();
      timer = setInterval(tick, 1);
    },
    drained: () => {},
    /** Alerts still open get their calm reading, so that each that fires also ends. */
    stop(): void {
      clearInterval(timer);
      for (const one of load.series) {
        if (!one.breached) continue;
        const now = performance.now();
        if (load.send(one, calm(load))) load.receiver?.expect(one.device, one.lastTs, now);
        one.breached = false;
      }
      for (const connection of load.connections) connection.flush();
    },
  };
}

const calm = (load: PaceLoad): number => CALM_MILLI + Math.floor(load.random() * 2000);
