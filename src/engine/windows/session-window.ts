// A session window: readings that follow each other within `gap`, from the first to `gap` after the last. Several sessions are open
// only while late readings fill the time before the newest. A closed one stays closed: what comes for its time later begins anew.

import type { PaneAggregate } from "../aggregates/pane-aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { Window, WindowResult } from "../window.ts";

type Session = { start: EpochMs; last: EpochMs; readonly aggregate: PaneAggregate };

export type SessionSettings = { readonly spec: Extract<Window["spec"], { kind: "session" }>; readonly sharing: string; readonly empty: () => PaneAggregate };

/** Sessions of one subject that may be open at once; a late reading that would begin another counts nowhere. */
const SESSIONS_MAX = 1000;

export class SessionWindow implements Window {
  readonly spec: SessionSettings["spec"];
  readonly sharing: string;
  readonly born: number;
  readonly #empty: () => PaneAggregate;
  /** In order; more than `gap` lies between them. */
  #sessions: Session[] = [];
  #spare: PaneAggregate | undefined;
  /** Latest reading of the newest result; a result with nothing later changes no condition. */
  #newestTold: EpochMs = Number.NEGATIVE_INFINITY;
  result: WindowResult | undefined;

  constructor({ spec, sharing, empty }: SessionSettings, born: number) {
    this.spec = spec;
    this.sharing = sharing;
    this.born = born;
    this.#empty = empty;
  }

  get lag(): 1 {
    return 1;
  }

  get nextEnd(): EpochMs {
    const [first] = this.#sessions;
    return first === undefined ? Number.POSITIVE_INFINITY : first.last + this.spec.gap;
  }

  add(ts: EpochMs, value: number): void {
    const newest = this.#sessions.at(-1);
    if (newest !== undefined && ts >= newest.last && ts <= newest.last + this.spec.gap) {
      newest.aggregate.add(ts, value);
      newest.last = ts;
    } else this.#place(ts, value);
  }

  addLate(ts: EpochMs, value: number, clock: EpochMs): void {
    const isReached = this.#reaches(this.#indexOf(ts), ts);
    if (!isReached && (ts + this.spec.gap <= clock || this.#sessions.length >= SESSIONS_MAX)) return;
    this.#place(ts, value);
  }

  close(): void {
    const { start, last, aggregate } = this.#sessions.shift() as Session;
    this.#spare = aggregate;
    if (last <= this.#newestTold) return;
    this.#newestTold = last;
    this.result = { start, end: last + this.spec.gap, aggregate };
  }

  save(to: StateWriter): void {
    for (const value of [this.born, this.#newestTold, this.#sessions.length]) to.number(value);
    for (const { start, last, aggregate } of this.#sessions) {
      to.number(start);
      to.number(last);
      aggregate.save(to);
    }
  }

  static restore(settings: SessionSettings, from: StateReader): SessionWindow {
    const window = new SessionWindow(settings, from.number());
    window.#newestTold = from.number();
    window.#sessions = Array.from({ length: from.number() }, () => {
      const session = { start: from.number(), last: from.number(), aggregate: settings.empty() };
      session.aggregate.load(from);
      return session;
    });
    return window;
  }

  /** The first session that does not end before `ts`. */
  #indexOf(ts: EpochMs): number {
    let index = this.#sessions.length;
    while (index > 0 && (this.#sessions[index - 1] as Session).last + this.spec.gap >= ts) index--;
    return index;
  }

  #reaches(index: number, ts: EpochMs): boolean {
    const session = this.#sessions[index];
    return session !== undefined && session.start - this.spec.gap <= ts;
  }

  /** Puts a reading into the session that reaches it, or into one of its own; and joins what it bridges. */
  #place(ts: EpochMs, value: number): void {
    const index = this.#indexOf(ts);
    if (!this.#reaches(index, ts)) {
      const aggregate = this.#spare ?? this.#empty();
      this.#spare = undefined;
      aggregate.reset();
      aggregate.add(ts, value);
      this.#sessions.splice(index, 0, { start: ts, last: ts, aggregate });
      return;
    }
    const session = this.#sessions[index] as Session;
    session.aggregate.add(ts, value);
    session.start = Math.min(session.start, ts);
    session.last = Math.max(session.last, ts);
    const next = this.#sessions[index + 1];
    if (next === undefined || next.start - this.spec.gap > session.last) return;
    session.aggregate.mingle(next.aggregate);
    session.last = next.last;
    this.#sessions.splice(index + 1, 1);
  }
}
