// The last hour of one sensor as a line in its band of extremes, with the limit where one is crossed. Decoration: what
// it shows is also said in words for those who do not see it.

import type { ReadonlySignal } from "@preact/signals";
import { formatSpan, formatValue } from "./format.ts";
import { type Point, SPAN_MS } from "./history.ts";

const WIDTH = 240;
const HEIGHT = 40;
const PAD = 3;
/** A longer pause than this is drawn as a gap. */
const GAP_MS = 300_000;
/** A series younger than an hour fills the picture, but not before it is this old. */
const SPAN_LEAST_MS = 30_000;

type Scale = { x(t: number): number; y(value: number): number };

export function Sparkline({ history, now, limit }: { history: ReadonlySignal<readonly Point[] | undefined>; now: number; limit?: number | null }) {
  const points = history.value;
  if (points === undefined) return <div class="spark" />;
  const newest = points.at(-1);
  if (newest === undefined) return <p class="spark empty">no readings in the last hour</p>;
  // A recording that is played back has its own time.
  const end = now - newest.t < SPAN_MS ? Math.max(now, newest.t) : newest.t;
  const shown = points.filter(({ t }) => t >= end - SPAN_MS);
  const span = Math.min(SPAN_MS, Math.max(SPAN_LEAST_MS, end - (shown[0]?.t ?? end)));
  const low = Math.min(...shown.map((point) => point.low));
  const high = Math.max(...shown.map((point) => point.high));
  const scale = scaleOf({ end, span }, limit == null ? [low, high] : [Math.min(low, limit), Math.max(high, limit)]);
  return (
    <div class="spark">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {limit != null && <line class="limit" x1="0" x2={WIDTH} y1={scale.y(limit)} y2={scale.y(limit)} />}
        <path class="band" d={bandOf(shown, scale)} />
        <path class="line" d={lineOf(shown, scale)} />
        {/* A line of no length with round ends: a dot that the stretching of the picture leaves round. */}
        <path class="dot" d={`M${at(scale.x(newest.t), scale.y(newest.mid))}h0.01`} />
      </svg>
      <span class="unseen">
        Last {span === SPAN_MS ? "hour" : formatSpan(span)}: between {formatValue(low)} and {formatValue(high)}.
      </span>
    </div>
  );
}

function scaleOf({ end, span: time }: { end: number; span: number }, [low, high]: readonly [number, number]): Scale {
  const span = high - low;
  // A flat line lies in the middle; a nearly flat one is not blown up to noise.
  const least = Math.max(Math.abs(high), Math.abs(low), 1) * 0.004;
  const [base, reach] = span < least ? [(low + high - least) / 2, least] : [low, span];
  return {
    x: (t) => ((t - end + time) / time) * (WIDTH - PAD),
    y: (value) => HEIGHT - PAD - ((value - base) / reach) * (HEIGHT - 2 * PAD),
  };
}

const at = (x: number, y: number): string => `${x.toFixed(1)} ${y.toFixed(1)}`;

function lineOf(points: readonly Point[], { x, y }: Scale): string {
  let path = "";
  points.forEach(({ t, mid }, index) => {
    const previous = points[index - 1];
    const isGap = previous === undefined || t - previous.t > GAP_MS;
    // A point that stands alone is drawn as a short dash.
    path += `${isGap ? "M" : "L"}${at(x(t), y(mid))}`;
    if (isGap) path += "h0.6";
  });
  return path;
}

function bandOf(points: readonly Point[], { x, y }: Scale): string {
  if (points.length < 2) return "";
  const above = points.map(({ t, high }) => at(x(t), y(high)));
  const below = points.map(({ t, low }) => at(x(t), y(low))).reverse();
  return `M${above.join("L")}L${below.join("L")}z`;
}
