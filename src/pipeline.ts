// THE loop: take a turn → look up what the engine forgot → engine.step → commit → release. Stepped effects are committed or the
// process ends: a full or busy disk is tried again with the same row and the same seq, and nothing else is stepped meanwhile;
// any other failure ends the process, and recovery starts from the journal.

import type { Engine, Wake } from "./engine/contract.ts";
import type { Effects } from "./engine/effect.ts";
import { createEngine } from "./engine/engine.ts";
import type { Input } from "./engine/input.ts";
import { GatewayError } from "./error.ts";
import type { Turn } from "./inbox.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { createCommitter } from "./storage/commit.ts";
import type { Database } from "./storage/database.ts";
import type { FinishedRow } from "./storage/finished.ts";
import { createLookup, type LookupBudget, lookupBudget } from "./storage/lookup.ts";
import { packPart } from "./storage/parts.ts";
import { recover } from "./storage/recovery.ts";
import type { SnapshotPart } from "./storage/snapshot.ts";

export type PipelineDeps = {
  readonly db: Database;
  /** Milliseconds that never step; only for how long things take. */
  readonly monotonic: () => number;
  readonly sleep: (ms: number) => void;
  /** The disk refuses; it is tried again. */
  readonly holding: (reason: string) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Readings after which a snapshot begins; default 1,000,000. A minute after the last one it begins anyway. */
  readonly snapshotAfter?: number;
};

/** `worked`: rows of the job that were written. */
export type Settled = { readonly wakeAt: Wake; readonly effects: Effects | undefined; readonly worked: number };
export type Pipeline = ReturnType<typeof createPipeline>;

const SNAPSHOT_SLICE_MS = 2;
/** While more than so many series wait in memory for their part, since readings changed them, slices take longer. */
const SNAPSHOT_EARLY_MAX = 500;
const SNAPSHOT_HASTE_MS = 10;
const SNAPSHOT_AFTER_READINGS = 1_000_000;
const SNAPSHOT_AFTER_MS = 60_000;
/** What a commit may take longer for rows of a job. */
const WORK_SLICE_MS = 5;
const RETRY_MS = 200;

/** Recovers the engine from its snapshot and the journal, and gives the loop's body. */
export function createPipeline(deps: PipelineDeps) {
  const { db, log, snapshotAfter = SNAPSHOT_AFTER_READINGS } = deps;
  const engine: Engine = createEngine();
  const recovered = recover(db, engine);
  for (const seq of recovered.differing.slice(0, 10)) log.warn({ seq }, "this release decides otherwise about a journal row; what was committed stands");
  const commit = createCommitter(db);
  const lookUp = createLookup(db);
  const counters = createCounters(deps.metrics, engine);
  let seq = recovered.seq;
  let snapshot: { readonly seq: number } | undefined;
  let readingsSince = recovered.readings;
  let snapshotDueAt = deps.monotonic() + SNAPSHOT_AFTER_MS;

  /** Counts how long it took, unless it throws. */
  function timed<Result>(takes: Seconds, work: () => Result): Result {
    const begun = deps.monotonic();
    const result = work();
    takes.observe((deps.monotonic() - begun) / 1000);
    return result;
  }

  function withKnown(input: Input, budget: LookupBudget): Input {
    if (input.kind !== "readings") return input;
    const lookups = engine.unknown(input.batch);
    if (lookups.length === 0) return input;
    const { known, unanswered } = lookUp(lookups, budget);
    counters.unanswered.inc(unanswered);
    return { ...input, batch: { ...input.batch, known } };
  }

  function snapshotSlice(): { seq: number; parts: SnapshotPart[]; isLast: boolean } | undefined {
    if (snapshot === undefined) return undefined;
    const begun = deps.monotonic();
    const parts: SnapshotPart[] = [];
    for (;;) {
      const { part, saved, early, isLast } = engine.nextSnapshotPart();
      parts.push({ part, body: saved && packPart(saved) });
      // It would be megabytes of garbage that the next full collection frees.
      saved?.numbers.buffer.transfer(0);
      const sliceMs = early > SNAPSHOT_EARLY_MAX ? SNAPSHOT_HASTE_MS : SNAPSHOT_SLICE_MS;
      if (isLast || deps.monotonic() - begun >= sliceMs) return { seq: snapshot.seq, parts, isLast };
    }
  }

  function beginSnapshotIfDue(): void {
    if (snapshot !== undefined || readingsSince === 0 || (readingsSince < snapshotAfter && deps.monotonic() < snapshotDueAt)) return;
    engine.beginSnapshot();
    snapshot = { seq };
    readingsSince = 0;
    snapshotDueAt = deps.monotonic() + SNAPSHOT_AFTER_MS;
  }

  /** What a job has to write gets a slice of each commit. */
  function workSlice(rows: readonly FinishedRow[]): Parameters<typeof commit>[0]["work"] {
    if (rows.length === 0) return undefined;
    let begun: number | undefined;
    return {
      rows,
      mayGoOn() {
        begun ??= deps.monotonic();
        return deps.monotonic() - begun < WORK_SLICE_MS;
      },
    };
  }

  /** Commits, however long the disk refuses. @returns how many rows of the job were written */
  function write(step: Parameters<typeof commit>[0]["step"], finished: readonly FinishedRow[], work: readonly FinishedRow[] = []): number {
    const slice = snapshotSlice();
    let worked = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        worked = timed(counters.commitSeconds, () => commit({ step, finished, snapshot: slice, work: workSlice(work) }));
        break;
      } catch (cause) {
        if (!isTransient(cause)) throw new GatewayError("commit_failed", `the commit of row ${step?.seq} failed: ${(cause as Error).message}`, { cause });
        counters.retries.inc();
        if (attempt === 1) log.error({ reason: (cause as Error).message }, "the disk refuses; nothing is acknowledged until it takes the commit");
        deps.holding((cause as Error).message);
        deps.sleep(RETRY_MS);
      }
    }
    if (slice?.isLast) snapshot = undefined;
    counters.commits.inc();
    return worked;
  }

  return {
    engine,
    /** Where the last run ended, for the inbox. */
    recovered,
    seq: () => seq,
    metricsText(): Promise<string> {
      counters.refresh();
      return deps.metrics.text();
    },

    /** @param work rows of a job, of which it writes as many as fit beside */
    turn(turn: Turn, work: readonly FinishedRow[] = []): Settled {
      const budget = lookupBudget();
      const inputs = turn.inputs.map((input) => withKnown(input, budget));
      const last = inputs.at(-1);
      const writeRest = (): number => (turn.finished.length > 0 || work.length > 0 || snapshot !== undefined ? write(undefined, turn.finished, work) : 0);
      if (last === undefined) return { wakeAt: engine.nextWakeAt(), effects: undefined, worked: writeRest() };
      const effects = timed(counters.stepSeconds, () => engine.step(inputs, { now: last.at, up: last.up }));
      if (inputs.every(isWake) && isQuiet(effects)) return { wakeAt: engine.nextWakeAt(), effects: undefined, worked: writeRest() };
      const count = effects.verdicts.reduce((sum, verdicts) => sum + verdicts.length, 0);
      const worked = write({ seq: seq + 1, inputs, effects, now: last.at }, turn.finished, work);
      seq += 1;
      readingsSince += Math.max(1, count);
      counters.readings.observe(count);
      beginSnapshotIfDue();
      return { wakeAt: engine.nextWakeAt(), effects, worked };
    },

    /** Writes rows that are no inputs, a slice of a snapshot that is under way, and one of what a job has to write. */
    idle(finished: readonly FinishedRow[], work: readonly FinishedRow[] = []): { hasMore: boolean; worked: number } {
      beginSnapshotIfDue();
      const worked = finished.length > 0 || work.length > 0 || snapshot !== undefined ? write(undefined, finished, work) : 0;
      return { hasMore: snapshot !== undefined, worked };
    },

    /** Writes a whole snapshot, so that the next start has nothing to step again. */
    close(): void {
      while (snapshot !== undefined) write(undefined, []);
      if (readingsSince === 0) return;
      engine.beginSnapshot();
      snapshot = { seq };
      readingsSince = 0;
      while (snapshot !== undefined) write(undefined, []);
    },
  };
}

type Seconds = { observe(seconds: number): void };
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** A clock that was set changes what the engine knows, also where nothing comes of it. */
const isWake = (input: Input): boolean => input.kind === "clock" && input.steppedMs === undefined;

const isQuiet = (effects: Effects): boolean => Object.values(effects).every((list) => list.length === 0);

const isTransient = (error: unknown): boolean => /^SQLITE_(FULL|BUSY)/.test((error as { code?: string }).code ?? "");

function createCounters(metrics: Metrics, engine: Engine) {
  const verdicts = metrics.gauge("highwater_readings", "Values by verdict, since the data directory began", ["verdict"]);
  const watched = metrics.gauge("highwater_rule_series", "Series that a rule watches", ["rule"]);
  const standing = metrics.gauge("highwater_rule_alerts", "Alerts of a rule by state", ["rule", "state"]);
  const refused = metrics.gauge("highwater_group_refused", "Series that found no room in a group, since the start or the last change of the rules");
  return {
    /** To be called before the metrics are read. */
    refresh(): void {
      for (const [verdict, count] of Object.entries(engine.books())) verdicts.set({ verdict }, count);
      refused.set(engine.refusedByGroups());
      // Rules that are gone leave no series behind.
      for (const gauge of [watched, standing]) gauge.reset();
      for (const { rule, series, ...states } of engine.ruleCounts()) {
        watched.set({ rule }, series);
        for (const [state, count] of Object.entries(states)) standing.set({ rule, state }, count);
      }
    },
    commits: metrics.counter("highwater_commits_total", "Transactions that were committed"),
    retries: metrics.counter("highwater_commit_retries_total", "Commits that the disk refused and that were tried again"),
    unanswered: metrics.counter("highwater_lookups_unanswered_total", "Old timestamps taken as new because looking them up would have cost too much"),
    readings: metrics.histogram("highwater_commit_readings", "Readings per commit", [1, 10, 100, 1000, 10_000]),
    stepSeconds: metrics.histogram("highwater_step_duration_seconds", "How long the engine took over the inputs of a turn", SECONDS),
    commitSeconds: metrics.histogram("highwater_commit_duration_seconds", "How long transactions took until they were on the disk", SECONDS),
  };
}
