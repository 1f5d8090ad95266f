// The raw readings of one local day, series by series, from journal rows that hold all series together. Memory is bounded:
// when a day holds more readings than may be held at once, the series with the higher ids are left to a further pass.

import type { DayBounds } from "../../engine/calendar.ts";
import { History, type OrderedReadings } from "../../engine/history.ts";
import { LATE } from "../../engine/reading.ts";
import type { SeriesId } from "../../engine/units.ts";
import type { Database } from "../../storage/database.ts";
import { isHistory, type ReadingColumns, readJournal } from "../../storage/journal.ts";

export type Wanted = ReadonlySet<SeriesId> | "all";

export type DayReadings = { readonly series: SeriesId; readonly readings: OrderedReadings };

/** 16 million readings are about 270 MB. */
export const HELD_MAX = 16_000_000;
/** Journal rows between two pauses. */
const ROWS_PER_PAUSE = 200;

type Options = { readonly wanted: Wanted; readonly heldMax?: number; readonly signal?: AbortSignal; readonly pause: () => Promise<void> };

/** Series in the order of their ids; those without readings in the day do not come. Ends early, silently, by the signal. */
export async function* readDay(db: Database, bounds: DayBounds, options: Options): AsyncGenerator<DayReadings> {
  for (let low = 0; low < Number.POSITIVE_INFINITY; ) {
    const pass = new Pass(bounds, options.wanted, low, options.heldMax ?? HELD_MAX);
    const filter = { fromTs: bounds.start, toTs: bounds.end, ...(options.wanted !== "all" && { series: options.wanted }) };
    let rows = 0;
    for (const columns of readJournal(db, filter)) {
      pass.add(columns);
      rows += 1;
      if (rows % ROWS_PER_PAUSE === 0) await options.pause();
      if (options.signal?.aborted) return;
    }
    yield* pass.drain();
    low = pass.high;
  }
}

/** One walk over the day's rows; holds the series from `low` (inclusive) to `high` (exclusive), which comes down as memory fills. */
class Pass {
  high = Number.POSITIVE_INFINITY;
  readonly #bounds: DayBounds;
  readonly #wanted: Wanted;
  readonly #low: SeriesId;
  readonly #heldMax: number;
  /** By series id, which are dense; null: not held in this pass. */
  readonly #histories: (History | null | undefined)[] = [];
  #held = 0;

  constructor(bounds: DayBounds, wanted: Wanted, low: SeriesId, heldMax: number) {
    this.#bounds = bounds;
    this.#wanted = wanted;
    this.#low = low;
    this.#heldMax = heldMax;
  }

  add({ count, series, ts, value, verdict }: ReadingColumns): void {
    const { start, end } = this.#bounds;
    for (let index = 0; index < count; index += 1) {
      const at = ts[index] as number;
      const mark = verdict[index] as number;
      if (at < start || at >= end || !isHistory(mark)) continue;
      this.#historyOf(series[index] as number)?.add(at, value[index] as number, mark === LATE);
    }
    this.#held += count;
    if (this.#held > this.#heldMax) this.#shed();
  }

  *drain(): Generator<DayReadings> {
    for (const series of this.#ids()) {
      const readings = (this.#histories[series] as History).ordered();
      this.#histories[series] = null;
      yield { series, readings };
    }
  }

  #ids(): SeriesId[] {
    const ids: SeriesId[] = [];
    for (let id = this.#low; id < this.#histories.length; id += 1) if (this.#histories[id]) ids.push(id);
    return ids;
  }

  #historyOf(series: SeriesId): History | null {
    const known = this.#histories[series];
    if (known !== undefined) return known;
    // Filled from the front, so that the array has no holes.
    while (this.#histories.length < series) this.#histories.push(undefined);
    const isHeld = series >= this.#low && series < this.high && (this.#wanted === "all" || this.#wanted.has(series));
    const history = isHeld ? new History() : null;
    this.#histories[series] = history;
    return history;
  }

  /** Lets go of the upper half of the series, unless there is only one; counts anew what is held, as rows bring more than is kept. */
  #shed(): void {
    const ids = this.#ids();
    const lengthOf = (id: SeriesId): number => this.#histories[id]?.length ?? 0;
    this.#held = ids.reduce((sum, id) => sum + lengthOf(id), 0);
    if (this.#held <= this.#heldMax || ids.length < 2) return;
    this.high = ids[Math.ceil(ids.length / 2)] as SeriesId;
    for (const id of ids) {
      if (id < this.high) continue;
      this.#held -= lengthOf(id);
      this.#histories[id] = null;
    }
  }
}
