// Who sent what: each reading and each piece of nonsense, how often the gateway took it and how often it acknowledged it. Held
// against the journal: acknowledged ≤ stored ≤ taken, for every reading, and the books against what was taken.

import { type Books, LATE, type Labels, QUARANTINED, seriesKey, TIME_ASSIGNED, VERDICT_MASK, verdicts } from "../../src/engine/reading.ts";
import { isHistory } from "../../src/storage/journal.ts";

/** `ts: undefined`: the device sent no time. */
export type SentReading = { readonly series: string; readonly ts: number | undefined; readonly value: number };

export type Message = {
  readonly device: string;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly readings: readonly SentReading[];
  /** Values that must be rejected. */
  readonly bad: number;
  readonly qos: 0 | 1;
};

type Count = { taken: number; released: number; stored: number };
type Stored = { readonly value: number; readonly verdict: number };

export type Ledger = ReturnType<typeof createLedger>;

const keyOf = (series: string, ts: number | undefined, value: number): string => `${series} ${ts ?? "timeless"} ${value}`;

export function createLedger() {
  const counts = new Map<string, Count>();
  const bad: Count = { taken: 0, released: 0, stored: 0 };
  /** By series, by ts, in order of arrival. */
  const journal = new Map<string, Map<number, Stored[]>>();
  const judged: Books = { received: 0, accepted: 0, late: 0, duplicate: 0, conflict: 0, quarantined: 0, rejected: 0 };
  const keys: string[] = [];

  const countOf = (key: string): Count => {
    const known = counts.get(key);
    if (known !== undefined) return known;
    const made = { taken: 0, released: 0, stored: 0 };
    counts.set(key, made);
    return made;
  };
  const add = (message: Message, what: "taken" | "released"): void => {
    for (const { series, ts, value } of message.readings) countOf(keyOf(series, ts, value))[what] += 1;
    bad[what] += message.bad;
  };

  return {
    taken: (message: Message): void => add(message, "taken"),
    released: (message: Message): void => add(message, "released"),
    /** A series of the journal, in the order of the ids. */
    define(id: number, labels: Labels): void {
      keys[id] = seriesKey(labels);
    },
    rejected(count: number): void {
      bad.stored += count;
      judged.rejected += count;
      judged.received += count;
    },
    stored(series: number, ts: number, value: number, mark: number): void {
      const key = keys[series] ?? `series ${series}, which was never defined`;
      const verdict = mark & VERDICT_MASK;
      countOf(keyOf(key, (mark & TIME_ASSIGNED) !== 0 ? undefined : ts, value)).stored += 1;
      judged[verdicts[verdict] as (typeof verdicts)[number]] += 1;
      judged.received += 1;
      let times = journal.get(key);
      if (times === undefined) journal.set(key, (times = new Map()));
      const at = times.get(ts);
      if (at === undefined) times.set(ts, [{ value, verdict }]);
      else at.push({ value, verdict });
    },
    /** What is stored, by series and time, in order of arrival. */
    journal: (): ReadonlyMap<string, ReadonlyMap<number, readonly Stored[]>> => journal,
    keys: (): readonly string[] => keys,

    /** @returns what does not balance */
    problems(books: Books): string[] {
      const found: string[] = [];
      for (const [key, { taken, released, stored }] of counts) {
        if (released > stored) found.push(`${key}: acknowledged ${released} times, stored ${stored} times`);
        if (stored > taken) found.push(`${key}: stored ${stored} times, taken ${taken} times`);
      }
      if (bad.released > bad.stored || bad.stored > bad.taken) found.push(`nonsense: ${JSON.stringify(bad)}`);
      if (JSON.stringify(judged) !== JSON.stringify(books)) found.push(`the books say ${JSON.stringify(books)}, the journal ${JSON.stringify(judged)}`);
      const { received, ...rest } = books;
      const sum = Object.values(rest).reduce((total, count) => total + count, 0);
      if (sum !== received) found.push(`the books do not balance: ${JSON.stringify(books)}`);
      return found;
    },

    /**
     * Each instant of a series is in history once, first come; what is not there has a reason.
     * @param unanswered old timestamps that were taken as new because looking them up cost too much
     */
    historyProblems(unanswered: number): string[] {
      const found: string[] = [];
      let repeated = 0;
      for (const [key, times] of journal) {
        for (const [ts, stored] of times) {
          const first = stored.find(({ verdict }) => isHistory(verdict));
          const judgedOnly = stored.filter(({ verdict }) => verdict !== QUARANTINED);
          if (judgedOnly.length > 0 && judgedOnly[0] !== first) found.push(`${key} at ${ts}: ${verdictsOf(stored)}, but nothing was there before`);
          for (const { value, verdict } of judgedOnly.slice(1)) {
            if (verdict === LATE) repeated += 1;
            else if (isHistory(verdict)) found.push(`${key} at ${ts}: accepted twice`);
            else if ((verdicts[verdict] === "duplicate") !== (value === first?.value))
              found.push(`${key} at ${ts}: ${value} is a ${verdicts[verdict]} of ${first?.value}`);
          }
        }
      }
      if (repeated > unanswered) found.push(`${repeated} readings were taken again as late, but only ${unanswered} look-ups were left unanswered`);
      return found;
    },
  };
}

const verdictsOf = (stored: readonly Stored[]): string => stored.map(({ verdict }) => verdicts[verdict]).join(", ");
