// Rebuild of alerts: what was received of a time through the engine once more, in the shadow of what is stored; then what differs takes its
// place. Only occurrences that lie in the time whole, and are over, are changed: active ones are the running engine's. What people were
// told stays what it was. Nobody is told. It only reads; rows go out by `emit`.

import type { Emit } from "../batch/jobs/emitter.ts";
import { createEmitter } from "../batch/jobs/emitter.ts";
import type { GatewayConfig } from "../config.ts";
import { dayOf } from "../engine/calendar.ts";
import type { AlertRecord } from "../engine/effect.ts";
import { gatewayReasonOf } from "../engine/gateway-alerts.ts";
import type { EpochMs } from "../engine/units.ts";
import { rfc3339 } from "../reasons/format.ts";
import { type ReplayProgress, replay } from "../replay.ts";
import type { Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import { wasImported } from "../storage/imports.ts";
import { newestSeq } from "../storage/journal.ts";
import type { Difference, Occurrence } from "../storage/occurrences.ts";
import { type AlertStanding, createAlertStandingReader, type RebuiltAlert, type RebuiltAlertRow, type RebuiltTransition } from "../storage/rebuilt-alerts.ts";

export type RebuildAlertsOptions = {
  /** Inclusive; times of arrival, or event times where it is rebuilt by event time. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
  readonly byEventTime?: boolean;
  /** Compares and tells, writes nothing. */
  readonly isDry?: boolean;
  readonly config: GatewayConfig;
  readonly now: EpochMs;
  /** Who asked for it. */
  readonly by: string;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: ReplayProgress) => void;
};

/** What is done with an occurrence that differs, or why nothing is. */
export type Verdict =
  | "inserted"
  | "changed"
  /** Only the live run had it: it stays, and says that a rebuild does not have it. */
  | "kept"
  /** An earlier rebuild has done so already. */
  | "done"
  /** It fires, or somebody is still to be told of it. */
  | "active"
  /** It reaches over an edge of the time, or was not over at its end. */
  | "edge";
export const verdicts: readonly Verdict[] = ["inserted", "changed", "kept", "done", "active", "edge"];

export type RebuildAlertsReport = {
  readonly grade: "exact" | "event-time";
  /** Why it is not exact. */
  readonly because: string | null;
  readonly readings: number;
  /** Occurrences of the time, as stored and as rebuilt. */
  readonly fired: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The first of them. */
  readonly told: readonly { readonly verdict: Verdict; readonly difference: Difference }[];
  /** Occurrences beyond the bound, of which nothing was made. */
  readonly left: number;
  readonly isDry: boolean;
};

const TOLD_MAX = 200;
/** Occurrences whose transitions are held until they are compared. */
const HELD_MAX = 50_000;

/** @throws GatewayError `snapshot_unreadable` */
export async function runRebuildAlerts(db: Database, options: RebuildAlertsOptions, emit: Emit): Promise<RebuildAlertsReport> {
  const { from, to, config, isDry = false } = options;
  const shadow = createShadow();
  const isImported = wasImported(db, { from, to });
  const report = replay(db, {
    ...{ from, to, config, rules: { kind: "in-force" }, byEventTime: options.byEventTime === true || isImported },
    ...(options.progress && { progress: options.progress }),
    transition: shadow.add,
  });
  const because = isImported && options.byEventTime !== true ? "readings of that time were imported" : (report.because ?? null);
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  const told: { verdict: Verdict; difference: Difference }[] = [];
  const emitter = createEmitter(emit);
  const decide = createDecider(db, shadow, { ...options, grade: report.grade });
  for (const difference of report.differences) {
    if (gatewayReasonOf(ruleOf(difference)) !== undefined) continue;
    const { verdict, row } = decide(difference);
    counts[verdict] += 1;
    if (told.length < TOLD_MAX && verdict !== "done") told.push({ verdict, difference });
    if (!isDry && row !== undefined) await emitter.add(row);
    if (options.signal?.aborted) break;
  }
  await emitter.flush();
  return { grade: report.grade, because, readings: report.readings, fired: report.fired.length, counts, told, left: report.left + shadow.left(), isDry };
}

const ruleOf = (difference: Difference): string => (difference.kind === "only-replay" ? difference.replay : difference.live).rule;

type Shadow = ReturnType<typeof createShadow>;

/** The rebuilt occurrences with all that is stored of one. */
function createShadow() {
  const held = new Map<string, { record: AlertRecord; transitions: RebuiltTransition[] }>();
  let left = 0;
  return {
    left: () => left,
    add(transition: Parameters<NonNullable<Parameters<typeof replay>[1]["transition"]>>[0], record: AlertRecord, at: EpochMs): void {
      const known = held.get(record.id);
      if (known === undefined && held.size >= HELD_MAX) {
        if (transition.to === "firing") left += 1;
        return;
      }
      const kept = { ...transition, at };
      if (known === undefined) held.set(record.id, { record, transitions: [kept] });
      else {
        known.record = record;
        known.transitions.push(kept);
      }
    },
    /** Undefined when it did not begin and end within the time. */
    whole(id: string): RebuiltAlert | undefined {
      const found = held.get(id);
      return found !== undefined && found.transitions[0]?.ordinal === 1 && found.record.state === "resolved" ? found : undefined;
    },
  };
}

type Decided = { readonly verdict: Verdict; readonly row?: RebuiltAlertRow };
type Asked = RebuildAlertsOptions & { readonly grade: "exact" | "event-time" };

function createDecider(db: Database, shadow: Shadow, { from, to, now, by, config, grade }: Asked): (difference: Difference) => Decided {
  const standingOf = createAlertStandingReader(db);
  const { zone } = config.plan;
  const [seq, when] = [newestSeq(db), spanText({ from, to })];
  const how = grade === "exact" ? "from the journal" : "by event time";
  const row = (id: string, was: number | null, rebuilt: RebuiltAlert | null, text: string, fired: readonly EpochMs[]): RebuiltAlertRow => {
    const days = [...new Set(fired.map((ts) => dayOf(zone, ts)))].map((day) => ({ zone: zone.name, day }));
    return { kind: "rebuilt-alert", id, rebuilt, was, seq, event: { at: now, by, text }, days };
  };
  const insert = (replayed: Occurrence): Decided => {
    const rebuilt = shadow.whole(replayed.id);
    if (rebuilt === undefined) return { verdict: "edge" };
    const text = `a rebuild of ${when}, ${how}, made it: nobody was told`;
    return { verdict: "inserted", row: row(replayed.id, null, rebuilt, text, [rebuilt.record.firedAt]) };
  };
  const change = (live: Occurrence, replayed: Occurrence, standing: AlertStanding): Decided => {
    const rebuilt = shadow.whole(replayed.id);
    if (rebuilt === undefined) return { verdict: "edge" };
    // Under its own id it fires at another instant since an earlier rebuild.
    if (isSameCourse(live, replayed)) return { verdict: "done" };
    const text = `a rebuild of ${when}, ${how}, changed it; before: ${courseText(live)}`;
    return { verdict: "changed", row: row(live.id, standing.changedSeq, rebuilt, text, [live.firedAt, rebuilt.record.firedAt]) };
  };
  const keep = (live: Occurrence, standing: AlertStanding): Decided => {
    const text = `a rebuild of ${when}, ${how}, does not have it`;
    return standing.texts.includes(text) ? { verdict: "done" } : { verdict: "kept", row: row(live.id, standing.changedSeq, null, text, []) };
  };
  return (difference) => {
    if (difference.kind === "only-replay") return standingOf(difference.replay.id) === undefined ? insert(difference.replay) : { verdict: "edge" };
    const standing = standingOf(difference.live.id);
    if (standing === undefined || !standing.isOver) return { verdict: "active" };
    if (standing.transitions !== difference.live.steps.length) return { verdict: "edge" };
    return difference.kind === "changed" ? change(difference.live, difference.replay, standing) : keep(difference.live, standing);
  };
}

const isSameCourse = ({ steps: a }: Occurrence, { steps: b }: Occurrence): boolean =>
  a.length === b.length && a.every(({ to, ts }, index) => to === b[index]?.to && ts === b[index]?.ts);

const spanText = ({ from, to }: Span): string => `${rfc3339(from)} to ${rfc3339(to)}`;

const COURSE_MAX = 20;

function courseText({ steps, peak }: Occurrence): string {
  const told = steps.slice(0, COURSE_MAX).map(({ to, ts }) => `${to} ${rfc3339(ts)}`);
  return `${told.join(", ")}${steps.length > COURSE_MAX ? `, and ${steps.length - COURSE_MAX} more` : ""}; peak ${peak}`;
}
