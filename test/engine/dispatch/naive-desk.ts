// An independent model of a part of dispatch: no groups, no escalation, one receiver. It keeps nothing between seconds but the log of what
// happened, and works out from that, for each instant at which anything may change, whether anybody should have been told and of what.
// No two things happen at one instant here: which of them comes first it does not know.

export type Happening =
  | { readonly at: number; readonly kind: "say"; readonly device: string; readonly isOn: boolean }
  | { readonly at: number; readonly kind: "ack" | "unack"; readonly device: string }
  /** [from, to). */
  | { readonly at: number; readonly kind: "silence"; readonly device: string; readonly from: number; readonly to: number };

export type Rules = {
  /** Sources hide targets; a target waits so long for its source, and for its own end when the source is over. */
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly wait: number;
  readonly repeat: number | null;
};

/** From when it fires to when it is over; Infinity: it fires still. */
type Span = { readonly device: string; readonly from: number; readonly to: number };

function spansOf(log: readonly Happening[]): Span[] {
  const spans: Span[] = [];
  const open = new Map<string, number>();
  for (const each of log) {
    if (each.kind !== "say") continue;
    const from = open.get(each.device);
    if (each.isOn && from === undefined) open.set(each.device, each.at);
    if (each.isOn || from === undefined) continue;
    spans.push({ device: each.device, from, to: each.at });
    open.delete(each.device);
  }
  return [...spans, ...[...open].map(([device, from]) => ({ device, from, to: Number.POSITIVE_INFINITY }))];
}

const isHidden = (span: Span, at: number, spans: readonly Span[], log: readonly Happening[], { sources, targets, wait }: Rules): boolean =>
  (targets.includes(span.device) && spans.some((each) => sources.includes(each.device) && each.from <= at && at < each.to + wait)) ||
  log.some((each) => each.kind === "silence" && each.device === span.device && each.at <= at && each.from <= at && at < each.to);

const isAcknowledged = ({ device, from }: Span, at: number, log: readonly Happening[]): boolean =>
  log.findLast((each) => (each.kind === "ack" || each.kind === "unack") && each.device === device && from <= each.at && each.at <= at)?.kind === "ack";

/** All that is told of a span, as `time: words device`. */
function toldOf(span: Span, spans: readonly Span[], log: readonly Happening[], rules: Rules, end: number): string[] {
  const told: string[] = [];
  const first = span.from + (rules.targets.includes(span.device) ? rules.wait : 0);
  const changes = [...spans.flatMap(({ to }) => [to, to + rules.wait]), ...log.flatMap((each) => (each.kind === "silence" ? [each.to] : []))];
  let isOwed = false;
  let again = Number.POSITIVE_INFINITY;
  const tell = (at: number, words: string): void => {
    told.push(`${at}: ${words} ${span.device}`);
    again = rules.repeat === null ? Number.POSITIVE_INFINITY : at + rules.repeat;
    isOwed = false;
  };
  for (let at = first; at <= end && at < span.to; at = Math.min(again, ...changes.filter((each) => each > at))) {
    const isHiddenNow = isHidden(span, at, spans, log, rules);
    const isRepeat = again === at;
    if (isRepeat) again += rules.repeat ?? 0;
    const isDue = at === first || (isRepeat && !isAcknowledged(span, at, log));
    if (isDue && isHiddenNow) isOwed = true;
    else if (isDue) tell(at, at === first ? "transition firing" : "repeat firing");
    else if (isOwed && !isHiddenNow) tell(at, "announced firing");
  }
  if (told.length > 0 && span.to <= end) told.push(`${span.to}: transition resolved ${span.device}`);
  return told;
}

/** All that is told up to the end. */
export function tellings(log: readonly Happening[], rules: Rules, end: number): string[] {
  const spans = spansOf(log);
  return spans.flatMap((span) => toldOf(span, spans, log, rules, end));
}
