// The processor thread: the pipeline, and the only connection that writes. It answers the main thread turn by turn and takes
// finished rows from the service between turns.

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { answerCalls } from "../call.ts";
import { systemClock } from "../clock.ts";
import type { AlertRecord } from "../engine/effect.ts";
import type { Turn } from "../inbox.ts";
import { createLog } from "../log.ts";
import type { AlertChange, FromProcessor, ProcessorStart, ProcessorToService, ProcessorVerbs, ServiceToProcessor, ToProcessor } from "../messages.ts";
import { createMetrics } from "../metrics.ts";
import { createPipeline } from "../pipeline.ts";
import { readActiveAlerts } from "../storage/alerts.ts";
import { explaining } from "../storage/data-dir-error.ts";
import { openDatabase } from "../storage/database.ts";
import type { FinishedRow } from "../storage/finished.ts";
import { readMqtt } from "../storage/mqtt-rows.ts";
import { createHold } from "../upkeep/hold.ts";
import { createRoomWatch } from "../upkeep/room-watch.ts";

const SNAPSHOT_PAUSE_MS = 10;
/** While turns come more often, rows of a job go with their commits, and no fsync is theirs alone. */
const WORK_WAIT_MS = 25;
/** What was delivered, or goes into the audit log, is told in the next turn's commit, which costs nothing; if none comes for so long, in one of its own. */
const DELIVERED_WAIT_MS = 25;

const { dataDir, logLevel, servicePort } = workerData as ProcessorStart;
const main = parentPort as NonNullable<typeof parentPort>;
const log = createLog({ level: logLevel, name: "processor" });
const db = openDatabase(dataDir, { readonly: false, tell: (about, message) => log.info(about, message) });
// Recovery reads all that the start needs, and finds what is damaged.
const pipeline = explaining(db.name, () =>
  createPipeline({
    db,
    monotonic: systemClock.monotonic,
    sleep: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    holding(reason) {
      isHolding = true;
      tellMain({ kind: "holding", reason });
    },
    log,
    metrics: createMetrics(),
  }),
);
let finished: FinishedRow[] = [];
/** Rows of a job: a slice of them goes with each commit. */
let work: FinishedRow[] = [];
let idleTimer: NodeJS.Timeout | undefined;
let idleAt = Number.POSITIVE_INFINITY;
/** When the last turn came. */
let turnedAt = Number.NEGATIVE_INFINITY;
let isClosing = false;
/** The main thread was told that the disk refuses, and not yet that it is over. */
let isHolding = false;
const ROOM_LOOK_MS = 1000;

const tellMain = (message: FromProcessor): void => main.postMessage(message);
const tellService = (message: ProcessorToService): void => servicePort.postMessage(message);

const hold = createHold<Turn>({ take: takeTurn, holding: (reason) => tellMain({ kind: "holding", reason }), released: () => tellMain({ kind: "released" }) });
const room = createRoomWatch(db, systemClock.monotonic, (now) => tellService({ kind: "room", ...now }));
const looking = setInterval(() => room.look(), ROOM_LOOK_MS);

function takeFinished(): FinishedRow[] {
  const rows = finished;
  finished = [];
  return rows;
}

function written(rows: readonly FinishedRow[], worked: number): void {
  if (rows.length > 0) tellService({ kind: "written", of: "finished", count: rows.length });
  if (worked === 0) return;
  work = work.slice(worked);
  tellService({ kind: "written", of: "work", count: worked });
}

function idle(): void {
  idleAt = Number.POSITIVE_INFINITY;
  const rows = takeFinished();
  const { hasMore, worked } = pipeline.idle(rows, work);
  if (isHolding) hold.diskTakesAgain();
  isHolding = false;
  written(rows, worked);
  if (work.length > 0) scheduleIdle(0);
  else if (hasMore) scheduleIdle(SNAPSHOT_PAUSE_MS);
}

/** Calls idle() after `ms`, or sooner if that is planned already. */
function scheduleIdle(ms: number): void {
  const at = systemClock.monotonic() + ms;
  if (isClosing || at >= idleAt) return;
  clearTimeout(idleTimer);
  idleAt = at;
  idleTimer = setTimeout(idle, ms);
}

function cancelIdle(): void {
  clearTimeout(idleTimer);
  idleAt = Number.POSITIVE_INFINITY;
}

function takeTurn(turn: Turn): void {
  cancelIdle();
  turnedAt = systemClock.monotonic();
  const rows = takeFinished();
  const { wakeAt, effects, worked } = pipeline.turn({ inputs: turn.inputs, finished: [...turn.finished, ...rows] }, work);
  const changes =
    effects === undefined ? [] : effects.transitions.map((transition, index): AlertChange => ({ transition, alert: effects.alerts[index] as AlertRecord }));
  isHolding = false;
  tellMain({ kind: "settled", wakeAt, changes, answers: effects?.answers ?? [] });
  if (changes.length > 0 || (effects?.notifications.length ?? 0) > 0) tellService({ kind: "changes", changes });
  written(rows, worked);
  scheduleIdle(work.length > 0 ? WORK_WAIT_MS : SNAPSHOT_PAUSE_MS);
  room.look();
}

main.on("message", (message: ToProcessor) => {
  switch (message.kind) {
    case "turn":
      return hold.turn(message.turn);
    case "drain":
      return hold.end();
    case "close":
      isClosing = true;
      clearInterval(looking);
      cancelIdle();
      for (let last = receiveMessageOnPort(servicePort); last !== undefined; last = receiveMessageOnPort(servicePort)) takeFromService(last.message);
      pipeline.idle(takeFinished());
      pipeline.close();
      db.close();
      tellMain({ kind: "closed" });
      servicePort.close();
      main.close();
      return;
    default: {
      const never: never = message;
      return never;
    }
  }
});

function takeFromService(message: ServiceToProcessor | { kind: "question" }): void {
  switch (message.kind) {
    case "work":
      work.push(...message.rows);
      return scheduleIdle(systemClock.monotonic() - turnedAt < WORK_WAIT_MS ? WORK_WAIT_MS : 0);
    case "finished":
      finished.push(...message.rows);
      return scheduleIdle(message.rows.every(({ kind }) => kind === "delivery" || kind === "audit") ? DELIVERED_WAIT_MS : 0);
    case "hold":
      return hold.set(message.reason ?? undefined);
    case "disk-limit":
      return room.setLimit(message.bytes);
    default:
      return;
  }
}

servicePort.on("message", takeFromService);

answerCalls<ProcessorVerbs>(servicePort, {
  latest(since) {
    const { step, readings } = pipeline.engine.latest(since);
    return {
      seq: step,
      series: Uint32Array.from(readings, ({ series }) => series),
      ts: Float64Array.from(readings, ({ ts }) => ts),
      value: Float64Array.from(readings, ({ value }) => value),
    };
  },
  status: () => ({ books: pipeline.engine.books(), seq: pipeline.seq() }),
  metrics: () => pipeline.metricsText(),
  rules: () => ({ plan: pipeline.engine.planHash(), counts: pipeline.engine.ruleCounts() }),
});

tellMain({
  kind: "ready",
  recovered: pipeline.recovered,
  series: pipeline.engine.series(),
  planHash: pipeline.engine.planHash(),
  active: readActiveAlerts(db),
  mqtt: readMqtt(db),
});
