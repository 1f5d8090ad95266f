// A small chart as SVG: a band from the lowest to the highest of each slot of time, a line of averages, gaps left open on grey, alerts
// as red marks. Colours and sizes are attributes, so that it needs no style sheet: it is drawn into mails as PNG and stands in pages as it is.
// Pure; positions in time come as shares of the whole, 0 to 1. What has a width of its own is in pixels.

/** What was read in a slot of time around `at`. */
export type ChartPoint = { readonly at: number; readonly min: number; readonly max: number; readonly avg: number };

export type Chart = {
  /** In order of time; slots in which nothing was read are left out. */
  readonly points: readonly ChartPoint[];
  /** Width of a slot. */
  readonly slot: number;
  /** Times without readings; the line does not cross them. */
  readonly gaps: readonly (readonly [from: number, to: number])[];
  /** Times of which nothing is known: the line does not cross them either. */
  readonly unknown?: readonly (readonly [from: number, to: number])[];
  /** Where alerts fired. */
  readonly marks: readonly number[];
  /** Faint upright lines. */
  readonly ticks: readonly number[];
  /** Values that should not be passed: dashed, and in sight when they are near. */
  readonly limits?: readonly number[];
};

export type ChartLook = {
  readonly width: number;
  readonly height: number;
  /** With figures at its left and words below; without, it is all chart, and its edges are crisp, for a PNG that weighs little. */
  readonly axis?: { readonly labels: readonly { readonly at: number; readonly text: string }[]; valueText(value: number): string };
  /** What it shows, in words, for those who do not see it. Markup must be escaped already. */
  readonly label?: string;
};

const colours = {
  band: "#c9dcf4",
  line: "#1f62c4",
  gap: "#ececea",
  mark: "#c0271d",
  grid: "#e0e3e6",
  text: "#5a6872",
  limit: "#c0271d",
  frame: "#d5d9dd",
} as const;
/** Room around the drawing, so that a line at the edge keeps its width. */
const MARGIN = 4;
const AXIS = { left: 58, bottom: 20, top: 8, right: 10 } as const;
/** A limit is shown when it is no further from the values than so many times their spread. */
const LIMIT_REACH = 1;
const FONT = "system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

type Frame = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
type Scale = { readonly low: number; readonly high: number; x(share: number): number; y(value: number): number };

export function drawChart(chart: Chart, look: ChartLook): string {
  const frame = frameOf(look);
  const limits = (chart.limits ?? []).filter((limit) => isNear(limit, chart.points));
  const scale = scaleOf(chart, limits, frame);
  const name = look.label === undefined ? "" : ` role="img" aria-label="${look.label}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${look.width}" height="${look.height}" viewBox="0 0 ${look.width} ${look.height}"${look.axis === undefined ? ' shape-rendering="crispEdges"' : ""}${name}>`,
    `<rect x=".5" y=".5" width="${look.width - 1}" height="${look.height - 1}" rx="3" fill="#fff"${look.axis === undefined ? ` stroke="${colours.frame}"` : ""}/>`,
    ...chart.gaps.map(([from, to]) => gapRect(scale.x(from), scale.x(to), frame)),
    ...chart.ticks.map((tick) => upright(scale.x(tick), frame, `stroke="${colours.grid}"`)),
    ...(look.axis === undefined ? [] : axisOf(look.axis, scale, frame)),
    ...runsOf(chart).flatMap((run) => runOf(run, chart.slot, scale)),
    ...limits.map((limit) => level(scale.y(limit), frame)),
    ...chart.marks.flatMap((mark) => markOf(scale.x(mark), frame)),
    "</svg>",
  ].join("");
}

function frameOf({ width, height, axis }: ChartLook): Frame {
  if (axis === undefined) return { left: MARGIN, top: MARGIN, width: width - 2 * MARGIN, height: height - 2 * MARGIN };
  return { left: AXIS.left, top: AXIS.top, width: width - AXIS.left - AXIS.right, height: height - AXIS.top - AXIS.bottom };
}

/** Halves are subtracted, since the spread of two doubles need not be one. */
const spreadOf = (low: number, high: number): number => high / 2 - low / 2;
const extremes = (points: readonly ChartPoint[]): [low: number, high: number] => [
  points.reduce((low, { min }) => Math.min(low, min), Number.POSITIVE_INFINITY),
  points.reduce((high, { max }) => Math.max(high, max), Number.NEGATIVE_INFINITY),
];

function isNear(limit: number, points: readonly ChartPoint[]): boolean {
  const [low, high] = extremes(points);
  const reach = 2 * LIMIT_REACH * spreadOf(low, high);
  return limit >= low - reach && limit <= high + reach;
}

function scaleOf({ points }: Chart, limits: readonly number[], { left, top, width, height }: Frame): Scale {
  const [lowest, highest] = extremes(points);
  const [low, high] = [Math.min(lowest, ...limits), Math.max(highest, ...limits)];
  const spread = spreadOf(low, high);
  // What does not change is drawn in the middle.
  const share = (value: number): number => (spread > 0 ? spreadOf(low, value) / spread : 0.5);
  const inset = height * 0.08;
  return { low, high, x: (at) => left + at * width, y: (value) => top + height - inset - share(value) * (height - 2 * inset) };
}

/** Points that no gap parts. An empty slot alone parts nothing: a sensor may speak more seldom than there are slots. */
function runsOf({ points, gaps, unknown = [], slot }: Chart): ChartPoint[][] {
  const runs: ChartPoint[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    const middle = before === undefined ? 0 : (before.at + point.at) / 2;
    const isParted = before !== undefined && point.at - before.at > 1.5 * slot && [...gaps, ...unknown].some(([from, to]) => from <= middle && middle <= to);
    if (run === undefined || isParted) runs.push([point]);
    else run.push(point);
  }
  return runs;
}

/** The band in steps, which is what was measured, and the average from the start of the first slot to the end of the last. */
function runOf(run: readonly ChartPoint[], slot: number, { x, y }: Scale): string[] {
  const [first, last] = [run[0] as ChartPoint, run.at(-1) as ChartPoint];
  const [start, end] = [Math.max(0, first.at - slot / 2), Math.min(1, last.at + slot / 2)];
  const edges = [start, ...run.slice(1).map((point, index) => (point.at + (run[index] as ChartPoint).at) / 2), end];
  const step = (part: "min" | "max", index: number): string => `V${crisp(y((run[index] as ChartPoint)[part]))}`;
  const there = run.map((_, index) => `${step("max", index)}H${crisp(x(edges[index + 1] as number))}`);
  const back = run.map((_, index) => `${step("min", index)}H${crisp(x(edges[index] as number))}`).toReversed();
  const line = [{ ...first, at: start }, ...run, { ...last, at: end }].map(({ at, avg }) => `${short(x(at))} ${short(y(avg))}`).join("L");
  return [
    `<path d="M${crisp(x(start))} ${crisp(y(first.max))}${there.join("")}${back.join("")}Z" fill="${colours.band}"/>`,
    `<path d="M${line}" fill="none" stroke="${colours.line}" stroke-width="1.5" stroke-linejoin="round"/>`,
  ];
}

const gapRect = (from: number, to: number, { top, height }: Frame): string =>
  `<rect x="${crisp(from)}" y="${crisp(top)}" width="${crisp(Math.max(0.5, to - from))}" height="${short(height)}" fill="${colours.gap}"/>`;

const upright = (x: number, { top, height }: Frame, stroke: string): string => `<path d="M${short(x)} ${short(top)}V${short(top + height)}" ${stroke}/>`;

const level = (y: number, { left, width }: Frame): string =>
  `<path d="M${short(left)} ${short(y)}H${short(left + width)}" stroke="${colours.limit}" stroke-dasharray="5 4"/>`;

/** A line with a head, so that it is told from the rest by its shape too. */
function markOf(x: number, frame: Frame): string[] {
  const { top } = frame;
  const head = `<path d="M${short(x - 4)} ${short(top)}H${short(x + 4)}L${short(x)} ${short(top + 6)}Z" fill="${colours.mark}"/>`;
  return [upright(x, frame, `stroke="${colours.mark}" stroke-width="1.2"`), head];
}

function axisOf({ labels, valueText }: NonNullable<ChartLook["axis"]>, { low, high, x, y }: Scale, { left, top, width, height }: Frame): string[] {
  if (low > high) return [];
  const values = low < high ? [high, low + spreadOf(low, high), low] : [low];
  const text = (at: string, anchor: string, words: string): string =>
    `<text ${at} text-anchor="${anchor}" font-family="${FONT}" font-size="11" fill="${colours.text}">${words}</text>`;
  return [
    `<path d="M${short(left)} ${short(top + height)}H${short(left + width)}" stroke="${colours.frame}"/>`,
    ...values.map((value) => text(`x="${left - 8}" y="${short(y(value) + 4)}"`, "end", valueText(value))),
    ...labels.map((label) => text(`x="${short(x(label.at))}" y="${short(top + height + 15)}"`, "middle", label.text)),
  ];
}

/** Halves are whole pixels of the PNG: steps without blurred edges, which also weigh less. */
const crisp = (value: number): string => String(Math.round(value * 2) / 2);
/** Tenths of a pixel are as fine as anybody sees. */
const short = (value: number): string => String(Math.round(value * 10) / 10);
