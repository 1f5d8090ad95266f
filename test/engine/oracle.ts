// A second opinion about event time: slow, naive, and written from the text of the design alone. It keeps every reading in a
// plain list, walks listening time a second at a time and works out clocks, windows and absences anew each time.
// It knows one plan whose rules apply to every series, and nothing of snapshots, lookups or dispatch.

import type { ConditionSettings } from "../../src/engine/conditions/index.ts";
import type { Input } from "../../src/engine/input.ts";
import type { PredicateSettings } from "../../src/engine/predicate.ts";
import type { Rule, RulePlan, SourceTiming } from "../../src/engine/rule.ts";

/** What the oracle says of a log; the test says the same of the engine. */
export type Opinion = {
  verdicts: string[];
  /** By series and rule: state, date, instant of the occurrence, value. */
  transitions: Record<string, { to: string; ts: number; occurrence: number; value: number }[]>;
  /** By series: closed minutes. */
  buckets: Record<number, { start: number; count: number; sum: number; min: number; max: number }[]>;
  /** By series: minutes that got a reading when they were closed already, once per reading, ascending. */
  dirty: Record<number, number[]>;
};

type Kept = { ts: number; value: number; at: number; up: number; ordinal: number; isLate: boolean; clockThen: number; isEvaluated: boolean; isDirty: boolean };
type Frame = { size: number; slide: number; closed: number; told: number };
type Machine = {
  rule: Rule;
  frame: Frame | undefined;
  phase: "inactive" | "pending" | "firing" | "recovering";
  since: number;
  due: number;
  isSuspended: boolean;
  deafThrough: number;
  dated: number;
  occurrence: number;
  value: number;
};
type Subject = { id: number; kept: Kept[]; minute: Frame; machines: Machine[]; accepted: number };

const NEVER = Number.POSITIVE_INFINITY;
const LONG_AGO = Number.NEGATIVE_INFINITY;
const MINUTE = 60_000;
const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), NEVER);
const greatest = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), LONG_AGO);
const byTs = (a: Kept, b: Kept): number => a.ts - b.ts;

/** @param until listening time up to which silence goes on after the last input */
export function consult(plan: RulePlan, timing: SourceTiming, inputs: readonly Input[], until: number): Opinion {
  const opinion: Opinion = { verdicts: [], transitions: {}, buckets: {}, dirty: {} };
  const subjects: Subject[] = [];
  let up = 0;
  const walk = (to: number): void => {
    const offsets = offsetsOf(subjects);
    for (let second = Math.floor(up / 1000); second * 1000 <= to; second++) {
      for (const offset of offsets) {
        const instant = second * 1000 + offset;
        if (instant < up || instant > to) continue;
        for (const subject of subjects) settle(subject, instant, timing, opinion);
      }
    }
    up = to;
  };
  for (const input of inputs) {
    walk(input.up);
    if (input.kind !== "readings") continue;
    for (const { id } of input.batch.defined) subjects.push(newSubject(id, plan));
    input.batch.series.forEach((id, index) => {
      const subject = subjects[id] as Subject;
      take(subject, input.batch.ts[index] as number, input.batch.value[index] as number, input.at, input.up, timing, opinion);
    });
  }
  walk(until);
  for (const list of Object.values(opinion.dirty)) list.sort((a, b) => a - b);
  return opinion;
}

/** Milliseconds of a second at which something can fall due, when input comes on whole seconds. */
function offsetsOf(subjects: readonly Subject[]): number[] {
  const marks = new Set([0, ...subjects.flatMap(({ kept }) => kept.map(({ ts }) => ts % 1000))]);
  const differences = [...marks].flatMap((a) => [...marks].flatMap((b) => [a - b, a - b + 1]));
  return [...new Set(differences.map((difference) => (difference + 2000) % 1000))].sort((a, b) => a - b);
}

function newSubject(id: number, plan: RulePlan): Subject {
  const machines = plan.rules.map((rule): Machine => {
    const { condition } = rule;
    const frame = condition.type === "window" ? { ...condition.window, closed: LONG_AGO, told: LONG_AGO } : undefined;
    return {
      rule,
      frame,
      phase: "inactive",
      since: Number.NaN,
      due: NEVER,
      isSuspended: false,
      deafThrough: 0,
      dated: LONG_AGO,
      occurrence: LONG_AGO,
      value: Number.NaN,
    };
  });
  return { id, kept: [], minute: { size: MINUTE, slide: MINUTE, closed: LONG_AGO, told: LONG_AGO }, machines, accepted: 0 };
}

const acceptedOf = (subject: Subject): Kept[] => subject.kept.filter(({ isLate }) => !isLate);
const newestOf = (subject: Subject): number => greatest(acceptedOf(subject).map(({ ts }) => ts));
const heardOf = (subject: Subject): number => greatest(acceptedOf(subject).map(({ up }) => up));
const watermarkOf = (subject: Subject, timing: SourceTiming): number => newestOf(subject) - timing.outOfOrdernessMs - 1;

function clockOf(subject: Subject, up: number, timing: SourceTiming): number {
  const quiet = up - heardOf(subject);
  const watermark = watermarkOf(subject, timing);
  return quiet > timing.idleAfterMs ? watermark + (quiet - timing.idleAfterMs) : watermark;
}

function take(subject: Subject, sent: number, value: number, at: number, up: number, timing: SourceTiming, opinion: Opinion): void {
  const ts = Number.isNaN(sent) ? Math.max(at, newestOf(subject) + 1) : sent;
  const isFuture = ts > at + timing.maxFutureMs;
  const isPast = timing.maxPastMs !== null && ts < at - timing.maxPastMs;
  if (isFuture || isPast) return void opinion.verdicts.push("quarantined");
  const same = subject.kept.find((reading) => reading.ts === ts);
  if (same !== undefined) return void opinion.verdicts.push(same.value === value ? "duplicate" : "conflict");
  const isLate = ts <= watermarkOf(subject, timing) || subject.kept.some((reading) => reading.isEvaluated && reading.ts > ts);
  opinion.verdicts.push(isLate ? "late" : "accepted");
  const clockThen = isLate ? clockOf(subject, up, timing) : LONG_AGO;
  const minuteEnd = Math.floor(ts / MINUTE) * MINUTE + MINUTE;
  const isDirty = minuteEnd <= subject.minute.closed || minuteEnd - 1 <= clockThen;
  if (!isLate) subject.accepted += 1;
  const ordinal = isLate ? 0 : subject.accepted;
  const reading = { ts, value, at, up, ordinal, isLate, clockThen, isEvaluated: false, isDirty };
  subject.kept.push(reading);
  if (isDirty) markDirty(subject, reading, opinion);
  // A minute that was passed while it was empty is begun by a mark; what comes for it later amends it.
  if (isDirty) subject.minute.closed = Math.max(subject.minute.closed, minuteEnd);
  settle(subject, up, timing, opinion);
}

function markDirty(subject: Subject, { ts }: Kept, opinion: Opinion): void {
  (opinion.dirty[subject.id] ??= []).push(Math.floor(ts / MINUTE) * MINUTE);
}

/** Everything that is due at this listening time, in order. */
function settle(subject: Subject, up: number, timing: SourceTiming, opinion: Opinion): void {
  if (subject.accepted === 0) return;
  const clock = clockOf(subject, up, timing);
  const quiet = up - heardOf(subject);
  for (;;) {
    const waiting = subject.kept.filter(({ isLate, isEvaluated }) => !isLate && !isEvaluated).sort(byTs);
    const first = waiting[0];
    const last = subject.kept
      .filter(({ isEvaluated }) => isEvaluated)
      .sort(byTs)
      .at(-1);
    const blind = first === undefined || last === undefined ? 0 : Math.max(0, first.at - last.at - (first.up - last.up));
    const heard = first === undefined ? NEVER : first.ts - blind;
    const readingAt = first !== undefined && first.ts <= clock + 1 ? first.ts : NEVER;
    const frames = [subject.minute, ...subject.machines.flatMap(({ frame }) => (frame === undefined ? [] : [frame]))];
    const endAt = least(frames.map((frame) => nextEnd(subject, frame, clock)));
    const timers = subject.machines.filter(({ due, isSuspended }) => !isSuspended && due <= clock && due <= heard);
    const timerAt = least(timers.map(({ due }) => due));
    const revealed = readingAt === NEVER || last === undefined ? [] : absentAmong(subject).filter((machine) => last.ts + afterOf(machine) < heard);
    const revealedAt = least(revealed.map((machine) => (last as Kept).ts + afterOf(machine)));
    const instant = Math.min(readingAt, endAt, timerAt, revealedAt);
    const silent = absentAmong(subject).filter((machine) => quiet > afterOf(machine));
    const silentAt = least(silent.map((machine) => newestOf(subject) + afterOf(machine)));
    if (instant === NEVER && silentAt === NEVER) return;
    if (silentAt <= instant) {
      for (const machine of silent.filter((each) => newestOf(subject) + afterOf(each) === silentAt)) {
        machine.deafThrough = subject.accepted;
        judge(subject, machine, silentAt, "breach", acceptedOf(subject).sort(byTs).at(-1)?.value ?? Number.NaN, opinion);
      }
    } else if (endAt === instant) closeAt(subject, instant, opinion);
    else if (readingAt === instant) evaluate(subject, first as Kept, blind, opinion);
    else {
      for (const machine of subject.machines) {
        if (machine.due === instant && !machine.isSuspended) elapse(subject, machine, opinion);
        if (!revealed.includes(machine) || (last as Kept).ts + afterOf(machine) !== instant) continue;
        machine.deafThrough = (first as Kept).ordinal - 1;
        judge(subject, machine, instant, "breach", (last as Kept).value, opinion);
      }
    }
  }
}

const afterOf = ({ rule }: Machine): number => (rule.condition.type === "absence" ? rule.condition.after : NEVER);
const absentAmong = (subject: Subject): Machine[] =>
  subject.machines.filter(({ rule, phase }) => rule.condition.type === "absence" && (phase === "inactive" || phase === "recovering"));

function evaluate(subject: Subject, reading: Kept, blind: number, opinion: Opinion): void {
  for (const machine of subject.machines) if (blind > 0 && machine.due <= reading.ts) machine.isSuspended = true;
  reading.isEvaluated = true;
  const minuteEnd = Math.floor(reading.ts / MINUTE) * MINUTE + MINUTE;
  if (!reading.isDirty && minuteEnd <= subject.minute.closed) markDirty(subject, reading, opinion);
  for (const machine of subject.machines) {
    const { condition } = machine.rule;
    if (condition.type === "threshold") judge(subject, machine, reading.ts, judgementOf(condition, reading.value), reading.value, opinion);
    if (condition.type === "absence" && reading.ordinal > machine.deafThrough) judge(subject, machine, reading.ts, "clear", reading.value, opinion);
  }
}

/** Whether a reading counts in the window of this frame that ends at `end`. */
const counts = (frame: Frame, { ts, isLate, isEvaluated, clockThen }: Kept, end: number): boolean =>
  ts >= end - frame.size && ts < end && (isLate ? end - 1 > clockThen : isEvaluated);

/** End of the earliest window that is not closed, holds a reading, and that the clock has passed. */
function nextEnd(subject: Subject, frame: Frame, clock: number): number {
  let earliest = NEVER;
  for (const reading of subject.kept) {
    const lastStart = Math.floor(reading.ts / frame.slide) * frame.slide;
    if (lastStart + frame.size <= frame.closed) continue;
    for (let end = lastStart + frame.size; end > reading.ts; end -= frame.slide) {
      if (end > frame.closed && end - 1 <= clock && end < earliest && counts(frame, reading, end)) earliest = end;
    }
  }
  return earliest;
}

function closeAt(subject: Subject, end: number, opinion: Opinion): void {
  const close = (frame: Frame): Kept[] => {
    if (nextEnd(subject, frame, end - 1) !== end) return [];
    const inside = subject.kept.filter((reading) => counts(frame, reading, end));
    frame.closed = end;
    const newest = greatest(inside.map(({ ts }) => ts));
    if (newest <= frame.told) return [];
    frame.told = newest;
    return inside;
  };
  const minute = close(subject.minute).map(({ value }) => value);
  if (minute.length > 0) {
    const sum = minute.reduce((total, value) => total + value, 0);
    (opinion.buckets[subject.id] ??= []).push({ start: end - MINUTE, count: minute.length, sum, min: least(minute), max: greatest(minute) });
  }
  for (const machine of subject.machines) {
    const { condition } = machine.rule;
    if (condition.type !== "window") continue;
    const values = close(machine.frame as Frame).map(({ value }) => value);
    if (values.length === 0 || values.length < condition.min_count) continue;
    const sum = values.reduce((total, value) => total + value, 0);
    const figure = { count: values.length, sum, avg: sum / values.length, min: least(values), max: greatest(values) }[condition.aggregate];
    judge(subject, machine, end, judgementOf(condition, figure), figure, opinion);
  }
}

type Judgement = "breach" | "between" | "clear";

function judgementOf(settings: PredicateSettings & ConditionSettings, value: number): Judgement {
  const { above, below, outside, inside, clear_below, clear_above, clear_inside, clear_outside } = settings as Record<string, unknown>;
  const pick = (isBreached: boolean, isClear: boolean): Judgement => (isBreached ? "breach" : isClear ? "clear" : "between");
  const beyond = ([low, high]: [number, number]): boolean => value < low || value > high;
  const within = ([low, high]: [number, number]): boolean => low < value && value < high;
  if (typeof above === "number") return pick(value > above, clear_below === undefined ? value <= above : value < (clear_below as number));
  if (typeof below === "number") return pick(value < below, clear_above === undefined ? value >= below : value > (clear_above as number));
  if (outside !== undefined) return pick(beyond(outside as [number, number]), clear_inside === undefined || within(clear_inside as [number, number]));
  return pick(within(inside as [number, number]), clear_outside === undefined || beyond(clear_outside as [number, number]));
}

function judge(subject: Subject, machine: Machine, ts: number, judgement: Judgement, value: number, opinion: Opinion): void {
  const { rule } = machine;
  machine.isSuspended = false;
  machine.value = value;
  if (machine.phase === "inactive" && judgement === "breach") {
    machine.since = ts;
    machine.phase = "pending";
    machine.due = ts + rule.forMs;
    if (rule.forMs === 0) fire(subject, machine, ts, opinion);
  } else if (machine.phase === "pending") {
    if (judgement !== "breach") rest(machine);
    else if (ts >= machine.due) fire(subject, machine, machine.due, opinion);
  } else if (machine.phase === "firing" && judgement === "clear") {
    machine.due = ts + rule.keepFiringForMs;
    machine.phase = "recovering";
    if (rule.keepFiringForMs === 0) tell(subject, machine, "resolved", ts, opinion);
    else tell(subject, machine, "recovering", ts, opinion);
    if (rule.keepFiringForMs === 0) rest(machine);
  } else if (machine.phase === "recovering") {
    if (judgement === "breach") {
      machine.phase = "firing";
      machine.due = NEVER;
      tell(subject, machine, "firing", ts, opinion);
    } else if (ts >= machine.due) elapse(subject, machine, opinion);
  }
}

function elapse(subject: Subject, machine: Machine, opinion: Opinion): void {
  if (machine.phase === "pending") return fire(subject, machine, machine.due, opinion);
  const { due } = machine;
  rest(machine);
  tell(subject, machine, "resolved", due, opinion);
}

function rest(machine: Machine): void {
  machine.phase = "inactive";
  machine.due = NEVER;
  machine.isSuspended = false;
}

function fire(subject: Subject, machine: Machine, ts: number, opinion: Opinion): void {
  machine.phase = "firing";
  machine.due = NEVER;
  machine.isSuspended = false;
  machine.occurrence = Math.max(ts, machine.dated, machine.occurrence + 1);
  tell(subject, machine, "firing", machine.occurrence, opinion);
}

function tell(subject: Subject, machine: Machine, to: string, ts: number, opinion: Opinion): void {
  machine.dated = Math.max(ts, machine.dated);
  (opinion.transitions[`${subject.id} ${machine.rule.name}`] ??= []).push({ to, ts: machine.dated, occurrence: machine.occurrence, value: machine.value });
}
