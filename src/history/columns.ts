// Collects what a parser reads: readings as growing columns, series by their labels, problems and skips counted.
// Bounded: in series, in labels of a series and their length; what goes beyond is a problem.

import { type Labels, seriesKey } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { excerpt, type Flaw, ownText, type Place, type Sink, type SkipReason, skipReasons } from "./format.ts";
import type { ProblemList } from "./problem-list.ts";
import { timeText } from "./time-text.ts";

export type Columns = {
  readonly sink: Sink;
  /** By number of the series; grows. */
  readonly labels: readonly Labels[];
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Whether the bytes being read are UTF-8: if not, labels with U+FFFD have lost something. */
  isUtf8: boolean;
  /** The line that is being read; of a record of several the last. */
  line: number;
  /** Hands over the readings since the last time. */
  take(): { readonly series: Uint32Array; readonly ts: Float64Array; readonly value: Float64Array };
};

export const LABELS_MAX = 64;
export const LABEL_LENGTH_MAX = 4096;
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Characters that the labels of all series of one file may have: tens of bytes for each are usual, a note in a label makes thousands. */
export const LABELS_CHARS_MAX = 32_000_000;

/** `seriesMax`: how many series one file may bring; `tsMax`: readings of later instants are problems. */
export type ColumnLimits = { readonly seriesMax: number; readonly tsMax: EpochMs };

export function createColumns(file: string, problems: ProblemList, { seriesMax, tsMax }: ColumnLimits): Columns {
  const labels: Labels[] = [];
  const numbers = new Map<string, number>();
  let labelChars = 0;
  const skipped = Object.fromEntries(skipReasons.map((reason) => [reason, 0])) as Record<SkipReason, number>;
  let size = 0;
  let series = new Uint32Array(1024);
  let ts = new Float64Array(1024);
  let value = new Float64Array(1024);

  function grow(): void {
    const room = size * 2;
    const [fewer, earlier, before] = [series, ts, value];
    series = new Uint32Array(room);
    series.set(fewer);
    ts = new Float64Array(room);
    ts.set(earlier);
    value = new Float64Array(room);
    value.set(before);
  }

  function numberOf(given: Labels): number | Flaw {
    const key = seriesKey(given);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const flaw = flawOf(given, columns.isUtf8);
    if (flaw !== undefined) return flaw;
    const hint = "import the file in parts, or look whether a label holds what differs from reading to reading";
    if (labels.length >= seriesMax) return { what: `more than ${seriesMax} series`, hint };
    labelChars += key.length;
    if (labelChars > LABELS_CHARS_MAX) return { what: `the labels of its series have more than ${LABELS_CHARS_MAX} characters`, hint };
    labels.push(Object.fromEntries(Object.entries(given).map(([name, text]) => [ownText(name), ownText(text)])));
    numbers.set(ownText(key), labels.length - 1);
    return labels.length - 1;
  }

  const columns: Columns = {
    sink: {
      series(given, place) {
        const number = numberOf(given);
        if (typeof number === "number") return number;
        problems.add("series", place, number);
        return -1;
      },
      reading(number, at, reading) {
        if (at > tsMax) return problems.add("future", { line: columns.line, column: 1 }, futureFlaw(at));
        if (size === ts.length) grow();
        series[size] = number;
        ts[size] = at;
        value[size] = reading;
        size += 1;
      },
      skip(reason) {
        skipped[reason] += 1;
      },
      problem: problems.add,
      refuse: (place, flaw) => refuse(file, place, flaw),
    },
    labels,
    skipped,
    isUtf8: true,
    line: 0,
    take() {
      const taken = { series: series.slice(0, size), ts: ts.slice(0, size), value: value.slice(0, size) };
      size = 0;
      return taken;
    },
  };
  return columns;
}

const futureFlaw = (at: EpochMs): Flaw => ({
  what: `${timeText(at)} is in the future`,
  hint: "look at the clock that wrote it, and whether seconds stand where milliseconds are meant",
});

/** @throws GatewayError `not_a_history`, as `file:line:column: what` */
export function refuse(file: string, place: Place, { what, hint }: Flaw): never {
  throw new GatewayError("not_a_history", `${file}:${place.line}:${place.column}: ${what}`, { hint });
}

function flawOf(labels: Labels, isUtf8: boolean): Flaw | undefined {
  if (!labels["device"]) return { what: "no device is named", hint: "give one with --device NAME" };
  if (!labels["metric"]) return { what: "no metric is named", hint: "give one with --metric NAME" };
  const names = Object.keys(labels);
  if (names.length > LABELS_MAX) return { what: `${names.length} labels`, hint: `a series has at most ${LABELS_MAX}` };
  for (const name of names) {
    const text = labels[name] as string;
    if (!labelName.test(name))
      return { what: `${excerpt(name)} cannot be the name of a label`, hint: "letters, digits and _, not beginning with a digit or __" };
    if (text.length > LABEL_LENGTH_MAX) return { what: `the label ${name} is ${text.length} characters long`, hint: `at most ${LABEL_LENGTH_MAX} are taken` };
    if (!isUtf8 && text.includes("\ufffd"))
      return { what: `the label ${name} is not UTF-8: ${excerpt(text)}`, hint: "save the file as UTF-8, such as with iconv -f latin1 -t utf-8" };
  }
  return undefined;
}
