// Series that one rule judges together. Its clock is the minimum over those that are not silent, of all silent ones the maximum, and
// never goes back; what is behind it is not heard.

import { type Labels, seriesKey } from "../../../src/engine/reading.ts";
import type { Device, Rule, SourceTiming } from "../../../src/engine/rule.ts";
import { History, type Kept } from "./kept.ts";
import type { Member } from "./members.ts";
import { greatest, LONG_AGO, least, NEVER, type Opinion } from "./opinion.ts";
import type { SeriesSubject } from "./series.ts";
import { Subject } from "./subject.ts";

const STALE_AFTER = 300_000;
/** `labels` and `device` as they are now; `watermark` and `heard` as of the last reading that the group was told of, or when it joined. */
type Joined = { readonly series: SeriesSubject; labels: Labels; device: Device | undefined; brought: Kept | undefined; watermark: number; heard: number };

export class GroupSubject extends Subject {
  readonly history: History;
  readonly minute = undefined;
  rule: Rule;
  #joined: Joined[] = [];
  #clock = LONG_AGO;
  readonly #timing: SourceTiming;

  constructor(rule: Rule, labels: Labels, timing: SourceTiming, opinion: Opinion) {
    super(seriesKey(labels), opinion);
    this.rule = rule;
    this.#timing = timing;
    this.history = new History(timing);
  }

  /** Members as the rules have them now; those that were there before are as they were. */
  gather(members: readonly { series: SeriesSubject; labels: Labels; device: Device | undefined }[]): void {
    this.#joined = members.map((each) => {
      const known = this.#joined.find(({ series }) => series === each.series);
      const { watermark, heard, evaluated } = each.series.history;
      return { watermark, heard, brought: evaluated.at(-1), ...known, ...each };
    });
  }

  override clock(up: number): number {
    const heard = this.#joined.filter((each) => each.heard !== LONG_AGO);
    const borrowed = (each: Joined): number => up - each.heard - this.#timing.idleAfterMs;
    const awake = heard.filter((each) => borrowed(each) <= 0);
    const now = awake.length > 0 ? least(awake.map(({ watermark }) => watermark)) : greatest(heard.map((each) => each.watermark + borrowed(each)));
    this.#clock = Math.max(this.#clock, now);
    return this.#clock;
  }

  /** Nothing of a group is judged by its silence. */
  override quiet(): number {
    return 0;
  }

  override members(up: number): readonly Member[] {
    return this.#joined.flatMap(({ series, labels, device, brought }) => {
      const reading = this.history.evaluated.findLast(({ member }) => member === series.id) ?? brought;
      const staleAfter = this.rule.staleAfterMs ?? Math.max(STALE_AFTER, 3 * (device?.expectedEveryMs ?? 0));
      return reading === undefined || up - reading.up > staleAfter ? [] : [{ labels, reading }];
    });
  }

  /** A reading that went to the history of a member. */
  hear(series: SeriesSubject, heard: Kept, up: number): void {
    const member = this.#joined.find((each) => each.series === series);
    if (member === undefined) return;
    const { history } = this;
    const before = this.clock(up);
    if (heard.isLate) {
      const reading = { ...heard, clockThen: before === LONG_AGO ? NEVER : before, turn: ++history.turns };
      this.hearLate(reading);
      history.keep(reading);
    } else {
      member.watermark = series.history.watermark;
      member.heard = up;
      if (heard.ts > before) history.keep({ ...heard, ordinal: history.accepted.length + 1, turn: NEVER });
    }
    this.changed(up);
  }

  override evaluating(): void {}

  override closeMinute(): void {}
}
