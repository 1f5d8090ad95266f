// The journal: one row per commit, holding every input of it in order, with verdicts, as columns. It is the raw history and
// what recovery and replay read. A row is found by event time through an R-tree of spans, and by series through its id set.
// Layout of a body: flag (0 plain, 1 zstd), then version, inputs, and the columns of all readings of the row.

import type { Command } from "../engine/dispatch/command.ts";
import type { DiskState, Input } from "../engine/input.ts";
import { ACCEPTED, LATE, type ReadingBatch, TIME_ASSIGNED, VERDICT_MASK } from "../engine/reading.ts";
import type { EpochMs, UptimeMs } from "../engine/units.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { readDoubles, readWholes, writeDoubles, writeWholes } from "./columns.ts";
import { compress, decompress } from "./compression.ts";
import type { Database } from "./database.ts";

const VERSION = 1;
const COMPRESS_FROM_BYTES = 200;
/** By their place they are stored: never reorder. A clock that was set is a kind of its own here. */
const kinds = ["readings", "rules", "dead-letter", "started", "clock", "clock-step", "command", "disk"] as const;

/** An input as it is stored: a plan by its hash, which `rule_version` resolves. */
export type StoredInput =
  | { readonly kind: "readings"; readonly at: EpochMs; readonly up: UptimeMs; readonly batch: ReadingBatch }
  | { readonly kind: "rules"; readonly at: EpochMs; readonly up: UptimeMs; readonly hash: string }
  | Extract<Input, { kind: "dead-letter" | "started" | "clock" | "command" | "disk" }>;

/** Readings of one input as they were stored; `ts` is always a time, `verdict` without flags. */
export type ReadingColumns = {
  readonly seq: number;
  readonly at: EpochMs;
  readonly count: number;
  readonly series: Uint32Array;
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly verdict: Uint8Array;
};

export type JournalRow = {
  readonly minTs: EpochMs | null;
  readonly maxTs: EpochMs | null;
  readonly count: number;
  readonly series: Uint8Array;
  readonly body: Uint8Array;
};

const out = new ByteWriter();

/**
 * Encodes the inputs of one commit.
 * @param verdicts, times per `readings` input, as the engine gave them
 */
export function encodeRow(inputs: readonly Input[], verdicts: readonly Uint8Array[], times: readonly Float64Array[]): JournalRow {
  out.clear();
  out.byte(VERSION);
  out.varint(inputs.length);
  let [at, up] = [0, 0];
  for (const input of inputs) {
    out.byte(kinds.indexOf(input.kind === "clock" && input.steppedMs !== undefined ? "clock-step" : input.kind));
    out.zigzag(input.at - at);
    out.zigzag(input.up - up);
    [at, up] = [input.at, input.up];
    encodeInput(input);
  }
  const batches = inputs.flatMap((input) => (input.kind === "readings" ? [input.batch] : []));
  const history = encodeColumns(batches, verdicts, times);
  return { ...history, body: pack(out.view()) };
}

function encodeInput(input: Input): void {
  switch (input.kind) {
    case "readings": {
      const { defined, rejected, known, retained } = input.batch;
      out.varint(input.batch.series.length);
      const hasMore = defined.length > 0 || known !== undefined || retained !== undefined || Object.keys(rejected).length > 0;
      out.text(hasMore ? JSON.stringify({ defined, rejected, known, retained }) : "");
      return;
    }
    case "rules":
      return out.text(input.plan.hash);
    case "dead-letter":
      out.text(input.notification);
      return out.text(input.reason);
    case "started":
      return out.text(input.version);
    case "clock":
      if (input.steppedMs !== undefined) out.zigzag(input.steppedMs);
      return;
    case "disk":
      out.text(input.state);
      out.varint(input.used);
      return out.varint(input.limit);
    case "command":
      out.text(input.by);
      return out.text(JSON.stringify(input.command));
    default: {
      const never: never = input;
      return never;
    }
  }
}

function encodeColumns(batches: readonly ReadingBatch[], verdicts: readonly Uint8Array[], times: readonly Float64Array[]): Omit<JournalRow, "body"> {
  const count = batches.reduce((sum, batch) => sum + batch.series.length, 0);
  const [series, ts, value, verdict] = [new Uint32Array(count), new Float64Array(count), new Float64Array(count), new Uint8Array(count)];
  let offset = 0;
  batches.forEach((batch, index) => {
    series.set(batch.series, offset);
    ts.set(times[index] as Float64Array, offset);
    value.set(batch.value, offset);
    verdict.set(verdicts[index] as Uint8Array, offset);
    offset += batch.series.length;
  });
  writeWholes(out, series);
  writeWholes(out, ts);
  writeDoubles(out, value);
  out.raw(verdict);
  return { count, ...historyOf(series, ts, verdict) };
}

/** The span of event times and the set of series of the readings that belong to history. */
function historyOf(series: Uint32Array, ts: Float64Array, verdict: Uint8Array): Pick<JournalRow, "minTs" | "maxTs" | "series"> {
  let [min, max, kept] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  const ids = new Uint32Array(series.length);
  for (let index = 0; index < series.length; index++) {
    if (!isHistory(verdict[index] as number)) continue;
    ids[kept++] = series[index] as number;
    min = Math.min(min, ts[index] as number);
    max = Math.max(max, ts[index] as number);
  }
  const unique = Uint32Array.from(new Set(ids.subarray(0, kept))).sort();
  return { minTs: kept > 0 ? min : null, maxTs: kept > 0 ? max : null, series: encodeSeriesSet(unique) };
}

/** Whether a verdict byte says that the reading belongs to history. */
export const isHistory = (verdict: number): boolean => {
  const bare = verdict & VERDICT_MASK;
  return bare === ACCEPTED || bare === LATE;
};

function encodeSeriesSet(sorted: Uint32Array): Uint8Array {
  const set = new ByteWriter();
  writeWholes(set, sorted);
  return set.view();
}

/** Whether a row's set of series (column `series`) holds any of the wanted ones. */
export function hasAny(set: Uint8Array, wanted: ReadonlySet<number>): boolean {
  const reader = new ByteReader(set);
  for (let id = 0; !reader.done; ) {
    id += reader.zigzag();
    if (wanted.has(id)) return true;
  }
  return false;
}

/** The ids of a row's set of series. */
export function seriesIn(set: Uint8Array): number[] {
  const [reader, ids] = [new ByteReader(set), [] as number[]];
  for (let id = 0; !reader.done; ids.push(id)) id += reader.zigzag();
  return ids;
}

function pack(bytes: Uint8Array): Uint8Array {
  const isLarge = bytes.length >= COMPRESS_FROM_BYTES;
  const body = isLarge ? compress(bytes) : bytes;
  const packed = new Uint8Array(body.length + 1);
  packed[0] = isLarge ? 1 : 0;
  packed.set(body, 1);
  return packed;
}

type Body = {
  readonly heads: readonly Head[];
  readonly series: Uint32Array;
  readonly ts: Float64Array;
  readonly value: Float64Array;
  readonly flags: Uint8Array;
};

function decodeHeads(body: Uint8Array): { readonly reader: ByteReader; readonly heads: readonly Head[] } {
  const reader = new ByteReader(body[0] === 1 ? decompress(body.subarray(1)) : body.subarray(1));
  const version = reader.byte();
  if (version !== VERSION) throw new Error(`journal row of version ${version}; this release reads ${VERSION}`);
  return { reader, heads: Array.from({ length: reader.varint() }, headReader(reader)) };
}

/** The hashes of the plans that a body puts in force, in order. */
export const readPlanHashes = (body: Uint8Array): string[] =>
  decodeHeads(body).heads.flatMap((head) => (head.kind === "other" && head.input.kind === "rules" ? [head.input.hash] : []));

function decodeBody(body: Uint8Array): Body {
  const { reader, heads } = decodeHeads(body);
  const count = heads.reduce((sum, head) => sum + head.count, 0);
  const [series, ts, value] = [new Uint32Array(count), new Float64Array(count), new Float64Array(count)];
  readWholes(reader, series);
  readWholes(reader, ts);
  readDoubles(reader, value);
  return { heads, series, ts, value, flags: reader.raw(count) };
}

/** Decodes a body into its inputs. The readings' `ts` is NaN again where the device had sent none. */
export function decodeRow(body: Uint8Array): StoredInput[] {
  const { heads, series, ts, value, flags } = decodeBody(body);
  let to = 0;
  return heads.map((head): StoredInput => {
    if (head.kind !== "readings") return head.input;
    const from = to;
    to += head.count;
    const sent = ts.slice(from, to);
    for (let index = from; index < to; index++) if ((flags[index] as number) & TIME_ASSIGNED) sent[index - from] = Number.NaN;
    const batch = { series: series.subarray(from, to), ts: sent, value: value.subarray(from, to), ...head.more };
    return { kind: "readings", at: head.at, up: head.up, batch };
  });
}

/** Decodes only the readings of a body, one group of columns per input. */
export function decodeColumns(body: Uint8Array): Omit<ReadingColumns, "seq">[] {
  const { heads, series, ts, value, flags } = decodeBody(body);
  const verdict = flags.map((flag) => flag & VERDICT_MASK);
  let to = 0;
  return heads.flatMap((head) => {
    if (head.kind !== "readings" || head.count === 0) return [];
    const from = to;
    to += head.count;
    const [ids, times, values, verdicts] = [series.subarray(from, to), ts.subarray(from, to), value.subarray(from, to), verdict.subarray(from, to)];
    return [{ at: head.at, count: head.count, series: ids, ts: times, value: values, verdict: verdicts }];
  });
}

type Head =
  | { kind: "readings"; at: EpochMs; up: UptimeMs; count: number; more: Pick<ReadingBatch, "defined" | "rejected" | "known" | "retained"> }
  | { kind: "other"; count: 0; input: StoredInput };

function headReader(reader: ByteReader): () => Head {
  let [at, up] = [0, 0];
  return () => {
    const kind = kinds[reader.byte()];
    at += reader.zigzag();
    up += reader.zigzag();
    switch (kind) {
      case "readings": {
        const count = reader.varint();
        const more = reader.text();
        return { kind, at, up, count, more: more === "" ? { defined: [], rejected: {} } : JSON.parse(more) };
      }
      case "rules":
        return { kind: "other", count: 0, input: { kind, at, up, hash: reader.text() } };
      case "dead-letter":
        return { kind: "other", count: 0, input: { kind, at, up, notification: reader.text(), reason: reader.text() } };
      case "started":
        return { kind: "other", count: 0, input: { kind, at, up, version: reader.text() } };
      case "clock":
        return { kind: "other", count: 0, input: { kind, at, up } };
      case "clock-step":
        return { kind: "other", count: 0, input: { kind: "clock", at, up, steppedMs: reader.zigzag() } };
      case "disk":
        return {
          kind: "other",
          count: 0,
          input: { kind, at, up, state: reader.text() as DiskState, used: reader.varint(), limit: reader.varint() },
        };
      case "command":
        return { kind: "other", count: 0, input: { kind, at, up, by: reader.text(), command: JSON.parse(reader.text()) as Command } };
      default:
        throw new Error("journal row holds an input of unknown kind");
    }
  };
}

export type JournalFilter = {
  /** Event time, inclusive. */
  readonly fromTs?: EpochMs;
  /** Event time, exclusive. */
  readonly toTs?: EpochMs;
  readonly series?: ReadonlySet<number>;
  /** Exclusive. */
  readonly afterSeq?: number;
  /** Inclusive. */
  readonly throughSeq?: number;
};

/**
 * The readings of all rows that may match, in journal order. It holds no read transaction between rows.
 * The caller filters single readings by ts and verdict, and takes the first of equal (series, ts).
 */
export function* readJournal(db: Database, filter: JournalFilter): Generator<ReadingColumns> {
  const read = db.prepare<[number], { series: Uint8Array; body: Uint8Array }>("SELECT series, body FROM journal WHERE seq = ?");
  for (const seq of seqsOf(db, filter)) {
    const row = read.get(seq);
    if (row === undefined || (filter.series !== undefined && !hasAny(row.series, filter.series))) continue;
    for (const columns of decodeColumns(row.body)) yield { seq, ...columns };
  }
}

/** The seqs of rows that may match, ascending. */
export function seqsOf(db: Database, { fromTs, toTs, afterSeq, throughSeq }: JournalFilter): Float64Array {
  const [after, through] = [afterSeq ?? 0, throughSeq ?? Number.MAX_SAFE_INTEGER];
  const hasSpan = fromTs !== undefined || toTs !== undefined;
  const sql = hasSpan
    ? "SELECT seq FROM journal_span WHERE max_s >= ? AND min_s <= ? AND seq > ? AND seq <= ?"
    : "SELECT seq FROM journal WHERE count >= ? AND count <= ? AND seq > ? AND seq <= ?";
  const bounds = hasSpan ? [spanSecond(fromTs ?? -Infinity), spanSecond((toTs ?? Infinity) - 1)] : [1, Number.MAX_SAFE_INTEGER];
  const seqs = db
    .prepare<number[], number>(sql)
    .pluck()
    .all(...bounds, after, through);
  return Float64Array.from(seqs).sort();
}

/** The R-tree's coordinate: whole seconds, clamped to 32 bits; a filter that may keep too much, never too little. */
export const spanSecond = (ts: EpochMs): number => Math.max(-0x8000_0000, Math.min(0x7fff_ffff, Math.floor(ts / 1000)));

/** Seq of the newest row; 0 when there is none. */
export function newestSeq(db: Database): number {
  return db.prepare<[], number | null>("SELECT max(seq) FROM journal").pluck().get() ?? 0;
}
