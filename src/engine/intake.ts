// Readings on their way into the bucket and into the windows that only time ends. They may wait, as many at once cost less: it is all
// the same, as they are taken in before anything else is done there, and as all lie in windows that one before them has begun.

import type { Dispatcher } from "./dispatch.ts";
import type { Downsampler } from "./downsample.ts";
import type { Held } from "./held.ts";
import type { Ruling } from "./ruling.ts";
import type { EpochMs, SeriesId } from "./units.ts";

const NEVER = Number.POSITIVE_INFINITY;
/** Numbers that wait at most, two of each reading. */
const WAITING_MAX = 32;

export class Intake {
  readonly #series: SeriesId;
  /** Of a series; a group is not downsampled, and nothing of it waits. */
  readonly #sampler: Downsampler | undefined;
  readonly #ruling: Ruling;
  /** Timestamp and value by turns. */
  readonly #waiting: number[] = [];
  #length = 0;
  #mayWait = false;

  constructor(series: SeriesId, sampler: Downsampler | undefined, ruling: Ruling) {
    this.#series = series;
    this.#sampler = sampler;
    this.#ruling = ruling;
  }

  /** Takes a reading, or lets it wait. @returns when the first of what holds it ends; Infinity where that is known already */
  take({ ts, value, isSampled }: Held, into: Dispatcher): EpochMs {
    if (!this.#mayWait || isSampled || this.#length === WAITING_MAX) return this.#collect(ts, value, isSampled, into);
    this.#waiting[this.#length++] = ts;
    this.#waiting[this.#length++] = value;
    return NEVER;
  }

  /** Takes in what waits. To be called before anything else is done to the bucket or the windows. */
  catchUp(): void {
    const length = this.#length;
    this.#mayWait = false;
    if (length === 0) return;
    this.#length = 0;
    this.#sampler?.addToBegun(this.#waiting, length);
    for (const window of this.#ruling.patient) window.addToBegun(this.#waiting, length);
  }

  #collect(ts: EpochMs, value: number, isSampled: boolean, into: Dispatcher): EpochMs {
    this.catchUp();
    let [end, mayWait] = [NEVER, !isSampled];
    if (this.#sampler !== undefined) {
      // A late reading may have closed the minute of those that were held back.
      if (!isSampled) mayWait = this.#sampler.add(this.#series, ts, value, into);
      end = this.#sampler.nextEnd;
    }
    for (const window of this.#ruling.patient) {
      window.add(ts, value);
      end = Math.min(end, window.nextEnd);
      mayWait &&= window.isOpen(ts);
    }
    this.#mayWait = mayWait;
    return end;
  }
}
