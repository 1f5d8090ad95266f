// Drives an engine through inputs, in steps that join and wake-ups and restarts that come where they like, and says of what it did
// what the oracle says of what it should have done.

import type { Engine } from "../../../src/engine/contract.ts";
import type { Effects } from "../../../src/engine/effect.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import type { Input } from "../../../src/engine/input.ts";
import { type KnownReading, seriesKey, VERDICT_MASK, verdicts } from "../../../src/engine/reading.ts";
import { MINUTE, SECOND } from "../harness.ts";
import { emptyOpinion, type Opinion, roundFigure } from "./opinion.ts";
import type { Turn } from "./random-happenings.ts";

/** @param until listening time up to which silence goes on after the last input */
export function observe(inputs: readonly Input[], turns: readonly Turn[], until: number): Opinion {
  const opinion = emptyOpinion();
  const stored = new Map<string, KnownReading>();
  const parts = new Map<number, Part>();
  let engine = createEngine();
  for (let from = 0, number = 0; from < inputs.length; number++) {
    const turn = turns[number % turns.length] as Turn;
    const group = inputs.slice(from, from + 1 + turn.join).map((input) => withKnown(input, engine, stored));
    from += group.length;
    const { at, up } = group.at(-1) as Input;
    const effects = engine.step(group, { now: at, up });
    store(group, effects, stored);
    note(effects, opinion);
    const wake = Math.min(turn.wake * SECOND, (inputs[from]?.up ?? until) - up);
    note(engine.step([], { now: at + wake, up: up + wake }), opinion);
    if (turn.restart) engine = restarted(engine, parts);
  }
  const last = inputs.at(-1) as Input;
  note(engine.step([], { now: last.at + until - last.up, up: until }), opinion);
  for (const list of Object.values(opinion.dirty)) list.sort((a, b) => a - b);
  return opinion;
}

/** As the pipeline does: what the engine does not remember is looked up before it steps. */
function withKnown(input: Input, engine: Engine, stored: ReadonlyMap<string, KnownReading>): Input {
  if (input.kind !== "readings") return input;
  const known = engine.unknown(input.batch).flatMap(({ series, ts }) => stored.get(`${series} ${ts}`) ?? []);
  return { ...input, batch: { ...input.batch, known } };
}

function store(inputs: readonly Input[], effects: Effects, stored: Map<string, KnownReading>): void {
  const batches = inputs.flatMap((input) => (input.kind === "readings" ? [input.batch] : []));
  for (const [index, batch] of batches.entries()) {
    for (const [place, mark] of (effects.verdicts[index] as Uint8Array).entries()) {
      if ((mark & VERDICT_MASK) > 1) continue;
      const [series, ts, value] = [batch.series[place] as number, effects.ts[index]?.[place] as number, batch.value[place] as number];
      stored.set(`${series} ${ts}`, { series, ts, value });
    }
  }
}

type Part = Parameters<Engine["restore"]>[0] extends Iterable<infer Each> ? Each : never;

/** Saves the state and goes on with an engine restored from it. @param parts of the snapshot before; those that did not change are kept */
function restarted(engine: Engine, parts: Map<number, Part>): Engine {
  const before = new Map(parts);
  parts.clear();
  engine.beginSnapshot();
  for (let isLast = false; !isLast; ) {
    const next = engine.nextSnapshotPart();
    parts.set(next.part, next.saved === undefined ? (before.get(next.part) as Part) : { part: next.part, saved: next.saved });
    isLast = next.isLast;
  }
  const after = createEngine();
  after.restore(parts.values());
  return after;
}

function note(effects: Effects, opinion: Opinion): void {
  for (const marks of effects.verdicts) for (const mark of marks) opinion.verdicts.push(verdicts[mark & VERDICT_MASK] as string);
  for (const [index, { alert, to, reason, ts, figures, evidence }] of effects.transitions.entries()) {
    const record = effects.alerts[index] as Effects["alerts"][number];
    const occurrence = Number.parseInt(alert.slice(alert.indexOf("-") + 1), 36);
    const told = { to, reason, ts, occurrence, value: roundFigure(figures.value), severity: record.severity };
    (opinion.transitions[`${record.series < 0 ? record.subject : record.series} ${evidence.rule}`] ??= []).push(told);
  }
  for (const { rule, series, labels, since } of effects.pending) (opinion.pending[`${series < 0 ? seriesKey(labels) : series} ${rule}`] ??= []).push(since);
  for (const { tier, series, start, values } of effects.rollups) {
    const { count, sum, min, max } = values;
    if (tier === MINUTE) (opinion.buckets[series] ??= []).push({ start, count, sum, min, max });
  }
  for (const { tier, series, start, values } of effects.dirty) {
    if (tier === MINUTE) for (let count = values.count; count > 0; count--) (opinion.dirty[series] ??= []).push(start);
  }
}
